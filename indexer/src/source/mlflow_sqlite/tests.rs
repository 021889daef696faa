//! Stores of MLflow's own making, and files that are none.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::read;
use crate::record::Body;
use crate::run::{Run, RunStatus};
use crate::source::folder::testing::{self, Sent, shared, write};
use crate::source::{Known, Listing, Outlet, SourceError};

fn in_runtime(path: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    Runtime::new().unwrap().block_on(read(path, known.clone(), outlet.clone()))
}

fn read_all(path: &Path, known: &Known) -> Sent {
    testing::read(in_runtime, path, known).unwrap()
}

fn failure(path: &Path) -> String {
    testing::read(in_runtime, path, &Known::default()).unwrap_err().to_string()
}

/// Opens a store for changing; the test drops it before reading.
fn change(path: &Path, sql: &str) {
    Runtime::new().unwrap().block_on(async {
        let mut store = open(path).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut store).await.unwrap();
        store.close().await.unwrap();
    });
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(false).connect().await.unwrap()
}

/// Python is among the prerequisites, the command `xz` is not.
const UNPACK: &str = "import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)";

/// Unpacks a store of ../shared/data into a folder, or says why the test is not run.
fn unpacked(name: &str, folder: &TempDir) -> Option<PathBuf> {
    let packed = shared(name)?;
    let path = folder.path().join("mlflow.db");
    let is_done =
        Command::new("python3").args(["-c", UNPACK]).arg(packed).stdout(File::create(&path).unwrap()).status().is_ok_and(|s| s.success());
    if !is_done {
        println!("not run: `python3` is missing");
    }
    is_done.then_some(path)
}

fn run<'a>(sent: &'a Sent, title: &str) -> &'a Run {
    let record = sent.records.iter().find(|record| record.title == title).unwrap();
    let Body::Run(run) = &record.body else { panic!("not a run") };
    run
}

#[test]
fn a_teams_store_is_read_whole_and_then_costs_nothing() {
    let folder = TempDir::new().unwrap();
    let Some(path) = unpacked("mlflow/algoperf_v06.db.xz", &folder) else { return };
    let first = read_all(&path, &Known::default());
    let runs = first.records.iter().filter_map(|record| if let Body::Run(run) = &record.body { Some(run) } else { None });
    let n_points: usize = runs.flat_map(|run| &run.series).map(|series| series.points.len()).sum();
    assert_eq!((first.records.len(), n_points), (264, 158_312));
    assert!(first.listing.is_complete && first.complaints.is_empty());
    let n_failed = first.records.iter().filter(|r| matches!(&r.body, Body::Run(run) if run.status == RunStatus::Failed)).count();
    assert_eq!(n_failed, 4);

    let again = read_all(&path, &first.as_known());
    assert_eq!((again.records.len(), again.unchanged.len()), (0, 264));
}

#[test]
fn each_change_of_a_run_shows() {
    let folder = TempDir::new().unwrap();
    let Some(path) = unpacked("mlflow/algoperf_v06.db.xz", &folder) else { return };
    let known = read_all(&path, &Known::default()).as_known();
    let mut ids: Vec<String> = known.fingerprints.keys().cloned().collect();
    ids.sort();
    let changes = [
        "INSERT INTO tags VALUES ('mlflow.note.content', 'x', 'ID')",
        "UPDATE params SET value = 'x' WHERE run_uuid = 'ID' AND key = (SELECT MIN(key) FROM params WHERE run_uuid = 'ID')",
        // A point before the latest one: only the number of points tells.
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('m', 1, 1, 'ID', -5, 0)",
        "UPDATE runs SET name = 'x' WHERE run_uuid = 'ID'",
        "UPDATE runs SET end_time = 5 WHERE run_uuid = 'ID'",
    ];
    for (sql, id) in changes.iter().zip(&ids) {
        change(&path, &sql.replace("ID", id));
    }
    change(&path, &format!("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = '{}'", ids[5]));
    let again = read_all(&path, &known);
    let mut changed: Vec<&String> = again.records.iter().map(|record| &record.native_id).collect();
    changed.sort();
    assert_eq!(changed, ids[..5].iter().collect::<Vec<_>>());
    assert_eq!((again.gone, again.unchanged.len()), (vec![ids[5].clone()], 258));
}

#[test]
fn what_the_sample_store_holds() {
    let Some(sample) = shared("trackers/mlflow/mlflow_sqlite_sample.db") else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mlflow.db");
    fs::copy(sample, &path).unwrap();
    let sent = read_all(&path, &Known::default());
    assert!(sent.records.iter().all(|record| record.title != "deleted-run"), "what lies in the bin is not read");
    let values = |title: &str| -> Vec<f64> {
        let loss = run(&sent, title).series.iter().find(|series| series.key == "train/loss").unwrap();
        loss.points.iter().map(|point| point.value).collect()
    };
    assert!(values("resnet18-fail-nan")[3..].iter().all(|value| value.is_nan()));
    assert_eq!(values("resnet18-inf")[3..], [f64::INFINITY; 3]);
    assert_eq!(run(&sent, "trial-0").parent.as_deref(), Some("39b72a47327b46b2b063d9fb195fc19f"));
    let datasets = &run(&sent, "bert-base").datasets;
    assert_eq!((datasets[0].name.as_str(), datasets[0].context.as_deref()), ("reviews", Some("training")));
    assert_eq!(run(&sent, "killed-run").status, RunStatus::Killed);
}

#[test]
fn logs_beside_a_store_are_read() {
    let folder = TempDir::new().unwrap();
    let Some(path) = unpacked("lab/lab.db.xz", &folder) else { return };
    let Some(artifacts) = shared("lab/artifacts") else { return };
    std::os::unix::fs::symlink(artifacts, folder.path().join("artifacts")).unwrap();
    let sent = read_all(&path, &Known::default());
    let texts = sent.records.iter().filter_map(|record| if let Body::Run(run) = &record.body { run.texts.first() } else { None });
    let (n_texts, n_cut) = texts.fold((0, 0), |(n, n_cut), text| (n + 1, n_cut + usize::from(text.cut)));
    assert!(n_texts > 50, "{n_texts} runs with a log, {n_cut} of them cut");
}

#[test]
fn a_wrong_file_is_named_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(folder.path(), "notes.md", "# Not a database, but long enough that SQLite looks at it\n".repeat(100));
    assert!(failure(&at("notes.md")).contains("is not an MLflow store: file is not a database"));
    change(&at("other.db"), "CREATE TABLE users (id INTEGER)");
    assert!(failure(&at("other.db")).contains("it has no table `alembic_version`"));
    assert!(failure(&at("none.db")).ends_with("no such file"));
    assert!(failure(folder.path()).ends_with("it is a folder"));
    assert!(!at("none.db").exists(), "reading makes no file");

    let Some(sample) = shared("trackers/mlflow/mlflow_sqlite_sample.db") else { return };
    fs::copy(&sample, at("old.db")).unwrap();
    change(&at("old.db"), "ALTER TABLE latest_metrics RENAME COLUMN is_nan TO was_nan");
    assert!(failure(&at("old.db")).contains("its table `latest_metrics` has no column `is_nan`"));
    let bytes = fs::read(&sample).unwrap();
    write(folder.path(), "short.db", &bytes[..bytes.len() / 2]);
    assert!(failure(&at("short.db")).contains("malformed"));
}

#[test]
fn a_locked_store_is_said_to_be_locked() {
    let Some(sample) = shared("trackers/mlflow/mlflow_sqlite_sample.db") else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mlflow.db");
    fs::copy(sample, &path).unwrap();
    let runtime = Runtime::new().unwrap();
    let mut writer = runtime.block_on(open(&path));
    runtime.block_on(sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut writer)).unwrap();
    assert!(failure(&path).contains("another program kept it locked for 5 s"));
}

/// MLflow may write while we read; what it has committed is seen, and the file in which it lies is left alone.
#[test]
fn a_store_with_a_write_ahead_log_is_read_with_it() {
    let Some(sample) = shared("trackers/mlflow/mlflow_sqlite_sample.db") else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mlflow.db");
    fs::copy(sample, &path).unwrap();
    change(&path, "PRAGMA journal_mode = WAL");
    let runtime = Runtime::new().unwrap();
    let mut writer = runtime.block_on(open(&path));
    let sql = "BEGIN; UPDATE runs SET name = 'committed' WHERE name = 'bert-base'; COMMIT; BEGIN; UPDATE runs SET name = 'not yet'";
    runtime.block_on(sqlx::raw_sql(sql).execute(&mut writer)).unwrap();
    let sent = read_all(&path, &Known::default());
    assert_eq!(run(&sent, "committed").status, RunStatus::Finished);
    assert!(sent.records.iter().all(|record| record.title != "not yet"));
}
