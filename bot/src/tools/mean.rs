//! Mean, standard deviation and number of the runs' best values.

use std::collections::BTreeMap;

use runlore_indexer::catalog::{RunFilter, RunRow};
use runlore_indexer::run::Direction;

use super::best::{Ranked, rank};
use super::format::{columns, narrowed, runs_word, superlative, why};
use super::{Desk, Finding, LookUpError, metric_fact};
use crate::facts::{Fact, FactKind, Of};

/// Runs whose values are listed.
const MAX_LISTED: usize = 3;

/// Looks it up; one mean a project.
pub(super) async fn look_up(
    desk: &mut Desk<'_>,
    metric: &str,
    direction: Option<Direction>,
    runs: &RunFilter,
) -> Result<Finding, LookUpError> {
    let mut by_project: BTreeMap<String, Vec<RunRow>> = BTreeMap::new();
    for run in desk.corpus.catalog.runs(desk.scope, runs).await? {
        by_project.entry(run.project.clone()).or_default().push(run);
    }
    let mut finding = Finding::default();
    let mut sentences = Vec::new();
    for (project, rows) in by_project {
        let known = desk.directions.asked(direction, &project, metric);
        let (ranked, n_without) = rank(desk, metric, known.direction, rows).await?;
        if ranked.is_empty() {
            continue;
        }
        let narrowing = narrowed(&RunFilter { project: Some(project), ..runs.clone() }, desk.zone);
        sentences.push(sentence(desk, metric, &narrowing, &ranked));
        if finding.notices.is_empty() {
            finding.notices.push(format!("Of each run the best over its history, {} ({}).", superlative(known.direction), why(known)));
        }
        if n_without > 0 {
            let n = desk.ledger.show(Fact::count("runs without the metric", n_without));
            finding.notices.push(format!("{n} {} without a finite {metric} left out.", runs_word(n_without)));
        }
        finding.lines.extend(ends(desk, metric, &ranked));
        let worst = ranked.last().filter(|_| ranked.len() > MAX_LISTED);
        for ranked in ranked.iter().take(MAX_LISTED).chain(worst) {
            finding.cite(&ranked.run.key, &ranked.run.name, ranked.run.url.as_deref());
        }
    }
    if sentences.is_empty() {
        return Ok(Finding::nothing(format!("No run{} logged `{metric}`.", narrowed(runs, desk.zone))));
    }
    finding.headline = sentences.join("\n");
    Ok(finding)
}

fn sentence(desk: &mut Desk<'_>, metric: &str, narrowing: &str, ranked: &[Ranked]) -> String {
    let values: Vec<f64> = ranked.iter().map(|ranked| ranked.best.value).collect();
    let (mean, sd) = mean_and_sd(&values);
    let mean = desk.ledger.show(Fact::new(FactKind::Mean, metric).with_value(mean));
    let n = desk.ledger.show(Fact::count("runs", values.len()));
    let spread = sd.map(|sd| format!(", standard deviation {}", desk.ledger.show(Fact::new(FactKind::Sd, metric).with_value(sd))));
    format!("Mean best {metric}{narrowing}: {mean}, over {n} {}{}.", runs_word(values.len()), spread.unwrap_or_default())
}

/// Mean, and standard deviation with n - 1 where there are two values or more.
pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (values.len() > 1).then(|| (square / (n - 1.0)).sqrt()))
}

/// The best and the worst of them.
fn ends(desk: &mut Desk<'_>, metric: &str, ranked: &[Ranked]) -> Vec<String> {
    if ranked.len() < 2 {
        return Vec::new();
    }
    let (best, worst) = (&ranked[0], &ranked[ranked.len() - 1]);
    let rows = [("best", best), ("worst", worst)].map(|(word, ranked)| {
        vec![word.to_owned(), ranked.run.key.clone(), desk.ledger.show(metric_fact(metric, Of::Best, ranked.best, &ranked.run))]
    });
    columns(&rows)
}
