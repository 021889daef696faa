//! Reading pulls and commits.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::changes::parse_id;
use super::sql::Sql;
use super::{Catalog, CatalogError};
use crate::record::{RecordId, TouchedFile};
use crate::space::ReadScope;

/// One pull.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRow {
    /// The record.
    pub record: RecordId,
    /// `#12`.
    pub key: String,
    /// Its repository.
    pub repository: String,
    /// Its number there.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Who made it, where the source says so.
    pub author: Option<String>,
    /// Where to look at it.
    pub url: Option<String>,
    /// The branch that was merged.
    pub head: Option<String>,
    /// The commit that merged it.
    pub merge_commit: Option<String>,
    /// Milliseconds since 1970, UTC; absent while open.
    pub merged_ms: Option<i64>,
    /// Its description.
    pub description: String,
    /// Messages of its commits, newest first.
    pub commits: Vec<String>,
    /// Files that it touches.
    pub files: Vec<TouchedFile>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRow {
    /// The record.
    pub record: RecordId,
    /// Forty hex digits.
    pub hash: String,
    /// The whole message.
    pub message: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// The pull that brought it.
    pub pull: Option<i64>,
}

pub(super) const PULL: &str = "SELECT r.id, r.label, p.repository, p.number, r.title, r.author, r.url, p.head, p.merge_commit, p.merged_ms, t.body, p.commits, p.files \
                    FROM records r JOIN pulls p ON p.record = r.id LEFT JOIN texts t ON t.record = r.id WHERE 1 = 1";

impl Catalog {
    /// Pulls with this number, one a repository.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pulls_numbered(&self, scope: &ReadScope, number: i64) -> Result<Vec<PullRow>, CatalogError> {
        let mut sql = Sql::new(PULL);
        sql.in_scope("r.space", scope).and_integer(" AND p.number = ?", number).and(" ORDER BY p.repository, r.space");
        sql.all(self).await?.iter().map(pull_row).collect()
    }

    /// The pull that this record is, if it is one and in the scope.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pull(&self, scope: &ReadScope, record: RecordId) -> Result<Option<PullRow>, CatalogError> {
        let mut sql = Sql::new(PULL);
        sql.in_scope("r.space", scope).and_text(" AND r.id = ?", &record.to_string());
        sql.first(self).await?.as_ref().map(pull_row).transpose()
    }

    /// The pull whose merge is this commit.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pull_of_commit(&self, scope: &ReadScope, hash: &str) -> Result<Option<PullRow>, CatalogError> {
        let mut sql = Sql::new(PULL);
        sql.in_scope("r.space", scope).and_text(" AND p.merge_commit = ?", hash).and(" ORDER BY p.repository, r.space LIMIT 1");
        sql.first(self).await?.as_ref().map(pull_row).transpose()
    }

    /// Commits whose hash begins so, at most five.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn commits(&self, scope: &ReadScope, prefix: &str) -> Result<Vec<CommitRow>, CatalogError> {
        if prefix.len() < 6 || !prefix.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(
            "SELECT r.id, c.hash, t.body, r.author, r.created_ms, c.pull FROM records r JOIN commits c ON c.record = r.id \
             JOIN texts t ON t.record = r.id WHERE 1 = 1",
        );
        sql.in_scope("r.space", scope).and_text(" AND c.hash LIKE ?", &format!("{}%", prefix.to_ascii_lowercase()));
        sql.and(" ORDER BY c.hash LIMIT 5");
        let rows = sql.all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(CommitRow {
                    record: parse_id(&row.try_get::<String, _>(0)?)?,
                    hash: row.try_get(1)?,
                    message: row.try_get(2)?,
                    author: row.try_get(3)?,
                    created_ms: row.try_get(4)?,
                    pull: row.try_get(5)?,
                })
            })
            .collect()
    }
}

pub(super) fn pull_row(row: &AnyRow) -> Result<PullRow, CatalogError> {
    let broken = |e: serde_json::Error| CatalogError::Broken { what: "pull", reason: e.to_string() };
    Ok(PullRow {
        record: parse_id(&row.try_get::<String, _>(0)?)?,
        key: row.try_get(1)?,
        repository: row.try_get(2)?,
        number: row.try_get(3)?,
        title: row.try_get(4)?,
        author: row.try_get(5)?,
        url: row.try_get(6)?,
        head: row.try_get(7)?,
        merge_commit: row.try_get(8)?,
        merged_ms: row.try_get(9)?,
        description: row.try_get::<Option<String>, _>(10)?.unwrap_or_default(),
        commits: serde_json::from_str(&row.try_get::<String, _>(11)?).map_err(broken)?,
        files: serde_json::from_str(&row.try_get::<String, _>(12)?).map_err(broken)?,
    })
}
