//! One run's metric: its best, its last, its value at a step, or its points.

use runlore_indexer::catalog::{Curve, RunRow, SeriesRow};
use runlore_indexer::run::{AtStep, Direction};

use super::format::{columns, non_finite, superlative, why};
use super::{Desk, Finding, LookUpError, RunRef, Which, metric_fact};
use crate::chart::Chart;
use crate::facts::{Fact, FactKind, Of};

/// Points that are shown of a curve.
const SHOWN_POINTS: usize = 12;

/// Looks it up.
pub(super) async fn look_up(
    desk: &mut Desk<'_>,
    metric: &str,
    run: &RunRef,
    which: Which,
    direction: Option<Direction>,
) -> Result<Finding, LookUpError> {
    let Some(row) = desk.corpus.catalog.run(desk.scope, run.record).await? else {
        return Ok(Finding::nothing(format!("There is no run `{}`.", run.key)));
    };
    let Some(series) = desk.corpus.catalog.series(desk.scope, metric, &[run.record]).await?.pop() else {
        return Ok(Finding::nothing(format!("`{metric}` is not logged in {}.", row.key)));
    };
    let known = desk.directions.asked(direction, &row.project, metric);
    let mut finding = match which {
        Which::Best => match series.summary.best(known.direction) {
            Some(best) => {
                let mut finding = best_of(desk, metric, &row, best);
                finding.notices.push(format!("Best over the run's history, {} ({}).", superlative(known.direction), why(known)));
                finding
            }
            None => Finding::nothing(format!("Every logged {metric} of {} is not finite.", row.key)),
        },
        Which::Final => last_of(desk, metric, &row, &series),
        Which::At(step) => at_step(desk, metric, &row, step).await?,
        Which::Points => points(desk, metric, &row, known.direction).await?,
    };
    if !finding.abstained {
        finding.notices.extend(non_finite(desk, &series.summary, &row));
        finding.cite(&row.key, &row.name, row.url.as_deref());
    }
    Ok(finding)
}

fn best_of(desk: &mut Desk<'_>, metric: &str, row: &RunRow, best: AtStep) -> Finding {
    let value = desk.ledger.show(metric_fact(metric, Of::Best, best, row));
    let step = desk.ledger.show(Fact::new(FactKind::Step, metric).with_value(best.step as f64).from(&row.key, row.url.as_deref()));
    Finding { headline: format!("{} reached its best {metric}, {value}, at step {step}.", row.key), ..Finding::default() }
}

fn last_of(desk: &mut Desk<'_>, metric: &str, row: &RunRow, series: &SeriesRow) -> Finding {
    let Some(last) = series.summary.last else {
        return Finding::nothing(format!("`{metric}` of {} has no points.", row.key));
    };
    let value = desk.ledger.show(metric_fact(metric, Of::Final, last, row));
    let step = desk.ledger.show(Fact::new(FactKind::Step, metric).with_value(last.step as f64).from(&row.key, row.url.as_deref()));
    Finding { headline: format!("{} ended with {metric} {value}, at step {step}.", row.key), ..Finding::default() }
}

async fn at_step(desk: &mut Desk<'_>, metric: &str, row: &RunRow, step: i64) -> Result<Finding, LookUpError> {
    let curve = desk.corpus.catalog.curve(desk.scope, row.record, metric).await?.unwrap_or_default();
    let found: Vec<AtStep> =
        curve.points.iter().filter(|point| point.step == step).map(|point| AtStep { value: point.value, step }).collect();
    if let Some(first) = found.first() {
        let value = desk.ledger.show(metric_fact(metric, Of::Step, *first, row));
        let more = if found.len() > 1 { " (logged more than once there)" } else { "" };
        let mut finding = Finding { headline: format!("{metric} of {} at step {step} is {value}{more}.", row.key), ..Finding::default() };
        finding.notices.extend(sampled(desk, &curve));
        return Ok(finding);
    }
    let nearest = curve.points.iter().min_by_key(|point| point.step.abs_diff(step));
    let Some(nearest) = nearest else { return Ok(Finding::nothing(format!("`{metric}` of {} has no points.", row.key))) };
    let at = AtStep { value: nearest.value, step: nearest.step };
    let value = desk.ledger.show(metric_fact(metric, Of::Step, at, row));
    let near = desk.ledger.show(Fact::new(FactKind::Step, metric).with_value(nearest.step as f64).from(&row.key, None));
    let none = if curve.is_whole() { "is not logged" } else { "is not among the points that are kept" };
    let headline = format!("{metric} of {} {none} at step {step}; the nearest is {value}, at step {near}.", row.key);
    let mut finding = Finding { headline, ..Finding::default() };
    finding.notices.extend(sampled(desk, &curve));
    Ok(finding)
}

/// Says so where the points are a sample.
fn sampled(desk: &mut Desk<'_>, curve: &Curve) -> Option<String> {
    (!curve.is_whole()).then(|| {
        let kept = desk.ledger.show(Fact::count("points kept", curve.points.len()));
        let all = desk.ledger.show(Fact::count("points", curve.n_all as usize));
        format!("Of {kept} sampled points; the series has {all}. Best, final and counts are taken over all of them.")
    })
}

async fn points(desk: &mut Desk<'_>, metric: &str, row: &RunRow, direction: Direction) -> Result<Finding, LookUpError> {
    let curve = desk.corpus.catalog.curve(desk.scope, row.record, metric).await?.unwrap_or_default();
    let n = curve.points.len();
    if n == 0 {
        return Ok(Finding::nothing(format!("`{metric}` of {} has no points.", row.key)));
    }
    let n_shown = n.min(SHOWN_POINTS);
    let chosen = (0..n_shown).map(|i| if n_shown == 1 { 0 } else { i * (n - 1) / (n_shown - 1) });
    let mut rows = vec![vec!["step".to_owned(), metric.to_owned()]];
    for i in chosen {
        let point = curve.points[i];
        let at = AtStep { value: point.value, step: point.step };
        let step = desk.ledger.show(Fact::new(FactKind::Step, metric).with_value(point.step as f64).from(&row.key, None));
        rows.push(vec![step, desk.ledger.show(metric_fact(metric, Of::Step, at, row))]);
    }
    let shown = desk.ledger.show(Fact::count("points shown", n_shown));
    let all = desk.ledger.show(Fact::count("points", curve.n_all as usize));
    let mut finding = Finding {
        headline: format!("{metric} of {}: {shown} of {all} points, {}.", row.key, crate::directions::phrase(direction)),
        ..Finding::default()
    };
    finding.lines = columns(&rows);
    finding.chart = Some(Chart { metric: metric.to_owned(), unit: None, lines: vec![super::curve::drawn(row, &curve)] });
    finding.notices.extend(sampled(desk, &curve));
    Ok(finding)
}
