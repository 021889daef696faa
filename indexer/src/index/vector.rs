//! What a vector index must do, whoever keeps the vectors.
//!
//! One index holds the chunks of many spaces, each space apart (a shard or a collection of its own), so that a record
//! nobody in the scope may read cannot touch scores or order.

use thiserror::Error;
use uuid::Uuid;

use crate::record::{RecordId, RecordKind};
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

/// The best `limit` hits in the order that the trait promises, from a store that breaks ties as it likes: asks for more
/// until the cut does not fall between equal scores.
pub(crate) fn nearest(limit: usize, search: impl Fn(usize) -> Result<Vec<Hit>, VectorError>) -> Result<Vec<Hit>, VectorError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut n_wanted = limit + 1;
    loop {
        let mut hits = search(n_wanted)?;
        let is_all = hits.len() < n_wanted;
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.record, a.position).cmp(&(b.record, b.position))));
        let is_tie_cut = hits.len() > limit && hits[limit - 1].score == hits[hits.len() - 1].score;
        if is_all || !is_tie_cut {
            hits.truncate(limit);
            return Ok(hits);
        }
        n_wanted *= 2;
    }
}
