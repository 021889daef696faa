//! What all parts of the proxy share: the addresses, the record of calls, what the stand-in does not keep.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::directory::Directory;
use super::envelope::Envelope;
use super::faults::{Faults, What};
use super::hooks::Hooks;
use super::lock;
use super::streams::Stream;
use super::switchboard::Switchboard;
use super::workspace::{APP, BOT, TEAM};

/// The command by which the proxy has the stand-in make a trigger and a response address.
pub(super) const OWN_COMMAND: &str = "/proxy-trigger";

/// A call of the Web API, or something said in another way.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The method; `response_url` for an answer to such an address, `ack` for one that came with an acknowledgement.
    pub method: String,
    /// When it came.
    pub at: Instant,
    /// The arguments.
    pub body: Value,
    /// What it was, or would have been, answered with; null where there is no body.
    pub answer: Value,
    /// What went wrong with it on order.
    pub fault: Option<What>,
}

/// Whether the bot is told of what it does itself, as Slack does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Echo {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// A channel and a timestamp.
pub(super) type MessageKey = (String, String);

/// What the stand-in forgets or never knew.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) metadata: HashMap<MessageKey, Value>,
    pub(super) streams: HashMap<MessageKey, Stream>,
    pub(super) revoked_tokens: HashMap<String, &'static str>,
    pub(super) user_groups: HashMap<String, Vec<String>>,
    pub(super) own_commands: HashMap<String, Value>,
    pub(super) scopes: Option<String>,
}

/// The shared parts.
pub(super) struct Workings {
    /// The stand-in's address, without a slash at its end.
    pub(super) stand_in: String,
    /// The proxy's address, likewise.
    pub(super) own: String,
    pub(super) socket_url: String,
    pub(super) http: reqwest::Client,
    pub(super) faults: Faults,
    pub(super) directory: Directory,
    pub(super) hooks: Hooks,
    pub(super) switchboard: Switchboard,
    pub(super) kept: Mutex<Kept>,
    pub(super) echo: Mutex<Echo>,
    called: Mutex<Vec<Posted>>,
    changes: watch::Sender<u64>,
    n_made: AtomicU64,
}

impl Workings {
    pub(super) fn new(stand_in: String, own: String, socket_url: String) -> Self {
        Self {
            stand_in,
            own,
            socket_url,
            http: super::http_client(),
            faults: Faults::default(),
            directory: Directory::default(),
            hooks: Hooks::default(),
            switchboard: Switchboard::new(),
            kept: Mutex::default(),
            echo: Mutex::new(Echo::On),
            called: Mutex::default(),
            changes: watch::Sender::new(0),
            n_made: AtomicU64::new(0),
        }
    }

    /// Wakes whoever waits for something to change.
    pub(super) fn touch(&self) {
        self.changes.send_modify(|n_changes| *n_changes += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A number that no one else got, for ids.
    pub(super) fn fresh_number(&self) -> u64 {
        self.n_made.fetch_add(1, Ordering::Relaxed)
    }

    /// A timestamp of now, as messages have.
    pub(super) fn now_ts(&self) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The stand-in counts its own up from nought.
        format!("{seconds}.{}", 500_000 + self.fresh_number())
    }

    /// The same text with the proxy's address wherever it names the stand-in's.
    pub(super) fn with_own_address(&self, text: &str) -> String {
        text.replace(&self.stand_in, &self.own)
    }

    /// Has the stand-in carry a method out.
    pub(super) async fn forward(&self, method: &str, arguments: &Value, token: Option<&str>) -> Result<Value> {
        let mut request = self.http.post(format!("{}/api/{method}", self.stand_in)).json(arguments);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let text = request.send().await?.text().await?;
        Ok(serde_json::from_str(&self.with_own_address(&text))?)
    }

    /// A message as the stand-in has it.
    pub(super) async fn message_at(&self, channel: &str, ts: &str) -> Result<Option<Value>> {
        let url = format!("{}/_control/messages/{channel}", self.stand_in);
        let mut answer: Value = self.http.get(url).send().await?.json().await?;
        let messages = answer["messages"].as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok(messages.into_iter().find(|message| message["ts"] == ts))
    }

    pub(super) fn record(&self, posted: Posted) {
        lock(&self.called).push(posted);
        self.touch();
    }

    pub(super) fn record_said(&self, method: &str, body: Value) {
        self.record(Posted { method: method.to_owned(), at: Instant::now(), body, answer: Value::Null, fault: None });
    }

    pub(super) fn called(&self) -> Vec<Posted> {
        lock(&self.called).clone()
    }

    /// Whether a payload is the answer to the proxy's own command; then it is kept.
    pub(super) fn takes_for_itself(&self, payload: &Value) -> bool {
        if payload["command"] != OWN_COMMAND {
            return false;
        }
        let nonce = payload["text"].as_str().unwrap_or_default().to_owned();
        lock(&self.kept).own_commands.insert(nonce, payload.clone());
        self.touch();
        true
    }

    /// Sends an event of our own making; returns its `event_id`.
    pub(super) fn send_event(&self, event: Value) -> String {
        let number = self.fresh_number();
        let event_id = format!("Ev0PROXY{number}");
        let time = event["event_ts"].as_str().and_then(|ts| ts.split('.').next()?.parse().ok()).unwrap_or(0_u64);
        let mut payload = json!({
            "token": "verification-token", "team_id": TEAM, "api_app_id": APP, "event": event, "type": "event_callback",
            "event_id": event_id, "event_time": time,
            "authorizations": [
                { "enterprise_id": null, "team_id": TEAM, "user_id": BOT, "is_bot": true, "is_enterprise_install": false },
            ],
        });
        self.correct_event(&mut payload);
        self.send_envelope("events_api", payload);
        event_id
    }

    /// Sends any envelope; returns its id.
    pub(super) fn send_envelope(&self, kind: &str, payload: Value) -> String {
        let id = format!("00000000-0000-4000-8000-{:012}", self.fresh_number());
        self.switchboard.put(Envelope { id: id.clone(), kind: kind.to_owned(), payload, answer: None });
        id
    }
}

/// An answer that all went well, with these fields.
pub(super) fn fine(fields: Value) -> Value {
    let mut answer = Map::from_iter([("ok".to_owned(), true.into())]);
    if let Value::Object(fields) = fields {
        answer.extend(fields);
    }
    answer.into()
}

/// An answer that refuses.
pub(super) fn refused(error: &str) -> Value {
    json!({ "ok": false, "error": error })
}

/// An answer that refuses because an argument is not there.
pub(super) fn missing_field(name: &str) -> Value {
    let said = format!("[ERROR] missing required field: {name}");
    json!({ "ok": false, "error": "invalid_arguments", "response_metadata": { "messages": [said] } })
}
