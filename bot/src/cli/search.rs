//! `runlore search`: passages by words, without the model.

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::index::vector::Filter;
use runlore_indexer::record::RecordKind;
use runlore_indexer::search::Found;
use runlore_indexer::space::Passage;
use serde::Serialize;

use super::{Asking, Exit, Form, Options, WrongUse, out};
use crate::answer::dates::resolve_date;
use crate::answer::link::{Resolved, resolve_project};
use crate::surface::{Outcome, Shown, Surface};

/// Characters of a passage that a person is shown.
const MAX_EXCERPT: usize = 280;

#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// What to look for
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Only this kind: run, note, config, pull, commit; may be repeated
    #[arg(long, value_name = "KIND")]
    kind: Vec<RecordKind>,
    /// Only this project
    #[arg(long)]
    project: Option<String>,
    /// Made on this day or later: 2026-05-04, yesterday, "last week"
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 10, value_name = "N")]
    limit: usize,
    /// Search as in this channel of the settings
    #[arg(long, value_name = "CHANNEL")]
    as_channel: Option<String>,
}

/// What was found, as JSON.
#[derive(Serialize)]
struct FoundJson<'a> {
    query: &'a str,
    passages: Vec<PassageJson<'a>>,
    notice: Option<&'a str>,
}

#[derive(Serialize)]
struct PassageJson<'a> {
    record: &'a str,
    kind: &'static str,
    title: &'a str,
    heading: &'a str,
    project: Option<&'a str>,
    created_ms: Option<i64>,
    url: Option<&'a str>,
    score: f64,
    text: &'a str,
}

/// Searches.
pub(super) async fn search(args: &SearchArgs, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    let asking = Asking { as_channel: args.as_channel.clone(), no_model: true };
    let audience = asking.audience(&settings)?;
    let terminal = asking.open(settings).await?;
    let scope = terminal.app.access().policy.scope_for(&audience).map(|scope| scope.id()).unwrap_or_default();
    let shown = Shown { audience: audience.to_string(), scope, ..Shown::plain(Surface::Search, Outcome::Refused) };
    let vocabulary = terminal.app.vocabulary(&audience).await.context("cannot read the catalog")?;
    let filter = match filter(args, &vocabulary) {
        Ok(filter) => filter,
        Err(wrong) => {
            // It may name projects that come near.
            terminal.note(shown).await?;
            return Err(wrong.into());
        }
    };
    let words = args.words.join(" ");
    let found = terminal.app.search(&audience, &words, &filter, args.limit).await.context("cannot search")?;
    let records: Vec<String> = found.passages.iter().map(|passage| passage.record().to_string()).collect();
    let outcome = if records.is_empty() { Outcome::Abstained } else { Outcome::Answered };
    terminal.note(Shown { outcome, records, ..shown }).await?;
    match options.form {
        Form::Json => out::json(&found_json(&words, &found))?,
        Form::Text => out::line(&text(&words, &found))?,
    }
    Ok(Exit::Fine)
}

fn filter(args: &SearchArgs, vocabulary: &Vocabulary) -> Result<Filter, WrongUse> {
    let project = args.project.as_ref().map(|name| match resolve_project(name, vocabulary) {
        Resolved::One(project) => Ok(project),
        Resolved::Many(near) | Resolved::Nothing { nearest: near } if !near.is_empty() => {
            Err(WrongUse(format!("no project `{name}`; the nearest are {}", near.join(", "))))
        }
        Resolved::Many(_) | Resolved::Nothing { .. } => Err(WrongUse(format!("no project `{name}`"))),
    });
    let wrong_date = |text: &str| WrongUse(format!("`{text}` is no date; write it as 2026-05-04, yesterday or \"last week\""));
    let since = args.since.as_ref().map(|text| resolve_date(text, &Zoned::now()).ok_or_else(|| wrong_date(text)));
    Ok(Filter { kinds: args.kind.clone(), project: project.transpose()?, since_ms: since.transpose()?, until_ms: None })
}

fn found_json<'a>(query: &'a str, found: &'a Found) -> FoundJson<'a> {
    let passage = |passage: &'a Passage| PassageJson {
        record: passage.key(),
        kind: passage.kind().as_str(),
        title: passage.title(),
        heading: passage.heading(),
        project: passage.project(),
        created_ms: passage.created_ms(),
        url: passage.url(),
        score: passage.score(),
        text: passage.text(),
    };
    FoundJson { query, passages: found.passages.iter().map(passage).collect(), notice: found.notice.as_deref() }
}

fn text(query: &str, found: &Found) -> String {
    let mut parts: Vec<String> = found.passages.iter().map(passage_text).collect();
    if parts.is_empty() {
        parts.push(format!("nothing found for `{query}`"));
    }
    parts.extend(found.notice.iter().map(|notice| format!("note: {notice}")));
    parts.join("\n\n")
}

fn passage_text(passage: &Passage) -> String {
    let date = passage.created_ms().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let date = date.map(|at| format!(", {}", at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d"))).unwrap_or_default();
    let heading = match passage.heading() {
        "" => passage.title().to_owned(),
        // The first heading of a note is often its title.
        heading if heading.starts_with(passage.title()) => heading.to_owned(),
        heading => format!("{} > {heading}", passage.title()),
    };
    let url = passage.url().map(|url| format!("\n  {url}")).unwrap_or_default();
    format!("{} {}{date}: {heading}{url}\n  {}", passage.kind(), passage.key(), excerpt(passage.text()))
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
