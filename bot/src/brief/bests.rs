//! New bests of a week: the best value of a metric that a project had before it, and the better one that came in it. Pure.

use runlore_indexer::catalog::RunRow;
use runlore_indexer::run::{AtStep, Direction, Point, RunStatus};

use super::Period;

/// Where a run lies to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It had ended.
    Before,
    /// It began and ended in it.
    Within,
    /// It began, went on or ended in it, and more of it lies outside.
    Across,
    /// It had not begun, or nobody knows when it did.
    Outside,
}

/// What one run gave to a metric.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// The run.
    pub(super) run: &'a RunRow,
    /// Its best value before the period.
    pub(super) before: Option<AtStep>,
    /// Its best value in it.
    pub(super) within: Option<AtStep>,
}

/// The best value of a period, which is better than all before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best<'a> {
    /// The run.
    pub(super) run: &'a RunRow,
    /// Its best in the period.
    pub(super) at: AtStep,
    /// The best before, and whose; none where the project had no value.
    pub(super) previous: Option<(&'a RunRow, AtStep)>,
}

/// Where a run lies. One without an end that is not running is taken to have ended when it began.
pub(super) fn when(run: &RunRow, period: &Period) -> When {
    let Some(began) = run.started_ms.or(run.ended_ms) else { return When::Outside };
    let ended = run.ended_ms.unwrap_or(if run.status == RunStatus::Running { i64::MAX } else { began });
    match (period.holds(began), period.holds(ended)) {
        _ if began >= period.end_ms => When::Outside,
        _ if ended < period.start_ms => When::Before,
        (true, true) => When::Within,
        _ => When::Across,
    }
}

/// The best values of a series that lies across a period's border, by when each point was logged. Points without a time count all
/// together when their run ended or, where it goes on, began.
pub(super) fn split(run: &RunRow, points: &[Point], direction: Direction, period: &Period) -> (Option<AtStep>, Option<AtStep>) {
    let is_timed = points.iter().all(|point| point.at_ms > 0);
    let otherwise = run.ended_ms.or(run.started_ms).unwrap_or(i64::MAX);
    let at = |point: &Point| if is_timed { point.at_ms } else { otherwise };
    let before = points.iter().filter(|point| at(point) < period.start_ms);
    let within = points.iter().filter(|point| period.holds(at(point)));
    (best_of(before, direction), best_of(within, direction))
}

fn best_of<'a>(points: impl Iterator<Item = &'a Point>, direction: Direction) -> Option<AtStep> {
    let finite = points.filter(|point| point.value.is_finite()).map(|point| AtStep { value: point.value, step: point.step });
    finite.reduce(|best, next| if is_better(next.value, best.value, direction) { next } else { best })
}

/// Whether a value is better than another, not merely as good.
pub(super) fn is_better(value: f64, other: f64, direction: Direction) -> bool {
    match direction {
        Direction::Min => value < other,
        Direction::Max => value > other,
    }
}

/// The best of the period, where it is better than all before; of equal ones the run with the lower number.
pub(super) fn new_best<'a>(given: &[Given<'a>], direction: Direction) -> Option<Best<'a>> {
    let best = |of: fn(&Given<'a>) -> Option<AtStep>| {
        let values = given.iter().filter_map(|given| Some((given.run, of(given)?)));
        values.reduce(|best, next| {
            let is_first = (next.0.number, next.0.record) < (best.0.number, best.0.record);
            let wins = is_better(next.1.value, best.1.value, direction) || next.1.value == best.1.value && is_first;
            if wins { next } else { best }
        })
    };
    let previous = best(|given| given.before);
    let (run, at) = best(|given| given.within)?;
    let is_new = previous.is_none_or(|(_, before)| is_better(at.value, before.value, direction));
    is_new.then_some(Best { run, at, previous })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::testing::{period, run};
    use super::*;

    fn at(value: f64) -> Option<AtStep> {
        Some(AtStep { value, step: 1 })
    }

    #[test]
    fn a_run_lies_where_its_ends_lie() {
        let week = period();
        let (start, end) = (week.start_ms, week.end_ms);
        let placed = |began, ended| when(&RunRow { started_ms: began, ended_ms: ended, ..run("a/x", 1) }, &week);
        assert_eq!(placed(Some(start - 2), Some(start - 1)), When::Before);
        assert_eq!(placed(Some(start), Some(end - 1)), When::Within);
        assert_eq!(placed(Some(start - 1), Some(start)), When::Across);
        assert_eq!(placed(Some(end - 1), Some(end)), When::Across);
        assert_eq!(placed(Some(end), None), When::Outside);
        assert_eq!(placed(None, None), When::Outside);
        assert_eq!(placed(Some(start), None), When::Within, "it is not running");
        let running = RunRow { started_ms: Some(start), ended_ms: None, status: RunStatus::Running, ..run("a/x", 1) };
        assert_eq!(when(&running, &week), When::Across);
    }

    #[test]
    fn a_series_across_the_border_counts_on_both_sides() {
        let week = period();
        let point = |step, value, at_ms| Point { step, value, at_ms };
        let points =
            [point(1, 0.5, week.start_ms - 1), point(2, f64::NAN, week.start_ms), point(3, 0.7, week.start_ms), point(4, 0.9, week.end_ms)];
        let of = |points: &[Point], ended_ms| split(&RunRow { ended_ms, ..run("a/x", 1) }, points, Direction::Max, &week);
        let values = |(before, within): (Option<AtStep>, Option<AtStep>)| (before.map(|at| at.value), within.map(|at| at.value));
        assert_eq!(values(of(&points, None)), (Some(0.5), Some(0.7)));
        let untimed = points.map(|point| Point { at_ms: 0, ..point });
        assert_eq!(values(of(&untimed, Some(week.start_ms))), (None, Some(0.9)));
        assert_eq!(values(of(&untimed, Some(week.start_ms - 1))), (Some(0.9), None));
    }

    #[test]
    fn as_good_is_not_better() {
        let (old, new, twin) = (run("a/old", 1), run("a/new", 2), run("a/twin", 3));
        let given = |run, before, within| Given { run, before, within };
        let found = |all: &[Given<'_>], direction| new_best(all, direction).map(|best| best.run.key.clone());
        let all = [given(&old, at(0.5), None), given(&twin, None, at(0.4)), given(&new, None, at(0.4))];
        assert_eq!(found(&all, Direction::Min).as_deref(), Some("a/new"), "the lower number of two that are equal");
        assert_eq!(found(&all, Direction::Max), None);
        let equal = [given(&old, at(0.5), None), given(&new, None, at(0.5))];
        assert_eq!(found(&equal, Direction::Min), None);
        let first = new_best(&all[1..], Direction::Max).unwrap();
        assert!(first.previous.is_none() && first.run.key == "a/new");
    }
}
