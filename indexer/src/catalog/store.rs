//! Writing: one transaction a batch, and one at the end of a source's sync.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};
use sqlx::{Any, Row, Transaction};

use super::changes::{Noted, note_change};
use super::edits::edit_of;
use super::numbers::number_runs;
use super::write_run::write_run;
use super::{Catalog, CatalogError};
use crate::chunk::{CHUNKER, Chunk, hex};
use crate::failpoint;
use crate::record::{Body, Commit, Pull, Record, RecordId};
use crate::redact::Taken;
use crate::source::{Complaint, Known};
use crate::space::Space;

/// A record that is ready to be stored: secrets taken out, its space assigned, its chunks cut.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its id.
    pub id: RecordId,
    /// What the source gave, redacted.
    pub record: Record,
    /// What was taken out of it.
    pub taken: Taken,
    /// Who may read it.
    pub space: Space,
    /// Its pieces.
    pub chunks: Vec<Chunk>,
}

/// What a batch changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Records that were not there.
    pub n_added: u64,
    /// Records that were different.
    pub n_changed: u64,
    /// Records that were the same after all.
    pub n_same: u64,
}

/// What the end of a source's sync leaves behind.
#[derive(Debug, Clone, Default)]
pub struct SyncEnd {
    /// Native ids that are gone.
    pub gone: Vec<String>,
    /// Native ids that the source no longer shows to us: kept, and in no audience's scope until they are shown again.
    pub withheld: BTreeSet<String>,
    /// Native ids that it did show.
    pub shown: BTreeSet<String>,
    /// The reader's cursor.
    pub cursor: Option<String>,
    /// Everything that could not be read.
    pub complaints: Vec<Complaint>,
    /// Why the source could not be read to the end.
    pub failure: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub now_ms: i64,
}

/// Before the space of a record that its source withholds from us. No space begins so, and no scope holds it.
pub(super) const WITHHELD: &str = ".withheld:";

/// Tables that hold parts of a record.
const PARTS: [&str; 14] = [
    "DELETE FROM runs WHERE record = $1",
    "DELETE FROM params WHERE record = $1",
    "DELETE FROM tags WHERE record = $1",
    "DELETE FROM datasets WHERE record = $1",
    "DELETE FROM directions WHERE record = $1",
    "DELETE FROM series WHERE record = $1",
    "DELETE FROM curves WHERE record = $1",
    "DELETE FROM run_texts WHERE record = $1",
    "DELETE FROM texts WHERE record = $1",
    "DELETE FROM config_values WHERE record = $1",
    "DELETE FROM pulls WHERE record = $1",
    "DELETE FROM commits WHERE record = $1",
    "DELETE FROM chunks WHERE record = $1",
    "DELETE FROM records WHERE id = $1",
];

impl Catalog {
    /// What is known of a source. Nothing, where its settings now place records differently (`placement`): then all is read again.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn known(&self, source: &str, placement: &str) -> Result<Known, CatalogError> {
        let row = sqlx::query("SELECT cursor_text FROM sources WHERE name = $1 AND placement = $2").bind(source).bind(placement);
        let Some(row) = row.fetch_optional(self.pool()).await? else { return Ok(Known::default()) };
        let sightings = sqlx::query("SELECT native_id, fingerprint FROM sightings WHERE source = $1").bind(source);
        let mut fingerprints = HashMap::new();
        for row in sightings.fetch_all(self.pool()).await? {
            fingerprints.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(Known { fingerprints, cursor: row.try_get(0)? })
    }

    /// Native ids that a source showed before, whatever its settings said then.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn sighted(&self, source: &str) -> Result<BTreeSet<String>, CatalogError> {
        let rows = sqlx::query("SELECT native_id FROM sightings WHERE source = $1").bind(source).fetch_all(self.pool()).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Notes that a source is about to be read under these settings; forgets its cursor where they differ from the last time.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn begin(&self, source: &str, kind: &str, placement: &str) -> Result<(), CatalogError> {
        let mut write = self.pool().begin().await?;
        let row = sqlx::query("SELECT placement FROM sources WHERE name = $1").bind(source).fetch_optional(&mut *write).await?;
        let before: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        if before.as_deref() != Some(placement) {
            sqlx::query("UPDATE sightings SET fingerprint = '' WHERE source = $1").bind(source).execute(&mut *write).await?;
            sqlx::query("DELETE FROM sources WHERE name = $1").bind(source).execute(&mut *write).await?;
            let insert = sqlx::query("INSERT INTO sources (name, kind, placement) VALUES ($1, $2, $3)");
            insert.bind(source).bind(kind).bind(placement).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }

    /// Stores a batch of one source's records in one transaction. A record that did not change leaves no change behind.
    ///
    /// # Errors
    /// Where the database does not serve; then nothing of the batch is stored.
    pub async fn store(&self, source: &str, batch: &[Placed]) -> Result<Stored, CatalogError> {
        let mut stored = Stored::default();
        let mut write = self.pool().begin().await?;
        for placed in batch {
            store_one(&mut write, source, placed, &mut stored).await?;
        }
        failpoint::reach("catalog.before_commit");
        write.commit().await?;
        failpoint::reach("catalog.after_commit");
        Ok(stored)
    }

    /// Ends a source's sync: takes out what is gone, numbers new runs, keeps the cursor and the complaints.
    /// Returns how many records were deleted.
    ///
    /// # Errors
    /// Where the database does not serve; then the sync has not ended.
    pub async fn finish(&self, source: &str, end: &SyncEnd) -> Result<u64, CatalogError> {
        let mut write = self.pool().begin().await?;
        let mut n_deleted = 0;
        for native_id in &end.gone {
            n_deleted += forget_sighting(&mut write, source, native_id).await?;
        }
        withhold(&mut write, source, end).await?;
        number_runs(&mut write).await?;
        sqlx::query("DELETE FROM complaints WHERE source = $1").bind(source).execute(&mut *write).await?;
        for complaint in &end.complaints {
            let insert = sqlx::query("INSERT INTO complaints (source, place, message) VALUES ($1, $2, $3)");
            insert.bind(source).bind(&*complaint.place).bind(&*complaint.message).execute(&mut *write).await?;
        }
        let update = match &end.failure {
            None => sqlx::query("UPDATE sources SET tried_ms = $1, read_ms = $1, cursor_text = $2, failure = NULL WHERE name = $3")
                .bind(end.now_ms)
                .bind(end.cursor.clone()),
            Some(failure) => {
                sqlx::query("UPDATE sources SET tried_ms = $1, failure = $2 WHERE name = $3").bind(end.now_ms).bind(failure.clone())
            }
        };
        update.bind(source).execute(&mut *write).await?;
        write.commit().await?;
        Ok(n_deleted)
    }

    /// Forgets a source that the settings no longer name, and its records.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn forget_source(&self, source: &str) -> Result<u64, CatalogError> {
        let natives = self.sighted(source).await?;
        let mut write = self.pool().begin().await?;
        let mut n_deleted = 0;
        for native_id in &natives {
            n_deleted += forget_sighting(&mut write, source, native_id).await?;
        }
        sqlx::query("DELETE FROM complaints WHERE source = $1").bind(source).execute(&mut *write).await?;
        sqlx::query("DELETE FROM sources WHERE name = $1").bind(source).execute(&mut *write).await?;
        write.commit().await?;
        Ok(n_deleted)
    }
}

async fn store_one(write: &mut Transaction<'_, Any>, source: &str, placed: &Placed, stored: &mut Stored) -> Result<(), CatalogError> {
    let id = placed.id.to_string();
    let hash = content_hash(placed);
    forget_other(write, source, placed, &id).await?;
    see(write, source, placed, &id).await?;
    let before = sqlx::query("SELECT source, space, hash FROM records WHERE id = $1").bind(&*id).fetch_optional(&mut **write).await?;
    let mut noted = Noted::Put;
    if let Some(row) = &before {
        let (owner, space, old_hash): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if old_hash == hash && space == placed.space.as_str() || owner != source && !tells_more(write, placed, &id).await? {
            stored.n_same += 1;
            return Ok(());
        }
        if space == placed.space.as_str() {
            noted = edit_of(write, &id, &placed.record).await?;
        } else {
            note_removal(write, &id, &space).await?;
        }
        remove_parts(write, &id).await?;
        stored.n_changed += 1;
    } else {
        stored.n_added += 1;
    }
    write_record(write, source, placed, &hash).await?;
    note_change(write, &id, placed.space.as_str(), noted).await
}

/// Forgets what the source showed under this name before, where that is another record now: a pull that came into another space.
async fn forget_other(write: &mut Transaction<'_, Any>, source: &str, placed: &Placed, id: &str) -> Result<(), CatalogError> {
    let native_id = &*placed.record.native_id;
    let query = sqlx::query("SELECT record FROM sightings WHERE source = $1 AND native_id = $2 AND record <> $3");
    if query.bind(source).bind(native_id).bind(id).fetch_optional(&mut **write).await?.is_some() {
        forget_sighting(write, source, native_id).await?;
    }
    Ok(())
}

/// Keeps what the source showed, for the next sync to compare with.
async fn see(write: &mut Transaction<'_, Any>, source: &str, placed: &Placed, id: &str) -> Result<(), CatalogError> {
    let upsert = "INSERT INTO sightings (source, native_id, fingerprint, record, n_secrets, n_hidden) VALUES ($1, $2, $3, $4, $5, $6) \
                  ON CONFLICT (source, native_id) DO UPDATE SET fingerprint = excluded.fingerprint, record = excluded.record, \
                  n_secrets = excluded.n_secrets, n_hidden = excluded.n_hidden";
    let upsert = sqlx::query(upsert).bind(source).bind(&*placed.record.native_id).bind(&*placed.record.fingerprint).bind(id);
    upsert.bind(placed.taken.n_secrets as i64).bind(placed.taken.n_hidden as i64).execute(&mut **write).await?;
    Ok(())
}

/// Whether this telling of a pull says more than the stored one of another source: it knows the files, and that one does not.
/// Equally rich ones: the source whose name comes first tells, so that the order of syncs does not matter.
async fn tells_more(write: &mut Transaction<'_, Any>, placed: &Placed, id: &str) -> Result<bool, CatalogError> {
    let Body::Pull(pull) = &placed.record.body else { return Ok(true) };
    let query = "SELECT pulls.files, records.source FROM pulls JOIN records ON records.id = pulls.record WHERE pulls.record = $1";
    let Some(row) = sqlx::query(query).bind(id).fetch_optional(&mut **write).await? else { return Ok(true) };
    let stored_has_files = row.try_get::<String, _>(0)? != "[]";
    Ok(!pull.files.is_empty() && !stored_has_files)
}

async fn write_record(write: &mut Transaction<'_, Any>, source: &str, placed: &Placed, hash: &str) -> Result<(), CatalogError> {
    let (id, record) = (placed.id.to_string(), &placed.record);
    let insert = "INSERT INTO records (id, source, native_id, kind, space, label, title, project, author, url, created_ms, updated_ms, hash) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let insert = sqlx::query(insert).bind(&*id).bind(source).bind(&*record.native_id).bind(record.body.kind().as_str());
    let insert = insert.bind(placed.space.as_str()).bind(&*record.key).bind(&*record.title).bind(record.project.clone());
    let insert = insert.bind(record.author.clone()).bind(record.url.clone()).bind(record.created_ms).bind(record.updated_ms).bind(hash);
    insert.execute(&mut **write).await?;
    match &record.body {
        Body::Run(run) => write_run(write, &id, run).await?,
        Body::Note(text) => write_text(write, &id, text).await?,
        Body::Config(config) => {
            write_text(write, &id, &config.text).await?;
            for (ordinal, (name, value)) in config.values.iter().enumerate() {
                let insert = sqlx::query("INSERT INTO config_values (record, ordinal, name, value) VALUES ($1, $2, $3, $4)");
                insert.bind(&*id).bind(ordinal as i64).bind(&**name).bind(&**value).execute(&mut **write).await?;
            }
        }
        Body::Pull(pull) => write_pull(write, &id, pull).await?,
        Body::Commit(commit) => write_commit(write, &id, commit).await?,
    }
    for chunk in &placed.chunks {
        let insert = sqlx::query("INSERT INTO chunks (record, ordinal, heading, body, embed, hash) VALUES ($1, $2, $3, $4, $5, $6)");
        let insert = insert.bind(&*id).bind(i64::from(chunk.position)).bind(&*chunk.heading).bind(&*chunk.text);
        insert.bind(chunk.embed.clone()).bind(chunk.text_hash()).execute(&mut **write).await?;
    }
    Ok(())
}

async fn write_text(write: &mut Transaction<'_, Any>, id: &str, text: &str) -> Result<(), CatalogError> {
    // PostgreSQL takes no NUL in text.
    let text = text.replace('\0', "");
    sqlx::query("INSERT INTO texts (record, body) VALUES ($1, $2)").bind(id).bind(text).execute(&mut **write).await?;
    Ok(())
}

async fn write_pull(write: &mut Transaction<'_, Any>, id: &str, pull: &Pull) -> Result<(), CatalogError> {
    write_text(write, id, &pull.description).await?;
    let insert = "INSERT INTO pulls (record, repository, number, head, merge_commit, merged_ms, commits, files) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let as_json = |value: Result<String, serde_json::Error>| value.unwrap_or_else(|_| "[]".to_owned());
    let insert = sqlx::query(insert).bind(id).bind(&*pull.repository).bind(pull.number as i64).bind(pull.head.clone());
    let insert = insert.bind(pull.merge_commit.clone()).bind(pull.merged_ms);
    let insert = insert.bind(as_json(serde_json::to_string(&pull.commits))).bind(as_json(serde_json::to_string(&pull.files)));
    insert.execute(&mut **write).await?;
    Ok(())
}

async fn write_commit(write: &mut Transaction<'_, Any>, id: &str, commit: &Commit) -> Result<(), CatalogError> {
    write_text(write, id, &commit.message).await?;
    let insert = sqlx::query("INSERT INTO commits (record, repository, hash, pull) VALUES ($1, $2, $3, $4)");
    let insert = insert.bind(id).bind(&*commit.repository).bind(&*commit.hash).bind(commit.pull.map(|n| n as i64));
    insert.execute(&mut **write).await?;
    Ok(())
}

/// Forgets that a source showed this; the record goes when nobody shows it any more. Returns how many records went.
async fn forget_sighting(write: &mut Transaction<'_, Any>, source: &str, native_id: &str) -> Result<u64, CatalogError> {
    let query = sqlx::query("SELECT record FROM sightings WHERE source = $1 AND native_id = $2").bind(source).bind(native_id);
    let Some(row) = query.fetch_optional(&mut **write).await? else { return Ok(0) };
    let id: String = row.try_get(0)?;
    let delete = sqlx::query("DELETE FROM sightings WHERE source = $1 AND native_id = $2").bind(source).bind(native_id);
    delete.execute(&mut **write).await?;
    let others = sqlx::query("UPDATE sightings SET fingerprint = '' WHERE record = $1").bind(&*id).execute(&mut **write).await?;
    let row = sqlx::query("SELECT space, source FROM records WHERE id = $1").bind(&*id).fetch_optional(&mut **write).await?;
    let Some(row) = row else { return Ok(0) };
    let (space, owner): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    if others.rows_affected() > 0 && owner != source {
        return Ok(0);
    }
    remove_parts(write, &id).await?;
    note_removal(write, &id, &space).await?;
    Ok(1)
}

/// A withheld record is in no index, so nothing is to be removed from one.
async fn note_removal(write: &mut Transaction<'_, Any>, id: &str, space: &str) -> Result<(), CatalogError> {
    if space.starts_with(WITHHELD) { Ok(()) } else { note_change(write, id, space, Noted::Remove).await }
}

/// Moves what the source no longer shows out of every scope, and back what it shows again.
async fn withhold(write: &mut Transaction<'_, Any>, source: &str, end: &SyncEnd) -> Result<(), CatalogError> {
    let query = "SELECT id, native_id, space FROM records WHERE source = $1";
    let rows = sqlx::query(query).bind(source).fetch_all(&mut **write).await?;
    for row in rows {
        let (id, native_id, space): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        match space.strip_prefix(WITHHELD) {
            None if end.withheld.contains(&native_id) => {
                move_to(write, &id, &format!("{WITHHELD}{space}")).await?;
                note_change(write, &id, &space, Noted::Remove).await?;
            }
            Some(before) if end.shown.contains(&native_id) => {
                move_to(write, &id, before).await?;
                note_change(write, &id, before, Noted::Put).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn move_to(write: &mut Transaction<'_, Any>, id: &str, space: &str) -> Result<(), CatalogError> {
    sqlx::query("UPDATE records SET space = $1 WHERE id = $2").bind(space).bind(id).execute(&mut **write).await?;
    Ok(())
}

async fn remove_parts(write: &mut Transaction<'_, Any>, id: &str) -> Result<(), CatalogError> {
    for delete in PARTS {
        sqlx::query(delete).bind(id).execute(&mut **write).await?;
    }
    Ok(())
}

/// Hash of all that is stored of a record, and of the rules that cut it.
fn content_hash(placed: &Placed) -> String {
    let record = Record { fingerprint: String::new(), ..placed.record.clone() };
    let mut digest = Sha256::new();
    digest.update(CHUNKER.as_bytes());
    digest.update(format!("{record:?}").as_bytes());
    hex(&digest.finalize()[..16])
}
