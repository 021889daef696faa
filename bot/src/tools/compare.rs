//! Two or more runs side by side.

use std::collections::BTreeSet;

use runlore_indexer::catalog::RunCard;
use runlore_indexer::run::{AtStep, Direction};

use super::format::{columns, superlative, why};
use super::{Desk, Finding, LookUpError, RunRef, Which, metric_fact};
use crate::facts::{Fact, FactKind, Of};

/// Params and metrics that are listed where runs differ, at most.
const MAX_DIFFERENCES: usize = 20;

/// Compares by one metric, or by all that differs.
pub(super) async fn look_up(desk: &mut Desk<'_>, metric: Option<&str>, runs: &[RunRef], which: Which) -> Result<Finding, LookUpError> {
    let mut cards = Vec::new();
    for run in runs {
        cards.extend(desk.corpus.catalog.card(desk.scope, run.record).await?);
    }
    if cards.len() < 2 {
        return Ok(Finding::nothing("There are not two such runs to compare."));
    }
    let mut finding = match metric {
        Some(metric) => by_metric(desk, metric, &cards, which),
        None => Finding { headline: format!("{} side by side.", names(&cards)), ..Finding::default() },
    };
    if finding.abstained {
        return Ok(finding);
    }
    finding.lines.extend(differences(desk, metric, &cards));
    for card in &cards {
        finding.cite(&card.row.key, &card.row.name, card.row.url.as_deref());
    }
    Ok(finding)
}

fn names(cards: &[RunCard]) -> String {
    cards.iter().map(|card| card.row.name.as_str()).collect::<Vec<_>>().join(" and ")
}

fn by_metric(desk: &mut Desk<'_>, metric: &str, cards: &[RunCard], which: Which) -> Finding {
    let known = desk.directions.of(&cards[0].row.project, metric);
    let mut values: Vec<(&RunCard, AtStep)> = Vec::new();
    let mut missing = Vec::new();
    for card in cards {
        let summary = card.series.iter().find(|series| series.metric == metric).map(|series| series.summary);
        let value = summary.and_then(|summary| if which == Which::Final { summary.last } else { summary.best(known.direction) });
        match value {
            Some(value) => values.push((card, value)),
            None => missing.push(card.row.key.as_str()),
        }
    }
    if values.is_empty() {
        return Finding::nothing(format!("`{metric}` is not logged in {}.", names(cards)));
    }
    let of = if which == Which::Final { Of::Final } else { Of::Best };
    let mut ranked = values.clone();
    ranked.sort_by(|a, b| {
        let order = a.1.value.total_cmp(&b.1.value);
        if known.direction == Direction::Min { order } else { order.reverse() }
    });
    let told: Vec<String> = values
        .iter()
        .map(|(card, at)| format!("{} {}", card.row.name, desk.ledger.show(metric_fact(metric, of, *at, &card.row))))
        .collect();
    let mut finding = Finding::default();
    let is_tie = ranked.len() > 1 && ranked[0].1.value == ranked[1].1.value;
    let verdict = if is_tie {
        "they are equal".to_owned()
    } else if ranked.len() > 1 && ranked[0].1.value.is_finite() {
        finding.best_record = Some(ranked[0].0.row.key.clone());
        let gap = desk.ledger.show(Fact::new(FactKind::Difference, metric).with_value((ranked[0].1.value - ranked[1].1.value).abs()));
        format!("{} is better by {gap}", ranked[0].0.row.name)
    } else {
        "there is nothing to compare it with".to_owned()
    };
    finding.headline = format!("{metric}: {}; {verdict}.", told.join(", "));
    let taken = if which == Which::Final { "Final values" } else { "Best over each run's history" };
    finding.notices.push(format!("{taken}, {} ({}). One run each: no interval without seeds.", superlative(known.direction), why(known)));
    finding.notices.extend((!missing.is_empty()).then(|| format!("{metric} is not logged in {}.", missing.join(", "))));
    finding
}

/// Params, tags and commit that are not the same in all.
fn differences(desk: &mut Desk<'_>, metric: Option<&str>, cards: &[RunCard]) -> Vec<String> {
    let mut header = vec!["differs".to_owned()];
    header.extend(cards.iter().map(|card| card.row.name.clone()));
    let mut rows = vec![header];
    let names: BTreeSet<&str> = cards.iter().flat_map(|card| card.params.iter().map(|(name, _)| name.as_str())).collect();
    let mut n_more = 0;
    for name in names {
        let values: Vec<Option<&str>> = cards.iter().map(|card| value_of(&card.params, name)).collect();
        if values.iter().all(|value| *value == values[0]) {
            continue;
        }
        if rows.len() > MAX_DIFFERENCES {
            n_more += 1;
            continue;
        }
        let mut row = vec![name.to_owned()];
        for (card, value) in cards.iter().zip(values) {
            row.push(value.map_or_else(
                || "not logged".to_owned(),
                |raw| desk.ledger.show(Fact::param(name, raw, &card.row.key, card.row.url.as_deref())),
            ));
        }
        rows.push(row);
    }
    if metric.is_none() {
        rows.extend(metric_rows(desk, cards));
    }
    let mut lines = if rows.len() > 1 { columns(&rows) } else { vec!["  No param differs.".to_owned()] };
    if n_more > 0 {
        lines.push(format!("  {} more params differ.", desk.ledger.show(Fact::count("params that differ and are not listed", n_more))));
    }
    lines
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// Best values of the quality metrics that all of them logged.
fn metric_rows(desk: &mut Desk<'_>, cards: &[RunCard]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for series in cards[0].series.iter().filter(|series| !series.metric.starts_with("system/")).take(MAX_DIFFERENCES) {
        let direction = desk.directions.of(&cards[0].row.project, &series.metric).direction;
        let mut row = vec![format!("best {}", series.metric)];
        for card in cards {
            let best = card.series.iter().find(|other| other.metric == series.metric).and_then(|other| other.summary.best(direction));
            row.push(
                best.map_or_else(|| "not logged".to_owned(), |at| desk.ledger.show(metric_fact(&series.metric, Of::Best, at, &card.row))),
            );
        }
        rows.push(row);
    }
    rows
}
