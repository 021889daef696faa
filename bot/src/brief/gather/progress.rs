//! New bests by the metrics that people follow, with what the project had before.

use std::collections::{BTreeSet, HashMap, HashSet};

use runlore_indexer::catalog::{CatalogError, ProjectEntry, RunRow, SeriesRow};
use runlore_indexer::record::RecordId;

use super::super::bests::{Best, Given, When, new_best, split, when};
use super::super::failures::differs_by_seed;
use super::{Asked, NewBest, Runs, Seeds};
use crate::answer::link::followed;
use crate::directions::{Directions, Known, Why};
use crate::tools::mean::mean_and_sd;

/// Metrics of one project that are followed, where directions are declared for several.
const MAX_METRICS: usize = 2;

/// Runs that differ by their seed alone before their spread is told.
const MIN_SEEDS: usize = 3;

/// Runs of a project that are looked at for it, the last ones.
const MAX_SIBLINGS: usize = 500;

type Params = HashMap<RecordId, Vec<(String, String)>>;

/// The new bests of every project that had a run in the period.
pub(super) async fn bests(asked: &Asked<'_>, runs: &Runs) -> Result<Vec<NewBest>, CatalogError> {
    let active: HashSet<&str> = runs
        .all
        .iter()
        .filter(|run| matches!(when(run, asked.period), When::Within | When::Across))
        .map(|run| run.project.as_str())
        .collect();
    let mut series: HashMap<String, HashMap<RecordId, SeriesRow>> = HashMap::new();
    let mut found = Vec::new();
    let projects: Vec<&ProjectEntry> = asked.vocabulary.projects.iter().filter(|project| active.contains(project.name.as_str())).collect();
    for project in projects {
        for metric in metrics(project, asked.directions) {
            let is_unread = !series.contains_key(&metric);
            if is_unread {
                let ids: Vec<RecordId> = runs.all.iter().map(|run| run.record).collect();
                let rows = asked.catalog.series(asked.scope, &metric, &ids).await?;
                series.insert(metric.clone(), rows.into_iter().map(|row| (row.record, row)).collect());
            }
            let Some(of_metric) = series.get(&metric) else { continue };
            let of_project: Vec<&RunRow> = runs.all.iter().filter(|run| run.project == project.name).collect();
            let known = asked.directions.of(&project.name, &metric);
            let given = given(asked, &of_project, of_metric, known).await?;
            let Some(Best { run, at, previous }) = new_best(&given, known.direction) else { continue };
            let siblings = siblings(run, &of_project, runs);
            let ids: Vec<RecordId> = siblings.iter().map(|run| run.record).collect();
            let params = asked.catalog.params_of(asked.scope, &ids).await?;
            let seeds = seeds(run, &siblings, of_metric, (&params, known));
            let previous = previous.map(|(run, at)| (run.clone(), at));
            found.push(NewBest { metric, known, run: run.clone(), at, previous, seeds });
        }
    }
    Ok(found)
}

/// The metrics that people follow in a project: those with a direction that a person or the tracker declared, else the one that "best"
/// would take.
fn metrics(project: &ProjectEntry, directions: &Directions) -> Vec<String> {
    let is_declared = |metric: &&String| directions.of(&project.name, metric).why != Why::Assumed;
    let mut declared: BTreeSet<&String> = project.metrics.iter().filter(is_declared).collect();
    let mut metrics = Vec::new();
    while metrics.len() < MAX_METRICS
        && let Some(next) = followed(declared.iter().copied())
    {
        declared.remove(next);
        metrics.push(next.clone());
    }
    if metrics.is_empty() {
        metrics.extend(followed(project.metrics.iter()).cloned());
    }
    metrics
}

/// What each run gave before the period and in it; those that lie across its border by their points.
async fn given<'a>(
    asked: &Asked<'_>,
    runs: &[&'a RunRow],
    series: &HashMap<RecordId, SeriesRow>,
    known: Known,
) -> Result<Vec<Given<'a>>, CatalogError> {
    let mut given = Vec::new();
    for &run in runs {
        let Some(row) = series.get(&run.record) else { continue };
        let best = row.summary.best(known.direction);
        let (before, within) = match when(run, asked.period) {
            When::Before => (best, None),
            When::Within => (None, best),
            When::Outside => continue,
            When::Across => {
                let curve = asked.catalog.curve(asked.scope, run.record, &row.metric).await?.unwrap_or_default();
                split(run, &curve.points, known.direction, asked.period)
            }
        };
        given.push(Given { run, before, within });
    }
    Ok(given)
}

/// The best run and the last ones of its project that may differ from it by their seed: those further back have no details.
fn siblings<'a>(best: &'a RunRow, of_project: &[&'a RunRow], runs: &Runs) -> Vec<&'a RunRow> {
    let is_near = |run: &&RunRow| run.record != best.record && runs.details.contains_key(&run.record);
    let mut near: Vec<&RunRow> = of_project.iter().copied().filter(is_near).collect();
    near.sort_by_key(|run| (std::cmp::Reverse(run.started_ms), run.record));
    near.truncate(MAX_SIBLINGS);
    near.push(best);
    near
}

/// Mean and spread over the seeds of the best run's settings, where there are enough.
fn seeds(best: &RunRow, runs: &[&RunRow], series: &HashMap<RecordId, SeriesRow>, (params, known): (&Params, Known)) -> Option<Seeds> {
    let own = params.get(&best.record)?;
    let is_twin = |run: &&&RunRow| run.record == best.record || params.get(&run.record).is_some_and(|other| differs_by_seed(own, other));
    let value = |run: &&RunRow| Some(series.get(&run.record)?.summary.best(known.direction)?.value);
    let values: Vec<f64> = runs.iter().filter(is_twin).filter_map(value).collect();
    let (mean, sd) = mean_and_sd(&values);
    sd.filter(|_| values.len() >= MIN_SEEDS).map(|sd| Seeds { n: values.len(), mean, sd })
}
