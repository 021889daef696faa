//! The addresses that the stand-in hands out beside its Web API: for answers to commands and presses, and for files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::faults::{Reply, What, finish};
use super::listener::Wire;
use super::lock;
use super::sockets::make_ephemeral;
use super::workings::{Posted, Workings, refused};

/// How often an address may be used.
const MOST_USES: usize = 5;

/// How long an address may be used.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// The answer addresses that the bot was given, by their last part.
#[derive(Default)]
pub(super) struct Hooks(Mutex<HashMap<String, Hook>>);

struct Hook {
    expires: Instant,
    n_uses: usize,
}

impl Hooks {
    /// Notes an address on its way to the bot.
    pub(super) fn issued(&self, url: Option<&str>) {
        if let Some((_, id)) = url.and_then(|url| url.rsplit_once('/')) {
            lock(&self.0).insert(id.to_owned(), Hook { expires: Instant::now() + LIFE, n_uses: 0 });
        }
    }

    /// Lets all that were given out so far expire.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        lock(&self.0).values_mut().for_each(|hook| hook.expires = now);
    }

    /// Counts a use, or says why it is none.
    fn take_use(&self, id: &str) -> Result<(), &'static str> {
        let mut hooks = lock(&self.0);
        let hook = hooks.get_mut(id).filter(|hook| hook.expires > Instant::now()).ok_or("expired_url")?;
        hook.n_uses += 1;
        if hook.n_uses > MOST_USES { Err("used_url") } else { Ok(()) }
    }
}

/// Takes an answer to a command or a press.
pub(super) async fn answer(
    State(workings): State<Arc<Workings>>,
    Path(id): Path<String>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let at = Instant::now();
    let bytes = to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let fault = workings.faults.take("response_url");
    if let Some(What::Slow(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let reply = match fault.as_ref().and_then(What::instead) {
        Some(reply) => reply,
        None => pass_on(&workings, &id, &body).await,
    };
    workings.record(Posted { method: "response_url".to_owned(), at, body, answer: reply.body.clone(), fault: fault.clone() });
    finish(fault, &wire, reply).await
}

async fn pass_on(workings: &Workings, id: &str, body: &Value) -> Reply {
    if let Err(error) = workings.hooks.take_use(id) {
        return Reply { status: 404, retry_after_s: None, body: refused(error) };
    }
    let mut body = body.clone();
    let replaces = body["replace_original"] == true || body["delete_original"] == true;
    if !replaces {
        make_ephemeral(&mut body);
    }
    let url = format!("{}/_hooks/response/{id}", workings.stand_in);
    match workings.http.post(url).json(&body).send().await {
        Ok(answer) if answer.status().is_success() => Reply { status: 200, retry_after_s: None, body: json!({ "ok": true }) },
        _ => Reply { status: 404, retry_after_s: None, body: refused("expired_url") },
    }
}

/// Passes all else on as it is: uploads and downloads.
pub(super) async fn pass_through(
    State(workings): State<Arc<Workings>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let fault = workings.faults.take("upload");
    if let Some(reply) = fault.as_ref().and_then(What::instead) {
        return finish(fault, &wire, reply).await;
    }
    let (head, body) = request.into_parts();
    let url = format!("{}{}", workings.stand_in, head.uri.path_and_query().map_or("/", |path| path.as_str()));
    let body = to_bytes(body, 64 << 20).await.unwrap_or_default();
    let mut sent = workings.http.request(head.method, url).body(body);
    for name in ["content-type", "authorization"] {
        if let Some(value) = head.headers.get(name) {
            sent = sent.header(name, value);
        }
    }
    fetch(sent).await.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}

async fn fetch(request: reqwest::RequestBuilder) -> reqwest::Result<Response> {
    let answer = request.send().await?;
    let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
    let body: Bytes = answer.bytes().await?;
    let mut response = (status, body).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    Ok(response)
}
