//! The weekly briefs: what is due, who makes it, and that it was posted; one of each channel and week.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::answers::{Kept, keep};
use super::audit::{Audited, append};
use super::outbox::{Post, outbox_id, put_whole};
use super::{Store, StoreError, from_json};
use crate::brief::schedule::Mark;
use crate::chat::Place;

/// A brief that came due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefDue {
    /// The week that it covers, by its key.
    pub period: String,
    /// When it was due, milliseconds since 1970, UTC.
    pub slot_ms: i64,
    /// A moment of the week in which it was due.
    pub week_ms: i64,
    /// It came due so long ago that it is only mentioned.
    pub is_missed: bool,
}

/// A brief that is to be made. Claimed, it is the claim's holder's alone while its lease holds and nobody claimed it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBrief {
    /// The channel's name in the settings.
    pub channel: String,
    /// The week that it covers, by its key.
    pub period: String,
    /// When it was due, milliseconds since 1970, UTC.
    pub slot_ms: i64,
    /// A moment of the week in which it was due.
    pub week_ms: i64,
    /// How often it was claimed.
    pub attempts: i64,
}

/// A brief as it goes out.
#[derive(Debug, Clone, Copy)]
pub struct MadeBrief<'a> {
    /// Its message on each platform.
    pub posts: &'a [Post],
    /// What lies behind them.
    pub kept: &'a Kept,
    /// The weeks of which it says that their briefs were missed.
    pub mentions: &'a [String],
}

/// What became of a brief's message on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefReceipt {
    /// The week that the brief covers, by its key.
    pub period: String,
    /// The platform's word.
    pub platform: String,
    /// `stored`, `posted` or `dropped`.
    pub state: String,
    /// The message's id there; empty before it is posted.
    pub message: String,
    /// Since when it is so, milliseconds since 1970, UTC.
    pub at_ms: i64,
}

/// How far a message of the outbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It is still tried.
    UnderWay,
    /// It stands there under this id.
    Posted(String),
    /// It never will: why.
    Dropped(String),
}

impl Store {
    /// Up to when the slots of each channel were handled.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn brief_marks(&self) -> Result<BTreeMap<String, Mark>, StoreError> {
        let rows = sqlx::query("SELECT channel, schedule, upto_ms FROM brief_marks").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, Mark { schedule: row.try_get(1)?, upto_ms: row.try_get(2)? }))).collect()
    }

    /// Forgets up to when a channel's slots were handled: it has no schedule any more.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn forget_brief_mark(&self, channel: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM brief_marks WHERE channel = $1").bind(channel).execute(&self.pool).await?;
        Ok(())
    }

    /// Notes what came due in a channel, and up to when that is, as one. A week that was noted before stays as it is.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn note_briefs(&self, channel: &str, mark: &Mark, due: &[BriefDue]) -> Result<(), StoreError> {
        let mut write = self.pool.begin().await?;
        let upsert = "INSERT INTO brief_marks (channel, schedule, upto_ms) VALUES ($1, $2, $3) \
                      ON CONFLICT (channel) DO UPDATE SET schedule = excluded.schedule, upto_ms = excluded.upto_ms";
        sqlx::query(upsert).bind(channel).bind(&*mark.schedule).bind(mark.upto_ms).execute(&mut *write).await?;
        for brief in due {
            let insert = "INSERT INTO briefs (channel, period, slot_ms, week_ms, state, attempts, lease_ms, mentioned_in) \
                          VALUES ($1, $2, $3, $4, $5, 0, 0, '') ON CONFLICT (channel, period) DO NOTHING";
            let insert = sqlx::query(insert).bind(channel).bind(&*brief.period).bind(brief.slot_ms).bind(brief.week_ms);
            insert.bind(if brief.is_missed { "missed" } else { "due" }).execute(&mut *write).await?;
        }
        Ok(write.commit().await?)
    }

    /// The briefs that are to be made and that nobody makes, the oldest first.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn open_briefs(&self, now_ms: i64) -> Result<Vec<OpenBrief>, StoreError> {
        let query = "SELECT channel, period, slot_ms, week_ms, attempts FROM briefs \
                     WHERE state IN ('due', 'claimed') AND lease_ms <= $1 ORDER BY slot_ms, channel, period";
        sqlx::query(query).bind(now_ms).fetch_all(&self.pool).await?.iter().map(open_brief).collect()
    }

    /// Claims a brief as it was read, for so long; nothing where somebody else did.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn claim_brief(&self, open: &OpenBrief, until_ms: i64) -> Result<Option<OpenBrief>, StoreError> {
        let update = "UPDATE briefs SET state = 'claimed', attempts = attempts + 1, lease_ms = $1 \
                      WHERE channel = $2 AND period = $3 AND attempts = $4 AND state IN ('due', 'claimed')";
        let update = sqlx::query(update).bind(until_ms).bind(&*open.channel).bind(&*open.period).bind(open.attempts);
        let is_ours = update.execute(&self.pool).await?.rows_affected() == 1;
        Ok(is_ours.then(|| OpenBrief { attempts: open.attempts + 1, ..open.clone() }))
    }

    /// Holds a claim for longer; whether it still held.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn hold_brief(&self, claim: &OpenBrief, until_ms: i64) -> Result<bool, StoreError> {
        let update = "UPDATE briefs SET lease_ms = $1 WHERE channel = $2 AND period = $3 AND attempts = $4 AND state = 'claimed'";
        let update = sqlx::query(update).bind(until_ms).bind(&*claim.channel).bind(&*claim.period).bind(claim.attempts);
        Ok(update.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Gives a brief up, as it was read: it is only mentioned.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn miss_brief(&self, open: &OpenBrief) -> Result<(), StoreError> {
        let update =
            "UPDATE briefs SET state = 'missed' WHERE channel = $1 AND period = $2 AND attempts = $3 AND state IN ('due', 'claimed')";
        let update = sqlx::query(update).bind(&*open.channel).bind(&*open.period).bind(open.attempts);
        update.execute(&self.pool).await?;
        Ok(())
    }

    /// The weeks whose briefs were missed and that no other brief has mentioned, in order.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn missed_briefs(&self, channel: &str) -> Result<Vec<String>, StoreError> {
        let query = "SELECT period FROM briefs WHERE channel = $1 AND state = 'missed' ORDER BY slot_ms, period";
        let rows = sqlx::query(query).bind(channel).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Stores a brief in the outbox, what lies behind it and its rows of the audit, as one; nothing where the claim does not hold any more.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn store_brief(&self, claim: &OpenBrief, made: &MadeBrief<'_>, now_ms: i64) -> Result<bool, StoreError> {
        let mut write = self.pool.begin().await?;
        let update = "UPDATE briefs SET state = 'stored' WHERE channel = $1 AND period = $2 AND attempts = $3 AND state = 'claimed'";
        let update = sqlx::query(update).bind(&*claim.channel).bind(&*claim.period).bind(claim.attempts);
        if update.execute(&mut *write).await?.rows_affected() != 1 {
            return Ok(false);
        }
        for post in made.posts {
            put_whole(&mut write, post, now_ms).await?;
            keep(&mut write, &post.question, made.kept, now_ms).await?;
            append(&mut write, &Audited::of(post), now_ms).await?;
            let insert = "INSERT INTO brief_posts (question, channel, period, platform, state, message, at_ms) \
                          VALUES ($1, $2, $3, $4, 'stored', '', $5)";
            let insert = sqlx::query(insert).bind(&*post.question).bind(&*claim.channel).bind(&*claim.period);
            insert.bind(post.place.platform.as_str()).bind(now_ms).execute(&mut *write).await?;
        }
        for period in made.mentions {
            let update = "UPDATE briefs SET state = 'mentioned', mentioned_in = $1 WHERE channel = $2 AND period = $3 AND state = 'missed'";
            sqlx::query(update).bind(&*claim.period).bind(&*claim.channel).bind(&**period).execute(&mut *write).await?;
        }
        write.commit().await?;
        Ok(true)
    }

    /// Writes the receipts of what was posted or dropped since. A brief that is posted nowhere was missed, and what it mentioned too.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn settle_briefs(&self, now_ms: i64) -> Result<(), StoreError> {
        let query = "SELECT question, channel, period FROM brief_posts WHERE state = 'stored'";
        for row in sqlx::query(query).fetch_all(&self.pool).await? {
            let (question, channel, period): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (state, message) = match self.delivery(&question).await? {
                Delivery::UnderWay => continue,
                Delivery::Posted(message) => ("posted", message),
                Delivery::Dropped(_) => ("dropped", String::new()),
            };
            let mut write = self.pool.begin().await?;
            let update =
                sqlx::query("UPDATE brief_posts SET state = $1, message = $2, at_ms = $3 WHERE question = $4 AND state = 'stored'");
            update.bind(state).bind(message).bind(now_ms).bind(question).execute(&mut *write).await?;
            settle(&mut write, &channel, &period).await?;
            write.commit().await?;
        }
        Ok(())
    }

    /// The receipts of a channel's briefs, in order.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn brief_receipts(&self, channel: &str) -> Result<Vec<BriefReceipt>, StoreError> {
        let query = "SELECT period, platform, state, message, at_ms FROM brief_posts WHERE channel = $1 ORDER BY period, platform";
        let rows = sqlx::query(query).bind(channel).fetch_all(&self.pool).await?;
        let receipt = |row: &AnyRow| {
            let (period, platform, state) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok(BriefReceipt { period, platform, state, message: row.try_get(3)?, at_ms: row.try_get(4)? })
        };
        rows.iter().map(receipt).collect()
    }

    /// The weeks of a channel whose briefs came due, each with its state, in order.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn brief_states(&self, channel: &str) -> Result<Vec<(String, String)>, StoreError> {
        let query = "SELECT period, state FROM briefs WHERE channel = $1 ORDER BY slot_ms, period";
        let rows = sqlx::query(query).bind(channel).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Where a brief's message stands, or is about to, and since when it is stored; nothing where the id is no brief's.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn brief_place(&self, question: &str) -> Result<Option<(Place, i64)>, StoreError> {
        let query = "SELECT o.body, o.created_ms FROM brief_posts p JOIN outbox o ON o.question = p.question \
                     WHERE p.question = $1 AND o.part = 0";
        let Some(row) = sqlx::query(query).bind(question).fetch_optional(&self.pool).await? else { return Ok(None) };
        let post: Post = from_json("post", &row.try_get::<String, _>(0)?)?;
        Ok(Some((post.place, row.try_get(1)?)))
    }

    /// How far the message of a question is; one that is not there was dropped.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn delivery(&self, question: &str) -> Result<Delivery, StoreError> {
        let query = sqlx::query("SELECT state, remote, failure FROM outbox WHERE id = $1").bind(outbox_id(question, 0));
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(Delivery::Dropped("it is forgotten".to_owned())) };
        let text = |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(column)?.unwrap_or_default());
        Ok(match text(0)?.as_str() {
            "waiting" | "unsure" => Delivery::UnderWay,
            "dropped" => Delivery::Dropped(text(2)?),
            _ => Delivery::Posted(text(1)?),
        })
    }
}

/// Once nothing of a brief is on its way any more it was posted, or missed.
async fn settle(write: &mut Transaction<'_, Any>, channel: &str, period: &str) -> Result<(), StoreError> {
    let update = "UPDATE briefs SET state = CASE WHEN EXISTS (SELECT 1 FROM brief_posts p WHERE p.channel = $1 AND p.period = $2 \
                  AND p.state = 'posted') THEN 'posted' ELSE 'missed' END \
                  WHERE channel = $1 AND period = $2 AND state = 'stored' \
                  AND NOT EXISTS (SELECT 1 FROM brief_posts p WHERE p.channel = $1 AND p.period = $2 AND p.state = 'stored')";
    sqlx::query(update).bind(channel).bind(period).execute(&mut **write).await?;
    let update = "UPDATE briefs SET state = 'missed', mentioned_in = '' WHERE channel = $1 AND mentioned_in = $2 AND state = 'mentioned' \
                  AND EXISTS (SELECT 1 FROM briefs b WHERE b.channel = $1 AND b.period = $2 AND b.state = 'missed')";
    sqlx::query(update).bind(channel).bind(period).execute(&mut **write).await?;
    Ok(())
}

fn open_brief(row: &AnyRow) -> Result<OpenBrief, StoreError> {
    Ok(OpenBrief {
        channel: row.try_get(0)?,
        period: row.try_get(1)?,
        slot_ms: row.try_get(2)?,
        week_ms: row.try_get(3)?,
        attempts: row.try_get(4)?,
    })
}
