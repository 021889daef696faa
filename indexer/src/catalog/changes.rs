//! The numbered change feed, and what the indexes need to follow it.

use sqlx::{Any, Row, Transaction};

use super::{Catalog, CatalogError};
use crate::record::{RecordId, RecordKind};
use crate::space::Space;

/// What happened to a record in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is there, new or changed.
    Put,
    /// It is no longer there.
    Remove,
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Grows with every change.
    pub number: i64,
    /// Which record.
    pub record: RecordId,
    /// What happened.
    pub operation: Operation,
}

/// A stored chunk, with what the indexes keep of its record.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkRow {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: RecordKind,
    /// Its project.
    pub project: Option<String>,
    /// When it was made, milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// Its title.
    pub title: String,
    /// Which chunk.
    pub position: u32,
    /// Headings above it.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// What is embedded of it.
    pub embed: Option<String>,
    /// Hash of the four above.
    pub text_hash: String,
}

/// What is noted of a record in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is there: new, or saying all that it said and more.
    Put,
    /// It is there, and something that it said is not.
    Edit,
    /// It is no longer there.
    Remove,
}

/// Appends to the feed; an earlier entry of this record in this space gives way, but for the number of its last edit.
pub(super) async fn note_change(write: &mut Transaction<'_, Any>, id: &str, space: &str, noted: Noted) -> Result<(), CatalogError> {
    let counter = "INSERT INTO meta (name, value) VALUES ('last_change', '1') \
                   ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT) RETURNING value";
    let row = sqlx::query(counter).fetch_one(&mut **write).await?;
    let number: String = row.try_get(0)?;
    let number: i64 = number.parse().map_err(|_| CatalogError::Broken { what: "change counter", reason: number.clone() })?;
    let before = sqlx::query("SELECT operation, edited FROM changes WHERE record = $1 AND space = $2").bind(id).bind(space);
    let edited = match (noted, before.fetch_optional(&mut **write).await?) {
        (Noted::Put, None) => 0,
        (Noted::Put, Some(row)) if row.try_get::<String, _>(0)? == "put" => row.try_get(1)?,
        // Who comes back may say something else than before.
        (Noted::Put | Noted::Edit | Noted::Remove, _) => number,
    };
    let word = if noted == Noted::Remove { "remove" } else { "put" };
    sqlx::query("DELETE FROM changes WHERE record = $1 AND space = $2").bind(id).bind(space).execute(&mut **write).await?;
    let insert = sqlx::query("INSERT INTO changes (number, record, space, operation, edited) VALUES ($1, $2, $3, $4, $5)");
    insert.bind(number).bind(id).bind(space).bind(word).bind(edited).execute(&mut **write).await?;
    Ok(())
}

impl Catalog {
    /// The next changes of a space after `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn changes(&self, space: &Space, after: i64, limit: usize) -> Result<Vec<Change>, CatalogError> {
        let query = "SELECT number, record, operation FROM changes WHERE space = $1 AND number > $2 ORDER BY number LIMIT $3";
        let rows = sqlx::query(query).bind(space.as_str()).bind(after).bind(limit as i64).fetch_all(self.pool()).await?;
        rows.iter()
            .map(|row| {
                let operation = if row.try_get::<String, _>(2)? == "put" { Operation::Put } else { Operation::Remove };
                Ok(Change { number: row.try_get(0)?, record: parse_id(&row.try_get::<String, _>(1)?)?, operation })
            })
            .collect()
    }

    /// Every space that ever had a record.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn spaces(&self) -> Result<Vec<Space>, CatalogError> {
        let rows = sqlx::query("SELECT DISTINCT space FROM changes ORDER BY space").fetch_all(self.pool()).await?;
        rows.iter()
            .map(|row| Space::new(&row.try_get::<String, _>(0)?).map_err(|reason| CatalogError::Broken { what: "space", reason }))
            .collect()
    }

    /// The number of the last change; part of every cache key.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn last_change(&self) -> Result<i64, CatalogError> {
        let row = sqlx::query("SELECT COALESCE(MAX(number), 0) FROM changes").fetch_one(self.pool()).await?;
        Ok(row.try_get(0)?)
    }

    /// The chunks of these records as they are now; records that are gone or in another space have none.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn chunks(&self, space: &Space, records: &[RecordId]) -> Result<Vec<ChunkRow>, CatalogError> {
        let mut chunks = Vec::new();
        for some in records.chunks(200) {
            let ids: Vec<String> = some.iter().map(RecordId::to_string).collect();
            let mut sql = super::sql::Sql::new(
                "SELECT r.id, r.kind, r.project, r.created_ms, r.title, c.ordinal, c.heading, c.body, c.embed, c.hash \
                 FROM records r JOIN chunks c ON c.record = r.id WHERE 1 = 1",
            );
            sql.and_text(" AND r.space = ?", space.as_str())
                .and_in("r.id", ids.iter().map(String::as_str))
                .and(" ORDER BY r.id, c.ordinal");
            for row in sql.all(self).await? {
                chunks.push(chunk_row(&row)?);
            }
        }
        Ok(chunks)
    }

    /// Vectors that were computed before, by hash.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn vectors(&self, hashes: &[String]) -> Result<Vec<(String, String)>, CatalogError> {
        let mut found = Vec::new();
        for some in hashes.chunks(400) {
            let mut sql = super::sql::Sql::new("SELECT hash, numbers FROM vectors WHERE 1 = 1");
            sql.and_in("hash", some.iter().map(String::as_str));
            for row in sql.all(self).await? {
                found.push((row.try_get(0)?, row.try_get(1)?));
            }
        }
        Ok(found)
    }

    /// Keeps vectors, so that the same text is not embedded again.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn keep_vectors(&self, vectors: &[(String, String)]) -> Result<(), CatalogError> {
        let mut write = self.pool().begin().await?;
        for (hash, numbers) in vectors {
            let insert = sqlx::query("INSERT INTO vectors (hash, numbers) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING");
            insert.bind(&**hash).bind(&**numbers).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }
}

/// Reads a record id that was stored as text.
pub(super) fn parse_id(text: &str) -> Result<RecordId, CatalogError> {
    text.parse().map_err(|_| CatalogError::Broken { what: "record id", reason: text.to_owned() })
}

fn chunk_row(row: &sqlx::any::AnyRow) -> Result<ChunkRow, CatalogError> {
    let kind: String = row.try_get(1)?;
    Ok(ChunkRow {
        record: parse_id(&row.try_get::<String, _>(0)?)?,
        kind: kind.parse().map_err(|reason| CatalogError::Broken { what: "record kind", reason })?,
        project: row.try_get(2)?,
        created_ms: row.try_get(3)?,
        title: row.try_get(4)?,
        position: row.try_get::<i64, _>(5)? as u32,
        heading: row.try_get(6)?,
        text: row.try_get(7)?,
        embed: row.try_get(8)?,
        text_hash: row.try_get(9)?,
    })
}
