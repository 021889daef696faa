//! The calls to an MLflow server: who asks, what is tried again, and what an answer other than the wanted one means.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Request, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::wire::{ApiError, ExperimentsPage, HistoryPage, ListedRun, RunAnswer, RunsPage};
use crate::run::Point;
use crate::source::mlflow::Experiment;
use crate::source::{MlflowLogin, MlflowServer, SourceError};

/// How often a call is tried again that failed in passing.
const N_RETRIES: u32 = 3;
/// Wait before the first of them; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait that the server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Longest answer that is taken in, in bytes.
const MAX_ANSWER: usize = 256 << 20;
/// Longest message of the server that is passed on, in characters.
const MAX_MESSAGE: usize = 300;

const N_EXPERIMENTS_A_PAGE: u32 = 1_000;
const N_RUNS_A_PAGE: u32 = 1_000;
const N_POINTS_A_PAGE: &str = "25000";
const API: &str = "/api/2.0/mlflow";

/// Why a call brought nothing.
#[derive(Debug)]
pub(super) enum CallError {
    /// 401 or 403.
    Denied { place: String, status: u16 },
    /// The thing asked for does not exist.
    Missing { place: String, message: String },
    /// This one call is refused as wrong.
    Rejected { place: String, message: String },
    /// Nothing more is to be had from the server.
    Broken(SourceError),
}

impl CallError {
    /// What it means where the whole source depends on the call.
    pub(super) fn into_source(self) -> SourceError {
        match self {
            Self::Denied { place, status } => SourceError::AccessLost { place, status },
            Self::Missing { place, message } | Self::Rejected { place, message } => strange(place, message),
            Self::Broken(error) => error,
        }
    }
}

fn strange(place: String, reason: String) -> SourceError {
    SourceError::NotWhatItShouldBe { place, expected: "an MLflow server", reason }
}

/// A server, and who asks it.
pub(super) struct Client {
    http: reqwest::Client,
    server: Arc<MlflowServer>,
}

impl Client {
    pub(super) fn new(server: &MlflowServer) -> Result<Self, SourceError> {
        let http = reqwest::Client::builder().timeout(server.timeout).build();
        let http = http.map_err(|e| SourceError::NoAnswer { place: server.url.clone(), reason: chain(&e) })?;
        Ok(Self { http, server: Arc::new(server.clone()) })
    }

    /// Where a person can look at a run.
    pub(super) fn run_url(&self, experiment_id: &str, run_id: &str) -> String {
        format!("{}/#/experiments/{experiment_id}/runs/{run_id}", self.server.url)
    }

    /// How a run of this server is named in complaints.
    pub(super) fn place(&self, run_id: &str) -> String {
        format!("{}: run {run_id}", self.server.url)
    }

    /// Every experiment that we may see, those in the bin included.
    pub(super) async fn experiments(&self) -> Result<Vec<Experiment>, CallError> {
        let mut experiments = Vec::new();
        let mut token = None;
        loop {
            let body = json!({"max_results": N_EXPERIMENTS_A_PAGE, "view_type": "ALL", "page_token": token});
            let page: ExperimentsPage = self.post("/experiments/search", body).await?;
            experiments.extend(page.experiments.into_iter().map(Experiment::from));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(experiments);
            }
        }
    }

    /// Every run of an experiment, those in the bin included; a run may come twice.
    pub(super) async fn runs(&self, experiment_id: &str) -> Result<Vec<ListedRun>, CallError> {
        let mut runs = Vec::new();
        let mut token = None;
        loop {
            let body = json!({
                "experiment_ids": [experiment_id], "run_view_type": "ALL", "max_results": N_RUNS_A_PAGE,
                "order_by": ["attributes.start_time ASC"], "page_token": token,
            });
            let page: RunsPage = self.post("/runs/search", body).await?;
            runs.extend(page.runs.into_iter().map(ListedRun::from));
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(runs);
            }
        }
    }

    /// Whether a run lies in the bin. It may also be missing, or not ours to see.
    pub(super) async fn is_deleted(&self, run_id: &str) -> Result<bool, CallError> {
        let answer: RunAnswer = self.get(&format!("{API}/runs/get"), &[("run_id", run_id)]).await?;
        Ok(ListedRun::from(answer.run).info.is_deleted)
    }

    /// Every point of a metric, in the server's order.
    pub(super) async fn history(&self, run_id: &str, metric: &str) -> Result<Vec<Point>, CallError> {
        let mut points = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = vec![("run_id", run_id), ("metric_key", metric), ("max_results", N_POINTS_A_PAGE)];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let page: HistoryPage = self.get(&format!("{API}/metrics/get-history"), &query).await?;
            points.extend(page.metrics.iter().map(Point::from));
            match page.next_page_token {
                Some(next) if !next.is_empty() => token = next,
                _ => return Ok(points),
            }
        }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, CallError> {
        let request = self.request(Method::POST, &format!("{API}{path}")).json(&body);
        self.answer(request.build()).await
    }

    /// Asks for JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, CallError> {
        self.answer(self.request(Method::GET, path).query(query).build()).await
    }

    /// Asks for bytes, from the end where `tail_bytes` says so and the server can.
    pub(super) async fn open(&self, path: &str, query: &[(&str, &str)], tail_bytes: Option<u64>) -> Result<Response, CallError> {
        let mut request = self.request(Method::GET, path).query(query);
        if let Some(n) = tail_bytes {
            request = request.header(reqwest::header::RANGE, format!("bytes=-{n}"));
        }
        let response = self.send(request.build()).await?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await) }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.server.url));
        match &self.server.login {
            MlflowLogin::Nobody => request,
            MlflowLogin::Basic { username, password } => request.basic_auth(username, Some(password.expose_secret())),
            MlflowLogin::Token(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::Result<Request>) -> Result<T, CallError> {
        let response = self.send(request).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        if is_html(&response) {
            return Err(CallError::Broken(strange(self.server.url.clone(), "it answers with a web page".to_owned())));
        }
        let place = response.url().path().to_owned();
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|error| {
            CallError::Broken(strange(self.server.url.clone(), format!("the answer of `{place}` is of another kind: {error}")))
        })
    }

    /// Sends a request, again where it failed in passing.
    async fn send(&self, request: reqwest::Result<Request>) -> Result<Response, CallError> {
        let request = request.map_err(|e| self.no_answer(chain(&e)))?;
        let mut wait = FIRST_WAIT;
        for n_left in (0..=N_RETRIES).rev() {
            let Some(copy) = request.try_clone() else { break };
            let asked_wait = match self.http.execute(copy).await {
                Ok(response) if !is_passing(response.status()) => return Ok(response),
                Ok(response) if n_left == 0 => return Err(self.no_answer(format!("it says `{}`", response.status()))),
                Ok(response) => retry_after(&response),
                Err(error) if n_left == 0 || error.is_timeout() => return Err(self.no_answer(chain(&error))),
                Err(_) => None,
            };
            tokio::time::sleep(asked_wait.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
        }
        Err(self.no_answer("the request could not be sent again".to_owned()))
    }

    async fn refusal(&self, response: Response) -> CallError {
        let (status, place) = (response.status(), response.url().path().to_owned());
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return CallError::Denied { place: self.server.url.clone(), status: status.as_u16() };
        }
        let is_page = is_html(&response);
        let body = match self.body(response).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        let server = self.server.url.clone();
        match serde_json::from_slice::<ApiError>(&body) {
            Ok(error) if error.error_code == "RESOURCE_DOES_NOT_EXIST" => {
                CallError::Missing { place: server, message: format!("`{place}` says: {}", shortened(&error.message)) }
            }
            Ok(error) => CallError::Rejected { place: server, message: format!("`{place}` says: {}", shortened(&error.message)) },
            Err(_) if is_page || status == StatusCode::NOT_FOUND => {
                CallError::Broken(strange(server, format!("`{place}` answers `{status}`")))
            }
            Err(_) => CallError::Rejected { place: server, message: format!("`{place}` answers `{status}`") },
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.no_answer(chain(&e)))? {
            if body.len() + piece.len() > MAX_ANSWER {
                let reason = format!("an answer is longer than {} MiB", MAX_ANSWER >> 20);
                return Err(CallError::Broken(strange(self.server.url.clone(), reason)));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The server did not answer, for this reason.
    pub(super) fn no_answer(&self, reason: String) -> CallError {
        CallError::Broken(SourceError::NoAnswer { place: self.server.url.clone(), reason })
    }
}

/// Whether a failure may pass by itself.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn is_html(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// The wait that the server asks for, where it says so in seconds.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error of the library with its causes; never the address, which may hold a secret.
pub(super) fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it takes longer than the time-out of the settings".to_owned();
    }
    let mut cause = std::error::Error::source(error);
    let mut parts = Vec::new();
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    if parts.is_empty() { "the request failed".to_owned() } else { parts.join(": ") }
}

fn shortened(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}
