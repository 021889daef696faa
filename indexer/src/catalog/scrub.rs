//! What was deleted leaves the database's files, too.
//!
//! SQLite overwrites what it deletes (`secure_delete`), but not the copies that moving rows between pages has left behind: those go when
//! the file is written anew. PostgreSQL clears away by itself (`VACUUM`), and its log and backups are in other hands.

use sqlx::{AnyConnection, AnyPool, Row};

use super::CatalogError;
use super::schema::PATIENT;

/// How often the log is tried to be emptied where a reader stands in the way, and how long each try waits: nobody can write meanwhile.
const MOST_TRIES: usize = 3;
const IMPATIENT: &str = "PRAGMA busy_timeout = 500";

/// Writes the file of a SQLite database anew, without anything that was deleted, and empties its write-ahead log; nothing on PostgreSQL.
/// About a second for a hundred megabytes, in which others read but nobody writes.
///
/// # Errors
/// Where the database does not serve.
pub async fn scrub(pool: &AnyPool) -> Result<(), CatalogError> {
    let mut connection = pool.acquire().await?;
    if !is_sqlite(&connection) {
        return Ok(());
    }
    sqlx::raw_sql("VACUUM").execute(&mut *connection).await?;
    sqlx::raw_sql(IMPATIENT).execute(&mut *connection).await?;
    let emptied = empty_log(&mut connection).await;
    sqlx::raw_sql(PATIENT).execute(&mut *connection).await?;
    emptied
}

/// What a reader keeps from being done now is done the next time, or by the last who closes the database.
async fn empty_log(connection: &mut AnyConnection) -> Result<(), CatalogError> {
    for _ in 0..MOST_TRIES {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
        if row.try_get::<i64, _>(0)? == 0 {
            break;
        }
    }
    Ok(())
}

/// How large the file of a SQLite database is, its log apart; 0 on PostgreSQL.
///
/// # Errors
/// Where the database does not serve.
pub async fn file_bytes(pool: &AnyPool) -> Result<i64, CatalogError> {
    let mut connection = pool.acquire().await?;
    if !is_sqlite(&connection) {
        return Ok(0);
    }
    let mut bytes = 1;
    for query in ["PRAGMA page_count", "PRAGMA page_size"] {
        bytes *= sqlx::query(query).fetch_one(&mut *connection).await?.try_get::<i64, _>(0)?;
    }
    Ok(bytes)
}

fn is_sqlite(connection: &AnyConnection) -> bool {
    connection.backend_name() == "SQLite"
}
