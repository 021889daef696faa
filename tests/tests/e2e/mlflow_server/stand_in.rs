//! What a server may do that a healthy MLflow does not: refuse, stall, answer as somebody else, cut its pages badly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use runlore_indexer::record::{Body, Record};
use runlore_indexer::source::{Item, Known, MlflowLogin, MlflowServer, SourceError};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::reading::{Reading, read};

const TIMEOUT: Duration = Duration::from_secs(20);

/// One call, as the script of a test sees it.
struct Call {
    /// The end of the path: `runs/search`.
    name: String,
    query: HashMap<String, String>,
    body: Value,
    /// How many calls of this name came before.
    n_before: usize,
}

impl Call {
    fn query(&self, key: &str) -> &str {
        self.query.get(key).map(String::as_str).unwrap_or_default()
    }
}

/// What to answer. `Silence` never does.
enum Say {
    Json(Value),
    Refuse(StatusCode, &'static str),
    Page,
    Silence,
}

type Script = dyn Fn(&Call) -> Say + Send + Sync;

struct Stage {
    script: Box<Script>,
    calls: Mutex<Vec<String>>,
}

struct StandIn {
    stage: Arc<Stage>,
    place: MlflowServer,
    task: JoinHandle<()>,
}

impl StandIn {
    async fn start(script: impl Fn(&Call) -> Say + Send + Sync + 'static) -> Self {
        let stage = Arc::new(Stage { script: Box::new(script), calls: Mutex::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(stage.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { stage, place: MlflowServer { url, login: MlflowLogin::Nobody, timeout: TIMEOUT }, task }
    }

    fn n_calls(&self, name: &str) -> usize {
        self.stage.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|call| *call == name).count()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(stage): State<Arc<Stage>>, uri: Uri, Query(query): Query<HashMap<String, String>>, body: Bytes) -> Response {
    let name = uri.path().trim_start_matches("/api/2.0/mlflow/").trim_start_matches('/').to_owned();
    let call = {
        let mut calls = stage.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let n_before = calls.iter().filter(|call| **call == name).count();
        calls.push(name.clone());
        Call { name, query, body: serde_json::from_slice(&body).unwrap_or_default(), n_before }
    };
    match (stage.script)(&call) {
        Say::Json(value) => ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response(),
        Say::Refuse(status, text) => (status, [(header::RETRY_AFTER, "0")], text).into_response(),
        Say::Page => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], "<html>Sign in</html>").into_response(),
        Say::Silence => std::future::pending().await,
    }
}

/// One experiment with runs `a` and `b` of one point each; what a test changes it answers itself.
fn usual(call: &Call) -> Say {
    Say::Json(match call.name.as_str() {
        "experiments/search" => json!({"experiments": [{"experiment_id": "1", "name": "e", "lifecycle_stage": "active"}]}),
        "runs/search" => json!({"runs": [run("a"), run("b")]}),
        "metrics/get-history" => json!({"metrics": [{"key": "m", "value": 1.5, "timestamp": 1, "step": 0}]}),
        "artifacts/list" => json!({"root_uri": "mlflow-artifacts:/1"}),
        other => panic!("nobody asks for `{other}`"),
    })
}

fn run(id: &str) -> Value {
    json!({"info": {"run_id": id, "run_name": id, "status": "FINISHED", "start_time": 1, "lifecycle_stage": "active"},
           "data": {"metrics": [{"key": "m", "value": 1.5, "timestamp": 1, "step": 0}]}})
}

/// Fingerprints of an earlier reading, of which nothing is said to be unchanged.
fn known(ids: &[&str]) -> Known {
    Known { fingerprints: ids.iter().map(|id| ((*id).to_owned(), "of old".to_owned())).collect(), cursor: None }
}

fn failure(reading: &Reading) -> String {
    reading.end.as_ref().expect_err("the reading fails").to_string()
}

fn shown(reading: &Reading) -> Vec<String> {
    let shown = |item: &Item| match item {
        Item::Expect(_) => None,
        Item::Record(record) => Some(format!("record {}", record.native_id)),
        Item::Unchanged(id) => Some(format!("unchanged {id}")),
        Item::Gone(id) => Some(format!("gone {id}")),
        Item::Withheld(id) => Some(format!("withheld {id}")),
        Item::Complaint(complaint) => {
            let beginning: String = complaint.message.split(':').next().unwrap_or_default().to_owned();
            Some(format!("complaint {}: {beginning}", complaint.native_id.as_deref().unwrap_or("-")))
        }
    };
    reading.items.iter().filter_map(shown).collect()
}

#[tokio::test]
async fn a_web_page_is_not_mlflow() {
    let server = StandIn::start(|_| Say::Page).await;
    let reading = read(&server.place, Known::default()).await;
    assert!(failure(&reading).ends_with("is not an MLflow server: it answers with a web page"), "{}", failure(&reading));
    let server = StandIn::start(|_| Say::Json(json!({"experiments": "many"}))).await;
    assert!(failure(&read(&server.place, Known::default()).await).contains("is of another kind"));
}

#[tokio::test]
async fn a_failure_in_passing_is_tried_again() {
    let server = StandIn::start(|call| match call.name.as_str() {
        "runs/search" if call.n_before < 3 => Say::Refuse(StatusCode::SERVICE_UNAVAILABLE, "busy"),
        "metrics/get-history" if call.n_before < 1 => Say::Refuse(StatusCode::TOO_MANY_REQUESTS, "slower"),
        _ => usual(call),
    })
    .await;
    assert_eq!(shown(&read(&server.place, Known::default()).await), ["record a", "record b"]);
}

#[tokio::test]
async fn a_server_that_stays_broken_is_said_not_to_answer() {
    let server = StandIn::start(|_| Say::Refuse(StatusCode::BAD_GATEWAY, "")).await;
    let reading = read(&server.place, known(&["a"])).await;
    assert!(failure(&reading).contains("does not answer: it says `502"), "{}", failure(&reading));
    assert_eq!(server.n_calls("experiments/search"), 4);

    let mut silent = StandIn::start(|_| Say::Silence).await;
    silent.place.timeout = Duration::from_millis(100);
    let reading = read(&silent.place, known(&["a"])).await;
    assert!(failure(&reading).contains("does not answer: it takes longer than the time-out"), "{}", failure(&reading));
    assert!(shown(&reading).is_empty(), "nothing is concluded from silence");
}

#[tokio::test]
async fn access_lost_in_the_middle_loses_nothing_that_was_read() {
    let server = StandIn::start(|call| match call.name.as_str() {
        "metrics/get-history" if call.query("run_id") == "b" => Say::Refuse(StatusCode::UNAUTHORIZED, "You are not authenticated"),
        _ => usual(call),
    })
    .await;
    let reading = read(&server.place, known(&["b", "c"])).await;
    assert!(matches!(reading.end, Err(SourceError::AccessLost { status: 401, .. })));
    assert_eq!(shown(&reading), ["record a"]);
}

#[tokio::test]
async fn a_run_that_we_may_not_read_does_not_stop_the_others() {
    let server = StandIn::start(|call| match call.name.as_str() {
        "metrics/get-history" if call.query("run_id") == "a" => Say::Refuse(StatusCode::FORBIDDEN, "Permission denied"),
        _ => usual(call),
    })
    .await;
    assert_eq!(shown(&read(&server.place, Known::default()).await), ["complaint a: access lost", "withheld a", "record b"]);
}

/// A listing hides what we may not see: each known run is asked for by its id before it is given up.
#[tokio::test]
async fn an_empty_listing_deletes_nothing_by_itself() {
    let server = StandIn::start(|call| match (call.name.as_str(), call.query("run_id")) {
        ("experiments/search", _) => Say::Json(json!({})),
        ("runs/get", "denied") => Say::Refuse(StatusCode::FORBIDDEN, "Permission denied"),
        ("runs/get", "purged") => {
            Say::Refuse(StatusCode::NOT_FOUND, r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Run with id=purged not found"}"#)
        }
        ("runs/get", "there") => Say::Json(json!({"run": run("there")})),
        ("runs/get", _) => Say::Json(json!({"run": {"info": {"run_id": "binned", "lifecycle_stage": "deleted"}}})),
        _ => usual(call),
    })
    .await;
    let reading = read(&server.place, known(&["binned", "denied", "purged", "there"])).await;
    assert_eq!(shown(&reading), ["gone binned", "complaint denied: access lost", "withheld denied", "gone purged", "unchanged there"]);
    assert!(!reading.end.as_ref().unwrap().is_complete);
}

/// With access control MLflow says 403 for a run that no longer exists. Whether we lost access, a neighbour shows.
#[tokio::test]
async fn a_purged_run_is_told_from_a_denied_one_by_its_neighbour() {
    let of_experiment = |id: &str| Known { fingerprints: [("gone".to_owned(), format!("{id}:of old"))].into(), cursor: None };
    let refuses = |refused: &'static [&'static str]| {
        StandIn::start(move |call| match call.name.as_str() {
            "runs/get" if refused.contains(&call.query("run_id")) => Say::Refuse(StatusCode::FORBIDDEN, "Permission denied"),
            "runs/get" => Say::Json(json!({"run": run(call.query("run_id"))})),
            _ => usual(call),
        })
    };
    let last = |reading: &Reading| shown(reading).pop().unwrap_or_default();
    let open = refuses(&["gone"]).await;
    assert_eq!(last(&read(&open.place, of_experiment("1")).await), "gone gone");
    assert_eq!(last(&read(&open.place, of_experiment("2")).await), "withheld gone");
    let closed = refuses(&["gone", "a"]).await;
    assert_eq!(last(&read(&closed.place, of_experiment("1")).await), "withheld gone");
}

#[tokio::test]
async fn pages_that_overlap_give_each_run_once() {
    let server = StandIn::start(|call| match call.name.as_str() {
        "runs/search" if call.body["page_token"].is_null() => Say::Json(json!({"runs": [run("a"), run("b")], "next_page_token": "second"})),
        "runs/search" => Say::Json(json!({"runs": [run("b"), run("c")], "next_page_token": ""})),
        _ => usual(call),
    })
    .await;
    assert_eq!(shown(&read(&server.place, Known::default()).await), ["record a", "record b", "record c"]);
}

#[tokio::test]
async fn every_page_of_a_history_is_read() {
    let server = StandIn::start(|call| match (call.name.as_str(), call.query("page_token")) {
        ("metrics/get-history", "") => {
            assert_eq!(call.query("max_results"), "25000");
            Say::Json(json!({"metrics": [{"key": "m", "value": 2.5, "step": 7}], "next_page_token": "bW9yZQ=="}))
        }
        ("metrics/get-history", "bW9yZQ==") => Say::Json(json!({"metrics": [{"key": "m", "value": "NaN", "step": 3}]})),
        _ => usual(call),
    })
    .await;
    let reading = read(&server.place, Known::default()).await;
    let Body::Run(run) = &record(&reading, "a").body else { panic!("not a run") };
    assert_eq!(run.series[0].points.iter().map(|point| point.step).collect::<Vec<_>>(), [3, 7]);
}

fn record<'a>(reading: &'a Reading, id: &str) -> &'a Record {
    let found = reading.items.iter().find_map(|item| match item {
        Item::Record(record) if record.native_id == id => Some(record),
        _ => None,
    });
    found.expect("the record was sent")
}

#[tokio::test]
async fn without_its_artifacts_a_run_is_read_and_the_lack_is_told_once() {
    let server = StandIn::start(|call| match call.name.as_str() {
        "artifacts/list" => Say::Refuse(StatusCode::INTERNAL_SERVER_ERROR, "no credentials for the bucket"),
        _ => usual(call),
    })
    .await;
    let reading = read(&server.place, Known::default()).await;
    assert_eq!(shown(&reading), ["complaint a: its artifacts cannot be read", "record a", "record b"]);
    assert_eq!(server.n_calls("artifacts/list"), 4);
}
