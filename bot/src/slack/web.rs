//! The Events API over HTTP: Slack posts to an address of the team's, the only door that is open to the outside.
//!
//! What Slack did not sign within the last minutes is refused: heads that cannot be right before a byte of the body is read, the rest
//! before anything in it is. What Slack signed and sends again, or somebody who saw it, is one event in the inbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackSigningSecret;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier as Verifier;
use tokio::net::TcpListener;

use super::incoming::{self, Me};
use super::socket::LOOKING;
use crate::chat::{Incoming, Platform};
use crate::serve::Service;

/// Longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// How long a body may take; Slack itself waits three seconds for all of it.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// How long requests that are on their way may take at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Hexadecimal digits of a signature, and most digits of its time.
const N_DIGITS: usize = 64;
const MAX_TIME_DIGITS: usize = 12;

/// What the routes share.
struct Door {
    service: Arc<Service>,
    me: Me,
    verifier: Verifier,
}

/// Listens until the service ends: `/slack/events`, `/slack/commands`, `/slack/interactions`.
pub(super) async fn listen(address: SocketAddr, secret: &SecretString, me: &Me, service: Arc<Service>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let stop = service.stop().clone();
    service.gauges.hear(Platform::Slack);
    let caught_up = Arc::clone(&service);
    tokio::spawn(async move { caught_up.catch_up(Platform::Slack).await });
    let router = routes(secret, me, service);
    let serve = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let too_long = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    tokio::select! {
        served = async { serve.await } => served.context("Slack's events are not served any more"),
        () = too_long => Ok(()),
    }
}

/// What Slack posts to: `/slack/events`, `/slack/commands`, `/slack/interactions`.
pub fn routes(secret: &SecretString, me: &Me, service: Arc<Service>) -> Router {
    let verifier = Verifier::new(&SlackSigningSecret::from(secret.expose_secret().to_owned()));
    Router::new()
        .route("/slack/events", post(events))
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(Door { service, me: me.clone(), verifier }))
}

async fn events(State(door): State<Arc<Door>>, Signed(body): Signed) -> Response {
    let Some(payload) = object(&body) else { return Refused(StatusCode::BAD_REQUEST).into_response() };
    if payload["type"] == "url_verification" {
        return axum::Json(json!({"challenge": payload["challenge"]})).into_response();
    }
    door.take_in(incoming::event(&payload, &door.me), StatusCode::OK.into_response()).await
}

async fn commands(State(door): State<Arc<Door>>, Signed(body): Signed) -> Response {
    let Some(payload) = form(&body) else { return Refused(StatusCode::BAD_REQUEST).into_response() };
    let looking = axum::Json(json!({"response_type": "ephemeral", "text": LOOKING})).into_response();
    door.take_in(incoming::command(&payload), looking).await
}

async fn interactions(State(door): State<Arc<Door>>, Signed(body): Signed) -> Response {
    let payload = form(&body).and_then(|form| object(form["payload"].as_str()?));
    let Some(payload) = payload else { return Refused(StatusCode::BAD_REQUEST).into_response() };
    door.take_in(incoming::interaction(&payload), StatusCode::OK.into_response()).await
}

impl Door {
    /// Stores what came, and only then answers well. What came before is stored already, and nothing happens again.
    async fn take_in(&self, incoming: Option<Incoming>, well: Response) -> Response {
        self.service.gauges.hear(Platform::Slack);
        let Some(incoming) = incoming else { return well };
        match self.service.take_in(&incoming).await {
            Ok(()) => well,
            Err(error) => {
                tracing::error!("an event could not be stored and is not acknowledged: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A body that Slack signed within the last five minutes.
struct Signed(String);

impl FromRequest<Arc<Door>> for Signed {
    type Rejection = Refused;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Refused> {
        let Claim { signature, at } = Claim::of(request.headers())?;
        let read = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, door)).await;
        let body = read.map_err(|_| Refused(StatusCode::REQUEST_TIMEOUT))?.map_err(|wrong| Refused(wrong.status()))?;
        let body = String::from_utf8(body.to_vec()).map_err(|_| NOT_SIGNED)?;
        door.verifier.verify(&signature, &body, &at).map_err(|_| NOT_SIGNED)?;
        Ok(Self(body))
    }
}

/// What a request says of its signature, in the one form that Slack writes.
struct Claim {
    signature: String,
    at: String,
}

impl Claim {
    /// Refuses what cannot be right, whatever the body is: a length beyond the longest, a signature or a time that is missing, there
    /// twice or written otherwise, a time too far from now.
    fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let signature = only(headers, Verifier::SLACK_SIGNED_HASH_HEADER).filter(|text| is_signature(text)).ok_or(NOT_SIGNED)?;
        let at = only(headers, Verifier::SLACK_SIGNED_TIMESTAMP).filter(|text| is_recent(text)).ok_or(NOT_SIGNED)?;
        Ok(Self { signature: signature.to_owned(), at: at.to_owned() })
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn is_signature(text: &str) -> bool {
    let digits = text.strip_prefix("v0=").unwrap_or_default();
    digits.len() == N_DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Seconds since 1970, digits alone, at most five minutes from now in either direction.
fn is_recent(text: &str) -> bool {
    let is_number = text.len() <= MAX_TIME_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = text.parse::<i64>().ok().filter(|_| is_number);
    at.is_some_and(|at| (Timestamp::now().as_second() - at).abs() <= Verifier::MAX_TIMESTAMP_AGE_SECONDS)
}

/// Why a request is not taken, without saying more than who sent it may know.
struct Refused(StatusCode);

/// One answer for every signature that is not right.
const NOT_SIGNED: Refused = Refused(StatusCode::UNAUTHORIZED);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let words = if self.0 == StatusCode::UNAUTHORIZED { "not signed by Slack\n" } else { "not as Slack sends it\n" };
        (self.0, words).into_response()
    }
}

/// A JSON object.
fn object(text: &str) -> Option<Value> {
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

/// The fields of a form as a JSON object of texts. In a form quotes, braces and blanks stand escaped: what Slack signed for another
/// address, JSON with somebody's words in it, is none.
fn form(body: &str) -> Option<Value> {
    let is_escaped = body.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte));
    let url = reqwest::Url::parse(&format!("form:?{body}")).ok().filter(|_| is_escaped)?;
    let pairs = url.query_pairs().into_owned();
    Some(pairs.map(|(name, value)| (name, Value::String(value))).collect::<serde_json::Map<_, _>>().into())
}
