//! The answers: who saw what, and what lies behind the buttons.

use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError, from_json, to_json};
use crate::chat::{Basis, Reply};

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The channel's name in the settings, or whose direct messages.
    pub audience: String,
    /// The asker.
    pub person: String,
    /// The scope's id.
    pub scope: String,
    /// Records that it rests on, the most important first.
    pub records: Vec<String>,
    /// The whole reply, of which the message may show a part.
    pub reply: Reply,
    /// How it was looked up, a line each.
    pub details: Vec<String>,
    /// What it was made of.
    pub basis: Basis,
    /// Until the facts were there, milliseconds.
    pub facts_ms: i64,
    /// Until all was there, milliseconds.
    pub answer_ms: i64,
}

impl Store {
    /// What is kept of the answer to a question; nothing of one that was forgotten.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn kept(&self, question: &str) -> Result<Option<Kept>, StoreError> {
        let query = "SELECT audience, person, scope, records, reply, details, facts_ms, answer_ms, basis \
                     FROM answers WHERE question = $1 AND reply <> ''";
        let Some(row) = sqlx::query(query).bind(question).fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(Kept {
            audience: row.try_get(0)?,
            person: row.try_get(1)?,
            scope: row.try_get(2)?,
            records: from_json("list of records", &row.try_get::<String, _>(3)?)?,
            reply: from_json("reply", &row.try_get::<String, _>(4)?)?,
            details: from_json("list of details", &row.try_get::<String, _>(5)?)?,
            facts_ms: row.try_get(6)?,
            answer_ms: row.try_get(7)?,
            basis: basis(&row.try_get::<String, _>(8)?)?,
        }))
    }

    /// The mean time that the last answers to somebody took, in milliseconds; none before the first.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn mean_answer_ms(&self) -> Result<Option<i64>, StoreError> {
        let query = "SELECT answer_ms FROM answers WHERE person <> '' ORDER BY at_ms DESC LIMIT 20";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        let times = rows.iter().map(|row| row.try_get::<i64, _>(0)).collect::<Result<Vec<_>, _>>()?;
        Ok((!times.is_empty()).then(|| times.iter().sum::<i64>() / times.len() as i64))
    }
}

/// Answers of which nothing is told rest on everything, from the beginning.
pub(super) fn basis(text: &str) -> Result<Basis, StoreError> {
    if text.is_empty() { Ok(Basis { is_whole: true, ..Basis::default() }) } else { from_json("basis", text) }
}

pub(super) async fn keep(write: &mut Transaction<'_, Any>, question: &str, kept: &Kept, now_ms: i64) -> Result<(), StoreError> {
    let insert = "INSERT INTO answers (question, at_ms, audience, person, scope, records, reply, details, facts_ms, answer_ms, basis) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (question) DO NOTHING";
    let insert = sqlx::query(insert).bind(question).bind(now_ms).bind(&*kept.audience).bind(&*kept.person).bind(&*kept.scope);
    let insert = insert.bind(to_json(&kept.records)?).bind(to_json(&kept.reply)?).bind(to_json(&kept.details)?);
    insert.bind(kept.facts_ms).bind(kept.answer_ms).bind(to_json(&kept.basis)?).execute(&mut **write).await?;
    Ok(())
}
