//! Search: the keyword leg and the vector leg side by side, fused, then admitted by the catalog.
//!
//! Hits of the indexes are not trusted: what comes out of `Corpus::search` are passages, each checked against the catalog under the
//! scope of the reader. Without vectors there are still keyword hits, and a notice that says so.

pub mod fuse;
pub mod query;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use thiserror::Error;
use tokio::task::{JoinError, spawn_blocking};

use self::fuse::{Fusion, fuse};
use crate::catalog::{Catalog, CatalogError};
use crate::embed::Embedder;
use crate::index::keyword::{KeywordError, KeywordIndex};
use crate::index::vector::{Filter, VectorIndex};
use crate::leak;
use crate::space::{Hit, Passage, ReadScope, Space};

/// How many hits each leg hands over for fusion.
pub const LEG_DEPTH: usize = 150;

/// Chosen by measurement: docs/benchmarks.md, "Search".
pub const FUSION: Fusion = Fusion::MinMax { vector_weight: 0.5 };

/// Read handle over the catalog and both indexes.
#[derive(Clone)]
pub struct Corpus {
    /// What is true.
    pub catalog: Catalog,
    /// Finds words.
    pub keyword: Arc<KeywordIndex>,
    /// Finds meanings.
    pub vectors: Arc<dyn VectorIndex>,
    /// Makes the vectors of questions.
    pub embedder: Arc<dyn Embedder>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Best first.
    pub passages: Vec<Passage>,
    /// Cosine of the nearest chunk in scope, before fusion; `None` without vectors.
    pub best_cosine: Option<f64>,
    /// What a reader has to know about how the search went.
    pub notice: Option<String>,
}

/// Why a search found nothing at all.
#[derive(Debug, Error)]
pub enum SearchError {
    /// No keyword hits.
    #[error(transparent)]
    Keyword(#[from] KeywordError),
    /// No passages.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The work was stopped.
    #[error("the search did not finish: {0}")]
    Stopped(#[from] JoinError),
}

impl Corpus {
    /// The passages under `scope` that fit the question best, at most `limit`.
    ///
    /// # Errors
    /// Where the keyword index or the catalog does not serve. Without vectors there is a notice, not an error.
    pub async fn search(&self, scope: &ReadScope, query: &str, filter: &Filter, limit: usize) -> Result<Found, SearchError> {
        let spaces: Vec<Space> = scope.spaces().cloned().collect();
        let legs = self.legs().search(spaces, query, filter).await?;
        // Twice as many as asked for, since the catalog drops what changed since it was indexed.
        self.catalog.work.found(legs.keyword.len() + legs.vector.len());
        let hits = legs.fused(FUSION, limit.saturating_mul(2));
        let mut passages = self.catalog.admit(scope, &hits).await?;
        passages.truncate(limit);
        Ok(Found { passages, best_cosine: legs.best_cosine(), notice: legs.notice })
    }

    /// Closes what is open of earlier states of the indexes. Blocking: call it on a blocking thread.
    pub fn let_go(&self) {
        self.keyword.let_go();
        self.vectors.let_go();
    }

    fn legs(&self) -> Legs {
        Legs { keyword: Arc::clone(&self.keyword), vectors: Arc::clone(&self.vectors), embedder: Arc::clone(&self.embedder) }
    }
}

/// The two indexes without the catalog: what they find is not checked.
#[derive(Clone)]
pub struct Legs {
    /// Finds words.
    pub keyword: Arc<KeywordIndex>,
    /// Finds meanings.
    pub vectors: Arc<dyn VectorIndex>,
    /// Makes the vectors of questions.
    pub embedder: Arc<dyn Embedder>,
}

/// What each leg found, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LegHits {
    /// Scores are BM25.
    pub keyword: Vec<Hit>,
    /// Scores are cosines.
    pub vector: Vec<Hit>,
    /// Set where there are no vectors.
    pub notice: Option<String>,
}

impl LegHits {
    /// Cosine of the nearest chunk.
    pub fn best_cosine(&self) -> Option<f64> {
        self.vector.first().map(|hit| hit.score)
    }

    /// Both lists as one.
    pub fn fused(&self, how: Fusion, limit: usize) -> Vec<Hit> {
        fuse(&self.keyword, &self.vector, how, limit)
    }
}

impl Legs {
    /// Runs both legs at the same time over these spaces, `LEG_DEPTH` deep.
    ///
    /// # Errors
    /// Where the keyword index does not serve.
    pub async fn search(&self, spaces: Vec<Space>, query: &str, filter: &Filter) -> Result<LegHits, SearchError> {
        if spaces.is_empty() || query.trim().is_empty() {
            return Ok(LegHits::default());
        }
        let (legs, spaces_too, query_too, filter_too) = (self.clone(), spaces.clone(), query.to_owned(), filter.clone());
        let vector = spawn_blocking(move || legs.vector_leg(&spaces_too, &query_too, &filter_too));
        let (legs, query, filter) = (self.clone(), query.to_owned(), filter.clone());
        let keyword = spawn_blocking(move || legs.keyword_leg(spaces, &query, &filter));
        let (keyword, vector) = tokio::join!(keyword, vector);
        // A panic in the libraries below the vector leg is one more way for it to be down.
        let (vector, notice) = match vector.map_err(|error| error.to_string()).flatten() {
            Ok(hits) => (hits, None),
            Err(reason) => (Vec::new(), Some(format!("vectors are not available: {reason}"))),
        };
        Ok(LegHits { keyword: keyword??, vector, notice })
    }

    /// The chunks of all spaces together that have the words.
    fn keyword_leg(&self, spaces: Vec<Space>, query: &str, filter: &Filter) -> Result<Vec<Hit>, KeywordError> {
        let leaks = ["keyword.spaces", "keyword.statistics", "search.unchecked"];
        let searched = leak::widened(&leaks, spaces.clone(), || self.keyword.every_space());
        let mut hits = self.keyword.search(&searched, query, filter, LEG_DEPTH)?;
        hits.retain(|hit| !leak::is_seeded("keyword.statistics") || spaces.contains(&hit.space));
        Ok(hits)
    }

    /// The nearest chunks of all spaces together, or why there are none.
    fn vector_leg(&self, spaces: &[Space], query: &str, filter: &Filter) -> Result<Vec<Hit>, String> {
        let spaces = leak::widened(&["vector.spaces", "search.unchecked"], spaces.to_vec(), || self.keyword.every_space());
        let vectors = self.embedder.embed(&[query]).map_err(|error| error.to_string())?;
        let vector = vectors.first().ok_or("the embedding model gave nothing")?;
        self.vectors.search_all(&spaces, vector, filter, LEG_DEPTH).map_err(|error| error.to_string())
    }
}
