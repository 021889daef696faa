//! Reading a stretch of time: what the weekly brief is made of.

use std::collections::HashMap;

use sqlx::Row;

use super::changes::parse_id;
use super::pulls::{PULL, pull_row};
use super::sql::Sql;
use super::{Catalog, CatalogError, NoteRow, PullRow, curve};
use crate::record::RecordId;
use crate::space::ReadScope;

/// Values of one query.
const AT_ONCE: usize = 300;

/// What lists of runs do not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDetail {
    /// The run.
    pub record: RecordId,
    /// Whether somebody wrote a note on it.
    pub has_notes: bool,
    /// The commit that it ran.
    pub commit: Option<String>,
    /// Native id of the run that it is nested under.
    pub parent: Option<String>,
}

impl Catalog {
    /// Details of the runs that started in [`since_ms`, `until_ms`).
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn run_details(&self, scope: &ReadScope, since_ms: i64, until_ms: i64) -> Result<Vec<RunDetail>, CatalogError> {
        let mut sql = Sql::new(
            "SELECT r.id, CAST(CASE WHEN TRIM(COALESCE(u.notes, '')) = '' THEN 0 ELSE 1 END AS BIGINT), u.commit_hash, u.parent \
             FROM records r JOIN runs u ON u.record = r.id WHERE 1 = 1",
        );
        sql.in_scope("r.space", scope);
        sql.and_integer(" AND u.started_ms >= ?", since_ms).and_integer(" AND u.started_ms < ?", until_ms).and(" ORDER BY r.id");
        let rows = sql.all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(RunDetail {
                    record: parse_id(&row.try_get::<String, _>(0)?)?,
                    has_notes: row.try_get::<i64, _>(1)? != 0,
                    commit: row.try_get(2)?,
                    parent: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// The params of these runs, which came out of a read in scope, each run's in alphabetical order.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn params_of(&self, scope: &ReadScope, runs: &[RecordId]) -> Result<HashMap<RecordId, Vec<(String, String)>>, CatalogError> {
        let mut params: HashMap<RecordId, Vec<(String, String)>> = HashMap::new();
        for some in runs.chunks(AT_ONCE) {
            let ids: Vec<String> = some.iter().map(RecordId::to_string).collect();
            let mut sql = Sql::new("SELECT p.record, p.name, p.value FROM params p JOIN records r ON r.id = p.record WHERE 1 = 1");
            sql.in_scope_again("r.space", scope).and_in("p.record", ids.iter().map(String::as_str)).and(" ORDER BY p.record, p.name");
            for row in sql.all(self).await? {
                let record = parse_id(&row.try_get::<String, _>(0)?)?;
                params.entry(record).or_default().push((row.try_get(1)?, row.try_get(2)?));
            }
        }
        Ok(params)
    }

    /// Logs and text artifacts of a run, which came out of a read in scope: path and text, by path.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn texts_of(&self, scope: &ReadScope, run: RecordId) -> Result<Vec<(String, String)>, CatalogError> {
        let mut sql = Sql::new("SELECT t.path, t.body FROM run_texts t JOIN records r ON r.id = t.record WHERE 1 = 1");
        sql.in_scope_again("r.space", scope).and_text(" AND t.record = ?", &run.to_string()).and(" ORDER BY t.path");
        sql.all(self).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// When these runs, which came out of a read in scope, logged points: milliseconds since 1970, UTC, each once, in order. Runs without
    /// a point are left out.
    ///
    /// # Errors
    /// Where the database does not serve, or holds a broken curve.
    pub async fn point_times(&self, scope: &ReadScope, runs: &[RecordId]) -> Result<HashMap<RecordId, Vec<i64>>, CatalogError> {
        let mut times: HashMap<RecordId, Vec<i64>> = HashMap::new();
        for some in runs.chunks(AT_ONCE) {
            let ids: Vec<String> = some.iter().map(RecordId::to_string).collect();
            let mut sql = Sql::new("SELECT c.record, c.points FROM curves c JOIN records r ON r.id = c.record WHERE 1 = 1");
            sql.in_scope_again("r.space", scope).and_in("c.record", ids.iter().map(String::as_str)).and(" ORDER BY c.record, c.metric");
            for row in sql.all(self).await? {
                let record = parse_id(&row.try_get::<String, _>(0)?)?;
                let points = curve::decode(&row.try_get::<String, _>(1)?)?;
                times.entry(record).or_default().extend(points.iter().map(|point| point.at_ms));
            }
        }
        for of_run in times.values_mut() {
            of_run.sort_unstable();
            of_run.dedup();
        }
        Ok(times)
    }

    /// Pulls that were merged in [`since_ms`, `until_ms`), the first merged first.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pulls_merged(&self, scope: &ReadScope, since_ms: i64, until_ms: i64) -> Result<Vec<PullRow>, CatalogError> {
        let mut sql = Sql::new(PULL);
        sql.in_scope("r.space", scope);
        sql.and_integer(" AND p.merged_ms >= ?", since_ms).and_integer(" AND p.merged_ms < ?", until_ms);
        sql.and(" ORDER BY p.merged_ms, p.repository, p.number, r.id");
        sql.all(self).await?.iter().map(pull_row).collect()
    }

    /// Pulls whose merge is one of these commits.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pulls_of_commits(&self, scope: &ReadScope, hashes: &[&str]) -> Result<Vec<PullRow>, CatalogError> {
        let mut pulls = Vec::new();
        for some in hashes.chunks(AT_ONCE) {
            let mut sql = Sql::new(PULL);
            sql.in_scope("r.space", scope).and_in("p.merge_commit", some.iter().copied()).and(" ORDER BY p.repository, p.number, r.id");
            for row in sql.all(self).await? {
                pulls.push(pull_row(&row)?);
            }
        }
        Ok(pulls)
    }

    /// Notes that were written or changed in [`since_ms`, `until_ms`), as far as they or their names say when; by time, then path.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn notes_between(&self, scope: &ReadScope, since_ms: i64, until_ms: i64) -> Result<Vec<NoteRow>, CatalogError> {
        let mut sql = Sql::new(
            "SELECT r.id, r.label, r.title, r.author, COALESCE(r.updated_ms, r.created_ms), t.body \
             FROM records r JOIN texts t ON t.record = r.id WHERE r.kind = 'note'",
        );
        sql.in_scope("r.space", scope);
        sql.and_integer(" AND COALESCE(r.updated_ms, r.created_ms) >= ?", since_ms);
        sql.and_integer(" AND COALESCE(r.updated_ms, r.created_ms) < ?", until_ms);
        sql.and(" ORDER BY COALESCE(r.updated_ms, r.created_ms), r.label, r.id");
        let rows = sql.all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(NoteRow {
                    record: parse_id(&row.try_get::<String, _>(0)?)?,
                    key: row.try_get(1)?,
                    title: row.try_get(2)?,
                    author: row.try_get(3)?,
                    created_ms: row.try_get(4)?,
                    text: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// When each of these sources was last read without a failure, milliseconds since 1970, UTC; nothing of one that never was. A source
    /// is no record and has no space: which of them an audience may hear of is for the caller to say, by the settings.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn last_read(&self, sources: &[&str]) -> Result<HashMap<String, i64>, CatalogError> {
        let mut read = HashMap::new();
        for some in sources.chunks(AT_ONCE) {
            let mut sql = Sql::new("SELECT s.name, s.read_ms FROM sources s WHERE s.read_ms IS NOT NULL");
            sql.and_in("s.name", some.iter().copied());
            for row in sql.query().fetch_all(self.pool()).await? {
                read.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(read)
    }
}
