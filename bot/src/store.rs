//! The state: what came in, what goes out, what was answered and shown, what threads are about, which accounts are one person's. It cannot
//! be made again; a backup holds it.
//!
//! SQLite by default, PostgreSQL when scaled out, one SQL text for both. Every change that belongs together is one transaction.

mod answers;
mod audit;
mod briefs;
mod feedback;
mod forget;
mod inbox;
mod links;
mod outbox;
mod threads;

use std::time::Duration;

use runlore_indexer::catalog::{CatalogError, file_bytes, open_database, scrub};
use sqlx::AnyPool;
use thiserror::Error;

pub use answers::Kept;
pub use audit::{AuditFilter, AuditRow, AuditState, Audited};
pub use briefs::{BriefDue, BriefReceipt, Delivery, MadeBrief, OpenBrief};
pub use feedback::{Feedback, FeedbackCounts, Verdict};
pub use forget::{Draft, Made, ThreadNames};
pub use inbox::{End, Ended, Entry};
pub use links::{CODE_FOR_MS, Link, LinkCode, Linking, is_code};
pub use outbox::{MadeUnder, Outgoing, Post, PostForm, Sent, outbox_id};
pub use threads::ThreadChange;

/// In order; a step that was once released is never changed.
const MIGRATIONS: [(i64, &str, &str); 6] = [
    (1, "state", include_str!("../migrations/state/0001_state.sql")),
    (2, "thread people", include_str!("../migrations/state/0002_thread_people.sql")),
    (3, "audit", include_str!("../migrations/state/0003_audit.sql")),
    (4, "basis", include_str!("../migrations/state/0004_basis.sql")),
    (5, "links", include_str!("../migrations/state/0005_links.sql")),
    (6, "briefs", include_str!("../migrations/state/0006_briefs.sql")),
];

/// Two programs may make the same SQLite tables at the same moment: how often, and how long after, the second looks whether they are there
/// now. PostgreSQL lets the second wait by itself.
const LOOKS: u32 = 5;
const LOOK_AFTER: Duration = Duration::from_millis(200);

/// Handle on the state; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    /// For what stands before an acknowledgement, which must not wait behind anything else.
    inlet: AnyPool,
}

/// Why the state did not serve.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database.
    #[error("the state does not serve: {0}")]
    Database(#[from] sqlx::Error),
    /// Opening it.
    #[error("the state cannot be opened: {0}")]
    Opening(String),
    /// Clearing its file.
    #[error("what was deleted cannot be cleared out of the state's file: {0}")]
    Scrubbing(String),
    /// Something stored that cannot be read back.
    #[error("the state holds a broken {what}: {reason}")]
    Broken { what: &'static str, reason: String },
    /// A code cannot be made.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl Store {
    /// Opens the state at `sqlite:///path/bot.db` or `postgres://...`, and makes it where it is missing.
    ///
    /// # Errors
    /// Where the database does not serve or holds tables of a later version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { pool: open_pool(url).await?, inlet: open_pool(url).await? })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what is older: questions and messages that nothing can be pressed under any more, answers and what was said about them, and
    /// quiet threads. The audit is kept for good. How many rows went.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn prune(&self, before_ms: i64) -> Result<u64, StoreError> {
        let mut n_gone = 0;
        for delete in [
            "DELETE FROM feedback WHERE at_ms < $1",
            "DELETE FROM answers WHERE at_ms < $1 AND question NOT IN (SELECT question FROM feedback)",
            "DELETE FROM inbox WHERE state <> 'open' AND received_ms < $1 AND id NOT IN (SELECT question FROM feedback)",
            "DELETE FROM outbox WHERE state IN ('posted', 'dropped', 'removed') AND created_ms < $1",
            "DELETE FROM brief_posts WHERE (channel, period) IN (SELECT channel, period FROM briefs WHERE slot_ms < $1 AND state <> 'missed')",
            "DELETE FROM briefs WHERE slot_ms < $1 AND state <> 'missed'",
            "DELETE FROM thread_people WHERE (platform, channel, thread) IN \
             (SELECT platform, channel, thread FROM threads WHERE updated_ms < $1)",
            "DELETE FROM threads WHERE updated_ms < $1",
            "DELETE FROM link_codes WHERE until_ms < $1",
        ] {
            n_gone += sqlx::query(delete).bind(before_ms).execute(&self.pool).await?.rows_affected();
        }
        Ok(n_gone)
    }

    /// Clears what was deleted out of the database's file, where that is not larger than so many bytes: nobody can write meanwhile. Whether
    /// it is done.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn scrub(&self, most_bytes: i64) -> Result<bool, StoreError> {
        let failed = |error: CatalogError| StoreError::Scrubbing(error.to_string());
        if file_bytes(&self.pool).await.map_err(failed)? > most_bytes {
            return Ok(false);
        }
        scrub(&self.pool).await.map_err(failed)?;
        Ok(true)
    }
}

async fn open_pool(url: &str) -> Result<AnyPool, StoreError> {
    let mut n_looks = 0;
    loop {
        n_looks += 1;
        match open_database(url, "runlore_state", &MIGRATIONS).await {
            Ok(pool) => return Ok(pool),
            Err(_) if n_looks < LOOKS && url.starts_with("sqlite:") => tokio::time::sleep(LOOK_AFTER).await,
            // The catalog's advice on tables is not the state's: it cannot be made again.
            Err(CatalogError::Migration(e)) => return Err(StoreError::Opening(format!("its tables cannot be brought up to date: {e}"))),
            Err(e) => return Err(StoreError::Opening(e.to_string())),
        }
    }
}

/// JSON of one of our own values; PostgreSQL takes no NUL in text, which JSON writes as an escape anyway.
fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Broken { what: "value", reason: e.to_string() })
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    // The error's own words may hold what somebody wrote.
    let place = |e: serde_json::Error| format!("{:?} error at line {} column {}", e.classify(), e.line(), e.column());
    serde_json::from_str(text).map_err(|e| StoreError::Broken { what, reason: place(e) })
}
