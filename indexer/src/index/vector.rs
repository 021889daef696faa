//! What a vector index must do, whoever keeps the vectors.
//!
//! One index holds the chunks of many spaces, each space apart (a shard or a collection of its own), so that a record
//! nobody in the scope may read cannot touch scores or order.

use std::{panic, thread};

use thiserror::Error;
use uuid::Uuid;

use crate::record::{RecordId, RecordKind};
use crate::search::fuse::best_first;
use crate::space::{Hit, Space};

/// A chunk with its vector, ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedChunk {
    /// `RecordId::chunk(position)`.
    pub id: Uuid,
    /// The record that it is of.
    pub record: RecordId,
    /// Which chunk of it.
    pub position: u32,
    /// Hash of the chunk's text.
    pub text_hash: String,
    /// Kind of the record.
    pub kind: RecordKind,
    /// Project of the record.
    pub project: Option<String>,
    /// When the record was made, milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// Unit vector.
    pub vector: Vec<f32>,
}

/// Narrows a search, in both indexes alike. An empty list means no narrowing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Only these kinds.
    pub kinds: Vec<RecordKind>,
    /// Only this project.
    pub project: Option<String>,
    /// Made at or after, milliseconds since 1970, UTC.
    pub since_ms: Option<i64>,
    /// Made before, milliseconds since 1970, UTC.
    pub until_ms: Option<i64>,
}

/// Most searches of one question at the same time.
const SIDE_BY_SIDE: usize = 8;

/// Keeps vectors and finds near ones. Blocking: call it on a blocking thread. One writer at a time.
pub trait VectorIndex: Send + Sync {
    /// Takes out every chunk of `removed`, then puts in `added`; both idempotent. Not durable before `mark_applied`.
    ///
    /// # Errors
    /// Where the store does not answer or is broken.
    fn apply(&self, space: &Space, removed: &[RecordId], added: &[EmbeddedChunk]) -> Result<(), VectorError>;

    /// Makes what was applied durable, then notes that the change feed is applied up to `change`.
    ///
    /// # Errors
    /// As `apply`.
    fn mark_applied(&self, space: &Space, change: i64) -> Result<(), VectorError>;

    /// The number last given to `mark_applied`, 0 where there is none.
    ///
    /// # Errors
    /// As `apply`.
    fn applied(&self, space: &Space) -> Result<i64, VectorError>;

    /// The nearest chunks of one space by cosine, best first, at most `limit`; equal scores by record id, then position.
    /// A space that has no index yet has no hits.
    ///
    /// # Errors
    /// As `apply`.
    fn search(&self, space: &Space, vector: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError>;

    /// The same over several spaces together; many are searched side by side.
    ///
    /// # Errors
    /// As `apply`.
    fn search_all(&self, spaces: &[Space], vector: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError> {
        let search = |some: &[Space]| {
            let found: Result<Vec<Vec<Hit>>, _> = some.iter().map(|space| self.search(space, vector, filter, limit)).collect();
            found.map(|found| found.concat())
        };
        let n_parts = SIDE_BY_SIDE.min(spaces.len() / 2).max(1);
        let mut parts = spaces.chunks(spaces.len().div_ceil(n_parts).max(1));
        let own = parts.next().unwrap_or_default();
        let found: Result<Vec<Vec<Hit>>, _> = thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(move || search(part))).collect();
            let own = search(own);
            let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            [own].into_iter().chain(others).collect()
        });
        let mut hits = found?.concat();
        hits.sort_by(best_first);
        hits.truncate(limit);
        Ok(hits)
    }

    /// Clears what was deleted out of the files of a space, where they are ours: a server clears away by itself.
    ///
    /// # Errors
    /// As `apply`.
    fn purge(&self, _space: &Space) -> Result<(), VectorError> {
        Ok(())
    }

    /// Closes what is open of files that were replaced since.
    fn let_go(&self) {}

    /// Every (record, position, text hash) of one space, in order: for verification.
    ///
    /// # Errors
    /// As `apply`.
    fn contents(&self, space: &Space) -> Result<Vec<(RecordId, u32, String)>, VectorError>;
}

/// Why the vector index did not serve.
#[derive(Debug, Error)]
pub enum VectorError {
    /// The server or the files.
    #[error("the vector index `{place}` does not serve: {reason}")]
    Unavailable { place: String, reason: String },
}

/// The best `limit` hits in the order that the trait promises, from a store that breaks ties as it likes.
pub(crate) fn nearest(limit: usize, search: impl Fn(usize) -> Result<Vec<Hit>, VectorError>) -> Result<Vec<Hit>, VectorError> {
    let mut hits = with_ties(limit, |hit: &Hit| hit.score, search)?;
    hits.sort_by(best_first);
    hits.truncate(limit);
    Ok(hits)
}

/// The best `limit`, best first, and with them at least all that score like the last of them: asks for more until the cut does not fall
/// between equal scores.
pub(crate) fn with_ties<T>(
    limit: usize,
    score: impl Fn(&T) -> f64,
    search: impl Fn(usize) -> Result<Vec<T>, VectorError>,
) -> Result<Vec<T>, VectorError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut n_wanted = limit + 1;
    loop {
        let mut found = search(n_wanted)?;
        let is_all = found.len() < n_wanted;
        found.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let is_tie_cut = found.len() > limit && score(&found[limit - 1]) == score(&found[found.len() - 1]);
        if is_all || !is_tie_cut {
            return Ok(found);
        }
        n_wanted *= 2;
    }
}
