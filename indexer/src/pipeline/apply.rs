//! Follows the change feed: each space's changes are embedded and applied to both indexes, in portions.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{PipelineError, Progress};
use crate::catalog::{Change, ChunkRow, Operation};
use crate::chunk::hex;
use crate::embed::{EmbedError, Embedder};
use crate::failpoint;
use crate::index::keyword::KeywordChunk;
use crate::index::vector::EmbeddedChunk;
use crate::record::RecordId;
use crate::report::Report;
use crate::search::Corpus;
use crate::space::Space;

/// Changed records in one portion of the keyword index: a commit costs, so many.
const KEYWORD_PORTION: usize = 5_000;

/// Changed records in one portion of the vector index: vectors in memory, so fewer.
const VECTOR_PORTION: usize = 1_500;

/// Texts embedded in one go; enough for the embedder to sort them by length.
const EMBED_BATCH: usize = 256;

/// Brings both indexes up to the catalog's last change, in every space.
pub(super) async fn apply(
    corpus: &Corpus,
    report: &mut Report,
    on_progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), PipelineError> {
    for space in corpus.catalog.spaces().await? {
        apply_keyword(corpus, &space, report).await?;
        if report.vectors_failure.is_some() {
            continue;
        }
        match apply_vectors(corpus, &space, report, on_progress).await {
            Ok(()) => {}
            // Without vectors the keyword index answers; the feed is applied as soon as they are back.
            Err(PipelineError::Embed(e)) => report.vectors_failure = Some(e.to_string()),
            Err(PipelineError::Vector(e)) => report.vectors_failure = Some(e.to_string()),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

async fn apply_keyword(corpus: &Corpus, space: &Space, report: &mut Report) -> Result<(), PipelineError> {
    loop {
        let after = blocking(corpus, space, |corpus, space| Ok(corpus.keyword.applied(&space)?)).await?;
        let changes = corpus.catalog.changes(space, after, KEYWORD_PORTION).await?;
        let Some(last) = changes.last().map(|change| change.number) else { return Ok(()) };
        let (touched, put) = split(&changes);
        let chunks = corpus.catalog.chunks(space, &put).await?;
        report.n_applied += chunks.len() as u64;
        let chunks: Vec<KeywordChunk> = chunks.into_iter().map(keyword_chunk).collect();
        blocking(corpus, space, move |corpus, space| Ok(corpus.keyword.apply(&space, &touched, &chunks, last)?)).await?;
    }
}

async fn apply_vectors(
    corpus: &Corpus,
    space: &Space,
    report: &mut Report,
    on_progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), PipelineError> {
    let first = blocking(corpus, space, |corpus, space| Ok(corpus.vectors.applied(&space)?)).await?;
    let n_all = corpus.catalog.changes(space, first, usize::MAX >> 1).await?.len() as u64;
    let (mut after, mut n_done) = (first, 0);
    loop {
        let changes = corpus.catalog.changes(space, after, VECTOR_PORTION).await?;
        let Some(last) = changes.last().map(|change| change.number) else { return Ok(()) };
        let (touched, put) = split(&changes);
        let chunks = corpus.catalog.chunks(space, &put).await?.into_iter().filter(|chunk| chunk.embed.is_some()).collect();
        let embedded = embed(corpus, chunks, report).await?;
        blocking(corpus, space, move |corpus, space| Ok(corpus.vectors.apply(&space, &touched, &embedded)?)).await?;
        failpoint::reach("vector.before_mark");
        blocking(corpus, space, move |corpus, space| Ok(corpus.vectors.mark_applied(&space, last)?)).await?;
        n_done += changes.len() as u64;
        on_progress(Progress::Applying { n_done, n_all });
        after = last;
    }
}

/// Records whose old chunks go, and among them those that have new ones.
fn split(changes: &[Change]) -> (Vec<RecordId>, Vec<RecordId>) {
    let touched: BTreeSet<RecordId> = changes.iter().map(|change| change.record).collect();
    let put = changes.iter().filter(|change| change.operation == Operation::Put).map(|change| change.record);
    (touched.into_iter().collect(), put.collect())
}

/// Finds or computes the vectors of these chunks.
async fn embed(corpus: &Corpus, chunks: Vec<ChunkRow>, report: &mut Report) -> Result<Vec<EmbeddedChunk>, PipelineError> {
    let name = corpus.embedder.name().to_owned();
    let hashed: Vec<(String, ChunkRow)> =
        chunks.into_iter().map(|chunk| (vector_hash(&name, chunk.embed.as_deref().unwrap_or_default()), chunk)).collect();
    let hashes: BTreeSet<String> = hashed.iter().map(|(hash, _)| hash.clone()).collect();
    let hashes: Vec<String> = hashes.into_iter().collect();
    let mut vectors: HashMap<String, Vec<f32>> = HashMap::new();
    for (hash, text) in corpus.catalog.vectors(&hashes).await? {
        vectors.insert(hash, unpack(&text));
    }
    let mut missing: Vec<(String, String)> = Vec::new();
    for (hash, chunk) in &hashed {
        if !vectors.contains_key(hash) && missing.iter().all(|(known, _)| known != hash) {
            missing.push((hash.clone(), chunk.embed.clone().unwrap_or_default()));
        }
    }
    for some in missing.chunks(EMBED_BATCH) {
        let embedder = Arc::clone(&corpus.embedder);
        let texts: Vec<String> = some.iter().map(|(_, text)| text.clone()).collect();
        let fresh =
            tokio::task::spawn_blocking(move || embed_all(&*embedder, &texts)).await.map_err(|e| PipelineError::Task(e.to_string()))??;
        let packed: Vec<(String, String)> = some.iter().zip(&fresh).map(|((hash, _), vector)| (hash.clone(), pack(vector))).collect();
        corpus.catalog.keep_vectors(&packed).await?;
        report.n_embedded += fresh.len() as u64;
        vectors.extend(some.iter().map(|(hash, _)| hash.clone()).zip(fresh));
    }
    let embedded = |(hash, chunk): (String, ChunkRow)| {
        let vector = vectors.get(&hash)?.clone();
        Some(EmbeddedChunk {
            id: chunk.record.chunk(chunk.position),
            record: chunk.record,
            position: chunk.position,
            text_hash: chunk.text_hash,
            kind: chunk.kind,
            project: chunk.project,
            created_ms: chunk.created_ms,
            vector,
        })
    };
    Ok(hashed.into_iter().filter_map(embedded).collect())
}

fn embed_all(embedder: &dyn Embedder, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    embedder.embed(&texts)
}

/// Under which a vector is kept.
pub(super) fn vector_hash(model: &str, text: &str) -> String {
    hex(&Sha256::digest(format!("{model}\n{text}"))[..16])
}

fn pack(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

fn unpack(text: &str) -> Vec<f32> {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    bytes.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
}

fn keyword_chunk(chunk: ChunkRow) -> KeywordChunk {
    KeywordChunk {
        record: chunk.record,
        position: chunk.position,
        text_hash: chunk.text_hash,
        kind: chunk.kind,
        project: chunk.project,
        created_ms: chunk.created_ms,
        title: chunk.title,
        heading: chunk.heading,
        text: chunk.text,
    }
}

/// Runs a blocking step on the indexes on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    corpus: &Corpus,
    space: &Space,
    step: impl FnOnce(Corpus, Space) -> Result<T, PipelineError> + Send + 'static,
) -> Result<T, PipelineError> {
    let (corpus, space) = (corpus.clone(), space.clone());
    tokio::task::spawn_blocking(move || step(corpus, space)).await.map_err(|e| PipelineError::Task(e.to_string()))?
}
