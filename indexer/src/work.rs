//! How much was looked at to answer: counts that are the same for the same question, whatever else is stored.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a corpus, since it was opened.
#[derive(Debug, Default)]
pub struct Work {
    n_reads: AtomicU64,
    n_rows: AtomicU64,
    n_hits: AtomicU64,
}

/// What the counters say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worked {
    /// Scoped reads of the catalog.
    pub n_reads: u64,
    /// Rows that they gave.
    pub n_rows: u64,
    /// Hits of both indexes, before fusion.
    pub n_hits: u64,
}

impl Work {
    /// Counts a read of the catalog.
    pub(crate) fn read(&self, n_rows: usize) {
        self.n_reads.fetch_add(1, Ordering::Relaxed);
        self.n_rows.fetch_add(n_rows as u64, Ordering::Relaxed);
    }

    /// Counts the hits of a search.
    pub(crate) fn found(&self, n_hits: usize) {
        self.n_hits.fetch_add(n_hits as u64, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn worked(&self) -> Worked {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Worked { n_reads: of(&self.n_reads), n_rows: of(&self.n_rows), n_hits: of(&self.n_hits) }
    }
}
