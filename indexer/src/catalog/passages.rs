//! Where a hit becomes a passage: it must exist, stand in the scope, and still say what was indexed.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::changes::parse_id;
use super::sql::Sql;
use super::{Catalog, CatalogError};
use crate::leak;
use crate::record::RecordId;
use crate::space::{Hit, Passage, ReadScope};

const COLUMNS: &str = "SELECT r.id, r.kind, r.label, r.title, r.project, r.created_ms, r.url, c.ordinal, c.heading, c.body, c.hash \
                       FROM records r JOIN chunks c ON c.record = r.id WHERE 1 = 1";

impl Catalog {
    /// Admits hits under a scope, in their order; what is not there, not in scope or not the same text any more is left out.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn admit(&self, scope: &ReadScope, hits: &[Hit]) -> Result<Vec<Passage>, CatalogError> {
        let ids: Vec<String> = hits.iter().map(|hit| hit.record.to_string()).collect();
        let mut found: HashMap<(RecordId, u32), (String, Passage)> = HashMap::new();
        for some in ids.chunks(300) {
            let mut sql = Sql::new(COLUMNS);
            if !leak::is_seeded("search.unchecked") {
                sql.in_scope_again("r.space", scope);
            }
            sql.and_in("r.id", some.iter().map(String::as_str));
            for row in sql.all(self).await? {
                let (position, hash, passage) = passage(&row)?;
                found.insert((passage.record, position), (hash, passage));
            }
        }
        let admit = |hit: &Hit| {
            let (hash, passage) = found.get(&(hit.record, hit.position))?;
            let is_in_scope = scope.holds(&hit.space) || leak::is_seeded("search.unchecked");
            (*hash == hit.text_hash && is_in_scope).then(|| Passage { score: hit.score, ..passage.clone() })
        };
        Ok(hits.iter().filter_map(admit).collect())
    }

    /// All chunks of one record, in order, as passages of score 1.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn passages_of(&self, scope: &ReadScope, record: RecordId) -> Result<Vec<Passage>, CatalogError> {
        let mut sql = Sql::new(COLUMNS);
        sql.in_scope("r.space", scope).and_text(" AND r.id = ?", &record.to_string()).and(" ORDER BY c.ordinal");
        let rows = sql.all(self).await?;
        rows.iter().map(|row| Ok(passage(row)?.2)).collect()
    }
}

fn passage(row: &AnyRow) -> Result<(u32, String, Passage), CatalogError> {
    let kind: String = row.try_get(1)?;
    let passage = Passage {
        record: parse_id(&row.try_get::<String, _>(0)?)?,
        kind: kind.parse().map_err(|reason| CatalogError::Broken { what: "record kind", reason })?,
        key: row.try_get(2)?,
        title: row.try_get(3)?,
        project: row.try_get(4)?,
        created_ms: row.try_get(5)?,
        url: row.try_get(6)?,
        heading: row.try_get(8)?,
        text: row.try_get(9)?,
        score: 1.0,
    };
    Ok((row.try_get::<i64, _>(7)? as u32, row.try_get(10)?, passage))
}
