//! `runlore brief`: what a week held, as who reads a channel would see it.

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Zoned;
use runlore_indexer::config::Settings;

use super::ask::cancelled_by_ctrl_c;
use super::brief_test::brief_test;
use super::{Asking, Exit, Form, Options, WrongUse, out};
use crate::brief::{self, Brief, Period};
use crate::surface::Shown;
use crate::zones;

#[derive(Debug, Args)]
pub(super) struct BriefArgs {
    /// What this channel of the settings would get; else all that this terminal may read
    #[arg(long, visible_alias = "as-channel", value_name = "CHANNEL")]
    channel: Option<String>,
    /// The week: "last week", "this week", 2026-W12, or a day of it
    #[arg(long, value_name = "WEEK", default_value = "last week")]
    period: String,
    /// Say why each item was chosen or not, and what it scored
    #[arg(long)]
    explain: bool,
    /// How to print it; `--json` is the same as `--format json`
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Facts alone, without the model
    #[arg(long)]
    no_model: bool,
    /// Post a sentence to the channel the way that its brief goes, to see before Monday that it arrives
    #[arg(long, requires = "channel", conflicts_with_all = ["period", "explain", "format"])]
    test: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

/// Makes a brief and prints it.
pub(super) async fn brief(args: &BriefArgs, options: &Options) -> anyhow::Result<Exit> {
    if let (true, Some(channel)) = (args.test, &args.channel) {
        return brief_test(channel, options).await;
    }
    let settings = options.settings()?;
    let asking = Asking { as_channel: args.channel.clone(), no_model: args.no_model };
    let audience = asking.audience(&settings)?;
    let period = Period::parse(&args.period, &now(&settings, args.channel.as_deref())).ok_or_else(|| {
        WrongUse(format!("`{}` is no week; write it as \"last week\", \"this week\", 2026-W12 or 2026-03-18", args.period))
    })?;
    let terminal = asking.open(settings).await?;
    let brief = brief::make(&terminal.app, &audience, &period, &cancelled_by_ctrl_c()).await.context("cannot make the brief")?;
    terminal.note(Shown::brief(&audience, &brief)).await?;
    let format = if options.form == Form::Json { Format::Json } else { args.format };
    match format {
        Format::Json => out::json(&brief.json())?,
        Format::Markdown => out::line(brief.markdown().trim_end())?,
        Format::Text => out::line(&brief.text())?,
    }
    if args.explain && format != Format::Json {
        out::line(&explained(&brief))?;
    }
    Ok(Exit::Fine)
}

/// Now, on the clock by which the channel's brief comes.
fn now(settings: &Settings, channel: Option<&str>) -> Zoned {
    let channel = channel.and_then(|name| settings.access.channels.get(name));
    let zone = channel.and_then(|channel| channel.brief_zone.as_deref()).and_then(zones::named);
    zone.map_or_else(Zoned::now, |zone| Zoned::now().with_time_zone(zone))
}

/// Every item that could become a highlight, with its score and the score's parts.
fn explained(brief: &Brief) -> String {
    if brief.chosen.is_empty() {
        return "\nNothing could become a highlight.".to_owned();
    }
    let mut rows = vec![["score", "highlight", "why", "item"].map(str::to_owned).to_vec()];
    for chosen in &brief.chosen {
        let highlight = if chosen.is_highlight { "yes" } else { "no" };
        rows.push(vec![chosen.score.to_string(), highlight.to_owned(), chosen.why.clone(), chosen.item.clone()]);
    }
    format!("\n{}", out::table(&rows))
}
