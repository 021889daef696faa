//! The inbox: every event before it is acknowledged, and how each question ended.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError, from_json, to_json};
use crate::chat::{Event, Incoming, Platform};

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an answer, which may be that nothing was found.
    Answered,
    /// Told why not.
    Refused,
    /// With a reference id.
    Failed,
    /// Taken back by the asker.
    Cancelled,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The end of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// What names the reason in the log.
    pub reference: Option<String>,
}

/// An event that is still to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// How often work on it was begun.
    pub attempts: i64,
    /// Milliseconds since 1970, UTC.
    pub received_ms: i64,
}

impl Store {
    /// Stores an event; whether it is new. One that tells of a message known already is not.
    ///
    /// # Errors
    /// Where the database does not serve; then the event must not be acknowledged.
    pub async fn take_in(&self, incoming: &Incoming, now_ms: i64) -> Result<bool, StoreError> {
        let event = &incoming.event;
        let insert = "INSERT INTO inbox (id, kind, platform, channel, message, person, body, state, attempts, received_ms) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 0, $8) ON CONFLICT (id) DO NOTHING";
        let channel = event.place().map_or("", |place| place.channel.as_str());
        let insert = sqlx::query(insert).bind(incoming.id()).bind(event.kind()).bind(event.platform().as_str()).bind(channel);
        let insert = insert.bind(event.message()).bind(event.person()).bind(to_json(event)?).bind(now_ms);
        Ok(insert.execute(&self.inlet).await?.rows_affected() == 1)
    }

    /// The ids of what is to be worked on, the oldest first.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn open_ids(&self, limit: i64) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query("SELECT id FROM inbox WHERE state = 'open' ORDER BY received_ms, id LIMIT $1").bind(limit);
        query.fetch_all(&self.pool).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// An entry that is still to be worked on, as it is now; none where it has ended. One that cannot be read ends here.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn open_entry(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let query = sqlx::query("SELECT id, body, attempts, received_ms FROM inbox WHERE id = $1 AND state = 'open'").bind(id);
        match query.fetch_optional(&self.pool).await?.as_ref().map(entry).transpose() {
            Err(StoreError::Broken { what, reason }) => {
                tracing::error!(event.id = id, what, reason, "an event cannot be read and is given up");
                sqlx::query("UPDATE inbox SET state = 'failed' WHERE id = $1").bind(id).execute(&self.pool).await?;
                Ok(None)
            }
            other => other,
        }
    }

    /// Whether it was told that a message is gone.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn was_deleted(&self, platform: Platform, channel: &str, message: &str) -> Result<bool, StoreError> {
        let query = "SELECT COUNT(*) FROM inbox WHERE platform = $1 AND channel = $2 AND message = $3 AND kind = 'deleted'";
        let row = sqlx::query(query).bind(platform.as_str()).bind(channel).bind(message).fetch_one(&self.pool).await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// A question by its id, whatever its state.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn entry(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let query = sqlx::query("SELECT id, body, attempts, received_ms FROM inbox WHERE id = $1").bind(id);
        // What was passed over has no words any more.
        Ok(query.fetch_optional(&self.pool).await?.as_ref().and_then(|row| entry(row).ok()))
    }

    /// The question that a message asked, and whether it is still open.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn question_of(&self, platform: Platform, channel: &str, message: &str) -> Result<Option<(Entry, bool)>, StoreError> {
        let query = "SELECT id, body, attempts, received_ms, state FROM inbox \
                     WHERE platform = $1 AND channel = $2 AND message = $3 AND kind = 'question'";
        let query = sqlx::query(query).bind(platform.as_str()).bind(channel).bind(message);
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        let is_open = row.try_get::<String, _>(4)? == "open";
        Ok(entry(&row).ok().map(|entry| (entry, is_open)))
    }

    /// Notes that work on a question begins; how often it was begun before.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn begin(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE inbox SET attempts = attempts + 1 WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Gives an open question other words.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn reword(&self, id: &str, event: &Event) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE inbox SET body = $1, attempts = 0 WHERE id = $2 AND state = 'open'");
        update.bind(to_json(event)?).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Ends what is no question, and forgets its words.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn done(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE inbox SET state = 'done', ended_ms = $1, body = '' WHERE id = $2 AND state = 'open'");
        update.bind(now_ms).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Ends a question that nothing is posted about; whether it was still open.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn cancel(&self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let mut write = self.pool.begin().await?;
        let was_open = end(&mut write, id, &Ended { end: End::Cancelled, reference: None }, now_ms).await?;
        write.commit().await?;
        Ok(was_open)
    }

    /// Ends what was said in a thread to somebody else, and forgets its words.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn pass_over(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let update = "UPDATE inbox SET state = 'cancelled', ended_ms = $1, body = '' WHERE id = $2 AND state = 'open'";
        sqlx::query(update).bind(now_ms).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// How many questions are in each state.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn question_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let query = "SELECT state, COUNT(*) FROM inbox WHERE kind = 'question' GROUP BY state ORDER BY state";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Notes the newest message that was seen of a channel; ids of messages are numbers that grow with
    /// time, written with as many digits as they take.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn see_channel(&self, platform: Platform, channel: &str, message: &str) -> Result<(), StoreError> {
        let upsert = "INSERT INTO channels (platform, channel, seen) VALUES ($1, $2, $3) ON CONFLICT (platform, channel) \
                      DO UPDATE SET seen = CASE WHEN LENGTH(excluded.seen) > LENGTH(channels.seen) \
                      OR (LENGTH(excluded.seen) = LENGTH(channels.seen) AND excluded.seen > channels.seen) \
                      THEN excluded.seen ELSE channels.seen END";
        sqlx::query(upsert).bind(platform.as_str()).bind(channel).bind(message).execute(&self.pool).await?;
        Ok(())
    }

    /// The channels of a platform, each with the newest message that was seen.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn seen_channels(&self, platform: Platform) -> Result<Vec<(String, String)>, StoreError> {
        let query = sqlx::query("SELECT channel, seen FROM channels WHERE platform = $1 ORDER BY channel").bind(platform.as_str());
        query.fetch_all(&self.pool).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

/// Ends an open question; whether it was open. The first end stands.
pub(super) async fn end(write: &mut Transaction<'_, Any>, id: &str, ended: &Ended, now_ms: i64) -> Result<bool, StoreError> {
    let update = "UPDATE inbox SET state = $1, ended_ms = $2, reference = $3 WHERE id = $4 AND state = 'open' AND kind = 'question'";
    let update = sqlx::query(update).bind(ended.end.as_str()).bind(now_ms).bind(ended.reference.clone()).bind(id);
    Ok(update.execute(&mut **write).await?.rows_affected() == 1)
}

fn entry(row: &AnyRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        id: row.try_get(0)?,
        event: from_json("event", &row.try_get::<String, _>(1)?)?,
        attempts: row.try_get(2)?,
        received_ms: row.try_get(3)?,
    })
}
