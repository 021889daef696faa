//! Vectors in files: one edge shard per space, each in a folder of its own. The only file that knows qdrant-edge.
//!
//! What was applied is found once `mark_applied` has published it (`generations`). One process writes to a space at a
//! time, any number read. The search is an exact scan: about a millisecond per ten thousand chunks, and the same order
//! everywhere; building a graph instead takes minutes for a hundred thousand.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use qdrant_edge::{
    AnyVariants, Condition, CreateIndex, DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeVectorParams,
    FieldCondition, FieldIndexOperations, Filter as EdgeFilter, JsonPath, Match, NamedQuery, OperationError, Payload, PayloadFieldSchema,
    PayloadSchemaType, PointId, PointInsertOperations, PointOperations, PointStruct, QueryEnum, Range, ScrollRequest, SearchParams,
    SearchRequest, UpdateOperation, VectorStorageDatatype, WalOptions, WithPayloadInterface, WithVector,
};

use super::vector::{EmbeddedChunk, Filter, VectorError, VectorIndex, nearest};
use crate::failpoint;
use crate::record::RecordId;
use crate::space::{Hit, Space};
use generations::{Draft, Generations, View};

mod generations;
#[cfg(test)]
mod tests;

/// Points in one operation, and so in one entry of the write-ahead log.
const UPSERT_BATCH: usize = 500;

/// Points read at a time when all are listed.
const SCROLL_PAGE: usize = 10_000;

/// Vectors in files.
pub struct EdgeVectors {
    folder: PathBuf,
    config: EdgeConfig,
    spaces: Mutex<HashMap<Space, Arc<SpaceVectors>>>,
}

/// One space: what is being written, and what is being read.
struct SpaceVectors {
    generations: Generations,
    writing: Mutex<Option<Writing>>,
    reading: RwLock<Option<Arc<Reading>>>,
}

/// Fields drop in this order: the shard closes before its folder is given up.
struct Writing {
    shard: Shard,
    draft: Draft,
}

struct Reading {
    shard: Shard,
    view: View,
}

/// A shard whose closing, which flushes and panics when it cannot, ends nothing else.
struct Shard(Option<EdgeShard>);

impl EdgeVectors {
    /// Shards in `folder`, which is made if it is not there, of vectors with `dimensions` numbers. A space's shard is
    /// opened when it is first needed.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn open(folder: &Path, dimensions: usize) -> Result<Self, VectorError> {
        std::fs::create_dir_all(folder).map_err(|error| unavailable(folder, &error.to_string()))?;
        Ok(Self { folder: folder.to_owned(), config: config(dimensions), spaces: Mutex::new(HashMap::new()) })
    }

    fn space(&self, space: &Space) -> Arc<SpaceVectors> {
        let mut spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Arc::new(SpaceVectors::of(self.folder.join(space.as_str())));
        Arc::clone(spaces.entry(space.clone()).or_insert_with(open))
    }
}

impl VectorIndex for EdgeVectors {
    fn apply(&self, space: &Space, removed: &[RecordId], added: &[EmbeddedChunk]) -> Result<(), VectorError> {
        let space = self.space(space);
        let mut writing = space.lock_writing();
        if writing.is_none() && removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        let session = match writing.take() {
            Some(session) => session,
            None => space.begin(&self.config)?,
        };
        let done = guarded(|| change(session.shard.open()?, removed, added));
        // A draft of which a part failed is not gone on with: the caller applies the same changes again, to a fresh one.
        *writing = done.is_ok().then_some(session);
        done.map_err(|reason| space.unavailable(&reason))
    }

    fn mark_applied(&self, space: &Space, change: i64) -> Result<(), VectorError> {
        let space = self.space(space);
        let mut writing = space.lock_writing();
        let Some(Writing { mut shard, draft }) = writing.take() else {
            return space.generations.note_applied(change).map_err(|error| space.unavailable(&error.to_string()));
        };
        failpoint::reach("vector.before_flush");
        guarded(|| shard.finish()).map_err(|reason| space.unavailable(&reason))?;
        space.generations.publish(&draft, change).map_err(|error| space.unavailable(&error.to_string()))
    }

    fn applied(&self, space: &Space) -> Result<i64, VectorError> {
        let space = self.space(space);
        let current = space.generations.current().map_err(|error| space.unavailable(&error.to_string()))?;
        Ok(current.applied)
    }

    fn search(&self, space: &Space, vector: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError> {
        let vectors = self.space(space);
        let Some(reading) = vectors.reading(&self.config)? else { return Ok(Vec::new()) };
        let request = |n_wanted| search_request(vector, filter, n_wanted);
        nearest(limit, |n_wanted| {
            let points = guarded(|| reading.shard.open()?.search(request(n_wanted)?)).map_err(|reason| vectors.unavailable(&reason))?;
            let hits = points.into_iter().map(|point| to_hit(space, point.payload.as_ref(), point.score));
            hits.collect::<Option<Vec<Hit>>>().ok_or_else(|| vectors.unavailable("a point without its record"))
        })
    }

    fn contents(&self, space: &Space) -> Result<Vec<(RecordId, u32, String)>, VectorError> {
        let vectors = self.space(space);
        let Some(reading) = vectors.reading(&self.config)? else { return Ok(Vec::new()) };
        let (mut contents, mut offset) = (Vec::new(), None);
        loop {
            let page = guarded(|| reading.shard.open()?.scroll(scroll_request(offset))).map_err(|reason| vectors.unavailable(&reason))?;
            for point in page.0 {
                let hit = to_hit(space, point.payload.as_ref(), 0.0).ok_or_else(|| vectors.unavailable("a point without its record"))?;
                contents.push((hit.record, hit.position, hit.text_hash));
            }
            offset = page.1;
            if offset.is_none() {
                contents.sort();
                return Ok(contents);
            }
        }
    }
}

impl SpaceVectors {
    fn of(folder: PathBuf) -> Self {
        Self { generations: Generations::of(folder), writing: Mutex::new(None), reading: RwLock::new(None) }
    }

    fn lock_writing(&self) -> MutexGuard<'_, Option<Writing>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a draft for writing.
    fn begin(&self, config: &EdgeConfig) -> Result<Writing, VectorError> {
        let draft = self.generations.draft().map_err(|error| self.unavailable(&error.to_string()))?;
        let opened = if draft.is_new { guarded(|| new_shard(&draft.folder, config)) } else { guarded(|| load(&draft.folder, config)) };
        let shard = opened.map_err(|reason| self.unavailable(&reason))?;
        Ok(Writing { shard: Shard(Some(shard)), draft })
    }

    /// The generation that holds, opened again when another was published, here or by another process.
    fn reading(&self, config: &EdgeConfig) -> Result<Option<Arc<Reading>>, VectorError> {
        let current = self.generations.current().map_err(|error| self.unavailable(&error.to_string()))?;
        let is_current = |reading: &Arc<Reading>| reading.view.generation == current.generation;
        if let Some(reading) = self.reading.read().unwrap_or_else(PoisonError::into_inner).as_ref().filter(|open| is_current(open)) {
            return Ok(Some(Arc::clone(reading)));
        }
        let mut open = self.reading.write().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(is_current) {
            return Ok(open.clone());
        }
        *open = None;
        let Some(view) = self.generations.view().map_err(|error| self.unavailable(&error.to_string()))? else { return Ok(None) };
        let shard = guarded(|| load(&view.folder, config)).map_err(|reason| self.unavailable(&reason))?;
        *open = Some(Arc::new(Reading { shard: Shard(Some(shard)), view }));
        Ok(open.clone())
    }

    fn unavailable(&self, reason: &str) -> VectorError {
        unavailable(self.generations.folder(), &format!("{reason}; if it stays so, remove this folder and `runlore index` builds it again"))
    }
}

impl Shard {
    fn open(&self) -> Result<&EdgeShard, OperationError> {
        self.0.as_ref().ok_or_else(|| OperationError::service_error("the shard is closed"))
    }

    /// Clears away what was deleted, where that is much, and closes the shard, which brings it to the disk.
    fn finish(&mut self) -> Result<(), OperationError> {
        self.open()?.optimize()?;
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        let shard = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(shard)));
    }
}

/// Runs a step of the library, which panics on some broken files and when it cannot flush.
fn guarded<T>(step: impl FnOnce() -> Result<T, OperationError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("the vector library stopped: {}", text.unwrap_or_default()))
        }
    }
}

fn unavailable(place: &Path, reason: &str) -> VectorError {
    VectorError::Unavailable { place: place.display().to_string(), reason: reason.to_owned() }
}

/// Half-precision vectors, which halve files, memory and the time of a scan; no graph; a small write-ahead log.
fn config(dimensions: usize) -> EdgeConfig {
    let vectors = EdgeVectorParams::builder(dimensions, Distance::Cosine).datatype(VectorStorageDatatype::Float16).build();
    // A threshold of 0 means that no graph is built; one segment however large, so that a scan is one pass.
    let optimizers = EdgeOptimizersConfig {
        indexing_threshold: Some(0),
        default_segment_number: Some(1),
        max_segment_size: Some(usize::MAX >> 20),
        ..Default::default()
    };
    let wal = WalOptions { segment_capacity: 1 << 20, segment_queue_len: 0, retain_closed: NonZeroUsize::MIN };
    EdgeConfig::builder().vector(DEFAULT_VECTOR_NAME, vectors).on_disk_payload(true).optimizers(optimizers).wal_options(wal).build()
}

fn load(folder: &Path, config: &EdgeConfig) -> Result<EdgeShard, OperationError> {
    EdgeShard::load(folder, Some(config.clone()))
}

fn new_shard(folder: &Path, config: &EdgeConfig) -> Result<EdgeShard, OperationError> {
    let shard = EdgeShard::new(folder, config.clone())?;
    let fields = [
        ("record", PayloadSchemaType::Keyword),
        ("kind", PayloadSchemaType::Keyword),
        ("project", PayloadSchemaType::Keyword),
        ("created_ms", PayloadSchemaType::Integer),
    ];
    for (field, schema) in fields {
        let index = CreateIndex { field_name: path(field)?, field_schema: Some(PayloadFieldSchema::FieldType(schema)) };
        shard.update(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(index)))?;
    }
    Ok(shard)
}

fn change(shard: &EdgeShard, removed: &[RecordId], added: &[EmbeddedChunk]) -> Result<(), OperationError> {
    if !removed.is_empty() {
        let any = matches_any("record", removed.iter().map(RecordId::to_string))?;
        shard.update(UpdateOperation::PointOperation(PointOperations::DeletePointsByFilter(EdgeFilter::new_must(any))))?;
    }
    for batch in added.chunks(UPSERT_BATCH) {
        let points = batch.iter().map(|chunk| to_point(chunk).into()).collect();
        let points = PointInsertOperations::PointsList(points);
        shard.update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(points)))?;
    }
    Ok(())
}

fn to_point(chunk: &EmbeddedChunk) -> PointStruct {
    let payload = serde_json::json!({
        "record": chunk.record.to_string(),
        "position": chunk.position,
        "text_hash": chunk.text_hash,
        "kind": chunk.kind.as_str(),
        "project": chunk.project,
        "created_ms": chunk.created_ms,
    });
    PointStruct::new(PointId::Uuid(chunk.id), chunk.vector.clone(), payload)
}

fn to_hit(space: &Space, payload: Option<&Payload>, score: f32) -> Option<Hit> {
    let fields = &payload?.0;
    Some(Hit {
        space: space.clone(),
        record: fields.get("record")?.as_str()?.parse().ok()?,
        position: fields.get("position")?.as_u64()?.try_into().ok()?,
        text_hash: fields.get("text_hash")?.as_str()?.to_owned(),
        score: f64::from(score),
    })
}

fn search_request(vector: &[f32], filter: &Filter, limit: usize) -> Result<SearchRequest, OperationError> {
    Ok(SearchRequest {
        query: QueryEnum::Nearest(NamedQuery::default_dense(vector.to_vec())),
        filter: to_edge_filter(filter)?,
        params: Some(SearchParams { exact: true, ..Default::default() }),
        limit,
        offset: 0,
        with_payload: Some(WithPayloadInterface::Bool(true)),
        with_vector: None,
        score_threshold: None,
    })
}

fn scroll_request(offset: Option<PointId>) -> ScrollRequest {
    ScrollRequest {
        offset,
        limit: Some(SCROLL_PAGE),
        filter: None,
        with_payload: Some(WithPayloadInterface::Bool(true)),
        with_vector: WithVector::Bool(false),
        order_by: None,
    }
}

fn to_edge_filter(filter: &Filter) -> Result<Option<EdgeFilter>, OperationError> {
    let mut must = Vec::new();
    if !filter.kinds.is_empty() {
        must.push(matches_any("kind", filter.kinds.iter().map(|kind| kind.as_str().to_owned()))?);
    }
    if let Some(project) = &filter.project {
        must.push(matches_any("project", [project.clone()])?);
    }
    if filter.since_ms.is_some() || filter.until_ms.is_some() {
        // Milliseconds fit a float exactly until the year 287396.
        let number = |ms: Option<i64>| ms.map(|ms| (ms as f64).into());
        let range = Range { gte: number(filter.since_ms), lt: number(filter.until_ms), gt: None, lte: None };
        must.push(Condition::Field(FieldCondition::new_range(path("created_ms")?, range)));
    }
    Ok((!must.is_empty()).then(|| EdgeFilter { must: Some(must), ..Default::default() }))
}

fn matches_any(field: &str, values: impl IntoIterator<Item = String>) -> Result<Condition, OperationError> {
    let any = Match::new_any(AnyVariants::Strings(values.into_iter().collect()));
    Ok(Condition::Field(FieldCondition::new_match(path(field)?, any)))
}

fn path(field: &str) -> Result<JsonPath, OperationError> {
    field.parse().map_err(|()| OperationError::service_error(format!("`{field}` is no field name")))
}
