//! What people do in the stand-in's workspace, and what they would see there.

use anyhow::{Context, Result, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::stand_in::StandIn;

impl StandIn {
    /// Somebody writes a message, in a thread where one is given. Returns its timestamp.
    ///
    /// # Errors
    /// As all of these: where the stand-in does not answer, or refuses.
    pub async fn say(&self, channel: &str, user: &str, text: &str, thread_ts: Option<&str>) -> Result<String> {
        let answer = self.control("message", json!({ "channel": channel, "user": user, "text": text, "thread_ts": thread_ts })).await?;
        Ok(answer["message"]["ts"].as_str().context("the message has no timestamp")?.to_owned())
    }

    /// Somebody writes a message with one file. Returns its timestamp.
    ///
    /// # Errors
    /// See `say`.
    pub async fn upload(&self, channel: &str, user: &str, file_name: &str, content: &str) -> Result<String> {
        let (boundary, mut body) = ("runlore-test-boundary", String::new());
        for (name, value) in [("channel", channel), ("user", user)] {
            body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        let disposition = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"");
        body.push_str(&format!("--{boundary}\r\n{disposition}\r\nContent-Type: text/plain\r\n\r\n{content}\r\n--{boundary}--\r\n"));
        let request = self.http.post(format!("{}/_control/upload", self.base));
        let sent = request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(body).send().await?;
        let answer: Value = sent.json().await?;
        Ok(answer["message"]["ts"].as_str().with_context(|| format!("upload: {answer}"))?.to_owned())
    }

    /// Somebody types a slash command (`/runlore`) and its text. Returns when the bot acknowledged it, or after five seconds.
    ///
    /// # Errors
    /// See `say`.
    pub async fn command(&self, channel: &str, user: &str, command: &str, text: &str) -> Result<()> {
        self.control("command", json!({ "channel": channel, "user": user, "command": command, "text": text })).await.map(drop)
    }

    /// Somebody presses a button or chooses from a menu; `action` is its element, with `action_id`, `block_id` and `value`.
    ///
    /// # Errors
    /// See `say`.
    pub async fn press(&self, channel: &str, user: &str, message_ts: &str, action: Value) -> Result<()> {
        let body = json!({ "channel": channel, "user": user, "messageTs": message_ts, "action": action });
        self.control("interact", body).await.map(drop)
    }

    /// Somebody reacts to a message.
    ///
    /// # Errors
    /// See `say`.
    pub async fn react(&self, channel: &str, user: &str, ts: &str, name: &str) -> Result<()> {
        self.control("reaction", json!({ "channel": channel, "user": user, "ts": ts, "name": name, "present": true })).await.map(drop)
    }

    /// Somebody takes a reaction back.
    ///
    /// # Errors
    /// See `say`.
    pub async fn unreact(&self, channel: &str, user: &str, ts: &str, name: &str) -> Result<()> {
        self.control("reaction", json!({ "channel": channel, "user": user, "ts": ts, "name": name, "present": false })).await.map(drop)
    }

    /// The author changes a message.
    ///
    /// # Errors
    /// See `say`.
    pub async fn edit(&self, channel: &str, user: &str, ts: &str, text: &str) -> Result<()> {
        self.control("edit-message", json!({ "channel": channel, "user": user, "ts": ts, "text": text })).await.map(drop)
    }

    /// The author deletes a message.
    ///
    /// # Errors
    /// See `say`.
    pub async fn delete(&self, channel: &str, user: &str, ts: &str) -> Result<()> {
        self.control("delete-message", json!({ "channel": channel, "user": user, "ts": ts })).await.map(drop)
    }

    /// Somebody opens the app's home tab.
    ///
    /// # Errors
    /// See `say`.
    pub async fn open_home(&self, user: &str) -> Result<()> {
        self.control("open-home", json!({ "user": user })).await.map(drop)
    }

    /// All messages of a channel, threads and ephemeral ones included, oldest first. Ephemeral ones have the subtype
    /// `ephemeral` and name who sees them in `ephemeral_to`.
    ///
    /// # Errors
    /// See `say`.
    pub async fn messages(&self, channel: &str) -> Result<Vec<Value>> {
        let mut answer = self.read(&format!("messages/{channel}")).await?;
        Ok(answer["messages"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// What passed between the stand-in and its apps, the last 1,000 entries.
    ///
    /// # Errors
    /// See `say`.
    pub async fn log(&self) -> Result<Vec<Value>> {
        let mut answer = self.read("log").await?;
        Ok(answer["log"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The modal that is open on top, as the app made it.
    ///
    /// # Errors
    /// See `say`.
    pub async fn modal(&self) -> Result<Option<Value>> {
        let state = self.in_browser(None).await?;
        Ok(state["modalStack"].as_array().and_then(|stack| stack.last()).cloned())
    }

    /// Somebody sends the modal that is open off, with `values` by block id and action id.
    ///
    /// # Errors
    /// See `say`.
    pub async fn submit_modal(&self, user: &str, values: Value) -> Result<()> {
        self.in_browser(Some(json!({ "t": "view_submit", "user": user, "values": values }))).await.map(drop)
    }

    pub(super) async fn control(&self, verb: &str, body: Value) -> Result<Value> {
        control(&self.http, &self.base, verb, body).await
    }

    async fn read(&self, path: &str) -> Result<Value> {
        Ok(self.http.get(format!("{}/_control/{path}", self.base)).send().await?.error_for_status()?.json().await?)
    }

    /// Does something as the stand-in's own web page does, for what its control interface lacks. Returns the state before it.
    async fn in_browser(&self, frame: Option<Value>) -> Result<Value> {
        let (mut page, _) = connect_async(format!("{}/ui", self.base.replacen("http", "ws", 1))).await?;
        let first = page.next().await.context("the stand-in closed its page")??;
        let mut first: Value = serde_json::from_str(first.to_text()?)?;
        if let Some(frame) = frame {
            page.send(Message::text(frame.to_string())).await?;
        }
        page.close(None).await?;
        Ok(first["state"].take())
    }
}

pub(super) async fn control(http: &reqwest::Client, base: &str, verb: &str, body: Value) -> Result<Value> {
    let answer: Value = http.post(format!("{base}/_control/{verb}")).json(&body).send().await?.json().await?;
    ensure!(answer["ok"] == true, "the stand-in refuses `{verb}` {body}: {answer}");
    Ok(answer)
}
