//! One metric of several runs as a chart, and its ends as a table.

use runlore_indexer::catalog::{Curve, RunRow, SeriesRow};
use runlore_indexer::run::AtStep;

use super::format::{self, columns, non_finite, superlative};
use super::{Desk, Finding, LookUpError, RunRef, metric_fact};
use crate::chart::{Chart, Line};
use crate::facts::{Fact, FactKind, Of};

/// Looks it up.
pub(super) async fn look_up(desk: &mut Desk<'_>, metric: &str, runs: &[RunRef]) -> Result<Finding, LookUpError> {
    let mut finding = Finding::default();
    let mut chart = Chart { metric: metric.to_owned(), unit: None, lines: Vec::new() };
    let mut why: Vec<String> = Vec::new();
    let mut rows = vec![["run", "points", "first", "last", "best", "at step"].map(str::to_owned).to_vec()];
    for run in runs {
        let Some(row) = desk.corpus.catalog.run(desk.scope, run.record).await? else { continue };
        let Some(series) = desk.corpus.catalog.series(desk.scope, metric, &[run.record]).await?.pop() else {
            finding.notices.push(format!("`{metric}` is not logged in {}.", row.key));
            continue;
        };
        let curve = desk.corpus.catalog.curve(desk.scope, run.record, metric).await?.unwrap_or_default();
        rows.push(line_of(desk, metric, &row, &series));
        let known = desk.directions.asked(None, &row.project, metric);
        let said = format!("{} ({})", superlative(known.direction), format::why(known));
        if !why.contains(&said) {
            why.push(said);
        }
        finding.notices.extend(non_finite(desk, &series.summary, &row));
        finding.cite(&row.key, &row.name, row.url.as_deref());
        chart.lines.push(drawn(&row, &curve));
    }
    if chart.lines.is_empty() {
        return Ok(Finding::nothing(format!("`{metric}` is not logged in any of these runs.")));
    }
    let n_runs = desk.ledger.show(Fact::count("runs", chart.lines.len()));
    finding.headline = format!("{metric} of {n_runs} runs, step by step.");
    finding.lines = columns(&rows);
    finding.notices.insert(0, format!("Best over each run's history, {}.", why.join(" or ")));
    finding.chart = Some(chart);
    Ok(finding)
}

/// A run's line in the table; best by its project's direction.
fn line_of(desk: &mut Desk<'_>, metric: &str, row: &RunRow, series: &SeriesRow) -> Vec<String> {
    let known = desk.directions.asked(None, &row.project, metric);
    let summary = &series.summary;
    let mut value = |of, at: Option<AtStep>| at.map_or_else(|| "-".to_owned(), |at| desk.ledger.show(metric_fact(metric, of, at, row)));
    let (first, last, best) =
        (value(Of::First, summary.first), value(Of::Final, summary.last), value(Of::Best, summary.best(known.direction)));
    let step = summary.best(known.direction).map(|at| Fact::new(FactKind::Step, metric).with_value(at.step as f64).from(&row.key, None));
    let step = step.map_or_else(|| "-".to_owned(), |fact| desk.ledger.show(fact));
    let n_points = desk.ledger.show(Fact { record: Some(row.key.clone()), ..Fact::count("points", summary.n as usize) });
    vec![row.key.clone(), n_points, first, last, best, step]
}

/// A run's line in the chart.
pub(super) fn drawn(row: &RunRow, curve: &Curve) -> Line {
    Line { name: row.name.clone(), points: curve.points.iter().map(|point| (point.step, point.value)).collect(), n_all: curve.n_all }
}
