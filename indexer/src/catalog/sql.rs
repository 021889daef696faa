//! Small helpers for SQL that both databases read alike.

use std::panic::Location;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Row};

use super::Catalog;
use crate::leak;
use crate::run::AtStep;
use crate::space::ReadScope;

/// `$3, $4, $5` for three values that follow two.
pub(super) fn places(n_before: usize, n: usize) -> String {
    (n_before + 1..=n_before + n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
}

/// A query under construction: text and values grow together.
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Integer(i64),
}

impl Sql {
    /// Starts with this text.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds ` AND column IN (the scope's spaces)`.
    #[track_caller]
    pub(super) fn in_scope(&mut self, column: &str, scope: &ReadScope) -> &mut Self {
        if leak::is_read_seeded(Location::caller()) { self } else { self.in_scope_again(column, scope) }
    }

    /// The same as a second lock, where the ids that are read came out of a read in scope: should an index or a name be stale.
    pub(super) fn in_scope_again(&mut self, column: &str, scope: &ReadScope) -> &mut Self {
        if scope.n_spaces() == 0 {
            self.text.push_str(" AND 1 = 0");
            return self;
        }
        self.text.push_str(&format!(" AND {column} IN ({})", places(self.values.len(), scope.n_spaces())));
        self.values.extend(scope.spaces().map(|space| Value::Text(space.as_str().to_owned())));
        self
    }

    /// Adds ` AND column IN (these)`; nothing matches an empty list.
    pub(super) fn and_in<'a>(&mut self, column: &str, texts: impl ExactSizeIterator<Item = &'a str>) -> &mut Self {
        if texts.len() == 0 {
            self.text.push_str(" AND 1 = 0");
            return self;
        }
        self.text.push_str(&format!(" AND {column} IN ({})", places(self.values.len(), texts.len())));
        self.values.extend(texts.map(|text| Value::Text(text.to_owned())));
        self
    }

    /// Adds text in which `?` stands for the value.
    pub(super) fn and_text(&mut self, text: &str, value: &str) -> &mut Self {
        self.text.push_str(&text.replace('?', &format!("${}", self.values.len() + 1)));
        self.values.push(Value::Text(value.to_owned()));
        self
    }

    /// Adds text in which `?` stands for the value.
    pub(super) fn and_integer(&mut self, text: &str, value: i64) -> &mut Self {
        self.text.push_str(&text.replace('?', &format!("${}", self.values.len() + 1)));
        self.values.push(Value::Integer(value));
        self
    }

    /// Adds text as it is.
    pub(super) fn and(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Its rows.
    pub(super) async fn all(self, catalog: &Catalog) -> Result<Vec<AnyRow>, sqlx::Error> {
        let rows = self.query().fetch_all(catalog.pool()).await?;
        catalog.work.read(rows.len());
        Ok(rows)
    }

    /// Its first row.
    pub(super) async fn first(self, catalog: &Catalog) -> Result<Option<AnyRow>, sqlx::Error> {
        let row = self.query().fetch_optional(catalog.pool()).await?;
        catalog.work.read(usize::from(row.is_some()));
        Ok(row)
    }

    /// The finished query, for what is read to answer nobody and is not counted.
    pub(super) fn query(self) -> sqlx::query::Query<'static, Any, AnyArguments> {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
            };
        }
        query
    }
}

/// A number that may be NULL or not a number.
pub(super) fn number(row: &AnyRow, column: &str) -> Result<f64, sqlx::Error> {
    Ok(row.try_get::<Option<f64>, _>(column)?.unwrap_or(f64::NAN))
}

/// A value and its step, from the columns `NAME_step` and `NAME_value`.
pub(super) fn at_step(row: &AnyRow, name: &str) -> Result<Option<AtStep>, sqlx::Error> {
    let step: Option<i64> = row.try_get(format!("{name}_step").as_str())?;
    let value = number(row, &format!("{name}_value"))?;
    Ok(step.map(|step| AtStep { value, step }))
}
