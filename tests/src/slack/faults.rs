//! Faults that a test orders, by method and count, and how each is carried out.

use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::listener::Wire;
use super::lock;

/// A fault in wait.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The Web API method, `response_url`, `upload`, or `*` for whatever comes.
    pub method: &'static str,
    /// What goes wrong.
    pub what: What,
    /// How many calls it hits; `usize::MAX` is for ever.
    pub times: usize,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The call has no effect and is answered with this status and no body.
    Status(u16),
    /// The call has no effect and is answered with 429.
    RateLimited {
        /// The header `Retry-After`, in seconds.
        retry_after_s: u64,
    },
    /// The call has no effect and its connection is reset.
    Reset,
    /// The call takes effect; the connection stays open without an answer for this long (Slack: 20 s or more), then it is reset.
    TimeoutAfterDelivery(Duration),
    /// The call takes effect and its connection is reset.
    ResetAfterDelivery,
    /// The call takes effect and is answered with this status and no body.
    StatusAfterDelivery(u16),
    /// The call takes effect after this delay and is answered.
    Slow(Duration),
    /// The call has no effect and is answered `"ok": false` with this error.
    Error(&'static str),
    /// The call has no effect: the token lacks a scope.
    MissingScope {
        /// The scope that the method needs.
        needed: &'static str,
        /// The scopes that the token has, parted by commas.
        provided: &'static str,
    },
}

/// The faults in wait; the first that fits a call is taken.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

/// What a call is answered with.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: Value,
}

impl Faults {
    /// Adds a fault.
    pub fn push(&self, fault: Fault) {
        lock(&self.0).push(fault);
    }

    /// Takes all back that are still in wait.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    pub(super) fn take(&self, method: &str) -> Option<What> {
        let mut faults = lock(&self.0);
        let fault = faults.iter_mut().find(|fault| fault.times > 0 && (fault.method == method || fault.method == "*"))?;
        if fault.times != usize::MAX {
            fault.times -= 1;
        }
        Some(fault.what.clone())
    }
}

impl What {
    /// The answer to a call that the fault keeps from taking effect.
    pub(super) fn instead(&self) -> Option<Reply> {
        let refused = |body| Some(Reply { status: 200, retry_after_s: None, body });
        match self {
            Self::Status(status) => Some(Reply { status: *status, retry_after_s: None, body: Value::Null }),
            Self::RateLimited { retry_after_s } => {
                Some(Reply { status: 429, retry_after_s: Some(*retry_after_s), body: json!({ "ok": false, "error": "ratelimited" }) })
            }
            Self::Reset => refused(Value::Null),
            Self::Error(error) => refused(json!({ "ok": false, "error": error })),
            Self::MissingScope { needed, provided } => {
                refused(json!({ "ok": false, "error": "missing_scope", "needed": needed, "provided": provided }))
            }
            Self::TimeoutAfterDelivery(_) | Self::ResetAfterDelivery | Self::StatusAfterDelivery(_) | Self::Slow(_) => None,
        }
    }
}

/// Sends the reply off, or keeps it from arriving.
pub(super) async fn finish(fault: Option<What>, wire: &Wire, mut reply: Reply) -> Response {
    match fault {
        Some(What::Reset | What::ResetAfterDelivery) => wire.cut(),
        Some(What::TimeoutAfterDelivery(open)) => {
            tokio::time::sleep(open).await;
            wire.cut();
        }
        Some(What::StatusAfterDelivery(status)) => reply = Reply { status, retry_after_s: None, body: Value::Null },
        _ => {}
    }
    let body = if reply.body.is_null() { String::new() } else { reply.body.to_string() };
    let mut response = (StatusCode::from_u16(reply.status).unwrap_or_default(), body).into_response();
    let json = axum::http::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert("content-type", json);
    if let Some(seconds) = reply.retry_after_s {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}
