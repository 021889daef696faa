//! Two lists of hits become one. Pure, and the same whatever order the hits come in.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::record::RecordId;
use crate::space::{Hit, Space};

/// How two lists are brought together. Scores come out between 0 and 1; 1 is the best of both lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fusion {
    /// Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): the sum of 1 / (k + rank), as a share of what rank 1 in both lists gives.
    Rrf {
        /// How slowly the weight falls with the rank.
        k: f64,
    },
    /// Each list's scores stretched to 0..1, then averaged. What a list does not have counts as 0 there.
    MinMax {
        /// Weight of the vector list, 0 to 1; the keyword list has the rest.
        vector_weight: f64,
    },
}

/// The best `limit` hits of both lists, best first; equal scores by record id, then position.
pub fn fuse(keyword: &[Hit], vector: &[Hit], how: Fusion, limit: usize) -> Vec<Hit> {
    let (keyword, vector) = (distinct(keyword), distinct(vector));
    let (keyword_scores, vector_scores) = match how {
        Fusion::Rrf { k } => (reciprocal_ranks(keyword.len(), k), reciprocal_ranks(vector.len(), k)),
        Fusion::MinMax { vector_weight } => (stretched(&keyword, 1.0 - vector_weight), stretched(&vector, vector_weight)),
    };
    let mut fused: BTreeMap<ChunkKey, Hit> = BTreeMap::new();
    let scored = keyword.into_iter().zip(keyword_scores).chain(vector.into_iter().zip(vector_scores));
    for (hit, score) in scored {
        fused.entry(chunk_key(hit)).or_insert_with(|| Hit { score: 0.0, ..hit.clone() }).score += score;
    }
    let mut hits: Vec<Hit> = fused.into_values().collect();
    hits.sort_by(best_first);
    hits.truncate(limit);
    hits
}

/// Orders hits of one list: higher score first; equal ones by record id, position, space and hash, so that there is one order only.
pub fn best_first(a: &Hit, b: &Hit) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| chunk_key(a).cmp(&chunk_key(b)))
}

/// Two hits are of one chunk when all of this is the same: a stale text of it is another one, and falls away when it is admitted.
type ChunkKey<'a> = (RecordId, u32, &'a Space, &'a str);

fn chunk_key(hit: &Hit) -> ChunkKey<'_> {
    (hit.record, hit.position, &hit.space, &hit.text_hash)
}

/// In order, each chunk once, with its best score.
fn distinct(hits: &[Hit]) -> Vec<&Hit> {
    let mut best: BTreeMap<ChunkKey, &Hit> = BTreeMap::new();
    for hit in hits {
        let kept = best.entry(chunk_key(hit)).or_insert(hit);
        if hit.score > kept.score {
            *kept = hit;
        }
    }
    let mut hits: Vec<&Hit> = best.into_values().collect();
    hits.sort_by(|a, b| best_first(a, b));
    hits
}

fn reciprocal_ranks(n_hits: usize, k: f64) -> Vec<f64> {
    (1..=n_hits).map(|rank| (k + 1.0) / (2.0 * (k + rank as f64))).collect()
}

fn stretched(best_first: &[&Hit], weight: f64) -> Vec<f64> {
    let (Some(first), Some(last)) = (best_first.first(), best_first.last()) else { return Vec::new() };
    let (low, span) = (last.score, first.score - last.score);
    let stretch = |hit: &&Hit| if span > 0.0 { (hit.score - low) / span } else { 1.0 };
    best_first.iter().map(|hit| weight * stretch(hit)).collect()
}
