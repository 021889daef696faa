//! Vectors in files: one edge shard per space, each in a folder of its own. The only place that knows qdrant-edge.
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
    CreateIndex, DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeVectorParams, FieldIndexOperations,
    OperationError, PayloadFieldSchema, PayloadSchemaType, UpdateOperation, VectorStorageDatatype, WalOptions,
};

use super::stamp::Stamp;
use super::vector::{EmbeddedChunk, Filter, VectorError, VectorIndex};
use crate::failpoint;
use crate::record::RecordId;
use crate::space::{Hit, Space};
use generations::{Draft, Generations, View};
use points::{change, path, scroll_request, to_hit};
use search::{Asked, Near};

mod generations;
mod points;
mod search;
#[cfg(test)]
mod tests;

/// Vectors in files.
pub struct EdgeVectors {
    folder: PathBuf,
    config: EdgeConfig,
    n_threads: usize,
    spaces: Mutex<HashMap<Space, Arc<SpaceVectors>>>,
}

/// One space: what is being written, and what is being read.
struct SpaceVectors {
    generations: Generations,
    writing: Mutex<Option<Writing>>,
    reading: RwLock<Option<Arc<Reading>>>,
    /// The generation that holds, as it was read last, and by what it is known that this is so yet.
    known: Mutex<Option<(Stamp, u64)>>,
}

/// Fields drop in this order: the shard closes before its folder is given up.
struct Writing {
    shard: Shard,
    draft: Draft,
}

struct Reading {
    n_points: usize,
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
        let n_threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self { folder: folder.to_owned(), config: config(dimensions), n_threads, spaces: Mutex::default() })
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
        self.search_all(std::slice::from_ref(space), vector, filter, limit)
    }

    fn search_all(&self, spaces: &[Space], vector: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError> {
        let mut opened = Vec::new();
        for space in spaces {
            let vectors = self.space(space);
            if let Some(reading) = vectors.reading(&self.config)? {
                opened.push(Near::of(space, vectors, reading));
            }
        }
        search::best_of(opened, &Asked { vector, filter, limit }, self.n_threads)
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

    fn purge(&self, space: &Space) -> Result<(), VectorError> {
        let space = self.space(space);
        let failed = |error: std::io::Error| space.unavailable(&error.to_string());
        let mut writing = space.lock_writing();
        // What was not published is thrown away, as at a crash.
        *writing = None;
        let current = space.generations.current().map_err(failed)?;
        if current.generation == 0 {
            return Ok(());
        }
        let Writing { mut shard, draft } = space.begin(&self.config)?;
        let clear = || {
            shard.open()?.set_optimizers_config(optimizers(Vacuum::Always))?;
            shard.finish()
        };
        guarded(clear).map_err(|reason| space.unavailable(&reason))?;
        space.generations.publish(&draft, current.applied).map_err(failed)?;
        space.generations.remove_others(draft.generation).map_err(failed)
    }

    fn let_go(&self) {
        let spaces: Vec<Arc<SpaceVectors>> = self.spaces.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        spaces.iter().for_each(|space| space.let_go());
    }
}

impl SpaceVectors {
    fn of(folder: PathBuf) -> Self {
        Self { generations: Generations::of(folder), writing: Mutex::default(), reading: RwLock::default(), known: Mutex::default() }
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
        let current = self.held().map_err(|error| self.unavailable(&error.to_string()))?;
        let is_current = |reading: &Arc<Reading>| reading.view.generation == current;
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
        let n_points = shard.info().points_count;
        *open = Some(Arc::new(Reading { n_points, shard: Shard(Some(shard)), view }));
        Ok(open.clone())
    }

    /// The number of the generation that holds; 0 before the first.
    fn held(&self) -> std::io::Result<u64> {
        let Some(stamp) = self.generations.stamp()? else { return Ok(0) };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, generation)) = known().filter(|(known, _)| *known == stamp) {
            return Ok(generation);
        }
        // What is read may be newer than the stamp: then it is read again the next time.
        let generation = self.generations.current()?.generation;
        *known() = Some((stamp, generation));
        Ok(generation)
    }

    /// Closes the generation that is open, if it is not the one that holds any more.
    fn let_go(&self) {
        let Ok(current) = self.held() else { return };
        let is_old = |reading: &Arc<Reading>| reading.view.generation != current;
        if self.reading.read().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(is_old) {
            self.reading.write().unwrap_or_else(PoisonError::into_inner).take_if(|reading| is_old(reading));
        }
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

/// When what was deleted is cleared away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vacuum {
    /// When it is a fifth, of many.
    WhenMuch,
    /// Whatever there is.
    Always,
}

/// Half-precision vectors, which halve files, memory and the time of a scan; no graph; a small write-ahead log.
fn config(dimensions: usize) -> EdgeConfig {
    let vectors = EdgeVectorParams::builder(dimensions, Distance::Cosine).datatype(VectorStorageDatatype::Float16).build();
    let wal = WalOptions { segment_capacity: 1 << 20, segment_queue_len: 0, retain_closed: NonZeroUsize::MIN };
    let config = EdgeConfig::builder().vector(DEFAULT_VECTOR_NAME, vectors).on_disk_payload(true);
    config.optimizers(optimizers(Vacuum::WhenMuch)).wal_options(wal).build()
}

/// A threshold of 0 means that no graph is built; one segment however large, so that a scan is one pass.
fn optimizers(vacuum: Vacuum) -> EdgeOptimizersConfig {
    let is_always = vacuum == Vacuum::Always;
    EdgeOptimizersConfig {
        indexing_threshold: Some(0),
        default_segment_number: Some(1),
        max_segment_size: Some(usize::MAX >> 20),
        deleted_threshold: is_always.then_some(0.0),
        vacuum_min_vector_number: is_always.then_some(1),
        ..Default::default()
    }
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
