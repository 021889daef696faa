//! Small phrases that the tools share.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use runlore_indexer::catalog::{RunFilter, RunRow};
use runlore_indexer::run::{Direction, RunStatus, Summary};

use crate::directions::{Known, phrase};
use crate::facts::{Fact, FactKind};
use crate::tools::Desk;

/// ` in PROJECT, tag value, ...`: what a filter says, for a sentence; empty where it says nothing.
pub(super) fn narrowed(runs: &RunFilter, zone: &TimeZone) -> String {
    let mut parts = Vec::new();
    if let Some(project) = &runs.project {
        parts.push(format!("in {project}"));
    }
    let mut with: Vec<String> = runs.tags.iter().chain(&runs.params).map(|(name, value)| format!("{name} {value}")).collect();
    if let Some(name) = &runs.name {
        with.push(format!("name {name}"));
    }
    if let Some(status) = runs.status {
        with.push(format!("status {}", status.as_str()));
    }
    if !with.is_empty() {
        parts.push(format!("with {}", with.join(", ")));
    }
    if let Some(since) = runs.since_ms {
        parts.push(format!("started since {}", day(since, zone)));
    }
    if let Some(until) = runs.until_ms {
        parts.push(format!("started before {}", day(until, zone)));
    }
    if parts.is_empty() { String::new() } else { format!(" {}", parts.join(" ")) }
}

/// A day of a zone, `2026-05-04`.
pub(crate) fn day(ms: i64, zone: &TimeZone) -> String {
    let zoned = Timestamp::from_millisecond(ms).map(|time| time.to_zoned(zone.clone()));
    zoned.map_or_else(|_| "unknown day".to_owned(), |time| time.date().to_string())
}

/// A start or end as a fact: the day is its label.
pub(super) fn time_fact(name: &str, ms: i64, run: &RunRow, zone: &TimeZone) -> Fact {
    Fact { label: Some(day(ms, zone)), ..Fact::new(FactKind::Time, name).from(&run.key, run.url.as_deref()) }
}

/// `higher is better, assumed from the name`.
pub(crate) fn why(known: Known) -> String {
    format!("{}, {}", phrase(known.direction), known.why.phrase())
}

/// `best`, with the direction made plain: `lowest` or `highest`.
pub(crate) fn superlative(direction: Direction) -> &'static str {
    match direction {
        Direction::Min => "lowest",
        Direction::Max => "highest",
    }
}

/// What a series holds besides finite values: `; NaN at 3 of its points, from step 40 on`.
pub(super) fn non_finite(desk: &mut Desk<'_>, summary: &Summary, run: &RunRow) -> Option<String> {
    let first = summary.first_non_finite?;
    let n = desk.ledger.show(Fact::count("points that are not finite", summary.n_non_finite() as usize).from(&run.key, None));
    let all = desk.ledger.show(Fact::count("points", summary.n as usize).from(&run.key, None));
    let step = desk.ledger.show(Fact::new(FactKind::Step, "first step that is not finite").with_value(first as f64).from(&run.key, None));
    Some(format!("{n} of its {all} points are not finite, the first at step {step}; they never count as best"))
}

/// A status in words that say what is meant.
pub(super) fn status_words(status: RunStatus) -> &'static str {
    status.as_str()
}

/// `run` or `runs`.
pub(crate) fn runs_word(n: usize) -> &'static str {
    if n == 1 { "run" } else { "runs" }
}

/// Lines in columns: each column as wide as its widest cell, numbers not aligned specially.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..n_columns).map(|c| rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
