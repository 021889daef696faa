//! Health, readiness and metrics, for whoever runs the program: on a loopback address, without names of people, channels or records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Service, now_ms};
use crate::chat::{PerPlatform, Platform};

/// Seconds at which the histograms are cut.
const BUCKETS: [f64; 10] = [0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0];

/// What is counted.
#[derive(Debug)]
pub struct Gauges {
    /// Events that came in.
    pub n_events: Counter,
    /// Questions that were refused.
    pub n_refused: Counter,
    /// Questions that failed.
    pub n_failed: Counter,
    /// Messages that were posted or brought up to date.
    pub n_posted: Counter,
    /// Messages that cannot be posted.
    pub n_dropped: Counter,
    /// Questions that are being answered.
    pub n_answering: Gauge,
    /// Questions that wait.
    pub n_waiting: Gauge,
    to_facts: Histogram,
    to_answer: Histogram,
    lines: PerPlatform<Line>,
}

/// How a platform is heard.
#[derive(Debug)]
struct Line {
    heard_ms: AtomicI64,
    patience_ms: AtomicI64,
    is_shut_out: AtomicBool,
}

impl Default for Line {
    fn default() -> Self {
        Self { heard_ms: AtomicI64::new(0), patience_ms: AtomicI64::new(i64::MAX), is_shut_out: AtomicBool::new(false) }
    }
}

impl Default for Gauges {
    fn default() -> Self {
        Self {
            n_events: Counter::default(),
            n_refused: Counter::default(),
            n_failed: Counter::default(),
            n_posted: Counter::default(),
            n_dropped: Counter::default(),
            n_answering: Gauge::default(),
            n_waiting: Gauge::default(),
            to_facts: Histogram::new(BUCKETS),
            to_answer: Histogram::new(BUCKETS),
            lines: PerPlatform::default(),
        }
    }
}

impl Gauges {
    /// The facts of a question went out so long after it came.
    pub(super) fn facts_after(&self, ms: i64) {
        self.to_facts.observe(ms as f64 / 1_000.0);
    }

    /// The whole answer did.
    pub(super) fn answered_after(&self, ms: i64) {
        self.to_answer.observe(ms as f64 / 1_000.0);
    }

    /// A platform was heard.
    pub fn hear(&self, platform: Platform) {
        self.lines.of(platform).heard_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// A platform lets the program in, or does not any more.
    pub fn shut_out(&self, platform: Platform, is_out: bool) {
        self.lines.of(platform).is_shut_out.store(is_out, Ordering::Relaxed);
    }

    /// A platform that was not heard for so long counts as lost. By itself none does: a quiet team is no lost one.
    pub fn lose_after(&self, platform: Platform, patience: Duration) {
        self.lines.of(platform).patience_ms.store(patience.as_millis() as i64, Ordering::Relaxed);
    }

    /// How long a platform was not heard, in milliseconds; none before its first word.
    pub fn silent_ms(&self, platform: Platform) -> Option<i64> {
        Some(self.lines.of(platform).heard_ms.load(Ordering::Relaxed)).filter(|at| *at > 0).map(|at| now_ms() - at)
    }

    /// Why a platform cannot be served now.
    fn lost(&self, platform: Platform) -> Option<String> {
        let (line, name) = (self.lines.of(platform), platform.as_str());
        if line.is_shut_out.load(Ordering::Relaxed) {
            return Some(format!("{name} does not let the program in any more; the log says why"));
        }
        match self.silent_ms(platform) {
            None => Some(format!("{name} is not connected yet")),
            Some(ms) if ms > line.patience_ms.load(Ordering::Relaxed) => Some(format!("{name} was not heard for {} seconds", ms / 1_000)),
            Some(_) => None,
        }
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("runlore");
        registry.register("events", "Events that came in", self.n_events.clone());
        registry.register("questions_refused", "Questions that were refused", self.n_refused.clone());
        registry.register("questions_failed", "Questions that failed", self.n_failed.clone());
        registry.register("messages_posted", "Messages posted or brought up to date", self.n_posted.clone());
        registry.register("messages_dropped", "Messages that cannot be posted", self.n_dropped.clone());
        registry.register("answering", "Questions that are being answered", self.n_answering.clone());
        registry.register("waiting", "Questions that wait", self.n_waiting.clone());
        registry.register("facts_seconds", "From a question to its facts", self.to_facts.clone());
        registry.register("answer_seconds", "From a question to its answer", self.to_answer.clone());
        for platform in Platform::ALL {
            let silent: Gauge = Gauge::default();
            silent.set(self.silent_ms(platform).map_or(-1, |ms| ms / 1_000));
            let (name, help) = (format!("{}_silent_seconds", platform.as_str()), "Since the platform was heard; -1 before its first word");
            registry.register(name, help, silent);
        }
        registry
    }
}

/// `/health`: the program runs. `/ready`: it can answer. `/metrics`: for Prometheus.
pub fn health_router(service: Arc<Service>) -> Router {
    Router::new().route("/health", get(|| async { "ok\n" })).route("/ready", get(ready)).route("/metrics", get(metrics)).with_state(service)
}

async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    match service.not_ready().await {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    service.gauges.n_waiting.set(service.queue().len() as i64);
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = encode(&mut text, &service.gauges.registry());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

impl Service {
    /// A platform says that it does not let the program in any more.
    pub(super) fn shut_out(&self, platform: Platform, why: &str) {
        self.gauges.shut_out(platform, true);
        tracing::error!("{} does not let the program in any more: {why}; install the app again and start anew", platform.as_str());
    }

    /// Why no question could be answered now.
    async fn not_ready(&self) -> Option<String> {
        if let Err(error) = self.store.ping().await {
            return Some(format!("the state does not serve: {error}"));
        }
        if let Err(error) = self.app.corpus.catalog.last_change().await {
            return Some(format!("the catalog does not serve: {error}"));
        }
        Platform::ALL.into_iter().filter(|platform| self.messengers.contains_key(platform)).find_map(|platform| self.gauges.lost(platform))
    }
}
