//! Whether a record that changed says all that it said before, and more: a run that goes on, a log-book with a further entry. What does not
//! is an edit: something was taken away, and what was made of it before (answers, index files) must not keep it.

use std::collections::HashSet;

use sqlx::{Any, Row, Transaction};

use super::CatalogError;
use super::changes::Noted;
use crate::record::{Body, Pull, Record};
use crate::run::{Run, RunStatus};

/// Letters from the end of a log by which its continuation is known when the beginning has been cut off.
const N_OVERLAP: usize = 200;

/// What a record that is stored under this id becomes by being stored as this.
pub(super) async fn edit_of(write: &mut Transaction<'_, Any>, id: &str, record: &Record) -> Result<Noted, CatalogError> {
    let keeps_all = keeps_frame(write, id, record).await?
        && match &record.body {
            Body::Note(text) => keeps_text(write, id, text).await?,
            Body::Config(config) => keeps_text(write, id, &config.text).await?,
            Body::Commit(commit) => keeps_text(write, id, &commit.message).await?,
            Body::Pull(pull) => keeps_text(write, id, &pull.description).await? && keeps_pull(write, id, pull).await?,
            Body::Run(run) => keeps_run(write, id, run).await?,
        };
    Ok(if keeps_all { Noted::Put } else { Noted::Edit })
}

/// Names and addresses.
async fn keeps_frame(write: &mut Transaction<'_, Any>, id: &str, record: &Record) -> Result<bool, CatalogError> {
    let query = sqlx::query("SELECT label, title, project, author, url FROM records WHERE id = $1").bind(id);
    let Some(row) = query.fetch_optional(&mut **write).await? else { return Ok(true) };
    let (label, title): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let is_same = label == record.key && title == record.title;
    Ok(is_same && keeps(row.try_get(2)?, &record.project) && keeps(row.try_get(3)?, &record.author) && keeps(row.try_get(4)?, &record.url))
}

/// What was not known may become known.
fn keeps(before: Option<String>, now: &Option<String>) -> bool {
    before.is_none() || before == *now
}

async fn keeps_text(write: &mut Transaction<'_, Any>, id: &str, now: &str) -> Result<bool, CatalogError> {
    let row = sqlx::query("SELECT body FROM texts WHERE record = $1").bind(id).fetch_optional(&mut **write).await?;
    let before: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(before.is_none_or(|before| now.replace('\0', "").contains(before.trim_end())))
}

async fn keeps_pull(write: &mut Transaction<'_, Any>, id: &str, pull: &Pull) -> Result<bool, CatalogError> {
    let query = sqlx::query("SELECT head, merge_commit, commits FROM pulls WHERE record = $1").bind(id);
    let Some(row) = query.fetch_optional(&mut **write).await? else { return Ok(true) };
    let before: Vec<String> = serde_json::from_str(&row.try_get::<String, _>(2)?).unwrap_or_default();
    let has_all = before.iter().all(|message| pull.commits.contains(message));
    Ok(has_all && keeps(row.try_get(0)?, &pull.head) && keeps(row.try_get(1)?, &pull.merge_commit))
}

async fn keeps_run(write: &mut Transaction<'_, Any>, id: &str, run: &Run) -> Result<bool, CatalogError> {
    let query = sqlx::query("SELECT name, user_name, notes, commit_hash, parent, status FROM runs WHERE record = $1").bind(id);
    let Some(row) = query.fetch_optional(&mut **write).await? else { return Ok(true) };
    let notes: Option<String> = row.try_get(2)?;
    let keeps_notes = notes.is_none_or(|notes| run.notes.as_deref().unwrap_or_default().contains(notes.trim_end()));
    let keeps_names = row.try_get::<String, _>(0)? == run.name
        && keeps(row.try_get(1)?, &run.user)
        && keeps(row.try_get(3)?, &run.commit)
        && keeps(row.try_get(4)?, &run.parent);
    let was_running = RunStatus::from_word(&row.try_get::<String, _>(5)?) == RunStatus::Running;
    let datasets: Vec<(String, String)> = run.datasets.iter().map(|dataset| (dataset.name.clone(), dataset.digest.clone())).collect();
    Ok(keeps_names
        && keeps_notes
        && keeps_pairs(write, id, "SELECT name, value FROM params WHERE record = $1", &run.params).await?
        && keeps_pairs(write, id, "SELECT name, value FROM tags WHERE record = $1", &run.tags).await?
        && keeps_pairs(write, id, "SELECT name, digest FROM datasets WHERE record = $1", &datasets).await?
        && keeps_metrics(write, id, run).await?
        && keeps_logs(write, id, run, was_running).await?)
}

/// Values come and go while a run goes on; that a metric was logged at all stays.
async fn keeps_metrics(write: &mut Transaction<'_, Any>, id: &str, run: &Run) -> Result<bool, CatalogError> {
    let now: HashSet<&str> = run.series.iter().map(|series| series.key.as_str()).collect();
    for row in sqlx::query("SELECT metric FROM series WHERE record = $1").bind(id).fetch_all(&mut **write).await? {
        if !now.contains(row.try_get::<String, _>(0)?.as_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn keeps_pairs(
    write: &mut Transaction<'_, Any>,
    id: &str,
    query: &'static str,
    now: &[(String, String)],
) -> Result<bool, CatalogError> {
    let now: HashSet<(&str, &str)> = now.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for row in sqlx::query(query).bind(id).fetch_all(&mut **write).await? {
        let (name, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if !now.contains(&(name.as_str(), value.as_str())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Logs grow at the end, and lose their beginning once they are long.
async fn keeps_logs(write: &mut Transaction<'_, Any>, id: &str, run: &Run, was_running: bool) -> Result<bool, CatalogError> {
    for row in sqlx::query("SELECT path, body FROM run_texts WHERE record = $1").bind(id).fetch_all(&mut **write).await? {
        let (path, before): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(now) = run.texts.iter().find(|text| text.path == path) else { return Ok(false) };
        let text = now.text.replace('\0', "");
        let goes_on = text.contains(before.trim_end()) || now.cut && (was_running || text.contains(end_of(&before)));
        if !goes_on {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The last letters of a text.
fn end_of(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.char_indices().rev().nth(N_OVERLAP - 1).map_or(0, |(at, _)| at);
    &text[start..]
}
