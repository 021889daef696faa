//! Folders as MLflow writes them, and broken ones.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::read;
use crate::record::Body;
use crate::run::{Point, Run, RunStatus};
use crate::source::Known;
use crate::source::folder::testing::{self, Sent, shared, write};

const EXPERIMENT: &str = "experiment_id: '7'\nlifecycle_stage: active\nname: vision\n";

fn meta(id: &str, stage: &str) -> String {
    format!(
        "artifact_uri: file:///elsewhere\nend_time: 2000\nexperiment_id: '7'\nlifecycle_stage: {stage}\nrun_id: {id}\nrun_name: named\n\
         start_time: 1000\nstatus: 4\nuser_id: ada\n"
    )
}

/// A folder with one run, `r1`.
fn sample() -> TempDir {
    let root = TempDir::new().unwrap();
    write(root.path(), "7/meta.yaml", EXPERIMENT);
    write(root.path(), "7/tags/mlflow.experiment.primaryMetric.name", "loss");
    write(root.path(), "7/r1/meta.yaml", meta("r1", "active"));
    write(root.path(), "7/r1/metrics/val/acc", "30 0.5 2\n10 nan 0\n20 inf 1 reviews abc123\n5 -inf\n");
    write(root.path(), "7/r1/params/optimizer/lr", "0.1");
    write(root.path(), "7/r1/tags/mlflow.note.content", "# Note\n");
    write(root.path(), "7/r1/artifacts/logs/error.log", "boom\n");
    write(root.path(), "7/r1/inputs/i1/meta.yaml", "source_type: DATASET\nsource_id: d1\ntags:\n  mlflow.data.context: training\n");
    write(root.path(), "7/datasets/d1/meta.yaml", "name: reviews\ndigest: abc123\n");
    root
}

fn read_all(root: &Path, known: &Known) -> Sent {
    testing::read(read, root, known).unwrap()
}

fn run<'a>(sent: &'a Sent, id: &str) -> &'a Run {
    let Body::Run(run) = &sent.record(id).body else { panic!("not a run") };
    run
}

#[test]
fn a_run_is_read_from_its_files() {
    let root = sample();
    let sent = read_all(root.path(), &Known::default());
    assert_eq!(sent.complaints, []);
    assert!(sent.listing.is_complete);
    let (record, run) = (sent.record("r1"), run(&sent, "r1"));
    assert_eq!((record.key.as_str(), record.updated_ms), ("vision/named", Some(2000)));
    assert_eq!((run.status, run.user.as_deref(), run.notes.as_deref()), (RunStatus::Failed, Some("ada"), Some("# Note\n")));
    assert_eq!(run.params, [("optimizer/lr".to_owned(), "0.1".to_owned())]);
    assert_eq!((run.datasets[0].name.as_str(), run.datasets[0].context.as_deref()), ("reviews", Some("training")));
    assert_eq!((run.texts[0].path.as_str(), run.texts[0].text.as_str()), ("logs/error.log", "boom\n"));
    let points = &run.series[0].points;
    assert_eq!(run.series[0].key, "val/acc");
    assert_eq!(points.iter().map(|point| (point.step, point.at_ms)).collect::<Vec<_>>(), [(0, 5), (0, 10), (1, 20), (2, 30)]);
    assert!(points[0].value == f64::NEG_INFINITY && points[1].value.is_nan() && points[2].value == f64::INFINITY);
    assert_eq!(points[3], Point { step: 2, value: 0.5, at_ms: 30 });
}

#[test]
fn only_what_changed_is_read_again() {
    let root = sample();
    write(root.path(), "7/r2/meta.yaml", meta("r2", "active"));
    let known = read_all(root.path(), &Known::default()).as_known();
    assert_eq!(read_all(root.path(), &known).unchanged, ["r1", "r2"]);
    write(root.path(), "7/r1/metrics/val/acc", "30 0.5 2\n");
    write(root.path(), "7/r2/meta.yaml", meta("r2", "deleted"));
    let again = read_all(root.path(), &known);
    assert_eq!(run(&again, "r1").series[0].points.len(), 1);
    assert_eq!(again.gone, ["r2"]);
}

#[test]
fn the_bin_is_left_out() {
    let root = sample();
    write(root.path(), ".trash/8/meta.yaml", EXPERIMENT);
    write(root.path(), ".trash/8/r9/meta.yaml", meta("r9", "active"));
    assert_eq!(read_all(root.path(), &Known::default()).records.len(), 1);
}

fn check(name: &str, content: impl AsRef<[u8]>, expected: Expect) {
    let root = sample();
    write(root.path(), name, content);
    let sent = read_all(root.path(), &Known::default());
    let records = sent.records.iter().map(|record| {
        let Body::Run(run) = &record.body else { panic!("not a run") };
        let n_points: usize = run.series.iter().map(|series| series.points.len()).sum();
        format!("{} with {n_points} points\n", record.native_id)
    });
    let ending = format!("complete: {}\n", sent.listing.is_complete);
    expected.assert_eq(&(records.collect::<String>() + &sent.complaints_in(root.path()) + &ending));
}

#[test]
fn a_half_written_line_is_named_and_the_good_ones_are_kept() {
    check(
        "7/r1/metrics/val/acc",
        "10 0.5 0\n20 0.6 1\n30 0.7 1",
        expect![[r#"
        r1 with 2 points
        7/r1/metrics/val/acc:3: half-written: it has no line end (r1)
        complete: true
    "#]],
    );
    check(
        "7/r1/metrics/val/acc",
        "10 0.5 0\n20\n30 wide 2\n40 0.8 3\n",
        expect![[r#"
        r1 with 2 points
        7/r1/metrics/val/acc:2: the value is missing (r1)
        7/r1/metrics/val/acc:3: `wide` is not a number (r1)
        complete: true
    "#]],
    );
}

#[test]
fn a_broken_run_counts_as_present_and_the_others_are_read() {
    check(
        "7/r2/meta.yaml",
        "run_id: [half",
        expect![[r#"
        r1 with 4 points
        7/r2/meta.yaml:1: expected string scalar at line 1, column 9 (r2)
        complete: true
    "#]],
    );
    check(
        "7/r2/meta.yaml",
        b"\0\0\0",
        expect![[r#"
        r1 with 4 points
        7/r2/meta.yaml: binary, not text (r2)
        complete: true
    "#]],
    );
}

#[test]
fn after_a_broken_experiment_nothing_is_taken_for_deleted() {
    check(
        "8/meta.yaml",
        "name: {half",
        expect![[r#"
        r1 with 4 points
        8/meta.yaml:1: expected string scalar at line 1, column 7 (-)
        complete: false
    "#]],
    );
}

#[test]
fn another_folder_is_refused() {
    let root = TempDir::new().unwrap();
    write(root.path(), "notes/a.md", "# A\n");
    let failure = testing::read(read, root.path(), &Known::default()).unwrap_err().to_string();
    assert!(failure.ends_with("is not an mlruns folder: no folder in it has a `meta.yaml` of an experiment"), "{failure}");
}

#[test]
fn mlflows_own_folder_is_read() {
    let Some(folder) = shared("trackers/mlflow/mlruns_filestore") else { return };
    let sent = read_all(&folder, &Known::default());
    assert_eq!((sent.records.len(), sent.complaints.len()), (4, 0));
    let child = run(&sent, "0a25f286ca054eac934d5be499528084");
    assert_eq!((child.name.as_str(), child.status), ("fs-0-child", RunStatus::Finished));
    assert_eq!(child.parent.as_deref(), Some("6680c62ca2844c698dfc7e202efbc2a3"));
    let parent = run(&sent, "6680c62ca2844c698dfc7e202efbc2a3");
    let keys: Vec<&str> = parent.series.iter().map(|series| series.key.as_str()).collect();
    assert_eq!(keys, ["inf", "ninf", "train/loss"]);
    assert_eq!(parent.texts[0].path, "config.yaml");
}
