//! Long curves keep what matters.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{decode, encode};
use crate::run::Point;

#[test]
fn a_long_curve_keeps_its_ends_extremes_and_what_is_not_finite() {
    let mut points: Vec<Point> = (0..30_000).map(|i| Point { step: i, value: (i as f64 * 0.01).sin(), at_ms: i }).collect();
    points[12_345].value = -7.0;
    points[23_456].value = f64::NAN;
    let kept = decode(&encode(&points).unwrap()).unwrap();
    assert!(kept.len() <= 10_000);
    assert_eq!((kept[0].step, kept[kept.len() - 1].step), (0, 29_999));
    assert!(kept.iter().any(|point| point.step == 12_345 && point.value == -7.0));
    assert!(kept.iter().any(|point| point.step == 23_456 && point.value.is_nan()));
}
