//! Syncs sources into the catalog and the catalog into the indexes; may be killed at any moment and goes on where it stopped.

mod apply;
mod purge;
mod sync;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::catalog::{Catalog, CatalogError};
use crate::chunk::{CHUNKER, hex};
use crate::config::{EmbedSettings, Settings, VectorSettings};
use crate::embed::hashed::HashedEmbedder;
use crate::embed::onnx::OnnxEmbedder;
use crate::embed::{EmbedError, Embedder};
use crate::index::keyword::{KeywordError, KeywordIndex};
use crate::index::vector::{VectorError, VectorIndex};
use crate::index::vector_edge::EdgeVectors;
use crate::index::vector_qdrant::QdrantVectors;
use crate::report::Report;
use crate::search::Corpus;

/// Length of a vector of the embedders here.
const DIMENSIONS: usize = 384;

/// Why indexing could not be done.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The keyword index.
    #[error(transparent)]
    Keyword(#[from] KeywordError),
    /// The vector index.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The embedder.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Another process is indexing.
    #[error("another `runlore index` is at work on `{0}`; wait for it or stop it")]
    Busy(String),
    /// The data folder.
    #[error("cannot use the data folder `{folder}`: {reason}")]
    Folder { folder: String, reason: String },
    /// A task of ours ended badly.
    #[error("a part of the indexer stopped: {0}")]
    Task(String),
}

/// What a person sees while indexing goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A source is being read.
    Source { name: String },
    /// Records of it seen so far, and how many there may be.
    Records { n_seen: u64, n_expected: Option<u64> },
    /// Chunks are being embedded and applied to the indexes.
    Applying { n_done: u64, n_all: u64 },
}

/// What to do about listings that leave much out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deletions {
    /// Ask when more than a fifth of a source's records would go.
    #[default]
    Ask,
    /// Take the listings as they are.
    Accept,
}

/// What one run of the indexer is asked to do.
#[derive(Default)]
pub struct Order {
    /// About large deletions.
    pub deletions: Deletions,
    /// Only this source; by default every one.
    pub only: Option<String>,
}

/// Opens catalog and indexes as the settings say.
///
/// # Errors
/// Where one of them does not serve. A missing embedding model is no error here: see `Corpus::search`.
pub async fn open(settings: &Settings) -> Result<Corpus, PipelineError> {
    let folder = |e: std::io::Error| PipelineError::Folder { folder: settings.data.display().to_string(), reason: e.to_string() };
    std::fs::create_dir_all(settings.index_folder()).map_err(folder)?;
    let catalog = Catalog::open(&settings.catalog_url).await?;
    let keyword = Arc::new(KeywordIndex::open(&settings.index_folder().join("keyword"))?);
    let embedder = embedder(&settings.embed);
    let vectors = vectors(settings, &settings.index_folder().join("vector")).await?;
    Ok(Corpus { catalog, keyword, vectors, embedder })
}

/// Reads every source, brings the indexes up to date, and clears what is gone out of the files.
///
/// # Errors
/// Where catalog or indexes do not serve; what went wrong with a source alone stands in the report.
pub async fn index(
    settings: &Settings,
    corpus: &Corpus,
    order: &Order,
    on_progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Report, PipelineError> {
    let started = Instant::now();
    let _lock = lock(&settings.data)?;
    let mut report = Report::default();
    for source in settings.sources.iter().filter(|source| order.only.as_ref().is_none_or(|only| *only == source.source.name)) {
        on_progress(Progress::Source { name: source.source.name.clone() });
        report.sources.push(sync::sync(&corpus.catalog, source, order.deletions, on_progress).await?);
    }
    if order.only.is_none() {
        forget_unnamed_sources(settings, &corpus.catalog, &mut report).await?;
    }
    apply::apply(corpus, &mut report, on_progress).await?;
    purge::purge(corpus, &mut report).await?;
    report.duration_ms = started.elapsed().as_millis() as u64;
    Ok(report)
}

/// Hash of the settings and rules that decide how a source's records look once stored.
pub fn placement_hash(settings: &str) -> String {
    let mut digest = Sha256::new();
    for part in [CHUNKER, crate::redact::RULES_VERSION, settings] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex(&digest.finalize()[..16])
}

/// One writer a data folder. The operating system takes the lock back when the process ends, however it ends.
fn lock(data: &Path) -> Result<File, PipelineError> {
    let path = data.join("index.lock");
    let folder = |e: std::io::Error| PipelineError::Folder { folder: data.display().to_string(), reason: e.to_string() };
    let file = File::create(&path).map_err(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PipelineError::Busy(data.display().to_string())),
        Err(TryLockError::Error(e)) => Err(folder(e)),
    }
}

async fn forget_unnamed_sources(settings: &Settings, catalog: &Catalog, report: &mut Report) -> Result<(), PipelineError> {
    for status in catalog.source_status().await? {
        if settings.sources.iter().all(|source| source.source.name != status.name) {
            let n_deleted = catalog.forget_source(&status.name).await?;
            report.sources.push(crate::report::SourceReport { source: status.name, n_deleted, ..Default::default() });
        }
    }
    Ok(())
}

/// The embedder of the settings; where it cannot be loaded, one that says why whenever it is asked.
fn embedder(settings: &EmbedSettings) -> Arc<dyn Embedder> {
    match settings {
        EmbedSettings::Hashed => Arc::new(HashedEmbedder::new(DIMENSIONS)),
        EmbedSettings::Onnx { model, runtime } => {
            Arc::new(LazyOnnx { model: model.clone(), runtime: runtime.clone(), loaded: std::sync::OnceLock::new() })
        }
    }
}

/// Loads the model when it is first asked: a typed command or an unchanged index never needs it.
struct LazyOnnx {
    model: std::path::PathBuf,
    runtime: std::path::PathBuf,
    loaded: std::sync::OnceLock<Result<OnnxEmbedder, String>>,
}

impl Embedder for LazyOnnx {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let loaded = self.loaded.get_or_init(|| OnnxEmbedder::load(&self.model, &self.runtime).map_err(|e| e.to_string()));
        match loaded {
            Ok(embedder) => embedder.embed(texts),
            Err(reason) => Err(EmbedError::Run(reason.clone())),
        }
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn name(&self) -> &str {
        "all-MiniLM-L6-v2-int8"
    }
}

async fn vectors(settings: &Settings, folder: &Path) -> Result<Arc<dyn VectorIndex>, PipelineError> {
    match &settings.vectors {
        VectorSettings::Edge => Ok(Arc::new(EdgeVectors::open(folder, DIMENSIONS)?)),
        VectorSettings::Qdrant { url, api_key, replicas, shards } => {
            Ok(Arc::new(QdrantVectors::connect(url, api_key.clone(), "runlore", DIMENSIONS, *replicas, *shards)?))
        }
    }
}

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
