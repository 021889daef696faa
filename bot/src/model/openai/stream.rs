//! Reads a chat completion: a stream of server-sent events, or one JSON object from a server that does not stream.

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

/// More than any answer holds, in bytes: a server that sends more is none of ours.
const MAX_BYTES: usize = 4 * 1024 * 1024;

const GARBAGE: &str = "answered with something other than a chat completion: check `[model] url`";

/// What a server sends, in one piece or as an event of a stream.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    /// In a stream.
    delta: Option<Message>,
    /// In one piece.
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// What came so far.
#[derive(Default)]
struct Read {
    text: String,
    has_ended: bool,
}

/// The whole text; its pieces go to `on_text` as they come.
///
/// # Errors
/// What is wrong with the answer, as the rest of a sentence about the server.
pub(super) async fn read(mut response: Response, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<String, String> {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_stream = content_type.starts_with("text/event-stream");
    let mut read = Read::default();
    let mut waiting = Vec::new();
    let mut n_bytes = 0;
    while let Some(bytes) = response.chunk().await.map_err(|error| format!("broke off ({})", super::causes(&error.without_url())))? {
        n_bytes += bytes.len();
        if n_bytes > MAX_BYTES {
            return Err(GARBAGE.to_owned());
        }
        waiting.extend_from_slice(&bytes);
        while let (true, Some(end)) = (is_stream, waiting.iter().position(|&byte| byte == b'\n')) {
            let line: Vec<u8> = waiting.drain(..=end).collect();
            read.take_line(&line, on_text)?;
        }
        if read.has_ended {
            return Ok(read.text);
        }
    }
    if is_stream {
        read.take_line(&waiting, on_text)?;
    } else {
        read.take(&waiting, on_text)?;
    }
    if read.has_ended { Ok(read.text) } else { Err("broke off in the middle of its answer".to_owned()) }
}

impl Read {
    /// One line of a stream; lines that are no data (comments, event names) say nothing.
    fn take_line(&mut self, line: &[u8], on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<(), String> {
        let Some(data) = line.trim_ascii().strip_prefix(b"data:") else { return Ok(()) };
        if data.trim_ascii() == b"[DONE]" {
            self.has_ended = true;
            return Ok(());
        }
        self.take(data, on_text)
    }

    fn take(&mut self, json: &[u8], on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<(), String> {
        let completion: Completion = serde_json::from_slice(json).map_err(|_| GARBAGE.to_owned())?;
        if let Some(error) = completion.error {
            return Err(format!("failed ({})", super::excerpt(&serde_json::json!({ "error": error }).to_string())));
        }
        let Some(choice) = completion.choices.into_iter().next() else { return Ok(()) };
        if let Some(piece) = choice.delta.or(choice.message).and_then(|message| message.content).filter(|piece| !piece.is_empty()) {
            on_text(&piece);
            self.text.push_str(&piece);
        }
        self.has_ended |= choice.finish_reason.is_some();
        Ok(())
    }
}
