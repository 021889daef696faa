//! The methods that stream a message. A stream is kept as one message of the stand-in, which grows.

use anyhow::Result;
use serde_json::{Value, json};

use super::call::Call;
use super::lock;
use super::workings::{MessageKey, Workings, fine, missing_field, refused};

/// The most characters of one piece.
const MOST_CHARACTERS: usize = 12_000;

/// One streamed message.
#[derive(Clone, Default)]
pub(super) struct Stream {
    text: String,
    /// No more may come.
    pub(super) stopped: bool,
}

impl Workings {
    pub(super) async fn start_stream(&self, call: &Call) -> Result<Value> {
        let channel = call.text("channel");
        let flags = self.directory.channel(channel);
        let needed = [("recipient_user_id", "missing_recipient_user_id"), ("recipient_team_id", "missing_recipient_team_id")];
        let missing = needed.iter().find(|(name, _)| !flags.is_im && !call.has(name));
        let piece = piece(call);
        if let Some(error) = self.closed_to_posts(channel).await? {
            return Ok(refused(error));
        } else if !call.has("thread_ts") {
            return Ok(missing_field("thread_ts"));
        } else if let Some((_, error)) = missing {
            return Ok(refused(error));
        } else if piece.chars().count() > MOST_CHARACTERS {
            return Ok(refused("msg_too_long"));
        }
        let arguments = json!({ "channel": channel, "thread_ts": call.text("thread_ts"), "text": piece });
        let answer = self.forward("chat.postMessage", &arguments, call.token.as_deref()).await?;
        if answer["ok"] != true {
            return Ok(answer);
        }
        let key = (answer["channel"].as_str().unwrap_or_default().to_owned(), answer["ts"].as_str().unwrap_or_default().to_owned());
        lock(&self.kept).streams.insert(key, Stream { text: piece, stopped: false });
        self.echo_posted(channel, &answer["message"]);
        Ok(fine(json!({ "channel": answer["channel"], "ts": answer["ts"] })))
    }

    pub(super) async fn append_stream(&self, call: &Call) -> Result<Value> {
        let text = match self.grow(call) {
            Ok(text) => text,
            Err(error) => return Ok(refused(error)),
        };
        let arguments = json!({ "channel": call.text("channel"), "ts": call.text("ts"), "text": text });
        let answer = self.forward("chat.update", &arguments, call.token.as_deref()).await?;
        if answer["ok"] != true {
            return Ok(answer);
        }
        Ok(fine(json!({ "channel": answer["channel"], "ts": answer["ts"] })))
    }

    pub(super) async fn stop_stream(&self, call: &Call) -> Result<Value> {
        if let Err(refusal) = super::limits::check_blocks(&call.arguments["blocks"], 50) {
            return Ok(refusal.answer());
        }
        let text = match self.grow(call) {
            Ok(text) => text,
            Err(error) => return Ok(refused(error)),
        };
        let key = key_of(call);
        let arguments = json!({ "channel": key.0, "ts": key.1, "text": text, "blocks": call.arguments["blocks"] });
        let arguments = without_nulls(arguments);
        let answer = self.forward("chat.update", &arguments, call.token.as_deref()).await?;
        if answer["ok"] != true {
            return Ok(answer);
        }
        if let Some(stream) = lock(&self.kept).streams.get_mut(&key) {
            stream.stopped = true;
        }
        self.keep_metadata(&key, &call.arguments["metadata"]);
        self.echo_changed(&key.0, &answer["message"], &answer["message"]);
        Ok(fine(json!({ "channel": answer["channel"], "ts": answer["ts"], "message": answer["message"] })))
    }

    /// Slack itself ends all streams: the next piece is refused.
    pub(super) fn end_streams(&self) {
        lock(&self.kept).streams.values_mut().for_each(|stream| stream.stopped = true);
    }

    /// Adds a piece and returns the whole.
    fn grow(&self, call: &Call) -> Result<String, &'static str> {
        let piece = piece(call);
        let mut kept = lock(&self.kept);
        let stream = kept.streams.get_mut(&key_of(call)).ok_or("message_not_found")?;
        if stream.stopped {
            return Err("message_not_in_streaming_state");
        }
        if piece.chars().count() > MOST_CHARACTERS {
            return Err("msg_too_long");
        }
        stream.text.push_str(&piece);
        Ok(stream.text.clone())
    }
}

fn key_of(call: &Call) -> MessageKey {
    (call.text("channel").to_owned(), call.text("ts").to_owned())
}

/// The text of a call: its own and that of its chunks.
fn piece(call: &Call) -> String {
    let chunks = call.arguments["chunks"].as_array().into_iter().flatten();
    let chunks = chunks.filter(|chunk| chunk["type"] == "markdown_text").filter_map(|chunk| chunk["text"].as_str());
    std::iter::once(call.text("markdown_text")).chain(chunks).collect()
}

/// The stand-in takes a null for a value.
pub(super) fn without_nulls(mut arguments: Value) -> Value {
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.retain(|_, value| !value.is_null());
    }
    arguments
}
