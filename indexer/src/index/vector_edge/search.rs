//! One search over the shards of several spaces: as good as one shard that held them all, and hardly slower.
//!
//! Of each space a few points are looked at first, as many as its share of all lets expect among the best; and then more of those whose last
//! one could still be among them. What a point is of is read only for those that are.

use std::collections::HashMap;
use std::sync::Arc;
use std::{panic, thread};

use qdrant_edge::PointId;

use super::points::{scores_request, to_hit, whole};
use super::{Reading, SpaceVectors, guarded};
use crate::index::vector::{Filter, VectorError, with_ties};
use crate::search::fuse::best_first;
use crate::space::{Hit, Space};

/// Most threads that look at spaces side by side, and for how many spaces at least one is worth its while.
const MOST_THREADS: usize = 4;
const SPACES_A_THREAD: usize = 4;

/// What is looked for.
pub(super) struct Asked<'a> {
    pub(super) vector: &'a [f32],
    pub(super) filter: &'a Filter,
    pub(super) limit: usize,
}

/// What a space has for it.
pub(super) struct Near<'a> {
    space: &'a Space,
    vectors: Arc<SpaceVectors>,
    reading: Arc<Reading>,
    /// Best first.
    scores: Vec<(PointId, f32)>,
    /// There may be more.
    is_cut: bool,
}

impl<'a> Near<'a> {
    /// A space that was not looked at yet.
    pub(super) fn of(space: &'a Space, vectors: Arc<SpaceVectors>, reading: Arc<Reading>) -> Self {
        Self { space, vectors, reading, scores: Vec::new(), is_cut: true }
    }

    /// Looks at the best few, where that is not all that is asked for anyway.
    fn look_first(&mut self, asked: &Asked<'_>, n_points: usize) -> Result<(), VectorError> {
        let share = asked.limit as f64 * self.reading.n_points as f64 / n_points.max(1) as f64;
        // Where its chunks are as good as the others', nearly never fewer than are among the best.
        let n_first = (share + 3.0 * share.sqrt()).ceil() as usize + 2;
        if n_first < asked.limit {
            self.scores = self.best(asked, n_first)?;
            self.is_cut = self.scores.len() == n_first;
        }
        Ok(())
    }

    /// Looks at the best that are asked for, and all that score like the last of them, if any of them could still be above the line.
    fn look_again(&mut self, asked: &Asked<'_>, line: f32) -> Result<(), VectorError> {
        if self.is_cut && self.scores.last().is_none_or(|(_, score)| *score >= line) {
            self.scores = with_ties(asked.limit, |(_, score)| f64::from(*score), |n_wanted| self.best(asked, n_wanted))?;
        }
        Ok(())
    }

    fn best(&self, asked: &Asked<'_>, limit: usize) -> Result<Vec<(PointId, f32)>, VectorError> {
        let points = guarded(|| self.reading.shard.open()?.search(scores_request(asked.vector, asked.filter, limit)?));
        let points = points.map_err(|reason| self.vectors.unavailable(&reason))?;
        Ok(points.into_iter().map(|point| (point.id, point.score)).collect())
    }

    /// Those above the line, or on it.
    fn hits(mut self, line: f32) -> Result<Vec<Hit>, VectorError> {
        self.scores.retain(|(_, score)| *score >= line);
        if self.scores.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<PointId> = self.scores.iter().map(|(id, _)| *id).collect();
        let (payload, vector) = whole();
        let points = guarded(|| self.reading.shard.open()?.retrieve(&ids, payload, vector));
        let points = points.map_err(|reason| self.vectors.unavailable(&reason))?;
        let scores: HashMap<PointId, f32> = self.scores.iter().copied().collect();
        let hits = points.iter().map(|point| to_hit(self.space, point.payload.as_ref(), *scores.get(&point.id)?));
        hits.collect::<Option<Vec<Hit>>>().ok_or_else(|| self.vectors.unavailable("a point without its record"))
    }
}

/// The best hits of all these spaces together.
pub(super) fn best_of(mut spaces: Vec<Near<'_>>, asked: &Asked<'_>, n_threads: usize) -> Result<Vec<Hit>, VectorError> {
    look_first(&mut spaces, asked, n_threads)?;
    let line = line_of(&spaces, asked.limit);
    spaces.iter_mut().try_for_each(|space| space.look_again(asked, line))?;
    let line = line_of(&spaces, asked.limit);
    let mut hits = Vec::new();
    for space in spaces {
        hits.extend(space.hits(line)?);
    }
    hits.sort_by(best_first);
    hits.truncate(asked.limit);
    Ok(hits)
}

/// Many spaces are looked at side by side.
fn look_first(spaces: &mut [Near<'_>], asked: &Asked<'_>, n_threads: usize) -> Result<(), VectorError> {
    let n_points = spaces.iter().map(|space| space.reading.n_points).sum();
    let n_parts = n_threads.min(MOST_THREADS).min(spaces.len() / SPACES_A_THREAD).max(1);
    let look = |part: &mut [Near<'_>]| part.iter_mut().try_for_each(|space| space.look_first(asked, n_points));
    let mut parts = spaces.chunks_mut(spaces.len().div_ceil(n_parts).max(1));
    let Some(own) = parts.next() else { return Ok(()) };
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| look(part))).collect();
        let own = look(own);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        others.fold(own, Result::and)
    })
}

/// The least of the best `limit` scores; of fewer, less than each.
fn line_of(spaces: &[Near<'_>], limit: usize) -> f32 {
    let mut scores: Vec<f32> = spaces.iter().flat_map(|space| space.scores.iter().map(|(_, score)| *score)).collect();
    if limit == 0 || scores.len() <= limit {
        return f32::NEG_INFINITY;
    }
    *scores.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a)).1
}
