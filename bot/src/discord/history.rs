//! What stands in a channel already: a message of ours of which nobody knows whether it was sent, and what was asked while away.

use serde_json::Value;

use super::body::{is_of, number, snowflake};
use super::incoming;
use super::messenger::{DiscordMessenger, target, token};
use super::rooms::CATEGORY;
use crate::chat::{Incoming, SendError};
use crate::store::Outgoing;

/// Clocks of Discord and of this machine may differ by so much, in milliseconds.
const CLOCKS_MS: i64 = 120_000;

/// How many messages one look reads.
const READ: usize = 100;

impl DiscordMessenger {
    /// Reads what was said in the channel since shortly before the row was stored.
    pub(super) async fn find_message(&self, outgoing: &Outgoing) -> Result<Option<String>, SendError> {
        if token(&outgoing.post).is_some() {
            // Its message is brought up to date as often as one likes.
            return Ok(None);
        }
        let since = snowflake(outgoing.created_ms - CLOCKS_MS);
        let messages = self.messages_after(target(&outgoing.post.place), &since).await?;
        let is_it = |message: &&Value| message["author"]["id"] == self.me.user.as_str() && is_of(message, outgoing);
        Ok(messages.iter().find(is_it).and_then(|message| message["id"].as_str()).map(str::to_owned))
    }

    /// What was said in a channel after a message, the oldest first.
    pub(super) async fn messages_after(&self, channel: &str, since: &str) -> Result<Vec<Value>, SendError> {
        let (mut all, mut since) = (Vec::new(), since.to_owned());
        loop {
            let page = self.client.get(format!("/channels/{channel}/messages?after={since}&limit={READ}")).await?;
            let mut messages: Vec<Value> = page.as_array().cloned().unwrap_or_default();
            messages.sort_by_key(|message| number(message["id"].as_str().unwrap_or_default()));
            let n_read = messages.len();
            all.append(&mut messages);
            match all.last().and_then(|last| last["id"].as_str()) {
                Some(last) if n_read == READ => since = last.to_owned(),
                _ => return Ok(all),
            }
        }
    }

    /// Questions in a channel's history, those in its threads included.
    pub(super) async fn read_missed(&self, channel: &str, since: &str) -> Result<Vec<Incoming>, SendError> {
        let room = self.rooms.known(channel).await?;
        let mut found: Vec<Incoming> = if room.is_forum() { Vec::new() } else { self.questions(channel, since).await? };
        if !room.guild.is_empty() {
            let active = self.client.get(format!("/guilds/{}/threads/active", room.guild)).await?;
            let archived = match self.client.get(format!("/channels/{channel}/threads/archived/public")).await {
                // A channel that can have none.
                Err(SendError::Refused(_)) => Value::Null,
                other => other?,
            };
            for thread in [&active, &archived].iter().flat_map(|list| list["threads"].as_array().into_iter().flatten()) {
                let is_newer = thread["last_message_id"].as_str().is_some_and(|last| number(last) > number(since));
                if let (true, true, Some(id)) = (thread["parent_id"] == channel, is_newer, thread["id"].as_str()) {
                    found.extend(self.questions(id, since).await?);
                }
            }
        }
        found.sort_by_key(|incoming| number(incoming.event.message()));
        Ok(found)
    }

    /// The channels of a category or of the server that can hold messages; another entry is a channel itself.
    pub(super) async fn read_channels_in(&self, entry: &str) -> Result<Vec<String>, SendError> {
        let room = if entry == self.guild { None } else { Some(self.rooms.known(entry).await?) };
        if room.as_ref().is_some_and(|room| !room.is_category()) {
            return Ok(vec![entry.to_owned()]);
        }
        let guild = room.as_ref().map_or(&*self.guild, |room| &*room.guild);
        let all = self.client.get(format!("/guilds/{guild}/channels")).await?;
        let lies_in = |channel: &&Value| channel["type"] != CATEGORY && (room.is_none() || channel["parent_id"] == entry);
        Ok(all.as_array().into_iter().flatten().filter(lies_in).filter_map(|channel| channel["id"].as_str()).map(str::to_owned).collect())
    }

    async fn questions(&self, channel: &str, since: &str) -> Result<Vec<Incoming>, SendError> {
        let messages = self.messages_after(channel, since).await?;
        let room = self.rooms.known(channel).await?;
        Ok(messages.iter().filter_map(|message| incoming::missed(message, &room, &self.me)).collect())
    }
}
