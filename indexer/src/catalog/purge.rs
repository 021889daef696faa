//! What is gone from the catalog and may still stand in files that were made of it.

use std::collections::{BTreeMap, HashSet};

use sqlx::Row;

use super::sql::Sql;
use super::{Catalog, CatalogError, file_bytes, numbers, scrub};
use crate::space::Space;

/// Begin the names of what is noted: up to which edit something was cleared, and since when there is something to clear.
const CLEARED: &str = "cleared:";
const UNCLEARED: &str = "uncleared:";

/// Values of one query.
const AT_ONCE: usize = 300;

/// Chunks read at a time.
const PAGE: i64 = 2_000;

/// Something in which edits and deletions have not been cleared away yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpurged {
    /// What.
    pub of: Whole,
    /// The last edit or deletion in it.
    pub edited: i64,
    /// Since when there is something to clear, milliseconds since 1970, UTC.
    pub since_ms: i64,
}

/// What is cleared as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whole {
    /// The catalog itself.
    Catalog,
    /// The indexes of a space.
    Space(Space),
}

impl Whole {
    /// The empty label is no space.
    fn label(&self) -> &str {
        match self {
            Self::Catalog => "",
            Self::Space(space) => space.as_str(),
        }
    }
}

impl Catalog {
    /// What is to be cleared, spaces in order and the catalog last; notes since when.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn unpurged(&self, now_ms: i64) -> Result<Vec<Unpurged>, CatalogError> {
        let (cleared, since) = (self.marks(CLEARED).await?, self.marks(UNCLEARED).await?);
        let query = "SELECT space, MAX(edited) FROM changes GROUP BY space HAVING MAX(edited) > 0 ORDER BY space";
        let mut edits: Vec<(Whole, i64)> = Vec::new();
        for row in sqlx::query(query).fetch_all(self.pool()).await? {
            let space = Space::new(&row.try_get::<String, _>(0)?).map_err(|reason| CatalogError::Broken { what: "space", reason })?;
            edits.push((Whole::Space(space), row.try_get(1)?));
        }
        if let Some(last) = edits.iter().map(|(_, edited)| *edited).max() {
            edits.push((Whole::Catalog, last));
        }
        let mut unpurged = Vec::new();
        for (of, edited) in edits.into_iter().filter(|(of, edited)| cleared.get(of.label()).is_none_or(|cleared| cleared < edited)) {
            let since_ms = match since.get(of.label()) {
                Some(since_ms) => *since_ms,
                None => {
                    self.mark(UNCLEARED, of.label(), now_ms).await?;
                    now_ms
                }
            };
            unpurged.push(Unpurged { of, edited, since_ms });
        }
        Ok(unpurged)
    }

    /// Notes that this is cleared.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn note_purged(&self, purged: &Unpurged) -> Result<(), CatalogError> {
        let label = purged.of.label();
        self.mark(CLEARED, label, purged.edited).await?;
        sqlx::query("DELETE FROM meta WHERE name = $1").bind(format!("{UNCLEARED}{label}")).execute(self.pool()).await?;
        Ok(())
    }

    /// How many chunks a space has.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn n_chunks(&self, space: &Space) -> Result<i64, CatalogError> {
        let query = "SELECT COUNT(*) FROM records r JOIN chunks c ON c.record = r.id WHERE r.space = $1";
        Ok(sqlx::query(query).bind(space.as_str()).fetch_one(self.pool()).await?.try_get(0)?)
    }

    /// How large the catalog's file is; 0 on PostgreSQL.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn file_bytes(&self) -> Result<i64, CatalogError> {
        file_bytes(self.pool()).await
    }

    /// Calls with every text that is embedded, in portions.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn each_embedded(&self, mut take: impl FnMut(String)) -> Result<(), CatalogError> {
        let (mut record, mut ordinal) = (String::new(), -1_i64);
        loop {
            let query = "SELECT record, ordinal, embed FROM chunks WHERE embed IS NOT NULL AND (record > $1 OR (record = $1 AND ordinal > $2)) \
                         ORDER BY record, ordinal LIMIT $3";
            let rows = sqlx::query(query).bind(record.clone()).bind(ordinal).bind(PAGE).fetch_all(self.pool()).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            (record, ordinal) = (last.try_get(0)?, last.try_get(1)?);
            for row in &rows {
                take(row.try_get(2)?);
            }
        }
    }

    /// Forgets every kept vector but these, and the names of projects that are gone; then clears what was deleted out of the file.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn clear(&self, kept_vectors: &HashSet<String>) -> Result<(), CatalogError> {
        let rows = sqlx::query("SELECT hash FROM vectors").fetch_all(self.pool()).await?;
        let hashes = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        let gone: Vec<String> = hashes.into_iter().filter(|hash| !kept_vectors.contains(hash)).collect();
        let mut write = self.pool().begin().await?;
        for some in gone.chunks(AT_ONCE) {
            let mut sql = Sql::new("DELETE FROM vectors WHERE 1 = 1");
            sql.and_in("hash", some.iter().map(String::as_str));
            sql.query().execute(&mut *write).await?;
        }
        numbers::forget_names(&mut write).await?;
        write.commit().await?;
        scrub(self.pool()).await
    }

    /// What was noted under names that begin so, by the rest of the name.
    async fn marks(&self, beginning: &str) -> Result<BTreeMap<String, i64>, CatalogError> {
        let rows =
            sqlx::query("SELECT name, value FROM meta WHERE name LIKE $1").bind(format!("{beginning}%")).fetch_all(self.pool()).await?;
        let mut marks = BTreeMap::new();
        for row in rows {
            let (name, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if let (Some(label), Ok(value)) = (name.strip_prefix(beginning), value.parse()) {
                marks.insert(label.to_owned(), value);
            }
        }
        Ok(marks)
    }

    async fn mark(&self, beginning: &str, label: &str, value: i64) -> Result<(), CatalogError> {
        let upsert = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(upsert).bind(format!("{beginning}{label}")).bind(value.to_string()).execute(self.pool()).await?;
        Ok(())
    }
}
