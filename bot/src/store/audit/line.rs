//! A row of the audit as its columns hold it, and the hash that ties it to the one before.

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::super::{StoreError, from_json, to_json};
use super::{AuditRow, Audited};
use crate::surface::Shown;

/// The last row's number and hash.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) number: i64,
    pub(super) chain: String,
}

/// A row as its columns hold it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: i64,
    pub(super) at_ms: i64,
    /// From the surface to the prompts, in the order of the columns.
    pub(super) texts: [String; 10],
    pub(super) chain: String,
}

impl Head {
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self { number: row.try_get(0)?, chain: row.try_get(1)? })
    }
}

impl Line {
    /// The row of something that is shown, behind that of this hash.
    pub(super) fn of(audited: &Audited, number: i64, at_ms: i64, before: &str) -> Result<Self, StoreError> {
        let Shown { surface, outcome, audience, scope, records, prompts } = &audited.shown;
        let Audited { platform, channel, person, question, .. } = audited;
        let mut records: Vec<&String> = records.iter().collect();
        records.sort_unstable();
        records.dedup();
        let (records, prompts) = (to_json(&records)?, to_json(prompts)?);
        let texts: [&str; 10] =
            [surface.as_str(), platform, channel, audience, person, question, outcome.as_str(), scope, &records, &prompts];
        // PostgreSQL takes no NUL in text; JSON writes it as an escape.
        let texts = texts.map(|text| text.replace('\0', ""));
        let mut line = Self { number, at_ms, texts, chain: String::new() };
        line.chain = line.hash(before);
        Ok(line)
    }

    /// The columns from the number to the chain.
    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let mut texts: [String; 10] = Default::default();
        for (i, text) in texts.iter_mut().enumerate() {
            *text = row.try_get(i + 2)?;
        }
        Ok(Self { number: row.try_get(0)?, at_ms: row.try_get(1)?, texts, chain: row.try_get(12)? })
    }

    /// The SHA-256, in hex, of the hash of the row before and of all columns, as one JSON list: nothing in it can pass for something else.
    pub(super) fn hash(&self, before: &str) -> String {
        let digest = Sha256::digest(json!([before, self.number, self.at_ms, self.texts]).to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn row(self) -> Result<AuditRow, StoreError> {
        let [surface, platform, channel, audience, person, question, outcome, scope, records, prompts] = self.texts;
        Ok(AuditRow {
            number: self.number,
            at_ms: self.at_ms,
            surface,
            platform,
            channel,
            audience,
            person,
            question,
            outcome,
            scope,
            records: from_json("list of records", &records)?,
            prompts: from_json("list of prompts", &prompts)?,
            chain: self.chain,
        })
    }
}
