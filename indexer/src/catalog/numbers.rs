//! Numbers of runs: each in its project and space, by start, and stable once given.
//!
//! Runs of one project that lie in several spaces are numbered apart: in one common row a gap would tell a reader that there are runs
//! which that reader may not see.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use sqlx::{Any, Row, Transaction};

use super::CatalogError;
use crate::chunk::hex;
use crate::leak;

/// Stands before the hash of a project of which there is no record any more. Its numbers stay given, and its name does not stay.
const GONE: &str = "gone:";

/// Gives a number to every run that has none in its project and space: by start, then native id, after those given before.
pub(super) async fn number_runs(write: &mut Transaction<'_, Any>) -> Result<(), CatalogError> {
    let mut rows = unnumbered(write).await?;
    if rows.is_empty() {
        return Ok(());
    }
    if take_names_back(write, &rows).await? {
        rows = unnumbered(write).await?;
    }
    let mut last: HashMap<(String, String), i64> = HashMap::new();
    for run in rows {
        let counted = if leak::is_seeded("numbers.across_spaces") { String::new() } else { run.space.clone() };
        let group = (run.project, counted);
        if !last.contains_key(&group) {
            let given = sqlx::query("SELECT MAX(number) FROM run_numbers WHERE project = $1 AND ($2 = '' OR space = $2)");
            let given = given.bind(&*group.0).bind(&*group.1).fetch_one(&mut **write).await?;
            last.insert(group.clone(), given.try_get::<Option<i64>, _>(0)?.unwrap_or(0));
        }
        let number = last.entry(group.clone()).or_default();
        *number += 1;
        let insert = sqlx::query("INSERT INTO run_numbers (record, project, space, number) VALUES ($1, $2, $3, $4)");
        insert.bind(run.record).bind(group.0).bind(run.space).bind(*number).execute(&mut **write).await?;
    }
    Ok(())
}

/// Keeps of the projects that are gone no more than a hash, by which they are known should they come back.
pub(super) async fn forget_names(write: &mut Transaction<'_, Any>) -> Result<(), CatalogError> {
    let query = "SELECT DISTINCT n.project FROM run_numbers n WHERE n.project <> '' AND n.project NOT LIKE 'gone:%' \
                 AND NOT EXISTS (SELECT 1 FROM records r WHERE r.project = n.project)";
    for row in sqlx::query(query).fetch_all(&mut **write).await? {
        let project: String = row.try_get(0)?;
        rename(write, &project, &hashed(&project)).await?;
    }
    Ok(())
}

/// A run without a number.
struct Unnumbered {
    record: String,
    project: String,
    space: String,
}

/// What a source withholds is in no space, and waits for its number until it is shown.
async fn unnumbered(write: &mut Transaction<'_, Any>) -> Result<Vec<Unnumbered>, CatalogError> {
    let query = "SELECT records.id, records.project, records.space FROM records JOIN runs ON runs.record = records.id \
                 WHERE records.space NOT LIKE '.%' AND NOT EXISTS (SELECT 1 FROM run_numbers n WHERE n.record = records.id \
                 AND n.project = COALESCE(records.project, '') AND n.space = records.space) \
                 ORDER BY records.project, records.space, runs.started_ms, records.native_id";
    let rows = sqlx::query(query).fetch_all(&mut **write).await?;
    rows.iter()
        .map(|row| {
            let project = row.try_get::<Option<String>, _>(1)?.unwrap_or_default();
            Ok(Unnumbered { record: row.try_get(0)?, project, space: row.try_get(2)? })
        })
        .collect()
}

/// Gives their names back to projects that came back; whether there were any.
async fn take_names_back(write: &mut Transaction<'_, Any>, runs: &[Unnumbered]) -> Result<bool, CatalogError> {
    let gone = sqlx::query("SELECT DISTINCT project FROM run_numbers WHERE project LIKE 'gone:%'").fetch_all(&mut **write).await?;
    let mut is_back = false;
    for row in gone {
        let gone: String = row.try_get(0)?;
        if let Some(run) = runs.iter().find(|run| hashed(&run.project) == gone) {
            rename(write, &gone, &run.project).await?;
            is_back = true;
        }
    }
    Ok(is_back)
}

async fn rename(write: &mut Transaction<'_, Any>, from: &str, to: &str) -> Result<(), CatalogError> {
    sqlx::query("UPDATE run_numbers SET project = $1 WHERE project = $2").bind(to).bind(from).execute(&mut **write).await?;
    Ok(())
}

fn hashed(project: &str) -> String {
    format!("{GONE}{}", hex(&Sha256::digest(project.as_bytes())[..16]))
}
