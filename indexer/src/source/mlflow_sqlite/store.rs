//! The store's tables: which there must be, and the few queries on them.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::run::{DatasetUse, Point, Series};
use crate::source::SourceError;
use crate::source::mlflow::{self, Experiment, Pairs, RunData, RunInfo};

/// How long a lock of another program is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// What must be there; the rest of a store is of no interest, and gets new columns with nearly every version.
const NEEDED: [(&str, &[&str]); 8] = [
    ("alembic_version", &["version_num"]),
    ("experiments", &["experiment_id", "name", "lifecycle_stage"]),
    ("experiment_tags", &["key", "value", "experiment_id"]),
    ("runs", &["run_uuid", "name", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri", "experiment_id"]),
    ("metrics", &["key", "value", "timestamp", "run_uuid", "step", "is_nan"]),
    ("latest_metrics", &["key", "value", "timestamp", "run_uuid", "step", "is_nan"]),
    ("params", &["key", "value", "run_uuid"]),
    ("tags", &["key", "value", "run_uuid"]),
];
/// Where datasets stand; older stores have none.
const DATASETS: [&str; 3] = ["datasets", "inputs", "input_tags"];

const EXPERIMENTS: &str = "SELECT CAST(experiment_id AS INTEGER), COALESCE(name, ''), COALESCE(lifecycle_stage, '') FROM experiments";
const EXPERIMENT_TAGS: &str = "SELECT CAST(experiment_id AS INTEGER), key, COALESCE(value, '') FROM experiment_tags ORDER BY key";
const RUNS: &str = "
    SELECT r.run_uuid, CAST(COALESCE(r.experiment_id, -1) AS INTEGER),
           COALESCE(NULLIF(r.name, ''), (SELECT t.value FROM tags t WHERE t.run_uuid = r.run_uuid AND t.key = 'mlflow.runName'), ''),
           COALESCE(r.user_id, ''), COALESCE(r.status, ''), CAST(r.start_time AS INTEGER), CAST(r.end_time AS INTEGER),
           COALESCE(r.artifact_uri, ''), COALESCE(r.lifecycle_stage, '')
    FROM runs r";
const PARAMS: &str = "SELECT key, COALESCE(value, '') FROM params WHERE run_uuid = $1 ORDER BY key";
const TAGS: &str = "SELECT key, COALESCE(value, '') FROM tags WHERE run_uuid = $1 ORDER BY key";
const POINTS: &str = "
    SELECT key, CAST(step AS INTEGER), CAST(timestamp AS INTEGER), CAST(value AS REAL), CAST(is_nan AS INTEGER)
    FROM metrics WHERE run_uuid = $1 ORDER BY key, step, timestamp, value";
const RUN_DATASETS: &str = "
    SELECT d.name, d.digest, (SELECT t.value FROM input_tags t WHERE t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context')
    FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
    WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = $1 ORDER BY d.name, d.digest";
/// Each gives run id and text; every change of a run shows in one of them.
const DIGESTS: [&str; 4] = [
    "SELECT run_uuid, json_array(key, value) FROM params ORDER BY run_uuid, key",
    "SELECT run_uuid, json_array(key, value) FROM tags ORDER BY run_uuid, key",
    "SELECT run_uuid, json_array(key, value, timestamp, step, is_nan) FROM latest_metrics ORDER BY run_uuid, key",
    "SELECT run_uuid, json_array(key, COUNT(*)) FROM metrics GROUP BY run_uuid, key ORDER BY run_uuid, key",
];
const DATASET_DIGEST: &str = "SELECT destination_id, json_array(source_id, input_uuid) FROM inputs WHERE destination_type = 'RUN' ORDER BY destination_id, source_id";

/// An open store.
pub(super) struct Store {
    pool: SqlitePool,
    path: String,
    has_datasets: bool,
}

/// A run as listed.
pub(super) struct StoredRun {
    pub(super) info: RunInfo,
    pub(super) experiment_id: i64,
}

/// What is read only of changed runs.
pub(super) struct Contents {
    pub(super) data: RunData,
    pub(super) series: Vec<Series>,
}

/// Why a run could not be read.
pub(super) enum RunError {
    /// Something in this run's rows.
    Unreadable(String),
    /// The store as a whole.
    Store(SourceError),
}

type RunRow = (String, i64, String, String, String, Option<i64>, Option<i64>, String, String);

impl Store {
    /// Opens the store and checks that it is one.
    ///
    /// # Errors
    /// See `mlflow_sqlite::read`.
    pub(super) async fn open(path: &Path) -> Result<Self, SourceError> {
        let place = path.display().to_string();
        if !path.is_file() {
            let reason = if path.is_dir() { "it is a folder" } else { "no such file" };
            return Err(SourceError::Unreadable { place, reason: reason.to_owned() });
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false).busy_timeout(LOCK_WAIT);
        match Self::connect(place.clone(), options.clone()).await {
            Err(SourceError::Unreadable { reason, .. }) if reason.contains("unable to open") && has_no_log(path) => {
                Self::connect(place, options.immutable(true)).await
            }
            result => result,
        }
    }

    async fn connect(place: String, options: SqliteConnectOptions) -> Result<Self, SourceError> {
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool = pool.map_err(|error| failure(&place, &error))?;
        let mut store = Self { pool, path: place, has_datasets: false };
        store.check().await?;
        store.has_datasets = store.missing_of(&DATASETS).await?.is_none();
        Ok(store)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// How a run of this store is named in complaints.
    pub(super) fn place(&self, run_id: &str) -> String {
        format!("{}: run {run_id}", self.path)
    }

    async fn check(&self) -> Result<(), SourceError> {
        let tables = NEEDED.map(|(table, _)| table);
        if let Some(table) = self.missing_of(&tables).await? {
            return Err(self.strange(format!("it has no table `{table}`")));
        }
        for (table, columns) in NEEDED {
            let there: Vec<String> = self.scalars("SELECT name FROM pragma_table_info($1)", table).await?;
            if let Some(column) = columns.iter().find(|column| !there.iter().any(|name| name == *column)) {
                return Err(self.strange(format!("its table `{table}` has no column `{column}`")));
            }
        }
        let versions: Vec<String> = self.scalars("SELECT version_num FROM alembic_version WHERE $1 = $1", "").await?;
        if versions.is_empty() { Err(self.strange("its schema has no version".to_owned())) } else { Ok(()) }
    }

    async fn missing_of(&self, tables: &[&'static str]) -> Result<Option<&'static str>, SourceError> {
        for table in tables.iter().copied() {
            let found = self.scalars("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1", table).await?;
            if found.is_empty() {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    async fn scalars(&self, sql: &'static str, argument: &str) -> Result<Vec<String>, SourceError> {
        sqlx::query_scalar(sql).bind(argument).fetch_all(&self.pool).await.map_err(|e| failure(&self.path, &e))
    }

    fn strange(&self, reason: String) -> SourceError {
        SourceError::NotWhatItShouldBe { place: self.path.clone(), expected: "an MLflow store", reason }
    }

    /// Every experiment, by its number.
    pub(super) async fn experiments(&self) -> Result<HashMap<i64, Experiment>, SourceError> {
        let failed = |e: sqlx::Error| failure(&self.path, &e);
        let rows: Vec<(i64, String, String)> = sqlx::query_as(EXPERIMENTS).fetch_all(&self.pool).await.map_err(failed)?;
        let tags: Vec<(i64, String, String)> = sqlx::query_as(EXPERIMENT_TAGS).fetch_all(&self.pool).await.map_err(failed)?;
        let one = |(id, name, stage): (i64, String, String)| {
            (id, Experiment { id: id.to_string(), name, is_deleted: stage == "deleted", tags: Vec::new() })
        };
        let mut experiments: HashMap<i64, Experiment> = rows.into_iter().map(one).collect();
        for (id, key, value) in tags {
            if let Some(experiment) = experiments.get_mut(&id) {
                experiment.tags.push((key, value));
            }
        }
        Ok(experiments)
    }

    /// Every run, in no order.
    pub(super) async fn runs(&self) -> Result<Vec<StoredRun>, SourceError> {
        let rows: Vec<RunRow> = sqlx::query_as(RUNS).fetch_all(&self.pool).await.map_err(|e| failure(&self.path, &e))?;
        Ok(rows.into_iter().map(stored_run).collect())
    }

    /// For each run a digest of what belongs to it.
    pub(super) async fn digests(&self) -> Result<HashMap<String, String>, SourceError> {
        let mut hashers: HashMap<String, Sha256> = HashMap::new();
        for sql in DIGESTS.into_iter().chain(self.has_datasets.then_some(DATASET_DIGEST)) {
            let mut rows = sqlx::query_as::<_, (String, String)>(sql).fetch(&self.pool);
            while let Some((run, text)) = rows.try_next().await.map_err(|e| failure(&self.path, &e))? {
                let hasher = hashers.entry(run).or_default();
                hasher.update(text);
                hasher.update([0]);
            }
        }
        Ok(hashers.into_iter().map(|(run, hasher)| (run, hex(&hasher.finalize()))).collect())
    }

    /// Everything that belongs to one run.
    pub(super) async fn contents(&self, run_id: &str) -> Result<Contents, RunError> {
        let failed = |e: sqlx::Error| self.run_error(&e);
        let params: Pairs = sqlx::query_as(PARAMS).bind(run_id).fetch_all(&self.pool).await.map_err(failed)?;
        let tags: Pairs = sqlx::query_as(TAGS).bind(run_id).fetch_all(&self.pool).await.map_err(failed)?;
        let points: Vec<(String, i64, i64, f64, i64)> = sqlx::query_as(POINTS).bind(run_id).fetch_all(&self.pool).await.map_err(failed)?;
        let datasets = if self.has_datasets { self.datasets(run_id).await.map_err(failed)? } else { Vec::new() };
        let series = mlflow::group(
            points
                .into_iter()
                .map(|(key, step, at_ms, stored, is_nan)| (key, Point { step, value: mlflow::value(stored, is_nan != 0), at_ms })),
        );
        Ok(Contents { data: RunData { params, tags, datasets }, series })
    }

    async fn datasets(&self, run_id: &str) -> Result<Vec<DatasetUse>, sqlx::Error> {
        let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(RUN_DATASETS).bind(run_id).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(name, digest, context)| DatasetUse { name, digest, context }).collect())
    }

    fn run_error(&self, error: &sqlx::Error) -> RunError {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => RunError::Unreadable(error.to_string()),
            error => RunError::Store(failure(&self.path, error)),
        }
    }
}

/// Whether nothing waits in a write-ahead log: a store with such a log in a folder where its side files cannot be made opens
/// only as one that does not change.
fn has_no_log(path: &Path) -> bool {
    let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap_or_default().to_string_lossy()));
    std::fs::metadata(log).map_or(true, |data| data.len() == 0)
}

fn stored_run((id, experiment_id, name, user, status, started_ms, ended_ms, artifact_uri, stage): RunRow) -> StoredRun {
    let is_deleted = stage == "deleted";
    StoredRun { info: RunInfo { id, name, user, status, started_ms, ended_ms, artifact_uri, is_deleted }, experiment_id }
}

/// What the library's error means for the whole store.
fn failure(path: &str, error: &sqlx::Error) -> SourceError {
    let place = path.to_owned();
    let message = match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        error => error.to_string(),
    };
    match message.as_str() {
        text if text.contains("not a database") || text.contains("malformed") => {
            SourceError::NotWhatItShouldBe { place, expected: "an MLflow store", reason: message }
        }
        text if text.contains("locked") => {
            let reason = format!("another program kept it locked for {} s", LOCK_WAIT.as_secs());
            SourceError::Unreadable { place, reason }
        }
        _ => SourceError::Unreadable { place, reason: message },
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
