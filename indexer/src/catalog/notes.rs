//! Reading notes and configs whole.

use sqlx::Row;

use super::changes::parse_id;
use super::sql::Sql;
use super::{Catalog, CatalogError};
use crate::record::{RecordId, RecordKind};
use crate::space::ReadScope;

/// A note or config with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteRow {
    /// The record.
    pub record: RecordId,
    /// Path relative to the source's root.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Who wrote it, where it says so.
    pub author: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// The text as stored.
    pub text: String,
}

impl Catalog {
    /// One note or config by its path, if it is in the scope.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn note(&self, scope: &ReadScope, kind: RecordKind, key: &str) -> Result<Option<NoteRow>, CatalogError> {
        let mut sql = Sql::new(
            "SELECT r.id, r.label, r.title, r.author, r.created_ms, t.body FROM records r JOIN texts t ON t.record = r.id WHERE 1 = 1",
        );
        sql.in_scope("r.space", scope)
            .and_text(" AND r.kind = ?", kind.as_str())
            .and_text(" AND r.label = ?", key)
            .and(" ORDER BY r.id LIMIT 1");
        let Some(row) = sql.first(self).await? else { return Ok(None) };
        Ok(Some(NoteRow {
            record: parse_id(&row.try_get::<String, _>(0)?)?,
            key: row.try_get(1)?,
            title: row.try_get(2)?,
            author: row.try_get(3)?,
            created_ms: row.try_get(4)?,
            text: row.try_get(5)?,
        }))
    }
}
