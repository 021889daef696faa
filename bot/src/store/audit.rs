//! The audit: what was shown to whom, a row each and without its words. Rows are only added, and each holds a hash of the one before.

mod line;

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use self::line::{Head, Line};
use super::outbox::Post;
use super::{Store, StoreError};
use crate::chat::Place;
use crate::surface::Shown;

/// Where something is shown that is on no platform.
const TERMINAL: &str = "terminal";

/// Rows that are read at once when all are.
const PAGE: i64 = 1_000;

/// How long a row stands for all of its kind that follow, where it stands for more than one.
const MINUTE_MS: i64 = 60_000;

/// Something that is shown to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// `slack`, `discord` or `terminal`.
    pub platform: String,
    /// The channel's id there; empty in the terminal.
    pub channel: String,
    /// Who asked, pressed or looked, by the id there; empty in the terminal.
    pub person: String,
    /// The question's opaque id; empty where there is none.
    pub question: String,
    /// What is shown.
    pub shown: Shown,
}

impl Audited {
    /// Something that somebody is shown at a place of a platform.
    pub fn at(place: &Place, person: &str, question: &str, shown: Shown) -> Self {
        Self {
            platform: place.platform.as_str().to_owned(),
            channel: place.channel.clone(),
            person: person.to_owned(),
            question: question.to_owned(),
            shown,
        }
    }

    /// Something that is shown in the terminal.
    pub fn in_terminal(shown: Shown) -> Self {
        Self { platform: TERMINAL.to_owned(), channel: String::new(), person: String::new(), question: String::new(), shown }
    }

    /// A message of the outbox.
    pub(super) fn of(post: &Post) -> Self {
        Self::at(&post.place, post.asker.as_deref().unwrap_or_default(), &post.question, post.shown.clone())
    }
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// From 1, without a gap.
    pub number: i64,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Which kind of thing was shown.
    pub surface: String,
    /// `slack`, `discord` or `terminal`.
    pub platform: String,
    /// The channel's id there; empty in the terminal.
    pub channel: String,
    /// Who could see it; empty where nobody was admitted.
    pub audience: String,
    /// Who asked, pressed or looked, by the id there; empty in the terminal.
    pub person: String,
    /// The question's opaque id; empty where there is none.
    pub question: String,
    /// How it ended.
    pub outcome: String,
    /// The scope's id; empty where nothing was read.
    pub scope: String,
    /// The records, by their ids, in order.
    pub records: Vec<String>,
    /// The hashes of the prompts that the model was given, in order.
    pub prompts: Vec<String>,
    /// The hash of the row before and of all of this one.
    pub chain: String,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The channel's name in the settings or its id on the platform; `terminal` and `direct` are audiences too.
    pub channel: Option<String>,
    /// The person's id on the platform.
    pub person: Option<String>,
    /// From then on, milliseconds since 1970, UTC.
    pub since_ms: Option<i64>,
}

/// Whether the audit is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditState {
    /// Every row fits the one before, and none is missing.
    Whole {
        /// How many.
        n_rows: i64,
        /// The last row's hash: who noted it elsewhere can tell that nobody wrote all of it anew.
        chain: String,
    },
    /// From here on it is not: a row was changed, removed or put in.
    Broken {
        /// The first that does not fit, or is missing.
        number: i64,
    },
}

impl Store {
    /// Adds a row. Nothing may be shown before it is there.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn audit(&self, audited: &Audited, now_ms: i64) -> Result<(), StoreError> {
        let mut write = self.pool.begin().await?;
        append(&mut write, audited, now_ms).await?;
        Ok(write.commit().await?)
    }

    /// Adds a row unless one of the last minute says the same of the same person there; two that come at once may both be added.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn audit_once_a_minute(&self, audited: &Audited, now_ms: i64) -> Result<(), StoreError> {
        let query = "SELECT COUNT(*) FROM audit WHERE at_ms > $1 AND surface = $2 AND platform = $3 AND channel = $4 AND person = $5 \
                     AND audience = $6 AND scope = $7";
        let query = sqlx::query(query).bind(now_ms - MINUTE_MS).bind(audited.shown.surface.as_str()).bind(&*audited.platform);
        let query = query.bind(&*audited.channel).bind(&*audited.person).bind(&*audited.shown.audience).bind(&*audited.shown.scope);
        if query.fetch_one(&self.pool).await?.try_get::<i64, _>(0)? > 0 {
            return Ok(());
        }
        self.audit(audited, now_ms).await
    }

    /// The last rows that fit a filter, the newest last.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn audit_rows(&self, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let query = "SELECT number, at_ms, surface, platform, channel, audience, person, question, outcome, scope, records, prompts, chain \
                     FROM audit WHERE ($1 = '' OR channel = $1 OR audience = $1 OR audience = $2) AND ($3 = '' OR person = $3) \
                     AND at_ms >= $4 ORDER BY number DESC LIMIT $5";
        let channel = filter.channel.clone().unwrap_or_default();
        let query = sqlx::query(query).bind(&*channel).bind(format!("channel {channel}"));
        let query = query.bind(filter.person.clone().unwrap_or_default()).bind(filter.since_ms.unwrap_or(i64::MIN)).bind(limit);
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().rev().map(|row| Line::read(row)?.row()).collect()
    }

    /// Reads all rows and says whether each fits the one before.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn verify_audit(&self) -> Result<AuditState, StoreError> {
        // Rows may be added meanwhile: the head as it was before says which must be there, the head as it is afterwards which may.
        let before = self.audit_head().await?;
        let mut last = Head::default();
        let mut next = i64::MIN;
        loop {
            let page = self.audit_page(next).await?;
            for row in &page {
                let expected = last.number + 1;
                let Ok(line) = Line::read(row) else { return Ok(AuditState::Broken { number: expected }) };
                let fits_head = line.number != before.number || line.chain == before.chain;
                if line.number != expected || line.chain != line.hash(&last.chain) || !fits_head {
                    return Ok(AuditState::Broken { number: line.number.min(expected) });
                }
                last = Head { number: line.number, chain: line.chain };
            }
            if (page.len() as i64) < PAGE {
                break;
            }
            next = last.number + 1;
        }
        let after = self.audit_head().await?;
        Ok(match last.number {
            n if n < before.number => AuditState::Broken { number: n + 1 },
            n if n > after.number => AuditState::Broken { number: after.number + 1 },
            n_rows => AuditState::Whole { n_rows, chain: last.chain },
        })
    }

    async fn audit_head(&self) -> Result<Head, StoreError> {
        let row = sqlx::query("SELECT number, chain FROM audit_head WHERE one = 1").fetch_optional(&self.pool).await?;
        row.as_ref().map_or_else(|| Ok(Head::default()), Head::read)
    }

    async fn audit_page(&self, from: i64) -> Result<Vec<AnyRow>, StoreError> {
        let query = "SELECT number, at_ms, surface, platform, channel, audience, person, question, outcome, scope, records, prompts, chain \
                     FROM audit WHERE number >= $1 ORDER BY number LIMIT $2";
        Ok(sqlx::query(query).bind(from).bind(PAGE).fetch_all(&self.pool).await?)
    }
}

/// Adds a row behind the last one.
pub(super) async fn append(write: &mut Transaction<'_, Any>, audited: &Audited, now_ms: i64) -> Result<(), StoreError> {
    // A write first: who else adds a row, in this program or another, waits for the end of this transaction.
    let step = sqlx::query("UPDATE audit_head SET number = number + 1 WHERE one = 1").execute(&mut **write).await?;
    if step.rows_affected() != 1 {
        return Err(StoreError::Broken { what: "audit", reason: "it has no head".to_owned() });
    }
    let head = sqlx::query("SELECT number, chain FROM audit_head WHERE one = 1").fetch_one(&mut **write).await?;
    let head = Head::read(&head)?;
    let line = Line::of(audited, head.number, now_ms, &head.chain)?;
    let insert = "INSERT INTO audit (number, at_ms, surface, platform, channel, audience, person, question, outcome, scope, records, prompts, \
                  chain) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let mut insert = sqlx::query(insert).bind(line.number).bind(line.at_ms);
    for text in &line.texts {
        insert = insert.bind(text.as_str());
    }
    insert.bind(&*line.chain).execute(&mut **write).await?;
    sqlx::query("UPDATE audit_head SET chain = $1 WHERE one = 1").bind(&*line.chain).execute(&mut **write).await?;
    Ok(())
}
