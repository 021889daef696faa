//! Whether what was made of records may still be shown: they are in the scope yet, and say what they said.

use std::collections::{HashMap, HashSet};

use sqlx::Row;

use super::changes::parse_id;
use super::sql::Sql;
use super::{Catalog, CatalogError};
use crate::record::RecordId;
use crate::space::ReadScope;

/// Values of one query.
const AT_ONCE: usize = 300;

impl Catalog {
    /// The records of a scope that bear these names, each with its name; a name may be borne by several.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn bearers(&self, scope: &ReadScope, names: &[String]) -> Result<Vec<(String, RecordId)>, CatalogError> {
        let mut bearers = Vec::new();
        for some in names.chunks(AT_ONCE) {
            let mut sql = Sql::new("SELECT r.label, r.id FROM records r WHERE 1 = 1");
            sql.in_scope_again("r.space", scope).and_in("r.label", some.iter().map(String::as_str)).and(" ORDER BY r.label, r.id");
            for row in sql.all(self).await? {
                bearers.push((row.try_get(0)?, parse_id(&row.try_get::<String, _>(1)?)?));
            }
        }
        Ok(bearers)
    }

    /// Of these records those that are in the scope, each with the number of its last edit there, 0 where there was none.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn standing(&self, scope: &ReadScope, records: &[RecordId]) -> Result<HashMap<RecordId, i64>, CatalogError> {
        let mut standing = HashMap::new();
        for some in records.chunks(AT_ONCE) {
            let ids: Vec<String> = some.iter().map(RecordId::to_string).collect();
            let mut sql =
                Sql::new("SELECT r.id, c.edited FROM records r JOIN changes c ON c.record = r.id AND c.space = r.space WHERE 1 = 1");
            sql.in_scope_again("r.space", scope).and_in("r.id", ids.iter().map(String::as_str));
            for row in sql.all(self).await? {
                standing.insert(parse_id(&row.try_get::<String, _>(0)?)?, row.try_get(1)?);
            }
        }
        Ok(standing)
    }

    /// The names of these records, of whatever space, for who runs the program; those that are gone have none.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn names_of(&self, ids: &[String]) -> Result<HashMap<String, String>, CatalogError> {
        let mut names = HashMap::new();
        for some in ids.chunks(AT_ONCE) {
            let mut sql = Sql::new("SELECT id, label FROM records WHERE 1 = 1");
            sql.and_in("id", some.iter().map(String::as_str));
            for row in sql.query().fetch_all(self.pool()).await? {
                names.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        Ok(names)
    }

    /// Of these names those that a record of any space bears: of a record, of its project, or of a metric of it.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn known_names(&self, names: &[String]) -> Result<HashSet<String>, CatalogError> {
        let mut known = HashSet::new();
        for some in names.chunks(AT_ONCE) {
            for (column, table) in [("label", "records"), ("project", "records"), ("metric", "series")] {
                let mut sql = Sql::new(&format!("SELECT DISTINCT {column} FROM {table} WHERE 1 = 1"));
                sql.and_in(column, some.iter().map(String::as_str));
                for row in sql.query().fetch_all(self.pool()).await? {
                    known.insert(row.try_get(0)?);
                }
            }
        }
        Ok(known)
    }

    /// The number of the last change after which a scope as a whole holds less: a record gone, or a run edited. A count of records, and a
    /// "there is nothing of that name", are out of date from then on.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn last_loss(&self, scope: &ReadScope) -> Result<i64, CatalogError> {
        let mut sql = Sql::new(
            "SELECT COALESCE(MAX(c.edited), 0) FROM changes c LEFT JOIN records r ON r.id = c.record \
             WHERE (c.operation = 'remove' OR r.kind = 'run')",
        );
        sql.in_scope_again("c.space", scope);
        Ok(sql.query().fetch_one(self.pool()).await?.try_get(0)?)
    }

    /// Whether anything was removed from a scope, moved out of it or edited in it after a change: then what was read as of that change may
    /// hold what is gone.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn has_less_since(&self, scope: &ReadScope, change: i64) -> Result<bool, CatalogError> {
        // An edit's number is never above that of its entry, so that only later entries are looked at.
        let mut sql = Sql::new("SELECT number FROM changes WHERE 1 = 1");
        sql.and_integer(" AND number > ?", change).and_integer(" AND edited > ?", change).in_scope_again("space", scope).and(" LIMIT 1");
        Ok(sql.query().fetch_optional(self.pool()).await?.is_some())
    }
}
