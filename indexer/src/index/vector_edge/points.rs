//! Chunks as points of a shard and back, and what is asked of a shard.

use qdrant_edge::{
    AnyVariants, Condition, EdgeShard, FieldCondition, Filter as EdgeFilter, JsonPath, Match, NamedQuery, OperationError, Payload, PointId,
    PointInsertOperations, PointOperations, PointStruct, QueryEnum, Range, ScrollRequest, SearchParams, SearchRequest, UpdateOperation,
    WithPayloadInterface, WithVector,
};

use crate::index::vector::{EmbeddedChunk, Filter};
use crate::record::RecordId;
use crate::space::{Hit, Space};

/// Points in one operation, and so in one entry of the write-ahead log.
const UPSERT_BATCH: usize = 500;

/// Points read at a time when all are listed.
const SCROLL_PAGE: usize = 10_000;

/// Takes out every chunk of `removed`, then puts in `added`.
pub(super) fn change(shard: &EdgeShard, removed: &[RecordId], added: &[EmbeddedChunk]) -> Result<(), OperationError> {
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

/// The chunk that a point is of.
pub(super) fn to_hit(space: &Space, payload: Option<&Payload>, score: f32) -> Option<Hit> {
    let fields = &payload?.0;
    Some(Hit {
        space: space.clone(),
        record: fields.get("record")?.as_str()?.parse().ok()?,
        position: fields.get("position")?.as_u64()?.try_into().ok()?,
        text_hash: fields.get("text_hash")?.as_str()?.to_owned(),
        score: f64::from(score),
    })
}

/// The nearest points, without what they are of.
pub(super) fn scores_request(vector: &[f32], filter: &Filter, limit: usize) -> Result<SearchRequest, OperationError> {
    Ok(SearchRequest {
        query: QueryEnum::Nearest(NamedQuery::default_dense(vector.to_vec())),
        filter: to_edge_filter(filter)?,
        params: Some(SearchParams { exact: true, ..Default::default() }),
        limit,
        offset: 0,
        with_payload: None,
        with_vector: None,
        score_threshold: None,
    })
}

/// Points with what they are of, but without their vectors.
pub(super) fn whole() -> (Option<WithPayloadInterface>, Option<WithVector>) {
    (Some(WithPayloadInterface::Bool(true)), Some(WithVector::Bool(false)))
}

/// All points, from this one on.
pub(super) fn scroll_request(offset: Option<PointId>) -> ScrollRequest {
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

/// A field of what a point is of.
pub(super) fn path(field: &str) -> Result<JsonPath, OperationError> {
    field.parse().map_err(|()| OperationError::service_error(format!("`{field}` is no field name")))
}
