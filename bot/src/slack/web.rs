//! The Events API over HTTP: Slack posts to an address of the team's. Length and signature are checked before anything is read.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackSigningSecret;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;
use tokio::net::TcpListener;

use super::incoming::{self, Me};
use super::socket::LOOKING;
use crate::chat::{Incoming, Platform};
use crate::serve::Service;

/// Longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// How long requests that are on their way may take at the end.
const LAST_REQUESTS: std::time::Duration = std::time::Duration::from_secs(3);

/// What the routes share.
struct Door {
    service: Arc<Service>,
    me: Me,
    verifier: SlackEventSignatureVerifier,
}

/// Listens until the service ends: `/slack/events`, `/slack/commands`, `/slack/interactions`.
pub(super) async fn listen(address: SocketAddr, secret: &SecretString, me: &Me, service: Arc<Service>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let stop = service.stop().clone();
    service.gauges.hear(Platform::Slack);
    let caught_up = Arc::clone(&service);
    tokio::spawn(async move { caught_up.catch_up(crate::chat::Platform::Slack).await });
    let verifier = SlackEventSignatureVerifier::new(&SlackSigningSecret::from(secret.expose_secret().to_owned()));
    let door = Arc::new(Door { service, me: me.clone(), verifier });
    let router = Router::new()
        .route("/slack/events", post(events))
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(door);
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

async fn events(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(payload) = door.verified(&headers, &body).and_then(|body| serde_json::from_str::<Value>(body).ok()) else {
        return refused();
    };
    if payload["type"] == "url_verification" {
        return axum::Json(json!({"challenge": payload["challenge"]})).into_response();
    }
    door.take_in(incoming::event(&payload, &door.me), StatusCode::OK.into_response()).await
}

async fn commands(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(payload) = door.verified(&headers, &body).map(form) else { return refused() };
    let looking = axum::Json(json!({"response_type": "ephemeral", "text": LOOKING})).into_response();
    door.take_in(incoming::command(&payload), looking).await
}

async fn interactions(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(payload) = door.verified(&headers, &body).map(form) else { return refused() };
    let payload = payload["payload"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    door.take_in(incoming::interaction(&payload), StatusCode::OK.into_response()).await
}

impl Door {
    /// The body, where Slack signed it within the last five minutes.
    fn verified<'a>(&self, headers: &HeaderMap, body: &'a Bytes) -> Option<&'a str> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = header(SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER)?;
        let at = header(SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP)?;
        let body = std::str::from_utf8(body).ok()?;
        self.verifier.verify(signature, body, at).ok()?;
        Some(body)
    }

    /// Stores what came, and only then answers well.
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

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, "not signed by Slack\n").into_response()
}

/// The fields of a form as a JSON object of texts.
fn form(body: &str) -> Value {
    let url = format!("form:?{body}");
    let pairs = reqwest::Url::parse(&url).map(|url| url.query_pairs().into_owned().collect::<Vec<_>>()).unwrap_or_default();
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<serde_json::Map<_, _>>().into()
}
