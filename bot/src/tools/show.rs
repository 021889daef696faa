//! A run's card, its params, and lists of runs.

use runlore_indexer::catalog::{RunCard, RunFilter, RunRow};

use super::format::{columns, narrowed, runs_word, time_fact};
use super::{Desk, Finding, LookUpError, RunRef, metric_fact};
use crate::facts::{Fact, FactKind, Of};

/// Metrics and params on a card, at most.
const MAX_ROWS: usize = 24;

/// One run's card.
pub(super) async fn look_up(desk: &mut Desk<'_>, run: &RunRef) -> Result<Finding, LookUpError> {
    let Some(card) = desk.corpus.catalog.card(desk.scope, run.record).await? else {
        return Ok(Finding::nothing(format!("There is no run `{}`.", run.key)));
    };
    let mut finding = Finding { headline: headline(desk, &card), ..Finding::default() };
    finding.lines = metric_lines(desk, &card);
    finding.lines.extend(param_lines(desk, &card));
    if !card.tags.is_empty() {
        let tags: Vec<String> = card
            .tags
            .iter()
            .take(MAX_ROWS)
            .map(|(name, value)| format!("{name} {}", desk.ledger.show(Fact::text(name, value, &card.row.key))))
            .collect();
        finding.lines.push(format!("  tags: {}", tags.join(", ")));
    }
    if let Some(commit) = &card.commit {
        finding.lines.push(format!("  commit {}", desk.ledger.show(Fact::text("commit", &commit[..commit.len().min(10)], &card.row.key))));
        if let Some(pull) = desk.corpus.catalog.pull_of_commit(desk.scope, commit).await? {
            finding.lines.push(format!("  which merged {} {}", pull.key, desk.ledger.show(Fact::text("pull", &pull.title, &pull.key))));
            finding.cite(&pull.key, &pull.title, pull.url.as_deref());
        }
    }
    if let Some(notes) = card.notes.as_ref().filter(|notes| !notes.trim().is_empty()) {
        let text: String = notes.trim().chars().take(600).collect();
        finding.quotes.push(crate::chat::Quote { text, record: card.row.key.clone() });
    }
    finding.records.insert(0, super::Source { key: card.row.key.clone(), title: card.row.name.clone(), url: card.row.url.clone() });
    Ok(finding)
}

fn headline(desk: &mut Desk<'_>, card: &RunCard) -> String {
    let row = &card.row;
    let mut sentence = format!("{} is {}", row.key, desk.ledger.show(Fact::text("status", row.status.as_str(), &row.key)));
    if let Some(number) = row.number {
        let number = desk.ledger.show(Fact::count("number in its project", number as usize).from(&row.key, row.url.as_deref()));
        sentence = format!("{} (run {number} of its project) is {}", row.key, row.status.as_str());
    }
    if let Some(started) = row.started_ms {
        sentence.push_str(&format!(", started {}", desk.ledger.show(time_fact("started", started, row, desk.zone))));
    }
    if let Some(ended) = row.ended_ms {
        sentence.push_str(&format!(", ended {}", desk.ledger.show(time_fact("ended", ended, row, desk.zone))));
    }
    if let Some(user) = &row.user {
        sentence.push_str(&format!(", by {}", desk.ledger.show(Fact::text("user", user, &row.key))));
    }
    format!("{sentence}.")
}

fn metric_lines(desk: &mut Desk<'_>, card: &RunCard) -> Vec<String> {
    let mut rows = vec![vec!["metric".to_owned(), "best".to_owned(), "final".to_owned()]];
    for series in card.series.iter().filter(|series| !series.metric.starts_with("system/")).take(MAX_ROWS) {
        let direction = desk.directions.of(&card.row.project, &series.metric).direction;
        let show = |desk: &mut Desk<'_>, of, at: Option<_>| {
            at.map_or_else(|| "none finite".to_owned(), |at| desk.ledger.show(metric_fact(&series.metric, of, at, &card.row)))
        };
        let best = show(desk, Of::Best, series.summary.best(direction));
        let last = show(desk, Of::Final, series.summary.last);
        rows.push(vec![series.metric.clone(), best, last]);
    }
    if rows.len() == 1 { vec!["  No metric is logged.".to_owned()] } else { columns(&rows) }
}

fn param_lines(desk: &mut Desk<'_>, card: &RunCard) -> Vec<String> {
    let mut rows = Vec::new();
    for (name, raw) in card.params.iter().take(MAX_ROWS) {
        rows.push(vec![name.clone(), desk.ledger.show(Fact::param(name, raw, &card.row.key, card.row.url.as_deref()))]);
    }
    let mut lines = columns(&rows);
    if card.params.len() > MAX_ROWS {
        let n = desk.ledger.show(Fact::count("params not listed", card.params.len() - MAX_ROWS).from(&card.row.key, None));
        lines.push(format!("  and {n} more params"));
    }
    lines
}

/// Params of one run.
pub(super) async fn params(desk: &mut Desk<'_>, names: &[String], run: &RunRef) -> Result<Finding, LookUpError> {
    let Some(card) = desk.corpus.catalog.card(desk.scope, run.record).await? else {
        return Ok(Finding::nothing(format!("There is no run `{}`.", run.key)));
    };
    let mut told = Vec::new();
    for name in names {
        if let Some((_, raw)) = card.params.iter().find(|(other, _)| other == name) {
            told.push(format!("{name} = {}", desk.ledger.show(Fact::param(name, raw, &card.row.key, card.row.url.as_deref()))));
        }
    }
    if told.is_empty() {
        return Ok(Finding::nothing(format!("{} is not logged in {}.", names.join(", "), card.row.key)));
    }
    let mut finding = Finding { headline: format!("{}: {}.", card.row.key, told.join(", ")), ..Finding::default() };
    finding.cite(&card.row.key, &card.row.name, card.row.url.as_deref());
    Ok(finding)
}

/// Runs, newest first.
pub(super) async fn list(desk: &mut Desk<'_>, filter: &RunFilter, limit: usize) -> Result<Finding, LookUpError> {
    let mut runs = desk.corpus.catalog.runs(desk.scope, filter).await?;
    if runs.is_empty() {
        return Ok(Finding::nothing(format!("There are no runs{}.", narrowed(filter, desk.zone))));
    }
    runs.sort_by(|a, b| b.started_ms.cmp(&a.started_ms).then(a.record.cmp(&b.record)));
    let n_all = desk.ledger.show(Fact::count("runs", runs.len()));
    let mut finding = Finding {
        headline: format!("{n_all} {}{}, newest first.", runs_word(runs.len()), narrowed(filter, desk.zone)),
        ..Finding::default()
    };
    let rows: Vec<Vec<String>> = runs.iter().take(limit).map(|run| list_row(desk, run)).collect();
    finding.lines = columns(&rows);
    if runs.len() > limit {
        finding.lines.push(format!("  and {} more", desk.ledger.show(Fact::count("runs not listed", runs.len() - limit))));
    }
    for run in runs.iter().take(limit) {
        finding.cite(&run.key, &run.name, run.url.as_deref());
    }
    Ok(finding)
}

fn list_row(desk: &mut Desk<'_>, run: &RunRow) -> Vec<String> {
    let number =
        run.number.map(|n| desk.ledger.show(Fact::new(FactKind::Count, "number in its project").with_value(n as f64).from(&run.key, None)));
    let started = run.started_ms.map(|ms| desk.ledger.show(time_fact("started", ms, run, desk.zone)));
    vec![format!("#{}", number.unwrap_or_default()), run.key.clone(), run.status.as_str().to_owned(), started.unwrap_or_default()]
}
