//! Threads: what each is about, and who talks in it.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{Store, StoreError, from_json, to_json};
use crate::answer::Subject;
use crate::chat::Place;

/// What is known of a thread.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadRow {
    /// What it is about.
    pub subject: Subject,
    /// Everybody who said something, the bot apart.
    pub people: BTreeSet<String>,
    /// Somebody's last message; empty where the bot spoke after it.
    pub last_message: String,
}

impl Store {
    /// What is known of the thread of a place; none outside of threads, and of one in which the bot never was addressed.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn thread(&self, place: &Place) -> Result<Option<ThreadRow>, StoreError> {
        let Some(thread) = &place.thread else { return Ok(None) };
        let query = "SELECT subject, people, last_message FROM threads WHERE platform = $1 AND channel = $2 AND thread = $3";
        let query = sqlx::query(query).bind(place.platform.as_str()).bind(&*place.channel).bind(&**thread);
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(ThreadRow {
            subject: from_json("subject", &row.try_get::<String, _>(0)?)?,
            people: from_json("list of people", &row.try_get::<String, _>(1)?)?,
            last_message: row.try_get(2)?,
        }))
    }

    /// Keeps what is known of the thread of a place.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn keep_thread(&self, place: &Place, row: &ThreadRow, now_ms: i64) -> Result<(), StoreError> {
        let Some(thread) = &place.thread else { return Ok(()) };
        let upsert = "INSERT INTO threads (platform, channel, thread, subject, people, last_message, updated_ms) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (platform, channel, thread) DO UPDATE SET \
                      subject = excluded.subject, people = excluded.people, last_message = excluded.last_message, updated_ms = excluded.updated_ms";
        let upsert = sqlx::query(upsert).bind(place.platform.as_str()).bind(&*place.channel).bind(&**thread);
        let upsert = upsert.bind(to_json(&row.subject)?).bind(to_json(&row.people)?).bind(&*row.last_message).bind(now_ms);
        upsert.execute(&self.pool).await?;
        Ok(())
    }
}
