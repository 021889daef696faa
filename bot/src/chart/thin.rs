//! Fewer points that look the same.

use std::collections::BTreeSet;
use std::ops::Range;

/// Points of a line that are drawn at most.
pub(super) const MAX_POINTS: usize = 4_000;

/// What a stretch of a line keeps: its least and greatest value, and the first that is too high or no number, and the first too low.
const N_KEPT: usize = 4;

/// The points by step, at most [`MAX_POINTS`]: the first, the last, and of each stretch the least, the greatest and what is not finite.
/// (As M4 does: Jugel et al., VLDB 2014.)
pub(super) fn thinned(points: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut points = points.to_vec();
    points.sort_by_key(|(step, _)| *step);
    if points.len() <= MAX_POINTS {
        return points;
    }
    let n_stretches = (MAX_POINTS - 2) / N_KEPT;
    let mut kept = BTreeSet::from([0, points.len() - 1]);
    for nth in 0..n_stretches {
        let stretch = nth * points.len() / n_stretches..(nth + 1) * points.len() / n_stretches;
        kept.extend(kept_of(&points, stretch));
    }
    kept.into_iter().map(|at| points[at]).collect()
}

fn kept_of(points: &[(i64, f64)], stretch: Range<usize>) -> impl Iterator<Item = usize> {
    let value = |at: &usize| points[*at].1;
    let finite = || stretch.clone().filter(move |at| value(at).is_finite());
    let least = finite().min_by(|a, b| value(a).total_cmp(&value(b)));
    let greatest = finite().max_by(|a, b| value(a).total_cmp(&value(b)));
    let above = stretch.clone().find(|at| is_above(value(at)));
    let below = stretch.clone().find(|at| is_below(value(at)));
    [least, greatest, above, below].into_iter().flatten()
}

/// Marked at the upper edge: no number, or without end upwards.
pub(super) fn is_above(value: f64) -> bool {
    value.is_nan() || value == f64::INFINITY
}

/// Marked at the lower edge.
pub(super) fn is_below(value: f64) -> bool {
    value == f64::NEG_INFINITY
}
