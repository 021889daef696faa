//! A series as one compressed text: whole up to 10,000 points, beyond that sampled with extremes and non-finite points kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::CatalogError;
use crate::run::Point;

#[cfg(test)]
mod tests;

/// Longest curve that is kept whole, in points.
pub(super) const MAX_POINTS: usize = 10_000;

/// Bytes of one point: step, value, time.
const POINT_BYTES: usize = 24;

/// The points of a series that are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// By step, then time.
    pub points: Vec<Point>,
    /// How many points the series has in all.
    pub n_all: u64,
}

impl Curve {
    /// Whether every point is here.
    pub fn is_whole(&self) -> bool {
        self.points.len() as u64 == self.n_all
    }
}

/// Packs the points that are kept.
pub(super) fn encode(points: &[Point]) -> Result<String, CatalogError> {
    let kept = sample(points);
    let mut bytes = Vec::with_capacity(kept.len() * POINT_BYTES);
    // Column by column: like beside like packs well.
    kept.iter().for_each(|point| bytes.extend(point.step.to_le_bytes()));
    kept.iter().for_each(|point| bytes.extend(point.value.to_le_bytes()));
    kept.iter().for_each(|point| bytes.extend(point.at_ms.to_le_bytes()));
    let packed = zstd::encode_all(bytes.as_slice(), 3).map_err(|e| broken(&e))?;
    Ok(STANDARD.encode(packed))
}

/// Unpacks what `encode` packed.
pub(super) fn decode(text: &str) -> Result<Vec<Point>, CatalogError> {
    let packed = STANDARD.decode(text).map_err(|e| broken(&e))?;
    let bytes = zstd::decode_all(packed.as_slice()).map_err(|e| broken(&e))?;
    let n = bytes.len() / POINT_BYTES;
    let column = |which: usize, i: usize| {
        let at = (which * n + i) * 8;
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        word
    };
    let point = |i| Point {
        step: i64::from_le_bytes(column(0, i)),
        value: f64::from_le_bytes(column(1, i)),
        at_ms: i64::from_le_bytes(column(2, i)),
    };
    Ok((0..n).map(point).collect())
}

/// At most `MAX_POINTS` points: first and last, of each stretch its least and greatest, and every non-finite one as far as they fit.
fn sample(points: &[Point]) -> Vec<Point> {
    if points.len() <= MAX_POINTS {
        return points.to_vec();
    }
    let mut kept: Vec<usize> = vec![0, points.len() - 1];
    let non_finite: Vec<usize> = (0..points.len()).filter(|&i| !points[i].value.is_finite()).collect();
    kept.extend(spread(&non_finite, MAX_POINTS / 5));
    let n_stretches = (MAX_POINTS * 3 / 4) / 2;
    for stretch in 0..n_stretches {
        let range = stretch * points.len() / n_stretches..(stretch + 1) * points.len() / n_stretches;
        let finite = || range.clone().filter(|&i| points[i].value.is_finite());
        kept.extend(finite().min_by(|&a, &b| points[a].value.total_cmp(&points[b].value)));
        kept.extend(finite().rev().max_by(|&a, &b| points[a].value.total_cmp(&points[b].value)));
    }
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|i| points[i]).collect()
}

/// At most `n` of these, evenly, the first and the last among them.
fn spread(all: &[usize], n: usize) -> Vec<usize> {
    if all.len() <= n {
        return all.to_vec();
    }
    (0..n).map(|i| all[i * (all.len() - 1) / (n - 1)]).collect()
}

fn broken(error: &impl std::fmt::Display) -> CatalogError {
    CatalogError::Broken { what: "curve", reason: error.to_string() }
}
