//! The SQL truth about records: SQLite by default, PostgreSQL when scaled out, one SQL text for both.
//!
//! Every read that answers somebody takes a `ReadScope` and filters by it in SQL. Writing is one transaction a batch.

mod brief;
mod changes;
mod curve;
mod edits;
mod notes;
mod numbers;
mod passages;
mod pulls;
mod purge;
mod runs;
mod schema;
mod scrub;
mod sql;
mod standing;
mod status;
mod store;
mod vocabulary;
mod write_run;

use std::sync::Arc;

use sqlx::AnyPool;
use thiserror::Error;

use crate::work::Work;

pub use brief::RunDetail;
pub use changes::{Change, ChunkRow, Operation};
pub use curve::Curve;
pub use notes::NoteRow;
pub use pulls::{CommitRow, PullRow};
pub use purge::{Unpurged, Whole};
pub use runs::{RunCard, RunFilter, RunRow, SeriesRow};
pub use schema::{digest, open_database};
pub use scrub::{file_bytes, scrub};
pub use status::{SourceStatus, SpaceCounts};
pub use store::{Placed, Stored, SyncEnd};
pub use vocabulary::{ParamEntry, ProjectEntry, RunEntry, TagEntry, Vocabulary};

/// Handle on the catalog; cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    pool: AnyPool,
    /// What answering took of it.
    pub work: Arc<Work>,
}

/// Why the catalog did not serve.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The database.
    #[error("the catalog does not serve: {0}")]
    Database(#[from] sqlx::Error),
    /// Its tables.
    #[error("the catalog's tables cannot be brought up to date: {0}; remove the catalog and run `runlore index`")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Something stored that cannot be read back.
    #[error("the catalog holds a broken {what}: {reason}; remove the catalog and run `runlore index`")]
    Broken { what: &'static str, reason: String },
}
