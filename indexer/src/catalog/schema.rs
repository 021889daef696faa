//! Opens the database, brings its tables up to date, and tells whether two catalogs hold the same.

use std::sync::{Arc, Once};

use sha2::{Digest, Sha256};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, Row};

use super::{Catalog, CatalogError};
use crate::chunk::hex;

/// In order; a step that was once released is never changed.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "records", include_str!("../../migrations/catalog/0001_records.sql")),
    (2, "run numbers", include_str!("../../migrations/catalog/0002_run_numbers.sql")),
    (3, "taken out", include_str!("../../migrations/catalog/0003_taken_out.sql")),
    (4, "edits", include_str!("../../migrations/catalog/0004_edits.sql")),
];

/// How long a statement waits for another process's.
pub(super) const PATIENT: &str = "PRAGMA busy_timeout = 10000";

static DRIVERS: Once = Once::new();

/// Tables whose rows say what a catalog holds, with the columns that do not depend on when and how often it was synced.
const CONTENT: [&str; 15] = [
    "SELECT id, source, native_id, kind, space, label, title, project, author, url, created_ms, updated_ms, hash FROM records ORDER BY 1",
    "SELECT source, native_id, fingerprint, record FROM sightings ORDER BY 1, 2",
    "SELECT record, name, status, status_raw, started_ms, ended_ms, user_name, notes, commit_hash, parent FROM runs ORDER BY 1",
    "SELECT record, project, space, number FROM run_numbers ORDER BY 1, 2, 3",
    "SELECT record, name, value FROM params ORDER BY 1, 2",
    "SELECT record, name, value FROM tags ORDER BY 1, 2",
    "SELECT record, name, digest, context FROM datasets ORDER BY 1, 2, 3",
    "SELECT record, metric, direction FROM directions ORDER BY 1, 2",
    "SELECT record, metric, n, first_step, first_value, last_step, last_value, min_step, min_value, max_step, max_value, mean, n_nan, n_pos_inf, n_neg_inf FROM series ORDER BY 1, 2",
    "SELECT record, metric, points FROM curves ORDER BY 1, 2",
    "SELECT record, path, body, cut FROM run_texts ORDER BY 1, 2",
    "SELECT record, body FROM texts ORDER BY 1",
    "SELECT record, repository, number, head, merge_commit, merged_ms, commits, files FROM pulls ORDER BY 1",
    "SELECT record, repository, hash, pull FROM commits ORDER BY 1",
    "SELECT record, ordinal, heading, body, embed, hash FROM chunks ORDER BY 1, 2",
];

impl Catalog {
    /// Opens the catalog at `sqlite:///path/catalog.db` or `postgres://...`, and makes it where it is missing.
    ///
    /// # Errors
    /// Where the database does not serve or holds tables of a later version.
    pub async fn open(url: &str) -> Result<Self, CatalogError> {
        Ok(Self { pool: open_database(url, "runlore_catalog", &MIGRATIONS).await?, work: Arc::default() })
    }

    pub(super) fn pool(&self) -> &AnyPool {
        &self.pool
    }
}

/// Opens a database and brings its tables up to date by `migrations` (number, name, SQL; in order); on PostgreSQL everything lies in
/// the schema of this name.
///
/// # Errors
/// Where the database does not serve or holds tables of a later version.
pub async fn open_database(url: &str, schema: &str, migrations: &[(i64, &'static str, &'static str)]) -> Result<AnyPool, CatalogError> {
    let pool = open_pool(url, schema).await?;
    let step = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(migrations.iter().map(step).collect()).run(&pool).await?;
    Ok(pool)
}

async fn open_pool(url: &str, schema: &str) -> Result<AnyPool, sqlx::Error> {
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let is_sqlite = url.starts_with("sqlite:");
    let url = if is_sqlite && !url.contains('?') { format!("{url}?mode=rwc") } else { url.to_owned() };
    let set_up = if is_sqlite {
        // What can be made again may lose its last second to a power cut; the state may not.
        let synchronous = if schema == "runlore_catalog" { "NORMAL" } else { "FULL" };
        format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; {PATIENT}; PRAGMA secure_delete = ON")
    } else {
        format!("CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path TO {schema}")
    };
    AnyPoolOptions::new()
        .max_connections(4)
        .after_connect(move |connection, _| {
            let set_up = set_up.clone();
            Box::pin(async move {
                for statement in set_up.split("; ") {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .connect(&url)
        .await
}

/// A hash of all that a catalog holds, whatever the order and number of syncs that filled it. One entry a table.
///
/// # Errors
/// Where the database does not serve.
pub async fn digest(catalog: &Catalog) -> Result<Vec<(String, String)>, CatalogError> {
    let mut digests = Vec::new();
    for select in CONTENT {
        let mut digest = Sha256::new();
        let rows = sqlx::query(select).fetch_all(catalog.pool()).await?;
        for row in &rows {
            for column in 0..row.len() {
                digest.update(cell(row, column).as_bytes());
                digest.update([0]);
            }
        }
        let table = select.split(" FROM ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        digests.push((table.to_owned(), format!("{} rows {}", rows.len(), hex(&digest.finalize()[..8]))));
    }
    Ok(digests)
}

/// One value of any type as text.
fn cell(row: &sqlx::any::AnyRow, column: usize) -> String {
    if let Ok(text) = row.try_get::<Option<String>, _>(column) {
        return text.unwrap_or_default();
    }
    if let Ok(number) = row.try_get::<Option<i64>, _>(column) {
        return number.map(|n| n.to_string()).unwrap_or_default();
    }
    let number = row.try_get::<Option<f64>, _>(column).ok().flatten().filter(|n| !n.is_nan());
    number.map(|n| format!("{n:e}")).unwrap_or_default()
}
