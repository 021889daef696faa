//! Reading messages back: what the stand-in gives, without what Slack hides, with metadata, in pages.

use anyhow::Result;
use serde_json::{Value, json};

use super::call::Call;
use super::lock;
use super::workings::{Workings, refused};

/// Which way a method lists messages.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// `conversations.history`.
    NewestFirst,
    /// `conversations.replies`, where the first message of the thread opens the first page whatever its age.
    OldestFirst,
}

/// A span of time, as the arguments say it.
struct Span {
    oldest: Option<(u64, u64)>,
    latest: Option<(u64, u64)>,
    inclusive: bool,
}

impl Workings {
    pub(super) async fn history(&self, call: &Call, order: Order) -> Result<Value> {
        if let Some(error) = self.closed_to_readers(call.text("channel")).await? {
            return Ok(refused(error));
        }
        let mut answer = self.forward(&call.method, &call.arguments, call.token.as_deref()).await?;
        let Some(messages) = answer["messages"].as_array_mut() else { return Ok(answer) };
        let mut messages = std::mem::take(messages);
        messages.retain(|message| message["subtype"] != "ephemeral");
        if order == Order::OldestFirst && messages.is_empty() {
            return Ok(refused("thread_not_found"));
        }
        self.correct_messages(call, &mut messages);
        let span = Span::of(call);
        let opens_thread = |message: &Value| order == Order::OldestFirst && message["ts"] == call.arguments["ts"];
        messages.retain(|message| opens_thread(message) || span.holds(message));
        let (page, next) = page(messages, call, 100);
        Ok(json!({
            "ok": true, "messages": page, "has_more": !next.is_empty(), "pin_count": 0, "response_metadata": { "next_cursor": next },
        }))
    }

    fn correct_messages(&self, call: &Call, messages: &mut [Value]) {
        let kept = lock(&self.kept);
        for message in messages {
            let key = (call.text("channel").to_owned(), message["ts"].as_str().unwrap_or_default().to_owned());
            if let Some(metadata) = kept.metadata.get(&key).filter(|_| call.flag("include_all_metadata")) {
                message["metadata"] = metadata.clone();
            }
            if let Some(user) = message["user"].as_str() {
                message["team"] = self.directory.user(user).team_id.into();
            }
        }
    }

    /// The error for whoever reads a channel, if any.
    pub(super) async fn closed_to_readers(&self, channel: &str) -> Result<Option<&'static str>> {
        if let Some(error) = self.directory.channel(channel).refusal() {
            return Ok(Some(error));
        }
        let there = self.forward("conversations.info", &json!({ "channel": channel }), None).await?;
        Ok((there["ok"] != true).then_some("channel_not_found"))
    }

    /// The error for whoever writes in a channel, if any.
    pub(super) async fn closed_to_posts(&self, channel: &str) -> Result<Option<&'static str>> {
        let error = self.closed_to_readers(channel).await?;
        Ok(error.or_else(|| self.directory.channel(channel).is_archived.then_some("is_archived")))
    }
}

impl Span {
    fn of(call: &Call) -> Self {
        let bound = |name: &str| Some(&call.arguments[name]).filter(|value| !value.is_null()).map(|value| moment(&plain(value)));
        Self { oldest: bound("oldest"), latest: bound("latest"), inclusive: call.flag("inclusive") }
    }

    fn holds(&self, message: &Value) -> bool {
        let ts = moment(message["ts"].as_str().unwrap_or_default());
        let after = self.oldest.is_none_or(|oldest| ts > oldest || (self.inclusive && ts == oldest));
        after && self.latest.is_none_or(|latest| ts < latest || (self.inclusive && ts == latest))
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Seconds and microseconds of a timestamp, which may lack digits.
fn moment(ts: &str) -> (u64, u64) {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    (seconds.parse().unwrap_or(0), format!("{fraction:0<6}").parse().unwrap_or(0))
}

/// One page of a list and the cursor of the next one, empty at the end. Cursors end in `=`, as Slack's do, which must be escaped.
pub(super) fn page(items: Vec<Value>, call: &Call, usual: usize) -> (Vec<Value>, String) {
    let start = call.text("cursor").strip_prefix("from:").and_then(|rest| rest.strip_suffix('=')?.parse().ok()).unwrap_or(0);
    let limit = call.number("limit").filter(|limit| *limit > 0).unwrap_or(usual).min(1_000);
    let next = if start + limit < items.len() { format!("from:{}=", start + limit) } else { String::new() };
    (items.into_iter().skip(start).take(limit).collect(), next)
}
