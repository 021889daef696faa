//! What stands in a channel already: a message of ours of which nobody knows whether it was sent, and what was asked while away.

use serde_json::Value;

use super::body::{file_name, next_cursor};
use super::incoming;
use super::messenger::SlackMessenger;
use crate::chat::{Incoming, SendError};
use crate::store::{Outgoing, PostForm};

/// Clocks of Slack and of this machine may differ by so much, in seconds.
const CLOCKS_S: i64 = 120;

/// How many messages a look reads, and a catching up.
const READ: &str = "200";

impl SlackMessenger {
    /// Reads what stands in the thread or the channel since shortly before the row was stored.
    pub(super) async fn find_message(&self, outgoing: &Outgoing) -> Result<Option<String>, SendError> {
        if outgoing.post.private_to.is_some() {
            // Nobody can look; a second one is better than none.
            return Ok(None);
        }
        let place = &outgoing.post.place;
        let oldest = (outgoing.created_ms / 1_000 - CLOCKS_S).to_string();
        let mut params = vec![("channel", place.channel.as_str()), ("include_all_metadata", "true"), ("oldest", &*oldest)];
        let method = match &place.thread {
            Some(thread) => {
                params.push(("ts", thread));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let name = file_name(outgoing);
        let has_file = |message: &Value| message["files"].as_array().into_iter().flatten().any(|file| file["name"].as_str() == Some(&name));
        let is_it = |message: &&Value| message["metadata"]["event_payload"]["key"].as_str() == Some(&outgoing.id) || has_file(message);
        let messages = self.pages(method, &params).await?;
        // A picture is taken away as a file, a message as a message.
        let id =
            |found: &Value| if outgoing.post.form == PostForm::Picture { found["files"][0]["id"].clone() } else { found["ts"].clone() };
        Ok(messages.iter().find(is_it).map(id).and_then(|id| id.as_str().map(str::to_owned)))
    }

    /// Questions in a channel's history, threads with later replies included.
    pub(super) async fn read_missed(&self, channel: &str, since: &str) -> Result<Vec<Incoming>, SendError> {
        // Threads that began earlier go on too: a day back is read for those.
        let day_before = since.split('.').next().and_then(|s| s.parse::<i64>().ok()).map_or(0, |s| s - 24 * 60 * 60).to_string();
        let mut found = Vec::new();
        for message in self.pages("conversations.history", &[("channel", channel), ("oldest", &day_before)]).await? {
            let ts = message["ts"].as_str().unwrap_or_default();
            if ts > since {
                found.extend(incoming::missed(&message, channel, &self.me));
            }
            if message["latest_reply"].as_str().is_some_and(|latest| latest > since) {
                let replies = self.pages("conversations.replies", &[("channel", channel), ("ts", ts), ("oldest", since)]).await?;
                let later = replies.iter().filter(|reply| reply["ts"].as_str() > Some(since));
                found.extend(later.filter_map(|reply| incoming::missed(reply, channel, &self.me)));
            }
        }
        found.sort_by(|a, b| a.event.message().cmp(b.event.message()));
        Ok(found)
    }

    /// All messages that a method gives, page by page.
    async fn pages(&self, method: &str, params: &[(&str, &str)]) -> Result<Vec<Value>, SendError> {
        let (mut messages, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut params = [params, &[("limit", READ)]].concat();
            if !cursor.is_empty() {
                params.push(("cursor", &cursor));
            }
            let page = self.client.get(method, &params).await?;
            messages.extend(page["messages"].as_array().into_iter().flatten().cloned());
            let next = next_cursor(&page);
            if next.is_empty() {
                return Ok(messages);
            }
            cursor = next;
        }
    }
}
