//! What `runlore status` shows of the catalog.

use sqlx::Row;

use super::sql::Sql;
use super::{Catalog, CatalogError};
use crate::redact::Taken;
use crate::report::PlacedComplaint;
use crate::space::ReadScope;

/// How a source stands.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Last try, milliseconds since 1970, UTC.
    pub tried_ms: Option<i64>,
    /// Last reading without a failure, milliseconds since 1970, UTC.
    pub read_ms: Option<i64>,
    /// Why the last try failed.
    pub failure: Option<String>,
    /// Records that it shows.
    pub n_records: u64,
    /// What was taken out of them.
    pub taken: Taken,
    /// What could not be read.
    pub complaints: Vec<PlacedComplaint>,
}

/// How many records of a kind a space holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceCounts {
    /// The space.
    pub space: String,
    /// The kind.
    pub kind: String,
    /// Records.
    pub n_records: u64,
}

impl Catalog {
    /// Every source, by name.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn source_status(&self) -> Result<Vec<SourceStatus>, CatalogError> {
        // A sum of BIGINT is a NUMERIC on PostgreSQL.
        let query = "SELECT s.name, s.kind, s.tried_ms, s.read_ms, s.failure, COUNT(g.source), \
                     CAST(COALESCE(SUM(g.n_secrets), 0) AS BIGINT), CAST(COALESCE(SUM(g.n_hidden), 0) AS BIGINT) \
                     FROM sources s LEFT JOIN sightings g ON g.source = s.name \
                     GROUP BY s.name, s.kind, s.tried_ms, s.read_ms, s.failure ORDER BY s.name";
        let mut sources = Vec::new();
        for row in sqlx::query(query).fetch_all(self.pool()).await? {
            let name: String = row.try_get(0)?;
            let complaints = sqlx::query("SELECT place, message FROM complaints WHERE source = $1 ORDER BY place, message").bind(&*name);
            let complaints = complaints.fetch_all(self.pool()).await?;
            sources.push(SourceStatus {
                kind: row.try_get(1)?,
                tried_ms: row.try_get(2)?,
                read_ms: row.try_get(3)?,
                failure: row.try_get(4)?,
                n_records: row.try_get::<i64, _>(5)? as u64,
                taken: Taken { n_secrets: row.try_get::<i64, _>(6)? as u64, n_hidden: row.try_get::<i64, _>(7)? as u64 },
                complaints: complaints
                    .iter()
                    .map(|row| Ok(PlacedComplaint { place: row.try_get(0)?, message: row.try_get(1)? }))
                    .collect::<Result<_, sqlx::Error>>()?,
                name,
            });
        }
        Ok(sources)
    }

    /// Records by space and kind.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn counts(&self, scope: &ReadScope) -> Result<Vec<SpaceCounts>, CatalogError> {
        let mut sql = Sql::new("SELECT r.space, r.kind, COUNT(*) FROM records r WHERE 1 = 1");
        sql.in_scope("r.space", scope).and(" GROUP BY r.space, r.kind ORDER BY r.space, r.kind");
        let rows = sql.all(self).await?;
        rows.iter()
            .map(|row| Ok(SpaceCounts { space: row.try_get(0)?, kind: row.try_get(1)?, n_records: row.try_get::<i64, _>(2)? as u64 }))
            .collect()
    }
}
