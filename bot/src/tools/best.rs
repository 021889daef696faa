//! The best runs by a metric.

use std::collections::{BTreeMap, HashMap};

use runlore_indexer::catalog::{RunFilter, RunRow, SeriesRow};
use runlore_indexer::record::RecordId;
use runlore_indexer::run::{AtStep, Direction};

use super::format::{columns, narrowed, non_finite, runs_word, superlative, why};
use super::{Desk, Finding, LookUpError, metric_fact};
use crate::directions::Known;
use crate::facts::{Fact, FactKind, Of};

/// What is asked.
pub(super) struct Best<'a> {
    pub(super) metric: &'a str,
    pub(super) direction: Option<Direction>,
    pub(super) runs: &'a RunFilter,
    pub(super) show: &'a [String],
    pub(super) limit: usize,
}

/// A run with its best value.
pub(super) struct Ranked {
    pub(super) run: RunRow,
    pub(super) best: AtStep,
    pub(super) series: SeriesRow,
}

/// Looks it up: best over each run's history, non-finite values left out, ties shown as ties. Metrics of different projects are
/// different measurements, so without a project there is one answer a project.
pub(super) async fn look_up(desk: &mut Desk<'_>, asked: &Best<'_>) -> Result<Finding, LookUpError> {
    let runs = desk.corpus.catalog.runs(desk.scope, asked.runs).await?;
    let mut by_project: BTreeMap<String, Vec<RunRow>> = BTreeMap::new();
    for run in runs {
        by_project.entry(run.project.clone()).or_default().push(run);
    }
    let mut groups = Vec::new();
    for (project, runs) in by_project {
        let known = desk.directions.asked(asked.direction, &project, asked.metric);
        let (ranked, n_without) = rank(desk, asked.metric, known.direction, runs).await?;
        if !ranked.is_empty() {
            groups.push((project, known, ranked, n_without));
        }
    }
    match groups.len() {
        0 => Ok(Finding::nothing(format!("No run{} logged `{}`.", narrowed(asked.runs, desk.zone), asked.metric))),
        1 => {
            let (_, known, ranked, n_without) = groups.remove(0);
            one_project(desk, asked, known, &ranked, n_without).await
        }
        _ => several_projects(desk, asked, &groups),
    }
}

/// Runs by their best value, best first; equal values by number. Also how many have no finite value.
pub(super) async fn rank(
    desk: &Desk<'_>,
    metric: &str,
    direction: Direction,
    runs: Vec<RunRow>,
) -> Result<(Vec<Ranked>, usize), LookUpError> {
    let ids: Vec<RecordId> = runs.iter().map(|run| run.record).collect();
    let series = desk.corpus.catalog.series(desk.scope, metric, &ids).await?;
    let mut series: HashMap<RecordId, SeriesRow> = series.into_iter().map(|row| (row.record, row)).collect();
    let n_all = runs.len();
    let ranked = |run: RunRow| {
        let series = series.remove(&run.record)?;
        let best = series.summary.best(direction)?;
        Some(Ranked { run, best, series })
    };
    let mut ranked: Vec<Ranked> = runs.into_iter().filter_map(ranked).collect();
    ranked.sort_by(|a, b| {
        let order = a.best.value.total_cmp(&b.best.value);
        let order = if direction == Direction::Min { order } else { order.reverse() };
        order.then(a.run.number.cmp(&b.run.number)).then(a.run.record.cmp(&b.run.record))
    });
    let n_without = n_all - ranked.len();
    Ok((ranked, n_without))
}

async fn one_project(
    desk: &mut Desk<'_>,
    asked: &Best<'_>,
    known: Known,
    ranked: &[Ranked],
    n_without: usize,
) -> Result<Finding, LookUpError> {
    let (metric, top) = (asked.metric, &ranked[0]);
    let ties: Vec<&Ranked> = ranked.iter().take_while(|other| other.best.value == top.best.value).collect();
    let params = param_values(desk, asked, ranked).await?;
    let mut finding = Finding::default();
    let narrowing = narrowed(&RunFilter { project: None, ..asked.runs.clone() }, desk.zone);
    let value = desk.ledger.show(metric_fact(metric, Of::Best, top.best, &top.run));
    let step = desk.ledger.show(Fact::new(FactKind::Step, metric).with_value(top.best.step as f64).from(&top.run.key, None));
    let who = ties.iter().map(|tie| tie.run.key.as_str()).collect::<Vec<_>>().join(" and ");
    let tied = if ties.len() > 1 { "a tie of " } else { "" };
    finding.headline = match params.first().and_then(|(name, values)| Some((name, values.get(&top.run.record)?))) {
        Some((name, raw)) => {
            let shown = desk.ledger.show(Fact::param(name, raw, &top.run.key, top.run.url.as_deref()));
            format!("{name} = {shown} in {tied}{who}, the best run{narrowing} by {metric} ({value} at step {step}).")
        }
        None if !params.is_empty() => {
            let names: Vec<&str> = asked.show.iter().map(String::as_str).collect();
            format!("{} is not logged in {tied}{who}, the best run{narrowing} by {metric} ({value} at step {step}).", names.join(", "))
        }
        None => format!("Best {metric}{narrowing}: {value}, {tied}{who} at step {step}."),
    };
    finding.best_record = (ties.len() == 1).then(|| top.run.key.clone());
    finding.lines = table(desk, asked, ranked, &params);
    finding.notices.push(format!("Best over the run's history, {} ({}).", superlative(known.direction), why(known)));
    finding.notices.extend(left_out(desk, metric, n_without));
    finding.notices.extend(non_finite(desk, &top.series.summary, &top.run));
    for ranked in ranked.iter().take(asked.limit) {
        finding.cite(&ranked.run.key, &ranked.run.name, ranked.run.url.as_deref());
    }
    Ok(finding)
}

/// Values of the params that are to be shown, by name and run.
async fn param_values(
    desk: &Desk<'_>,
    asked: &Best<'_>,
    ranked: &[Ranked],
) -> Result<Vec<(String, HashMap<RecordId, String>)>, LookUpError> {
    let ids: Vec<RecordId> = ranked.iter().map(|ranked| ranked.run.record).collect();
    let mut params = Vec::new();
    for name in asked.show {
        params.push((name.clone(), desk.corpus.catalog.param(desk.scope, name, &ids).await?));
    }
    // A param that the best run has comes before one that it has not.
    params.sort_by_key(|(_, values)| !values.contains_key(&ranked[0].run.record));
    Ok(params)
}

fn table(desk: &mut Desk<'_>, asked: &Best<'_>, ranked: &[Ranked], params: &[(String, HashMap<RecordId, String>)]) -> Vec<String> {
    if ranked.len() == 1 || asked.limit == 1 {
        return Vec::new();
    }
    let mut header = vec!["run".to_owned(), asked.metric.to_owned(), "step".to_owned()];
    header.extend(params.iter().map(|(name, _)| name.clone()));
    let mut rows = vec![header];
    for ranked in ranked.iter().take(asked.limit) {
        let run = &ranked.run;
        let value = desk.ledger.show(metric_fact(asked.metric, Of::Best, ranked.best, run));
        let step = desk.ledger.show(Fact::new(FactKind::Step, asked.metric).with_value(ranked.best.step as f64).from(&run.key, None));
        let mut row = vec![run.name.clone(), value, step];
        for (name, values) in params {
            let raw = values.get(&run.record);
            row.push(
                raw.map_or_else(|| "not logged".to_owned(), |raw| desk.ledger.show(Fact::param(name, raw, &run.key, run.url.as_deref()))),
            );
        }
        rows.push(row);
    }
    columns(&rows)
}

fn left_out(desk: &mut Desk<'_>, metric: &str, n_without: usize) -> Option<String> {
    (n_without > 0).then(|| {
        let n = desk.ledger.show(Fact::count("runs without the metric", n_without));
        format!("{n} {} without a finite {metric} left out.", runs_word(n_without))
    })
}

fn several_projects(desk: &mut Desk<'_>, asked: &Best<'_>, groups: &[(String, Known, Vec<Ranked>, usize)]) -> Result<Finding, LookUpError> {
    let mut finding = Finding::default();
    let narrowing = narrowed(asked.runs, desk.zone);
    let n = desk.ledger.show(Fact::count("projects", groups.len()));
    finding.headline =
        format!("{}{narrowing} is logged in {n} projects, so there is one best in each; say which one is meant.", asked.metric);
    let mut rows = vec![vec!["run".to_owned(), asked.metric.to_owned(), "step".to_owned()]];
    for (_, _, ranked, _) in groups.iter().take(12) {
        let top = &ranked[0];
        let value = desk.ledger.show(metric_fact(asked.metric, Of::Best, top.best, &top.run));
        let step = desk.ledger.show(Fact::new(FactKind::Step, asked.metric).with_value(top.best.step as f64).from(&top.run.key, None));
        rows.push(vec![top.run.key.clone(), value, step]);
        finding.cite(&top.run.key, &top.run.name, top.run.url.as_deref());
    }
    finding.lines = columns(&rows);
    let known = groups[0].1;
    finding.notices.push(format!("Best over the run's history, {} ({}).", superlative(known.direction), why(known)));
    Ok(finding)
}
