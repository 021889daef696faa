//! What an indexing run read, and every complaint.

use serde::Serialize;

/// How one source went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SourceReport {
    /// The source's name.
    pub source: String,
    /// Read and new.
    pub n_added: u64,
    /// Read and different.
    pub n_changed: u64,
    /// There and the same.
    pub n_unchanged: u64,
    /// Gone, and removed.
    pub n_deleted: u64,
    /// Secrets taken out of the text that was read.
    pub n_redacted: u64,
    /// Characters that nobody sees, taken out of it too.
    pub n_hidden: u64,
    /// What could not be read.
    pub complaints: Vec<PlacedComplaint>,
    /// Why the source could not be read at all, or no further.
    pub failure: Option<String>,
    /// A question that a person must answer before more is done.
    pub question: Option<String>,
}

/// A complaint, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacedComplaint {
    /// Path, address or run, with a line where there is one.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// How an indexing run went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// One entry a source, in the order of the settings.
    pub sources: Vec<SourceReport>,
    /// Chunks whose vectors were computed.
    pub n_embedded: u64,
    /// Chunks put into the indexes.
    pub n_applied: u64,
    /// Why vectors are missing, if they are.
    pub vectors_failure: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
}

impl Report {
    /// Whether everything was read without a complaint.
    pub fn is_clean(&self) -> bool {
        let is_clean = |s: &SourceReport| s.complaints.is_empty() && s.failure.is_none() && s.question.is_none();
        self.vectors_failure.is_none() && self.sources.iter().all(is_clean)
    }

    /// Whether there are sources and none of them could be read.
    pub fn is_failure(&self) -> bool {
        !self.sources.is_empty() && self.sources.iter().all(|source| source.failure.is_some())
    }
}
