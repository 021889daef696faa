//! Threads: what each is about, and who talks in it.

use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError, from_json, to_json};
use crate::answer::Subject;
use crate::chat::{BESIDE, Place};
use runlore_indexer::leak;

/// Stands for the people of a thread whom the bot does not know.
const OTHERS: &str = "others";

/// What an answer changes in its thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadChange {
    /// Where.
    pub place: Place,
    /// What it is about now.
    pub subject: Subject,
    /// Who asked.
    pub asker: String,
    /// The question began the thread, so that nobody else is in it; one that the bot was called into may have others.
    pub begins: bool,
}

impl Store {
    /// What the thread of a place is about; none outside of threads, and of one in which the bot never was addressed.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn subject(&self, place: &Place) -> Result<Option<Subject>, StoreError> {
        let Some(thread) = &place.thread else { return Ok(None) };
        let query = sqlx::query(if leak::is_seeded("thread.any_channel") {
            "SELECT subject FROM threads WHERE platform = $1 AND $2 <> '' AND thread = $3 ORDER BY updated_ms"
        } else {
            "SELECT subject FROM threads WHERE platform = $1 AND channel = $2 AND thread = $3"
        });
        let query = query.bind(place.platform.as_str()).bind(&*place.channel).bind(&**thread);
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        from_json("subject", &row.try_get::<String, _>(0)?).map(Some)
    }

    /// Lets a thread that nothing is known of go on with the conversation that it hangs below: that of the bot's message, or of the
    /// question, whose id it has. On platforms whose threads are conversations from the beginning there is none.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn adopt_thread(&self, place: &Place, now_ms: i64) -> Result<(), StoreError> {
        let Some(thread) = &place.thread else { return Ok(()) };
        let above = self.place_of_message(place.platform, thread).await?;
        let above = above.filter(|above| above.channel == place.channel || leak::is_seeded("thread.adopts_any"));
        let (in_channel, below) = above.map_or((place.channel.clone(), None), |above| (above.channel, above.thread));
        let from = below.unwrap_or_else(|| format!("{BESIDE}{thread}"));
        let (platform, channel) = (place.platform.as_str(), &*place.channel);
        let mut write = self.pool.begin().await?;
        let threads = "INSERT INTO threads (platform, channel, thread, subject, last_message, updated_ms) \
                       SELECT platform, $6, $1, subject, last_message, $2 FROM threads \
                       WHERE platform = $3 AND channel = $4 AND thread = $5 ON CONFLICT (platform, channel, thread) DO NOTHING";
        let threads = sqlx::query(threads).bind(&**thread).bind(now_ms).bind(platform).bind(&*in_channel).bind(&*from).bind(channel);
        if threads.execute(&mut *write).await?.rows_affected() == 1 {
            let people = "INSERT INTO thread_people (platform, channel, thread, person) SELECT platform, channel, $1, person \
                          FROM thread_people WHERE platform = $2 AND channel = $3 AND thread = $4";
            sqlx::query(people).bind(&**thread).bind(platform).bind(channel).bind(&*from).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }

    /// Notes that somebody said something in a thread; whether it is a talk of that person and the bot alone, in which the bot spoke last.
    /// The same message again, after a restart, finds itself as the last.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn note_speaker(&self, place: &Place, person: &str, message: &str, now_ms: i64) -> Result<bool, StoreError> {
        let Some(thread) = &place.thread else { return Ok(false) };
        let (platform, channel) = (place.platform.as_str(), &*place.channel);
        let mut write = self.pool.begin().await?;
        // A write first, so that nobody changes the thread between the look and the next write.
        let touch = sqlx::query("UPDATE threads SET updated_ms = $1 WHERE platform = $2 AND channel = $3 AND thread = $4");
        if touch.bind(now_ms).bind(platform).bind(channel).bind(&**thread).execute(&mut *write).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let last = sqlx::query("SELECT last_message FROM threads WHERE platform = $1 AND channel = $2 AND thread = $3");
        let last: String = last.bind(platform).bind(channel).bind(&**thread).fetch_one(&mut *write).await?.try_get(0)?;
        let people = sqlx::query("SELECT person FROM thread_people WHERE platform = $1 AND channel = $2 AND thread = $3");
        let people = people.bind(platform).bind(channel).bind(&**thread).fetch_all(&mut *write).await?;
        let people = people.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
        add_person(&mut write, place, thread, person).await?;
        let speak = sqlx::query("UPDATE threads SET last_message = $1 WHERE platform = $2 AND channel = $3 AND thread = $4");
        speak.bind(message).bind(platform).bind(channel).bind(&**thread).execute(&mut *write).await?;
        write.commit().await?;
        Ok(people == [person] && (last.is_empty() || last == message))
    }
}

/// Keeps what the thread is about, and that the bot spoke last in it.
pub(super) async fn change(write: &mut Transaction<'_, Any>, change: &ThreadChange, now_ms: i64) -> Result<(), StoreError> {
    let Some(thread) = &change.place.thread else { return Ok(()) };
    let (platform, channel) = (change.place.platform.as_str(), &*change.place.channel);
    let insert = "INSERT INTO threads (platform, channel, thread, subject, last_message, updated_ms) VALUES ($1, $2, $3, '', '', 0) \
                  ON CONFLICT (platform, channel, thread) DO NOTHING";
    let insert = sqlx::query(insert).bind(platform).bind(channel).bind(&**thread);
    let is_new = insert.execute(&mut **write).await?.rows_affected() == 1;
    let update = "UPDATE threads SET subject = $1, last_message = '', updated_ms = $2 WHERE platform = $3 AND channel = $4 AND thread = $5";
    let update = sqlx::query(update).bind(to_json(&change.subject)?).bind(now_ms).bind(platform).bind(channel).bind(&**thread);
    update.execute(&mut **write).await?;
    if is_new && !change.begins {
        add_person(write, &change.place, thread, OTHERS).await?;
    }
    add_person(write, &change.place, thread, &change.asker).await
}

async fn add_person(write: &mut Transaction<'_, Any>, place: &Place, thread: &str, person: &str) -> Result<(), StoreError> {
    let insert = "INSERT INTO thread_people (platform, channel, thread, person) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (platform, channel, thread, person) DO NOTHING";
    let insert = sqlx::query(insert).bind(place.platform.as_str()).bind(&*place.channel).bind(thread).bind(person);
    insert.execute(&mut **write).await?;
    Ok(())
}
