//! What MLflow's words become.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use tempfile::TempDir;

use super::artifacts::{self, Listed, MAX_BYTES, Tail};
use super::{Experiment, Keys, Pairs, Placing, RunData, RunInfo, ToldRun, record, value};
use crate::record::Body;
use crate::run::{Direction, RunStatus};
use crate::source::folder::testing::write;

fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn experiment(tags: &[(&str, &str)]) -> Experiment {
    Experiment { id: "1".to_owned(), name: "vision".to_owned(), is_deleted: false, tags: pairs(tags) }
}

fn info(id: &str, name: &str) -> RunInfo {
    RunInfo { id: id.to_owned(), name: name.to_owned(), status: "FINISHED".to_owned(), ..RunInfo::default() }
}

#[test]
fn infinities_come_back_from_the_largest_numbers() {
    assert_eq!(value(1.797_693_134_862_315_7e308, false), f64::INFINITY);
    assert_eq!(value(-1.797_693_134_862_315_7e308, false), f64::NEG_INFINITY);
    assert!(value(0.0, true).is_nan());
    assert_eq!(value(1e308, false), 1e308);
}

#[test]
fn tags_with_a_field_are_lifted_and_noise_is_dropped() {
    let tags = [
        ("mlflow.note.content", "# Note"),
        ("mlflow.user", "ada"),
        ("mlflow.parentRunId", "p"),
        ("mlflow.source.git.commit", "c0ffee"),
        ("mlflow.source.git.diff", "+ secret"),
        ("mlflow.log-model.history", "[]"),
        ("mlflow.source.name", "train.py"),
        ("team", "a"),
    ];
    let told = ToldRun { info: info("r1", "a run"), data: RunData { tags: pairs(&tags), ..RunData::default() }, ..ToldRun::default() };
    let record = record(&experiment(&[]), told, Placing::default());
    assert_eq!(record.author.as_deref(), Some("ada"));
    let Body::Run(run) = record.body else { panic!("a run") };
    assert_eq!((run.notes.as_deref(), run.user.as_deref()), (Some("# Note"), Some("ada")));
    assert_eq!((run.parent.as_deref(), run.commit.as_deref()), (Some("p"), Some("c0ffee")));
    assert_eq!(run.tags, pairs(&[("mlflow.source.name", "train.py"), ("team", "a")]));
    assert_eq!(run.status, RunStatus::Finished);
}

#[test]
fn the_direction_is_the_one_that_the_experiment_declares() {
    let check = |tags: &[(&str, &str)], expected: &[(String, Direction)]| {
        assert_eq!(experiment(tags).directions(), expected, "{tags:?}");
    };
    let name = ("mlflow.experiment.primaryMetric.name", "wer");
    check(&[name, ("mlflow.experiment.primaryMetric.greaterIsBetter", "False")], &[("wer".to_owned(), Direction::Min)]);
    check(&[name, ("mlflow.experiment.primaryMetric.greaterIsBetter", "true")], &[("wer".to_owned(), Direction::Max)]);
    check(&[name], &[]);
    check(&[], &[]);
}

#[test]
fn keys_are_unique() {
    let mut keys = Keys::default();
    let one = experiment(&[]);
    assert_eq!(keys.claim(&one, &info("11111111aaaa", "twin")), "vision/twin");
    assert_eq!(keys.claim(&one, &info("22222222aaaa", "twin")), "vision/twin (22222222)");
    assert_eq!(keys.claim(&one, &info("22222222bbbb", "twin")), "vision/twin (22222222bbbb)");
    assert_eq!(keys.claim(&one, &info("33333333", "")), "vision/33333333");
}

#[test]
fn logs_come_before_settings_and_only_text_is_kept() {
    let file = |path: &str| Listed { path: path.to_owned(), size: 1, modified_ms: 0 };
    let files = ["z.yaml", "model.bin", "b.LOG", "a.txt", "noending"].map(file);
    let empty = Listed { size: 0, ..file("empty.log") };
    let chosen = artifacts::choose(files.into_iter().chain([empty]).collect());
    assert_eq!(chosen.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["b.LOG", "a.txt", "z.yaml"]);
    let many = (0..30).map(|n| file(&format!("{n}.log"))).collect();
    assert_eq!(artifacts::choose(many).len(), artifacts::MAX_FILES);
}

#[test]
fn the_end_of_a_long_text_is_kept_from_a_whole_line_on() {
    let mut tail = Tail::new(0);
    for number in 0..20_000 {
        tail.push(format!("line {number}\n").as_bytes());
    }
    let text = tail.text("a.log").unwrap();
    assert!(text.cut && text.text.starts_with("line ") && text.text.ends_with("line 19999\n"));
    assert!(text.text.len() as u64 <= MAX_BYTES);

    let mut binary = Tail::new(3);
    binary.push(b"a\0b");
    assert_eq!(binary.text("a.log"), None);
}

#[test]
fn artifacts_are_read_from_the_disk_of_the_store() {
    let root = TempDir::new().unwrap();
    write(root.path(), "artifacts/vision/r1/artifacts/logs/error.log", "boom\n");
    write(root.path(), "artifacts/vision/r1/artifacts/weights.log", b"\0\0");
    write(root.path(), "mlartifacts/1/r1/artifacts/a.txt", "served\n");
    let texts_at = |uri: &str| {
        let folder = artifacts::folder(uri, "r1", root.path())?;
        let files = artifacts::list(&folder);
        Some(artifacts::read(&folder, &files).into_iter().map(|text| (text.path, text.text)).collect::<Vec<_>>())
    };
    let log = Some(vec![("logs/error.log".to_owned(), "boom\n".to_owned())]);
    assert_eq!(texts_at("artifacts/vision/r1/artifacts"), log);
    assert_eq!(texts_at(&format!("file://{}/artifacts/vision/r1/artifacts", root.path().display())), log);
    assert_eq!(texts_at("mlflow-artifacts:/1/r1/artifacts"), Some(vec![("a.txt".to_owned(), "served\n".to_owned())]));
    assert_eq!(texts_at("s3://bucket/r1/artifacts"), None);
}

/// Whoever makes an experiment chooses where its artifacts lie; that must not open other folders of our machine to the team.
#[test]
fn a_folder_that_is_not_the_runs_own_is_not_read() {
    let root = TempDir::new().unwrap();
    write(root.path(), "secrets/a.json", "{}");
    fs::create_dir_all(root.path().join("r1")).unwrap();
    let folder = |uri: &str| artifacts::folder(uri, "r1", root.path());
    assert_eq!(folder(&format!("file://{}/secrets", root.path().display())), None);
    assert_eq!(folder("r1/../secrets"), None);
    assert_eq!(folder("secrets"), None);
}
