//! What people said about answers.

use serde::Serialize;
use sqlx::Row;

use super::{Store, StoreError, from_json};
use crate::chat::Event;

/// Stands for the words where nobody asked.
const OF_NOBODY: &str = "the weekly brief";

/// Whether an answer helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did.
    Useful,
    /// It did not.
    NotUseful,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Useful => "useful",
            Self::NotUseful => "not_useful",
        }
    }
}

/// One person's word on one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feedback {
    /// The question's id.
    pub id: String,
    /// Its words.
    pub question: String,
    /// Whether the answer helped.
    pub verdict: Verdict,
    /// Why not, one of the reasons offered.
    pub reason: Option<String>,
    /// Why not, in the person's words.
    pub note: Option<String>,
    /// Records that the answer rested on.
    pub records: Vec<String>,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
}

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FeedbackCounts {
    /// Useful.
    pub n_useful: i64,
    /// Not useful.
    pub n_not_useful: i64,
}

impl Store {
    /// Keeps somebody's word on an answer; the last one stands. A reason that comes without a note leaves an earlier note.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn judge(&self, question: &str, person: &str, verdict: Verdict, now_ms: i64) -> Result<(), StoreError> {
        let upsert = "INSERT INTO feedback (question, person, verdict, at_ms) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT (question, person) DO UPDATE SET verdict = excluded.verdict, at_ms = excluded.at_ms, reason = NULL, note = NULL";
        sqlx::query(upsert).bind(question).bind(person).bind(verdict.as_str()).bind(now_ms).execute(&self.pool).await?;
        Ok(())
    }

    /// Adds why an answer was not useful.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn add_reason(&self, question: &str, person: &str, reason: &str, note: &str) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE feedback SET reason = $1, note = $2 WHERE question = $3 AND person = $4");
        update.bind(reason).bind(note.replace('\0', "")).bind(question).bind(person).execute(&self.pool).await?;
        Ok(())
    }

    /// How many of each.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn feedback_counts(&self) -> Result<FeedbackCounts, StoreError> {
        let rows = sqlx::query("SELECT verdict, COUNT(*) FROM feedback GROUP BY verdict").fetch_all(&self.pool).await?;
        let mut counts = FeedbackCounts::default();
        for row in rows {
            match row.try_get::<String, _>(0)?.as_str() {
                "useful" => counts.n_useful = row.try_get(1)?,
                _ => counts.n_not_useful = row.try_get(1)?,
            }
        }
        Ok(counts)
    }

    /// All of it, with the questions, in the order in which it came.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn feedback(&self) -> Result<Vec<Feedback>, StoreError> {
        let query = "SELECT f.question, i.body, f.verdict, f.reason, f.note, a.records, f.at_ms FROM feedback f \
                     LEFT JOIN inbox i ON i.id = f.question JOIN answers a ON a.question = f.question ORDER BY f.at_ms, f.question, f.person";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        let mut all = Vec::new();
        for row in rows {
            let question = match row.try_get::<Option<String>, _>(1)? {
                None => OF_NOBODY.to_owned(),
                Some(body) => match from_json("event", &body)? {
                    Event::Asked(asked) => asked.text,
                    _ => continue,
                },
            };
            all.push(Feedback {
                id: row.try_get(0)?,
                question,
                verdict: if row.try_get::<String, _>(2)? == "useful" { Verdict::Useful } else { Verdict::NotUseful },
                reason: row.try_get(3)?,
                note: row.try_get(4)?,
                records: from_json("list of records", &row.try_get::<String, _>(5)?)?,
                at_ms: row.try_get(6)?,
            });
        }
        Ok(all)
    }
}
