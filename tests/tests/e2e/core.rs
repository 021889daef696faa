//! Answers and the service behind the platforms, in this process: a scripted model, a recording platform, everything else real.

mod answers;
mod brief;
mod door;
mod linking;
mod outbox;
pub mod platform;
mod press;
pub mod service;
mod standing;

use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;
use runlore_bot::app::{App, ModelUse};
use runlore_bot::model::LanguageModel;
use runlore_indexer::config::Settings;
use runlore_tests::team::Team;

/// The clock of these tests.
fn clock() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// The made-up team, indexed.
pub fn team(more: &str) -> Result<Team> {
    let team = Team::new(more)?;
    team.json(&["index", "--json"], &[0, 1])?;
    Ok(team)
}

/// What answers, with this model.
pub async fn app(team: &Team, model: Option<Arc<dyn LanguageModel>>) -> Result<App> {
    Ok(App::open(Settings::read(&team.config())?, ModelUse::None).await?.with(model, clock))
}
