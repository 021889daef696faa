//! A week with failures, stalled and live runs: small real trainings whose troubles are known, looked at with their own clock.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use runlore_bot::app::{App, ModelUse};
use runlore_bot::brief::rank::Kind;
use runlore_bot::brief::{self, Period};
use runlore_bot::model::CancellationToken;
use runlore_indexer::config::Settings;
use runlore_indexer::space::Audience;
use runlore_tests::not_run::not_run;
use serde_json::Value;

use super::{Lab, counted, number, open, shared_data, unpack};

const SOURCES: &str = "[[source]]\nname = \"runs\"\nkind = \"mlflow-db\"\npath = \"lab.db\"\nspace = \"team\"\n";

/// The clock to look at the store with (as_of.txt): a Monday.
fn clock() -> Timestamp {
    Timestamp::constant(1_790_614_800, 0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_runs_are_told_and_live_ones_are_not() -> Result<()> {
    let test = "the weekly brief over known troubles";
    let Some(data) = shared_data(test, &["lab/lab.db.xz", "lab/truth.jsonl", "lab/artifacts"]) else { return Ok(()) };
    if Timestamp::now() < clock() {
        not_run(test, "this machine's clock stands before the data's");
        return Ok(());
    }
    let lab = Lab::new(SOURCES)?;
    unpack(&data.join("lab/lab.db.xz"), &lab.path().join("lab.db"))?;
    std::os::unix::fs::symlink(data.join("lab/artifacts"), lab.path().join("artifacts"))?;
    lab.index()?;
    let truth = std::fs::read_to_string(data.join("lab/truth.jsonl"))?;
    let truth: Vec<Value> = truth.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let labels: BTreeMap<String, &str> = truth
        .iter()
        .filter_map(|run| Some((format!("{}/{}", run["project"].as_str()?, run["name"].as_str()?), run["label"].as_str()?)))
        .collect();

    let app = App::open(Settings::read(&lab.path().join("runlore.toml"))?, ModelUse::None).await?.with(None, clock);
    let now = clock().to_zoned(TimeZone::UTC);
    let week = async |named: &str| {
        let period = Period::parse(named, &now).context("no week")?;
        brief::make(&app, &Audience::Terminal, &period, &CancellationToken::new()).await
    };
    let (last, this) = (week("last week").await?, week("this week").await?);

    let store = open(&lab, "lab.db").await?;
    let within = format!(">= {} AND {{}} < {}", last.period.start_ms, last.period.end_ms);
    let of = |column: &str| format!("{column} {}", within.replace("{}", column));
    let n_started = number(&store, &format!("SELECT COUNT(*) FROM runs WHERE {}", of("start_time"))).await?;
    let n_failed = number(&store, &format!("SELECT COUNT(*) FROM runs WHERE status = 'FAILED' AND {}", of("end_time"))).await?;
    let told = last.json();
    ensure!((counted(&told, "runs"), counted(&told, "runs failed")) == (n_started as f64, n_failed as f64), "{}", last.text());

    let stalled: Vec<&str> = last.chosen.iter().filter(|chosen| chosen.kind == Kind::Stalled).map(|chosen| chosen.item.as_str()).collect();
    ensure!(!stalled.is_empty(), "nothing stalled in\n{}", last.text());
    for brief in [&last, &this] {
        let text = brief.text();
        let live = labels.iter().filter(|(_, label)| **label == "alive").map(|(key, _)| key);
        let wrong: Vec<&String> = live.filter(|key| text.contains(&format!("{key} is called running"))).collect();
        ensure!(wrong.is_empty(), "{wrong:?} are alive, and not as told in\n{text}");
    }
    let n_alive = labels.values().filter(|label| **label == "alive").count();
    ensure!(counted(&this.json(), "runs still running") == n_alive as f64, "{n_alive} are alive, and not as told in\n{}", this.text());
    Ok(())
}
