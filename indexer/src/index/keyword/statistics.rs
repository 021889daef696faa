//! BM25 statistics over several spaces, of live chunks only.
//!
//! Tantivy counts deleted documents until their segment is merged. Here a search after a deletion scores as if the deleted chunk had
//! never been there, and the order of hits does not depend on when segments are merged.

use std::collections::HashMap;
use std::iter::Sum;
use std::ops::Add;

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, SegmentReader, Term};

use crate::index::schema::Layout;
use crate::leak;

/// Live chunks of an index and the length of their fields in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub n_chunks: u64,
    pub n_prose_tokens: u64,
    pub n_exact_tokens: u64,
}

impl Totals {
    /// Counts. Lengths are those that Tantivy scores with, which are rounded down above forty tokens.
    pub fn of(searcher: &Searcher, layout: &Layout) -> tantivy::Result<Self> {
        searcher
            .segment_readers()
            .iter()
            .map(|segment| {
                Ok(Self {
                    n_chunks: u64::from(if leak::is_seeded("keyword.deleted") { segment.max_doc() } else { segment.num_docs() }),
                    n_prose_tokens: live_tokens(segment, layout.prose)?,
                    n_exact_tokens: live_tokens(segment, layout.exact)?,
                })
            })
            .sum()
    }
}

fn live_tokens(segment: &SegmentReader, field: Field) -> tantivy::Result<u64> {
    let lengths = segment.get_fieldnorms_reader(field)?;
    Ok(segment.doc_ids_alive().map(|chunk| u64::from(lengths.fieldnorm(chunk))).sum())
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            n_chunks: self.n_chunks + other.n_chunks,
            n_prose_tokens: self.n_prose_tokens + other.n_prose_tokens,
            n_exact_tokens: self.n_exact_tokens + other.n_exact_tokens,
        }
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), Add::add)
    }
}

/// What BM25 needs to know for one question, over all spaces in scope.
pub(super) struct Statistics {
    totals: Totals,
    exact: Field,
    n_chunks_with: HashMap<Term, u64>,
}

impl Statistics {
    /// Looks up each term in each index.
    pub fn new<'a>(
        layout: &Layout,
        totals: Totals,
        searchers: &[&Searcher],
        terms: impl Iterator<Item = &'a Term>,
    ) -> tantivy::Result<Self> {
        let mut n_chunks_with = HashMap::new();
        for term in terms {
            let mut n_chunks = 0;
            for segment in searchers.iter().flat_map(|searcher| searcher.segment_readers()) {
                n_chunks += live_chunks_with(segment, term)?;
            }
            n_chunks_with.insert(term.clone(), n_chunks);
        }
        Ok(Self { totals, exact: layout.exact, n_chunks_with })
    }
}

fn live_chunks_with(segment: &SegmentReader, term: &Term) -> tantivy::Result<u64> {
    let terms = segment.inverted_index(term.field())?;
    let Some(alive) = segment.alive_bitset() else { return Ok(u64::from(terms.doc_freq(term)?)) };
    let postings = terms.read_postings(term, IndexRecordOption::Basic)?;
    Ok(postings.map_or(0, |postings| u64::from(postings.doc_freq_given_deletes(alive))))
}

impl Bm25StatisticsProvider for Statistics {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        Ok(if field == self.exact { self.totals.n_exact_tokens } else { self.totals.n_prose_tokens })
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.totals.n_chunks)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.n_chunks_with.get(term).copied().unwrap_or(0))
    }
}
