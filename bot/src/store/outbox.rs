//! The outbox: what is to be seen, stored before it is posted. One row a message: posted once, then brought up to its last version.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};
use uuid::Uuid;

use super::answers::{Kept, keep};
use super::audit::{Audited, append};
use super::inbox::{Ended, end};
use super::threads::{ThreadChange, change};
use super::{Store, StoreError, from_json, to_json};
use crate::chat::{Basis, Place, PlaceKind, Platform, Reply};
use crate::surface::{Outcome, Shown, Surface};

/// How far a reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostForm {
    /// A sentence about what is waited for.
    Waiting,
    /// The facts, while the model still reads them.
    Facts,
    /// All of it.
    Whole,
    /// The reply's picture alone, beside the message that it belongs to.
    Picture,
}

/// A message as it is to be seen, without any platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Where.
    pub place: Place,
    /// For this person alone, by this address, where the platform gave one.
    pub private_to: Option<(String, String)>,
    /// Where who asked is told that it cannot be posted: the person and the address, where the platform gave one.
    #[serde(default)]
    pub otherwise: Option<(String, String)>,
    /// Who is greeted by name, and may take it away.
    pub asker: Option<String>,
    /// The question that it answers.
    pub question: String,
    /// The message that asked it, where one did.
    #[serde(default)]
    pub answers: Option<String>,
    /// What it says.
    pub reply: Reply,
    /// How far it is.
    pub form: PostForm,
    /// Under which audience and scope it was made, and of what, where it holds anything of records: it is posted only while that holds.
    #[serde(default)]
    pub made_under: Option<MadeUnder>,
    /// What the audit keeps of it.
    #[serde(default)]
    pub shown: Shown,
}

impl Post {
    /// Who is called by name: in a direct message nobody else is there to be told apart from, and what one person alone sees is addressed
    /// already.
    pub fn called(&self) -> Option<&str> {
        self.asker.as_deref().filter(|_| self.place.kind == PlaceKind::Channel && self.private_to.is_none())
    }

    /// Something else in its place, for the same people, that holds nothing of records.
    pub fn instead(&self, reply: Reply, surface: Surface, outcome: Outcome) -> Self {
        let shown = Shown { audience: self.shown.audience.clone(), ..Shown::plain(surface, outcome) };
        Self { reply, form: PostForm::Whole, made_under: None, shown, ..self.clone() }
    }
}

/// Who may see a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeUnder {
    /// The audience.
    pub audience: String,
    /// The scope's id.
    pub scope: String,
    /// What it was made of.
    #[serde(default)]
    pub basis: Basis,
}

/// A row that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Opaque; travels with the message.
    pub id: String,
    /// What is to be seen.
    pub post: Post,
    /// Which version that is.
    pub version: i64,
    /// Which version stands there.
    pub posted_version: i64,
    /// The message's id on the platform, where it stands there already.
    pub remote: Option<String>,
    /// A send was begun and nobody knows how it ended: look before sending again.
    pub is_unsure: bool,
    /// It is to be taken away.
    pub is_to_go: bool,
    /// How often sending was begun.
    pub attempts: i64,
    /// When it was first stored, milliseconds since 1970, UTC.
    pub created_ms: i64,
}

impl Outgoing {
    /// The row's state as it was read.
    fn state(&self) -> &'static str {
        match (self.is_to_go, self.is_unsure, &self.remote) {
            (true, _, _) => "going",
            (_, true, _) => "unsure",
            (_, _, Some(_)) => "posted",
            (_, _, None) => "waiting",
        }
    }
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It stands there under this id. Messages for one person alone have none.
    Posted(String),
    /// It was taken away.
    Removed,
    /// What stood there is gone: posted anew.
    Anew,
    /// Certainly not delivered: again from then on.
    Again { due_ms: i64 },
    /// Nobody knows: look from then on.
    Unsure { due_ms: i64 },
    /// Never: why.
    Dropped(String),
}

impl Store {
    /// Stores what is to be seen of a question, or the next version of it, and the audit's row of that, as one.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn put_out(&self, post: &Post, now_ms: i64) -> Result<(), StoreError> {
        let mut write = self.pool.begin().await?;
        put(&mut write, post, 0, now_ms).await?;
        append(&mut write, &Audited::of(post), now_ms).await?;
        Ok(write.commit().await?)
    }

    /// Gives a row another post in the place of the one that was read; nothing where it has another by now.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn replace(&self, outgoing: &Outgoing, post: &Post, now_ms: i64) -> Result<(), StoreError> {
        let mut write = self.pool.begin().await?;
        let update = sqlx::query("UPDATE outbox SET body = $1, version = version + 1 WHERE id = $2 AND version = $3");
        let update = update.bind(to_json(post)?).bind(&*outgoing.id).bind(outgoing.version);
        if update.execute(&mut *write).await?.rows_affected() == 1 {
            append(&mut write, &Audited::of(post), now_ms).await?;
        }
        Ok(write.commit().await?)
    }

    /// Stores what is to be seen of a question that is still open; nothing where it has ended. A sentence about waiting takes the place
    /// of another one alone.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn put_out_while_open(&self, post: &Post, now_ms: i64) -> Result<(), StoreError> {
        let mut write = self.pool.begin().await?;
        // A write first, so that nobody ends the question between the look and the next write.
        let touch = sqlx::query("UPDATE inbox SET attempts = attempts WHERE id = $1 AND state = 'open'").bind(&*post.question);
        let is_open = touch.execute(&mut *write).await?.rows_affected() == 1;
        let there = sqlx::query("SELECT body FROM outbox WHERE question = $1").bind(&*post.question).fetch_all(&mut *write).await?;
        let waits = |row: &AnyRow| Ok(from_json::<Post>("post", &row.try_get::<String, _>(0)?)?.form == PostForm::Waiting);
        let all_wait = there.iter().map(waits).collect::<Result<Vec<bool>, StoreError>>()?.into_iter().all(|waits| waits);
        if is_open && (all_wait || post.form != PostForm::Waiting) {
            put(&mut write, post, 0, now_ms).await?;
            append(&mut write, &Audited::of(post), now_ms).await?;
        }
        Ok(write.commit().await?)
    }

    /// Ends a question and stores what is to be seen of its end, what lies behind it, what its thread is about now and the audit's row, as
    /// one; nothing where it had ended already.
    ///
    /// # Errors
    /// Where the database does not serve; then the question is still open.
    pub async fn conclude(
        &self,
        ended: &Ended,
        post: &Post,
        behind: Option<(&Kept, &ThreadChange)>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut write = self.pool.begin().await?;
        let was_open = end(&mut write, &post.question, ended, now_ms).await?;
        if was_open {
            put_whole(&mut write, post, now_ms).await?;
            if let Some((kept, thread)) = behind {
                keep(&mut write, &post.question, kept, now_ms).await?;
                change(&mut write, thread, now_ms).await?;
            }
            append(&mut write, &Audited::of(post), now_ms).await?;
        }
        write.commit().await?;
        Ok(was_open)
    }

    /// What is due, the oldest first.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn due(&self, now_ms: i64, limit: i64) -> Result<Vec<Outgoing>, StoreError> {
        // A few of each channel, and of each channel a few of each person, so that nobody's flood stands before the others.
        let query = "SELECT id, body, version, remote, state, attempts, created_ms, posted_version FROM (SELECT t.*, \
                     ROW_NUMBER() OVER (PARTITION BY platform, channel ORDER BY turn, created_ms, part, id) AS place FROM (SELECT o.*, \
                     ROW_NUMBER() OVER (PARTITION BY platform, channel, person ORDER BY created_ms, part, id) AS turn FROM outbox o \
                     WHERE due_ms <= $1 AND (state IN ('waiting', 'unsure', 'going') OR (state = 'posted' AND version > posted_version))) t) p \
                     WHERE place <= 5 ORDER BY place, created_ms, part, id LIMIT $2";
        let rows = sqlx::query(query).bind(now_ms).bind(limit).fetch_all(&self.pool).await?;
        let mut due = Vec::new();
        for row in rows {
            match outgoing(&row) {
                Ok(outgoing) => due.push(outgoing),
                Err(error) => {
                    let id: String = row.try_get(0)?;
                    tracing::error!(outbox.id = id, %error, "a message cannot be read and is given up");
                    sqlx::query("UPDATE outbox SET state = 'dropped' WHERE id = $1").bind(id).execute(&self.pool).await?;
                }
            }
        }
        Ok(due)
    }

    /// Notes that a send begins: from now on nobody knows whether it stands there, until `sent` says so; should the program end before
    /// that, it is looked for from `look_from_ms` on. Whether the row is still as it was read; another has sent it otherwise.
    ///
    /// # Errors
    /// Where the database does not serve; then nothing may be sent.
    pub async fn begin_send(&self, outgoing: &Outgoing, look_from_ms: i64) -> Result<bool, StoreError> {
        let update = "UPDATE outbox SET attempts = attempts + 1, due_ms = CASE WHEN state = 'waiting' THEN $1 ELSE due_ms END, \
                      state = CASE WHEN state = 'waiting' THEN 'unsure' ELSE state END \
                      WHERE id = $2 AND attempts = $3 AND posted_version = $4 AND state = $5";
        let update = sqlx::query(update).bind(look_from_ms).bind(&*outgoing.id).bind(outgoing.attempts).bind(outgoing.posted_version);
        Ok(update.bind(outgoing.state()).execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Notes how a send of a version ended.
    ///
    /// # Errors
    /// Where the database does not serve; then it is looked for again.
    pub async fn sent(&self, id: &str, version: i64, sent: &Sent) -> Result<(), StoreError> {
        let query = match sent {
            Sent::Posted(remote) => sqlx::query(
                "UPDATE outbox SET posted_version = $1, remote = $2, attempts = 0, due_ms = 0, \
                 state = CASE WHEN state IN ('going', 'removed') THEN state ELSE 'posted' END WHERE id = $3",
            )
            .bind(version)
            .bind(remote.clone()),
            Sent::Anew => {
                sqlx::query("UPDATE outbox SET due_ms = 0, attempts = 0, remote = NULL, posted_version = $1, state = $2 WHERE id = $3")
                    .bind(0_i64)
                    .bind("waiting")
            }
            Sent::Removed => sqlx::query("UPDATE outbox SET posted_version = $1, state = $2 WHERE id = $3").bind(version).bind("removed"),
            Sent::Again { due_ms } => {
                sqlx::query("UPDATE outbox SET due_ms = $1, state = CASE WHEN state = 'unsure' THEN $2 ELSE state END WHERE id = $3")
                    .bind(*due_ms)
                    .bind("waiting")
            }
            Sent::Unsure { due_ms } => sqlx::query("UPDATE outbox SET due_ms = $1 WHERE id = $2").bind(*due_ms),
            Sent::Dropped(why) => sqlx::query("UPDATE outbox SET state = $1, failure = $2 WHERE id = $3").bind("dropped").bind(why.clone()),
        };
        query.bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes a question's messages away: those that stand there are to go, the others are not posted.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn take_away(&self, question: &str, now_ms: i64) -> Result<(), StoreError> {
        let update = "UPDATE outbox SET due_ms = $1, state = CASE WHEN state = 'waiting' THEN 'dropped' ELSE 'going' END \
                      WHERE question = $2 AND state IN ('waiting', 'unsure', 'posted')";
        sqlx::query(update).bind(now_ms).bind(question).execute(&self.pool).await?;
        Ok(())
    }

    /// Where the message of the bot stands that has this id on its platform.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn place_of_message(&self, platform: Platform, remote: &str) -> Result<Option<Place>, StoreError> {
        let query = sqlx::query("SELECT body FROM outbox WHERE platform = $1 AND remote = $2").bind(platform.as_str()).bind(remote);
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(from_json::<Post>("post", &row.try_get::<String, _>(0)?)?.place))
    }

    /// How many messages are in each state.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn outbox_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM outbox GROUP BY state ORDER BY state").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

/// The id of a row: what is seen of a question, 0 its message and 1 its picture.
pub fn outbox_id(question: &str, part: i64) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{question} {part}").as_bytes()).to_string()
}

/// A whole reply. Its picture goes out by itself, behind its message; what one person alone sees is one message, its picture included.
pub(super) async fn put_whole(write: &mut Transaction<'_, Any>, post: &Post, now_ms: i64) -> Result<(), StoreError> {
    if post.private_to.is_some() || post.reply.picture.is_none() {
        return put(write, post, 0, now_ms).await;
    }
    put(write, &without_picture(post), 0, now_ms).await?;
    put(write, &Post { form: PostForm::Picture, ..post.clone() }, 1, now_ms).await
}

fn without_picture(post: &Post) -> Post {
    Post { reply: Reply { picture: None, ..post.reply.clone() }, ..post.clone() }
}

async fn put(write: &mut Transaction<'_, Any>, post: &Post, part: i64, now_ms: i64) -> Result<(), StoreError> {
    let id = outbox_id(&post.question, part);
    let upsert = "INSERT INTO outbox (id, question, part, platform, channel, person, body, state, version, posted_version, attempts, due_ms, created_ms) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 1, 0, 0, $8, $9) \
                  ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = outbox.version + 1, \
                  due_ms = CASE WHEN outbox.state = 'dropped' THEN excluded.due_ms ELSE outbox.due_ms END, \
                  state = CASE WHEN outbox.state = 'dropped' THEN 'waiting' ELSE outbox.state END";
    let upsert = sqlx::query(upsert).bind(id).bind(&*post.question).bind(part).bind(post.place.platform.as_str());
    let upsert = upsert.bind(&*post.place.channel).bind(post.asker.clone().unwrap_or_default());
    let upsert = upsert.bind(to_json(post)?).bind(now_ms).bind(now_ms);
    upsert.execute(&mut **write).await?;
    Ok(())
}

fn outgoing(row: &AnyRow) -> Result<Outgoing, StoreError> {
    let state: String = row.try_get(4)?;
    Ok(Outgoing {
        id: row.try_get(0)?,
        post: from_json("post", &row.try_get::<String, _>(1)?)?,
        version: row.try_get(2)?,
        remote: row.try_get(3)?,
        is_unsure: state == "unsure",
        is_to_go: state == "going",
        attempts: row.try_get(5)?,
        created_ms: row.try_get(6)?,
        posted_version: row.try_get(7)?,
    })
}
