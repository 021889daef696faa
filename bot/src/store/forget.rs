//! Forgetting: what the state keeps of records that are gone, or that an audience may not read any more.

use sqlx::{Any, Row, Transaction};

use super::answers::basis;
use super::audit::{Audited, append};
use super::outbox::{MadeUnder, Post, PostForm};
use super::{Store, StoreError, from_json, to_json};
use crate::answer::Subject;
use crate::chat::{Asked, Event, Reply};
use crate::surface::{Outcome, Surface};

/// What an answer was made under and of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The question's id.
    pub question: String,
    /// How.
    pub under: MadeUnder,
}

/// A message that stands there, or is about to, for a question that is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it says.
    pub post: Post,
    /// Under what it was made.
    pub under: MadeUnder,
}

/// The names that a thread is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadNames {
    /// The platform's word, the channel and the thread.
    pub thread: (String, String, String),
    /// What it is about.
    pub subject: Subject,
}

impl Store {
    /// Every answer of which something is kept.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn made(&self) -> Result<Vec<Made>, StoreError> {
        let query = "SELECT question, audience, scope, basis FROM answers WHERE reply <> '' ORDER BY at_ms, question";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let under = MadeUnder { audience: row.try_get(1)?, scope: row.try_get(2)?, basis: basis(&row.try_get::<String, _>(3)?)? };
                Ok(Made { question: row.try_get(0)?, under })
            })
            .collect()
    }

    /// What is shown of questions that are still open, and was made of records.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        let query =
            "SELECT o.body FROM inbox i JOIN outbox o ON o.question = i.id WHERE i.state = 'open' AND o.state IN ('unsure', 'posted')";
        let mut drafts = Vec::new();
        for row in sqlx::query(query).fetch_all(&self.pool).await? {
            // One that cannot be read is given up where it is sent.
            let post: Option<Post> = from_json("post", &row.try_get::<String, _>(0)?).ok();
            drafts.extend(post.and_then(|post| post.made_under.clone().map(|under| Draft { post, under })));
        }
        Ok(drafts)
    }

    /// Forgets the words of answered questions, of their answers and of what was said about them. What is not posted yet says `instead`; what
    /// stands on a platform stays there.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn forget(&self, questions: &[String], instead: &Reply, now_ms: i64) -> Result<(), StoreError> {
        for question in questions {
            let mut write = self.pool.begin().await?;
            for update in [
                "UPDATE answers SET reply = '', details = '[]', records = '[]', basis = '' WHERE question = $1",
                "UPDATE feedback SET note = NULL WHERE question = $1",
            ] {
                sqlx::query(update).bind(&**question).execute(&mut *write).await?;
            }
            forget_question(&mut write, question).await?;
            forget_messages(&mut write, question, instead, now_ms).await?;
            write.commit().await?;
        }
        Ok(())
    }

    /// What the threads are about that are about anything.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn subjects(&self) -> Result<Vec<ThreadNames>, StoreError> {
        let rows = sqlx::query("SELECT platform, channel, thread, subject FROM threads").fetch_all(&self.pool).await?;
        let names = rows.iter().map(|row| {
            let subject = from_json("subject", &row.try_get::<String, _>(3)?)?;
            Ok(ThreadNames { thread: (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), subject })
        });
        let names = names.collect::<Result<Vec<ThreadNames>, StoreError>>()?;
        Ok(names.into_iter().filter(|names| !names.subject.is_empty()).collect())
    }

    /// Forgets what these threads are about.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn forget_subjects(&self, threads: &[ThreadNames]) -> Result<(), StoreError> {
        let nothing = to_json(&Subject::default())?;
        for ThreadNames { thread: (platform, channel, thread), .. } in threads {
            let update = sqlx::query("UPDATE threads SET subject = $1 WHERE platform = $2 AND channel = $3 AND thread = $4");
            update.bind(&*nothing).bind(&**platform).bind(&**channel).bind(&**thread).execute(&self.pool).await?;
        }
        Ok(())
    }
}

/// The question stays, so that who takes it back takes the answer along; its words go, which may be the record's, and what its thread is
/// about.
async fn forget_question(write: &mut Transaction<'_, Any>, question: &str) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT body FROM inbox WHERE id = $1 AND kind = 'question' AND state <> 'open' AND body <> ''").bind(question);
    let Some(row) = query.fetch_optional(&mut **write).await? else { return Ok(()) };
    if let Event::Asked(asked) = from_json("event", &row.try_get::<String, _>(0)?)? {
        let (platform, channel) = (asked.place.platform.as_str(), asked.place.channel.clone());
        let update = sqlx::query("UPDATE threads SET subject = $1 WHERE platform = $2 AND channel = $3 AND thread = $4");
        let update = update.bind(to_json(&Subject::default())?).bind(platform).bind(channel);
        update.bind(asked.place.thread.clone().unwrap_or_default()).execute(&mut **write).await?;
        let wordless = Event::Asked(Asked { text: String::new(), ..asked });
        let update = sqlx::query("UPDATE inbox SET body = $1 WHERE id = $2").bind(to_json(&wordless)?).bind(question);
        update.execute(&mut **write).await?;
    }
    Ok(())
}

/// A row that changes meanwhile is left to the next round. A picture that is not posted yet is not missed.
async fn forget_messages(write: &mut Transaction<'_, Any>, question: &str, instead: &Reply, now_ms: i64) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT id, body, version, posted_version, state FROM outbox WHERE question = $1").bind(question);
    for row in query.fetch_all(&mut **write).await? {
        let (version, posted): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let mut state: String = row.try_get(4)?;
        let is_to_come = matches!(state.as_str(), "waiting" | "unsure") || state == "posted" && version > posted;
        let mut post: Post = from_json("post", &row.try_get::<String, _>(1)?)?;
        (post.reply, post.made_under) = (Reply::default(), None);
        let mut new_version = version;
        if is_to_come && post.form == PostForm::Picture {
            state = "dropped".to_owned();
        } else if is_to_come {
            (post, new_version) = (post.instead(instead.clone(), Surface::Refusal, Outcome::Refused), version + 1);
        }
        let is_shown = new_version > version;
        let update = sqlx::query("UPDATE outbox SET body = $1, version = $2, state = $3 WHERE id = $4 AND version = $5");
        let update = update.bind(to_json(&post)?).bind(new_version).bind(state).bind(row.try_get::<String, _>(0)?).bind(version);
        if update.execute(&mut **write).await?.rows_affected() == 1 && is_shown {
            append(write, &Audited::of(&post), now_ms).await?;
        }
    }
    Ok(())
}
