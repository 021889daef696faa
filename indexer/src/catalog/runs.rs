//! Reading runs: which match, what they logged, what a card shows.

use std::collections::{HashMap, HashSet};

use globset::{Glob, GlobSetBuilder};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::changes::parse_id;
use super::sql::{Sql, at_step, number};
use super::{Catalog, CatalogError, Curve, curve};
use crate::record::RecordId;
use crate::run::{DatasetUse, Direction, RunStatus, Summary};
use crate::space::ReadScope;

/// Narrows runs. Everything that is given must match.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Exact project.
    pub project: Option<String>,
    /// Status.
    pub status: Option<RunStatus>,
    /// Glob over the name, case ignored.
    pub name: Option<String>,
    /// Params: by number where both sides are numbers, else by text.
    pub params: Vec<(String, String)>,
    /// Tags, case ignored.
    pub tags: Vec<(String, String)>,
    /// Started at or after, milliseconds since 1970, UTC.
    pub since_ms: Option<i64>,
    /// Started before, milliseconds since 1970, UTC.
    pub until_ms: Option<i64>,
}

/// One run as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The record.
    pub record: RecordId,
    /// `PROJECT/RUN`.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its project; empty where the source has none.
    pub project: String,
    /// Its number in the project.
    pub number: Option<i64>,
    /// The tracker's id.
    pub native_id: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Milliseconds since 1970, UTC.
    pub started_ms: Option<i64>,
    /// Milliseconds since 1970, UTC.
    pub ended_ms: Option<i64>,
    /// Who started it.
    pub user: Option<String>,
    /// Where to look at it.
    pub url: Option<String>,
}

/// One series' summary.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRow {
    /// The run.
    pub record: RecordId,
    /// The metric's key as logged.
    pub metric: String,
    /// Computed over every point.
    pub summary: Summary,
}

/// All that is known of one run but its curves.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCard {
    /// As in lists.
    pub row: RunRow,
    /// The tracker's word for the status.
    pub status_raw: String,
    /// The note on the run.
    pub notes: Option<String>,
    /// The commit that it ran.
    pub commit: Option<String>,
    /// Native id of the run that it is nested under.
    pub parent: Option<String>,
    /// In alphabetical order.
    pub params: Vec<(String, String)>,
    /// In alphabetical order.
    pub tags: Vec<(String, String)>,
    /// Data that it used.
    pub datasets: Vec<DatasetUse>,
    /// In alphabetical order.
    pub series: Vec<SeriesRow>,
    /// Paths of its logs and text artifacts.
    pub texts: Vec<String>,
}

const ROW: &str = "SELECT r.id, r.label, u.name, r.project, n.number, r.native_id, u.status, u.started_ms, u.ended_ms, u.user_name, r.url \
                   FROM records r JOIN runs u ON u.record = r.id \
                   LEFT JOIN run_numbers n ON n.record = r.id AND n.project = COALESCE(r.project, '') AND n.space = r.space WHERE 1 = 1";

impl Catalog {
    /// Runs that match, by project and number.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn runs(&self, scope: &ReadScope, filter: &RunFilter) -> Result<Vec<RunRow>, CatalogError> {
        let mut sql = Sql::new(ROW);
        sql.in_scope("r.space", scope);
        if let Some(project) = &filter.project {
            sql.and_text(" AND r.project = ?", project);
        }
        if let Some(status) = filter.status {
            sql.and_text(" AND u.status = ?", status.as_str());
        }
        if let Some(since) = filter.since_ms {
            sql.and_integer(" AND u.started_ms >= ?", since);
        }
        if let Some(until) = filter.until_ms {
            sql.and_integer(" AND u.started_ms < ?", until);
        }
        sql.and(" ORDER BY r.project, n.number, r.id");
        let rows = sql.all(self).await?;
        let mut runs: Vec<RunRow> = rows.iter().map(run_row).collect::<Result<_, _>>()?;
        if let Some(pattern) = &filter.name {
            // A set of one, because a single one panics where it is nested too deep.
            let glob = Glob::new(&pattern.to_lowercase()).and_then(|glob| GlobSetBuilder::new().add(glob).build()).ok();
            runs.retain(|run| glob.as_ref().is_some_and(|glob| glob.is_match(run.name.to_lowercase())));
        }
        for (name, value) in &filter.params {
            let having = self.having(scope, "params", name, |have| is_same_param(have, value)).await?;
            runs.retain(|run| having.contains(&run.record));
        }
        for (name, value) in &filter.tags {
            let having = self.having(scope, "tags", name, |have| have.eq_ignore_ascii_case(value)).await?;
            runs.retain(|run| having.contains(&run.record));
        }
        Ok(runs)
    }

    /// One run, if it is in the scope.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn run(&self, scope: &ReadScope, record: RecordId) -> Result<Option<RunRow>, CatalogError> {
        let mut sql = Sql::new(ROW);
        sql.in_scope_again("r.space", scope).and_text(" AND r.id = ?", &record.to_string());
        sql.first(self).await?.as_ref().map(run_row).transpose()
    }

    /// One run with all that a card shows, if it is in the scope.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn card(&self, scope: &ReadScope, record: RecordId) -> Result<Option<RunCard>, CatalogError> {
        let Some(row) = self.run(scope, record).await? else { return Ok(None) };
        let id = record.to_string();
        let more = sqlx::query("SELECT status_raw, notes, commit_hash, parent FROM runs WHERE record = $1")
            .bind(&*id)
            .fetch_one(self.pool())
            .await?;
        let pairs = |table: &'static str| sqlx::query(table).bind(id.clone());
        let params = pairs("SELECT name, value FROM params WHERE record = $1 ORDER BY name").fetch_all(self.pool()).await?;
        let tags = pairs("SELECT name, value FROM tags WHERE record = $1 ORDER BY name").fetch_all(self.pool()).await?;
        let datasets =
            pairs("SELECT name, digest, context FROM datasets WHERE record = $1 ORDER BY name, digest").fetch_all(self.pool()).await?;
        let texts = pairs("SELECT path FROM run_texts WHERE record = $1 ORDER BY path").fetch_all(self.pool()).await?;
        Ok(Some(RunCard {
            row,
            status_raw: more.try_get(0)?,
            notes: more.try_get(1)?,
            commit: more.try_get(2)?,
            parent: more.try_get(3)?,
            params: params.iter().map(pair).collect::<Result<_, _>>()?,
            tags: tags.iter().map(pair).collect::<Result<_, _>>()?,
            datasets: datasets.iter().map(dataset).collect::<Result<_, _>>()?,
            series: self.series_where(scope, |sql| _ = sql.and_text(" AND s.record = ?", &id)).await?,
            texts: texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?,
        }))
    }

    /// The series of one metric in these runs; runs without it are left out.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn series(&self, scope: &ReadScope, metric: &str, runs: &[RecordId]) -> Result<Vec<SeriesRow>, CatalogError> {
        let wanted: HashSet<RecordId> = runs.iter().copied().collect();
        let mut series = self.series_where(scope, |sql| _ = sql.and_text(" AND s.metric = ?", metric)).await?;
        series.retain(|row| wanted.contains(&row.record));
        Ok(series)
    }

    /// The value of one param in these runs, as logged; runs without it are left out.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn param(&self, scope: &ReadScope, name: &str, runs: &[RecordId]) -> Result<HashMap<RecordId, String>, CatalogError> {
        let wanted: HashSet<RecordId> = runs.iter().copied().collect();
        let mut sql = Sql::new("SELECT p.record, p.value FROM params p JOIN records r ON r.id = p.record WHERE 1 = 1");
        sql.in_scope("r.space", scope).and_text(" AND p.name = ?", name);
        let mut values = HashMap::new();
        for row in sql.all(self).await? {
            let record = parse_id(&row.try_get::<String, _>(0)?)?;
            if wanted.contains(&record) {
                values.insert(record, row.try_get(1)?);
            }
        }
        Ok(values)
    }

    /// The points of one series.
    ///
    /// # Errors
    /// Where the database does not serve, or holds a broken curve.
    pub async fn curve(&self, scope: &ReadScope, record: RecordId, metric: &str) -> Result<Option<Curve>, CatalogError> {
        let mut sql = Sql::new(
            "SELECT c.points, s.n FROM curves c JOIN series s ON s.record = c.record AND s.metric = c.metric \
             JOIN records r ON r.id = c.record WHERE 1 = 1",
        );
        sql.in_scope_again("r.space", scope).and_text(" AND c.record = ?", &record.to_string()).and_text(" AND c.metric = ?", metric);
        let Some(row) = sql.first(self).await? else { return Ok(None) };
        let points = curve::decode(&row.try_get::<String, _>(0)?)?;
        Ok(Some(Curve { points, n_all: row.try_get::<i64, _>(1)? as u64 }))
    }

    /// Directions that trackers declare: (project, metric) -> direction.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn directions(&self, scope: &ReadScope) -> Result<HashMap<(String, String), Direction>, CatalogError> {
        let mut sql =
            Sql::new("SELECT DISTINCT r.project, d.metric, d.direction FROM directions d JOIN records r ON r.id = d.record WHERE 1 = 1");
        sql.in_scope("r.space", scope).and(" ORDER BY r.project, d.metric, d.direction");
        let mut directions = HashMap::new();
        for row in sql.all(self).await? {
            let direction = if row.try_get::<String, _>(2)? == "min" { Direction::Min } else { Direction::Max };
            directions.insert((row.try_get::<Option<String>, _>(0)?.unwrap_or_default(), row.try_get(1)?), direction);
        }
        Ok(directions)
    }

    /// The text of one log or artifact of a run.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn run_text(&self, scope: &ReadScope, record: RecordId, path: &str) -> Result<Option<String>, CatalogError> {
        let mut sql = Sql::new("SELECT t.body FROM run_texts t JOIN records r ON r.id = t.record WHERE 1 = 1");
        sql.in_scope("r.space", scope).and_text(" AND t.record = ?", &record.to_string()).and_text(" AND t.path = ?", path);
        Ok(sql.first(self).await?.map(|row| row.try_get(0)).transpose()?)
    }

    async fn series_where(&self, scope: &ReadScope, narrow: impl FnOnce(&mut Sql)) -> Result<Vec<SeriesRow>, CatalogError> {
        let mut sql = Sql::new("SELECT s.* FROM series s JOIN records r ON r.id = s.record WHERE 1 = 1");
        sql.in_scope("r.space", scope);
        narrow(&mut sql);
        sql.and(" ORDER BY s.record, s.metric");
        sql.all(self).await?.iter().map(series_row).collect()
    }

    /// Records whose param or tag of this name has a fitting value.
    async fn having(
        &self,
        scope: &ReadScope,
        table: &str,
        name: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<HashSet<RecordId>, CatalogError> {
        let mut sql = Sql::new(&format!("SELECT p.record, p.value FROM {table} p JOIN records r ON r.id = p.record WHERE 1 = 1"));
        sql.in_scope("r.space", scope).and_text(" AND p.name = ?", name);
        let mut having = HashSet::new();
        for row in sql.all(self).await? {
            if fits(&row.try_get::<String, _>(1)?) {
                having.insert(parse_id(&row.try_get::<String, _>(0)?)?);
            }
        }
        Ok(having)
    }
}

/// By number where both are numbers, else by text, case ignored.
fn is_same_param(have: &str, wanted: &str) -> bool {
    match (have.trim().parse::<f64>(), wanted.trim().parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => have.trim().eq_ignore_ascii_case(wanted.trim()),
    }
}

fn pair(row: &AnyRow) -> Result<(String, String), CatalogError> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn dataset(row: &AnyRow) -> Result<DatasetUse, CatalogError> {
    Ok(DatasetUse { name: row.try_get(0)?, digest: row.try_get(1)?, context: row.try_get(2)? })
}

fn run_row(row: &AnyRow) -> Result<RunRow, CatalogError> {
    Ok(RunRow {
        record: parse_id(&row.try_get::<String, _>(0)?)?,
        key: row.try_get(1)?,
        name: row.try_get(2)?,
        project: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
        number: row.try_get(4)?,
        native_id: row.try_get(5)?,
        status: RunStatus::from_word(&row.try_get::<String, _>(6)?),
        started_ms: row.try_get(7)?,
        ended_ms: row.try_get(8)?,
        user: row.try_get(9)?,
        url: row.try_get(10)?,
    })
}

fn series_row(row: &AnyRow) -> Result<SeriesRow, CatalogError> {
    let count = |name: &str| row.try_get::<i64, _>(name).map(|n| n as u64);
    let summary = Summary {
        n: count("n")?,
        first: at_step(row, "first")?,
        last: at_step(row, "last")?,
        last_finite: at_step(row, "last_finite")?,
        min: at_step(row, "min")?,
        max: at_step(row, "max")?,
        mean: Some(number(row, "mean")?).filter(|mean| !mean.is_nan()),
        n_nan: count("n_nan")?,
        n_pos_inf: count("n_pos_inf")?,
        n_neg_inf: count("n_neg_inf")?,
        first_non_finite: row.try_get("first_non_finite")?,
    };
    Ok(SeriesRow { record: parse_id(&row.try_get::<String, _>("record")?)?, metric: row.try_get("metric")?, summary })
}
