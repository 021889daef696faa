//! Requests as Slack sends them.

use runlore_tests::signing::signature;
use serde_json::json;

use super::{SECRET, Sent};

/// What Slack sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Mention,
    Deletion,
    Command,
    Press,
    Reason,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Mention, Self::Deletion, Self::Command, Self::Press, Self::Reason];
}

/// The `n`th of its kind, signed for this time.
pub fn sent(kind: Kind, n: u64, at: &str) -> Sent {
    let (path, body) = match kind {
        Kind::Mention => ("/slack/events", event_of(n, "<@U0BOT> best val/map in vessel-detect")),
        Kind::Deletion => ("/slack/events", deletion(n)),
        Kind::Command => ("/slack/commands", command(n)),
        Kind::Press => ("/slack/interactions", interaction(&press(n))),
        Kind::Reason => ("/slack/interactions", interaction(&reason(n))),
    };
    signed(path, body.into_bytes(), at)
}

/// A body with its signature.
pub fn signed(path: &'static str, body: Vec<u8>, at: &str) -> Sent {
    let signature = signature(SECRET.as_bytes(), at, &body);
    Sent { path, headers: vec![("x-slack-request-timestamp", at.into()), ("x-slack-signature", signature.into_bytes())], body }
}

/// Somebody's words to the bot.
pub fn event_of(n: u64, words: &str) -> String {
    let event = json!({"type": "app_mention", "user": "U0ADA", "text": words, "ts": format!("1700000000.{n:06}"), "channel": "C1"});
    json!({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": format!("Ev{n}"), "event": event}).to_string()
}

fn deletion(n: u64) -> String {
    let before = json!({"user": "U0ADA", "text": "x", "ts": "5.1"});
    let event = json!({"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "5.1", "previous_message": before});
    json!({"type": "event_callback", "team_id": "T1", "event_id": format!("EvDeleted{n}"), "event": event}).to_string()
}

fn command(n: u64) -> String {
    format!(
        "token=x&team_id=T1&channel_id=C1&channel_name=general&user_id=U0ADA&command=%2Frunlore&text=best+val%2Fmap&\
         response_url=https%3A%2F%2Fhooks.example%2Fr&trigger_id={n}.1"
    )
}

fn press(n: u64) -> serde_json::Value {
    json!({"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U0ADA"}, "channel": {"id": "C1", "name": "general"},
        "message": {"ts": "6.0", "thread_ts": "5.1"}, "trigger_id": format!("{n}.2"), "response_url": "https://hooks.example/p",
        "actions": [{"action_id": "runlore_delete", "value": "0f0e0d0c-0b0a-5908-8706-050403020100"}]})
}

fn reason(n: u64) -> serde_json::Value {
    json!({"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U0ADA"}, "view": {"id": format!("V{n}"),
        "callback_id": "not_useful", "private_metadata": "0f0e0d0c-0b0a-5908-8706-050403020100",
        "state": {"values": {"remark": {"remark": {"type": "plain_text_input", "value": "it was 3"}}}}}})
}

/// A payload as the one field of a form, every byte but letters and digits escaped.
fn interaction(payload: &serde_json::Value) -> String {
    let escape = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("payload={}", payload.to_string().bytes().map(escape).collect::<String>())
}
