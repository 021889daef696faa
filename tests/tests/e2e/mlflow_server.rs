//! A real MLflow server, with and without its access control: after two readings what Runlore has equals what the server says.
//!
//! The runs are logged, changed and dumped by MLflow's own client (tests/python/mlflow_scenario.py); the environment with MLflow
//! is made by scripts/test-venv. What a server does that no MLflow does is in `stand_in`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod reading;
mod server;
mod stand_in;

use std::collections::BTreeSet;

use runlore_indexer::run::{Direction, Summary};
use runlore_indexer::source::Known;

use self::reading::{Held, Shown};
use self::server::{Access, Scenario, Server};

#[tokio::test]
async fn what_a_server_without_access_control_says() {
    two_readings(Access::Open).await;
}

#[tokio::test]
async fn what_a_server_with_access_control_says() {
    two_readings(Access::Controlled).await;
}

async fn two_readings(access: Access) {
    let Some(server) = Server::start(access) else { return };
    let scenario = Scenario::log(&server);
    let mut held = Held::default();

    held.take(reading::read(&server.place(), Known::default()).await);
    held.assert_equals(&scenario.truth(&server), &BTreeSet::new());
    assert_long_series(&held, scenario.id("long"));
    assert_lifted(&held, &scenario);
    assert!(held.complaints.is_empty(), "{:?}", held.complaints);

    let known = held.known();
    held.take(reading::read(&server.place(), known).await);
    assert_eq!(held.n_read, 0, "nothing changed, so nothing is read again");

    let scenario = scenario.change(&server);
    let known = held.known();
    held.take(reading::read(&server.place(), known).await);
    let lost: BTreeSet<String> = match access {
        Access::Open => BTreeSet::new(),
        Access::Controlled => BTreeSet::from([scenario.id("in-closed").to_owned()]),
    };
    let truth = scenario.truth(&server);
    held.assert_equals(&truth, &lost);
    assert_changes(&held, &scenario, &truth);
}

/// The best point, the NaN and the infinity lie where a sampling of the series would miss them.
fn assert_long_series(held: &Held, id: &str) {
    let run = held.run(id);
    let summary = Summary::of(&run.series[0].points);
    let least = summary.min.expect("finite points");
    assert_eq!((least.step, least.value), (17_351, 0.012_345_678_901_234_568));
    assert_eq!((summary.n, summary.n_nan, summary.n_pos_inf), (30_000, 1, 1));
    let at = |step: usize| run.series[0].points[step].value;
    assert!(at(23_458).is_nan() && at(11_111) == f64::INFINITY);
}

fn assert_lifted(held: &Held, scenario: &Scenario) {
    let good = held.run(scenario.id("good"));
    assert_eq!(good.notes.as_deref(), Some("# Note\nwith two lines"));
    assert_eq!(good.directions, [("val/acc".to_owned(), Direction::Max)]);
    assert_eq!(held.run(scenario.id("child-0")).parent.as_deref(), Some(scenario.id("parent")));
    let failed = held.run(scenario.id("failed"));
    let long_log = failed.texts.iter().find(|text| text.path == "logs/train.out").expect("its log");
    assert!(long_log.cut && long_log.text.ends_with("line 19999\n"));
    let second = scenario.id("twin-second");
    assert_eq!(held.record(scenario.id("twin-first")).key, "vision/twin");
    assert_eq!(held.record(second).key, format!("vision/twin ({})", &second[..8]));
}

fn assert_changes(held: &Held, scenario: &Scenario, truth: &[Shown]) {
    for gone in ["to-delete", "to-purge", "in-deleted"] {
        assert!(!held.has(scenario.id(gone)), "`{gone}` was deleted");
    }
    assert_eq!(held.record(scenario.id("to-rename")).key, "vision/renamed run");
    assert_eq!(held.record(scenario.id("in-renamed")).key, "new name/in-renamed");
    assert!(held.has(scenario.id("deleted-early")), "it was restored");
    // `long` and others did not change: their histories are not fetched a second time.
    assert!(held.n_read > 0 && held.n_read < truth.len(), "{} of {}", held.n_read, truth.len());
}
