//! The shapes on the wire, as servers of several versions write them. What a whole server does is tried in tests/e2e.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::wire::{ApiError, ExperimentsPage, HistoryPage, ListedRun, RunAnswer, RunsPage};
use crate::run::{DatasetUse, Point};
use crate::source::folder::testing::shared;
use crate::source::mlflow::Experiment;

fn points(json: &str) -> Vec<Point> {
    serde_json::from_str::<HistoryPage>(json).unwrap().metrics.iter().map(Point::from).collect()
}

fn run(json: &str) -> ListedRun {
    serde_json::from_str::<RunAnswer>(json).unwrap().run.into()
}

#[test]
fn values_come_as_numbers_or_text() {
    let json = r#"{"metrics": [
        {"key": "m", "value": "NaN", "timestamp": "1795231801372", "step": "5"},
        {"key": "m", "value": 1.7976931348623157e+308, "timestamp": 2, "step": 6},
        {"key": "m", "value": "-Infinity", "timestamp": 3, "step": 7},
        {"key": "m", "value": 0.012345678901234568, "timestamp": 9007199254740993, "step": -1},
        {"key": "m", "timestamp": 1}], "next_page_token": "x"}"#;
    let points = points(json);
    assert!(points[0].value.is_nan());
    assert_eq!((points[0].step, points[0].at_ms), (5, 1_795_231_801_372));
    assert_eq!((points[1].value, points[2].value), (f64::INFINITY, f64::NEG_INFINITY));
    assert_eq!((points[3].value, points[3].at_ms), (0.012_345_678_901_234_568, 9_007_199_254_740_993));
    assert_eq!(points[4], Point { step: 0, value: 0.0, at_ms: 1 });
    assert!(serde_json::from_str::<HistoryPage>(r#"{"metrics": [{"key": "m", "value": "wide"}]}"#).is_err());
}

/// Python writes as many digits as it takes to give the same number back; each must be read to the last bit.
#[test]
fn fractions_are_read_exactly() {
    let mut value: f64 = 0.1;
    for _ in 0..10_000 {
        value = (value * 3.9) * (1.0 - value);
        let json = format!(r#"{{"metrics": [{{"value": {value:?}}}]}}"#);
        assert_eq!(points(&json)[0].value.to_bits(), value.to_bits(), "{value:?}");
    }
}

#[test]
fn an_old_servers_run_is_understood() {
    let listed = run(r#"{"run": {"info": {"run_uuid": "abc", "status": "KILLED", "start_time": "7", "end_time": 0,
        "lifecycle_stage": "deleted"}, "data": {"tags": [{"key": "mlflow.runName", "value": "named by tag"}]}}}"#);
    assert_eq!((listed.info.id.as_str(), listed.info.name.as_str()), ("abc", "named by tag"));
    assert_eq!((listed.info.started_ms, listed.info.ended_ms), (Some(7), None));
    assert!(listed.info.is_deleted);
}

#[test]
fn a_fingerprint_shows_changes_and_not_the_order() {
    let print = |metrics: &str, key: &str| {
        let json = format!(r#"{{"run": {{"info": {{"run_id": "a"}}, "data": {{"metrics": [{metrics}]}}}}}}"#);
        run(&json).fingerprint(&Experiment::default(), key)
    };
    let (a, b) = (r#"{"key": "a", "value": 1.0, "step": 3}"#, r#"{"key": "b", "value": "NaN", "step": 3}"#);
    let known = print(&format!("{a},{b}"), "key");
    assert_eq!(known, print(&format!("{b},{a}"), "key"));
    assert_ne!(known, print(&format!("{a},{b}"), "other key"));
    assert_ne!(known, print(&format!("{},{b}", a.replace("3}", "4}")), "key"));
}

#[test]
fn answers_of_a_real_server_are_understood() {
    let Some(folder) = shared("trackers/mlflow") else { return };
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let experiments: ExperimentsPage = serde_json::from_str(&text("experiments_search.json")).unwrap();
    let names: Vec<String> = experiments.experiments.into_iter().map(|one| Experiment::from(one).name).collect();
    assert_eq!(names, ["nlp-finetune", "vision-baselines", "Default"]);
    assert_eq!(run(&text("runs_get_nan.json")).metrics, ["lr", "train/loss", "val/acc"]);
    let page: RunsPage = serde_json::from_str(&text("runs_search_bert.json")).unwrap();
    let datasets: Vec<DatasetUse> = page.runs.into_iter().flat_map(|one| ListedRun::from(one).data.datasets).collect();
    let reviews = DatasetUse { name: "reviews".to_owned(), digest: "664bad98".to_owned(), context: Some("training".to_owned()) };
    assert_eq!(datasets, [reviews]);
    let nothing: RunsPage = serde_json::from_str(&text("runs_search_noexp.json")).unwrap();
    assert!(nothing.runs.is_empty() && nothing.next_page_token.is_none());
    let missing: ApiError = serde_json::from_str(&text("bad_run.json")).unwrap();
    assert_eq!(missing.error_code, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(points(&text("metrics_get_history_inf.json")).iter().filter(|point| point.value == f64::INFINITY).count(), 3);
}
