//! Vectors on a Qdrant server or cluster: one collection per space. The only file that knows qdrant-client.
//!
//! The number of the last applied change is a point of its own in the collection, without a vector: it is replicated as
//! the rest is, and goes with the collection when somebody deletes it. A write counts when one replica has it, and a node
//! that was away is brought up to date by the others, so that with two replicas one node may be down.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Datatype, DeletePointsBuilder, Distance, FieldType,
    Filter as QdrantFilter, GetPointsBuilder, NamedVectors, PointId, PointStruct, Range, ScrollPointsBuilder, SearchParamsBuilder,
    SearchPoints, SearchPointsBuilder, UpsertPointsBuilder, Value, VectorParamsBuilder, Vectors,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::vector::{EmbeddedChunk, Filter, VectorError, VectorIndex, nearest};
use crate::failpoint;
use crate::record::RecordId;
use crate::space::{Hit, Space};

/// Points in one request; with 384 dimensions about half a megabyte.
const UPSERT_BATCH: usize = 256;

/// Records named in one deletion.
const DELETE_BATCH: usize = 1_000;

/// Points read at a time when all are listed.
const SCROLL_PAGE: u32 = 2_000;

/// Up to here a space is scanned, which is exact and quick; beyond it the server's graph is asked.
const MOST_SCANNED: u64 = 100_000;

/// How long the size of a space is believed.
const SIZE_AGE: Duration = Duration::from_secs(60);

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait before each further try of a search or a look-up: somebody waits for the answer.
const READ_PAUSES: &[Duration] = &[Duration::from_millis(100), Duration::from_millis(400)];

/// The same for a write, while a node is away and the cluster has not yet noticed.
const WRITE_PAUSES: &[Duration] =
    &[Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900), Duration::from_millis(2_700)];

/// Codes of gRPC that may pass: unknown (a broken connection), deadline exceeded, aborted, internal (no live replica), unavailable.
const PASSING_CODES: [i32; 5] = [2, 4, 10, 13, 14];
const NOT_FOUND: i32 = 5;
const ALREADY_EXISTS: i32 = 6;
const INVALID_ARGUMENT: i32 = 3;

/// The point that holds the number of the last applied change.
const MARK: Uuid = Uuid::from_u128(0x72756e6c_6f72_6520_8000_6170706c6965);

/// Vectors on a server.
pub struct QdrantVectors {
    nodes: Vec<Qdrant>,
    good: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
    url: String,
    layout: Layout,
    made: Mutex<HashSet<String>>,
    sizes: Mutex<HashMap<String, (u64, Instant)>>,
}

/// How collections are named and made.
struct Layout {
    prefix: String,
    dimensions: usize,
    replicas: u32,
    shards: u32,
}

impl QdrantVectors {
    /// Collections named `prefix-space` on the server at `url`, or on several nodes of a cluster, their addresses parted
    /// by commas: the next is asked when one does not answer. `replicas` and `shards` count where a collection is made.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// Where an address is none.
    pub fn connect(
        url: &str,
        api_key: Option<SecretString>,
        prefix: &str,
        dimensions: usize,
        replicas: u32,
        shards: u32,
    ) -> Result<Self, VectorError> {
        let failed = |reason: String| VectorError::Unavailable { place: url.to_owned(), reason };
        let key = api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let node = |address: &str| {
            let client =
                Qdrant::from_url(address.trim()).skip_compatibility_check().timeout(TIMEOUT).connect_timeout(Duration::from_secs(3));
            client.api_key(key.clone()).build().map_err(|error| failed(error.to_string()))
        };
        let nodes = url.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("qdrant").enable_all().build();
        Ok(Self {
            nodes,
            good: Arc::default(),
            runtime: Some(runtime.map_err(|error| failed(error.to_string()))?),
            url: url.to_owned(),
            layout: Layout { prefix: prefix.to_owned(), dimensions, replicas: replicas.max(1), shards: shards.max(1) },
            made: Mutex::default(),
            sizes: Mutex::default(),
        })
    }

    fn collection(&self, space: &Space) -> String {
        format!("{}-{space}", self.layout.prefix)
    }

    /// Sends a request until a node answers, and waits for the answer on this thread, which may be any thread.
    fn ask<R, T, F>(
        &self,
        pauses: &'static [Duration],
        request: R,
        call: impl Fn(Qdrant, R) -> F + Send + 'static,
    ) -> Result<T, QdrantError>
    where
        R: Clone + Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T, QdrantError>> + Send,
    {
        let (nodes, good) = (self.nodes.clone(), Arc::clone(&self.good));
        let (answer, answered) = mpsc::channel();
        let gone = || QdrantError::Io(std::io::Error::other("the connection's thread is gone"));
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        runtime.spawn(async move { answer.send(try_nodes(&nodes, &good, pauses, move |node| call(node, request.clone())).await) });
        answered.recv().map_err(|_| gone())?
    }

    fn unavailable(&self, error: &QdrantError) -> VectorError {
        let reason = match error {
            QdrantError::ResponseError { status } => format!("{:?}: {}", status.code(), status.message()),
            error => error.to_string(),
        };
        VectorError::Unavailable { place: self.url.clone(), reason }
    }

    /// Makes the collection if it is not there.
    fn make(&self, space: &Space) -> Result<(), VectorError> {
        let name = self.collection(space);
        if self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            return Ok(());
        }
        let vectors = VectorParamsBuilder::new(self.layout.dimensions as u64, Distance::Cosine).datatype(Datatype::Float16);
        let collection = CreateCollectionBuilder::new(name.clone())
            .vectors_config(vectors)
            .shard_number(self.layout.shards)
            .replication_factor(self.layout.replicas)
            .write_consistency_factor(1)
            .on_disk_payload(true)
            .build();
        match self.ask(WRITE_PAUSES, collection, |node, collection| async move { node.create_collection(collection).await }) {
            Ok(_) => {}
            Err(error) if is_there_already(&error) => {}
            Err(error) => return Err(self.unavailable(&error)),
        }
        let keyword = FieldType::Keyword;
        for (field, kind) in [("record", keyword), ("kind", keyword), ("project", keyword), ("created_ms", FieldType::Integer)] {
            let index = CreateFieldIndexCollectionBuilder::new(name.clone(), field, kind).wait(true).build();
            let made = self.ask(WRITE_PAUSES, index, |node, index| async move { node.create_field_index(index).await });
            made.map_err(|error| self.unavailable(&error))?;
        }
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        Ok(())
    }

    fn upsert(&self, space: &Space, points: Vec<PointStruct>) -> Result<(), VectorError> {
        let request = UpsertPointsBuilder::new(self.collection(space), points).wait(true).build();
        let done = self.ask(WRITE_PAUSES, request, |node, request| async move { node.upsert_points(request).await });
        done.map(|_| ()).map_err(|error| self.unavailable(&error))
    }

    fn delete(&self, space: &Space, records: &[RecordId]) -> Result<(), VectorError> {
        let records: Vec<String> = records.iter().map(RecordId::to_string).collect();
        let these = QdrantFilter::must([Condition::matches("record", records)]);
        let request = DeletePointsBuilder::new(self.collection(space)).points(these).wait(true).build();
        let done = self.ask(WRITE_PAUSES, request, |node, request| async move { node.delete_points(request).await });
        done.map(|_| ()).map_err(|error| self.unavailable(&error))
    }

    /// About how many points a collection has, as of a minute ago at most; 0 where there is none.
    fn size(&self, name: &str) -> Result<u64, VectorError> {
        let known = self.sizes.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if let Some((size, _)) = known.filter(|(_, at)| at.elapsed() < SIZE_AGE) {
            return Ok(size);
        }
        let size = match self.ask(READ_PAUSES, name.to_owned(), |node, name| async move { node.collection_info(name).await }) {
            Ok(info) => info.result.and_then(|info| info.points_count).unwrap_or(0),
            Err(error) if code(&error) == Some(NOT_FOUND) => return Ok(0),
            Err(error) => return Err(self.unavailable(&error)),
        };
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (size, Instant::now()));
        Ok(size)
    }

    fn search_points(&self, space: &Space, request: SearchPoints) -> Result<Vec<Hit>, VectorError> {
        let points = match self.ask(READ_PAUSES, request, |node, request| async move { node.search_points(request).await }) {
            Ok(found) => found.result,
            Err(error) if code(&error) == Some(NOT_FOUND) => return Ok(Vec::new()),
            Err(error) => return Err(self.unavailable(&error)),
        };
        let hits = points.into_iter().map(|point| to_hit(space, &point.payload, point.score));
        hits.collect::<Option<Vec<Hit>>>().ok_or_else(|| self.strange())
    }

    fn strange(&self) -> VectorError {
        VectorError::Unavailable { place: self.url.clone(), reason: "a point without its record; who else writes there?".to_owned() }
    }
}

impl Drop for QdrantVectors {
    fn drop(&mut self) {
        // A runtime must not be dropped on another runtime's thread, but it may be told to end by itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl VectorIndex for QdrantVectors {
    fn apply(&self, space: &Space, removed: &[RecordId], added: &[EmbeddedChunk]) -> Result<(), VectorError> {
        if removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        self.make(space)?;
        removed.chunks(DELETE_BATCH).try_for_each(|some| self.delete(space, some))?;
        added.chunks(UPSERT_BATCH).try_for_each(|some| self.upsert(space, some.iter().map(to_point).collect()))
    }

    fn mark_applied(&self, space: &Space, change: i64) -> Result<(), VectorError> {
        failpoint::reach("vector.before_flush");
        self.make(space)?;
        let mark = PointStruct {
            id: Some(MARK.to_string().into()),
            payload: HashMap::from([("applied".to_owned(), Value::from(change))]),
            vectors: Some(Vectors { vectors_options: Some(NamedVectors::default().into()) }),
        };
        self.upsert(space, vec![mark])
    }

    fn applied(&self, space: &Space) -> Result<i64, VectorError> {
        let id: PointId = MARK.to_string().into();
        let request = GetPointsBuilder::new(self.collection(space), vec![id]).with_payload(true).build();
        match self.ask(READ_PAUSES, request, |node, request| async move { node.get_points(request).await }) {
            Ok(found) => Ok(found.result.first().and_then(|point| integer(&point.payload, "applied")).unwrap_or(0)),
            Err(error) if code(&error) == Some(NOT_FOUND) => Ok(0),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn search(&self, space: &Space, vector: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError> {
        let name = self.collection(space);
        let is_exact = self.size(&name)? <= MOST_SCANNED;
        nearest(limit, |n_wanted| {
            let request = SearchPointsBuilder::new(name.clone(), vector.to_vec(), n_wanted as u64)
                .filter(to_qdrant_filter(filter))
                .params(SearchParamsBuilder::default().exact(is_exact))
                .with_payload(true);
            self.search_points(space, request.build())
        })
    }

    fn contents(&self, space: &Space) -> Result<Vec<(RecordId, u32, String)>, VectorError> {
        let (mut contents, mut offset) = (Vec::new(), None);
        loop {
            let mut request = ScrollPointsBuilder::new(self.collection(space)).limit(SCROLL_PAGE).with_payload(true).build();
            request.offset = offset;
            let page = match self.ask(READ_PAUSES, request, |node, request| async move { node.scroll(request).await }) {
                Ok(page) => page,
                Err(error) if code(&error) == Some(NOT_FOUND) => return Ok(Vec::new()),
                Err(error) => return Err(self.unavailable(&error)),
            };
            for point in page.result.iter().filter(|point| !is_mark(point.id.as_ref())) {
                let hit = to_hit(space, &point.payload, 0.0).ok_or_else(|| self.strange())?;
                contents.push((hit.record, hit.position, hit.text_hash));
            }
            offset = page.next_page_offset;
            if offset.is_none() {
                contents.sort();
                return Ok(contents);
            }
        }
    }
}

/// Asks the node that answered last, then the next ones, with pauses, while the failure may pass.
async fn try_nodes<T, F>(nodes: &[Qdrant], good: &AtomicUsize, pauses: &[Duration], request: impl Fn(Qdrant) -> F) -> Result<T, QdrantError>
where
    F: Future<Output = Result<T, QdrantError>>,
{
    let mut pauses = pauses.iter();
    let mut n_failed = 0;
    loop {
        let at = good.load(Ordering::Relaxed) % nodes.len();
        let error = match request(nodes[at].clone()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !code(&error).is_some_and(|code| PASSING_CODES.contains(&code)) {
            return Err(error);
        }
        good.store(at + 1, Ordering::Relaxed);
        n_failed += 1;
        // The other nodes are asked at once; a round of failures is followed by a pause.
        if n_failed % nodes.len() == 0 {
            let Some(pause) = pauses.next() else { return Err(error) };
            tokio::time::sleep(*pause).await;
        }
    }
}

fn code(error: &QdrantError) -> Option<i32> {
    match error {
        QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. } => Some(status.code().into()),
        _ => None,
    }
}

/// The server says "already exists" in two ways, by version.
fn is_there_already(error: &QdrantError) -> bool {
    match error {
        QdrantError::ResponseError { status } => {
            let code = i32::from(status.code());
            code == ALREADY_EXISTS || (code == INVALID_ARGUMENT && status.message().contains("already exists"))
        }
        _ => false,
    }
}

fn is_mark(id: Option<&PointId>) -> bool {
    matches!(id.and_then(|id| id.point_id_options.as_ref()), Some(PointIdOptions::Uuid(uuid)) if *uuid == MARK.to_string())
}

fn to_point(chunk: &EmbeddedChunk) -> PointStruct {
    let mut payload = Payload::new();
    payload.insert("record", chunk.record.to_string());
    payload.insert("position", i64::from(chunk.position));
    payload.insert("text_hash", chunk.text_hash.clone());
    payload.insert("kind", chunk.kind.as_str());
    if let Some(project) = &chunk.project {
        payload.insert("project", project.clone());
    }
    if let Some(created_ms) = chunk.created_ms {
        payload.insert("created_ms", created_ms);
    }
    PointStruct::new(chunk.id.to_string(), chunk.vector.clone(), payload)
}

fn to_hit(space: &Space, payload: &HashMap<String, Value>, score: f32) -> Option<Hit> {
    Some(Hit {
        space: space.clone(),
        record: text(payload, "record")?.parse().ok()?,
        position: integer(payload, "position")?.try_into().ok()?,
        text_hash: text(payload, "text_hash")?.to_owned(),
        score: f64::from(score),
    })
}

fn text<'a>(payload: &'a HashMap<String, Value>, field: &str) -> Option<&'a str> {
    match payload.get(field)?.kind.as_ref()? {
        Kind::StringValue(text) => Some(text),
        _ => None,
    }
}

fn integer(payload: &HashMap<String, Value>, field: &str) -> Option<i64> {
    match payload.get(field)?.kind.as_ref()? {
        Kind::IntegerValue(number) => Some(*number),
        _ => None,
    }
}

fn to_qdrant_filter(filter: &Filter) -> QdrantFilter {
    let mut must = Vec::new();
    if !filter.kinds.is_empty() {
        must.push(Condition::matches("kind", filter.kinds.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<String>>()));
    }
    if let Some(project) = &filter.project {
        must.push(Condition::matches("project", project.clone()));
    }
    if filter.since_ms.is_some() || filter.until_ms.is_some() {
        // Milliseconds fit a float exactly until the year 287396.
        let number = |ms: Option<i64>| ms.map(|ms| ms as f64);
        must.push(Condition::range("created_ms", Range { gte: number(filter.since_ms), lt: number(filter.until_ms), ..Range::default() }));
    }
    QdrantFilter::must(must)
}
