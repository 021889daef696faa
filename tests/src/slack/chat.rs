//! Posting, changing and deleting messages.

use anyhow::Result;
use serde_json::{Value, json};

use super::call::Call;
use super::limits::{Use, check_message};
use super::lock;
use super::streams::without_nulls;
use super::workings::{MessageKey, Workings, refused};
use super::workspace::{BOT, BOT_ID};

/// The most characters of a message's text; what is more is cut off.
const MOST_CHARACTERS: usize = 40_000;

impl Workings {
    pub(super) async fn post_message(&self, call: &Call) -> Result<Value> {
        if let Some(answer) = self.refuse_post(call).await? {
            return Ok(answer);
        }
        let mut answer = self.forward("chat.postMessage", &text_arguments(call), call.token.as_deref()).await?;
        if answer["ok"] == true {
            let channel = answer["channel"].as_str().unwrap_or_default().to_owned();
            let key = (channel, answer["ts"].as_str().unwrap_or_default().to_owned());
            self.keep_metadata(&key, &call.arguments["metadata"]);
            if call.has("metadata") {
                answer["message"]["metadata"] = call.arguments["metadata"].clone();
            }
            self.echo_posted(&key.0, &answer["message"]);
        }
        Ok(answer)
    }

    pub(super) async fn post_ephemeral(&self, call: &Call) -> Result<Value> {
        if let Some(answer) = self.refuse_post(call).await? {
            return Ok(answer);
        }
        if !self.members_of(call.text("channel")).await?.iter().any(|member| member == call.text("user")) {
            return Ok(refused("user_not_in_channel"));
        }
        let mut arguments = text_arguments(call);
        arguments["user"] = call.text("user").into();
        self.forward("chat.postEphemeral", &arguments, call.token.as_deref()).await
    }

    pub(super) async fn update_message(&self, call: &Call) -> Result<Value> {
        let key = (call.text("channel").to_owned(), call.text("ts").to_owned());
        let before = match self.changeable(&key).await? {
            Ok(before) => before,
            Err(error) => return Ok(refused(error)),
        };
        if lock(&self.kept).streams.get(&key).is_some_and(|stream| !stream.stopped) {
            return Ok(refused("streaming_state_conflict"));
        }
        if let Err(refusal) = check_message(call, Use::Update) {
            return Ok(refusal.answer());
        }
        let mut arguments = text_arguments(call);
        arguments["ts"] = key.1.clone().into();
        let answer = self.forward("chat.update", &arguments, call.token.as_deref()).await?;
        if answer["ok"] == true {
            self.keep_metadata(&key, &call.arguments["metadata"]);
            self.echo_changed(&key.0, &answer["message"], &before);
        }
        Ok(answer)
    }

    pub(super) async fn delete_message(&self, call: &Call) -> Result<Value> {
        let key = (call.text("channel").to_owned(), call.text("ts").to_owned());
        let before = match self.changeable(&key).await? {
            Ok(before) => before,
            Err("cant_update_message") => return Ok(refused("cant_delete_message")),
            Err(error) => return Ok(refused(error)),
        };
        let answer = self.pass_on(call).await?;
        if answer["ok"] == true {
            lock(&self.kept).metadata.remove(&key);
            self.echo_deleted(&key.0, &before);
        }
        Ok(answer)
    }

    /// A reaction, which can be there only once.
    pub(super) async fn react(&self, call: &Call) -> Result<Value> {
        let channel = call.text("channel");
        if let Some(error) = self.closed_to_posts(channel).await? {
            return Ok(refused(error));
        }
        let message = self.message_at(channel, call.text("timestamp")).await?.unwrap_or_default();
        let reaction = message["reactions"].as_array().into_iter().flatten().find(|reaction| reaction["name"] == call.arguments["name"]);
        let is_there = reaction.is_some_and(|reaction| reaction["users"].as_array().is_some_and(|users| users.contains(&BOT.into())));
        match (call.method.as_str(), is_there) {
            ("reactions.add", true) => Ok(refused("already_reacted")),
            ("reactions.remove", false) => Ok(refused("no_reaction")),
            _ => self.pass_on(call).await,
        }
    }

    pub(super) fn keep_metadata(&self, key: &MessageKey, metadata: &Value) {
        if !metadata.is_null() {
            lock(&self.kept).metadata.insert(key.clone(), metadata.clone());
        }
    }

    async fn refuse_post(&self, call: &Call) -> Result<Option<Value>> {
        let channel = call.text("channel");
        // A person's id stands for the direct messages with them.
        let to_person = channel.starts_with('U');
        if let Some(error) = if to_person { None } else { self.closed_to_posts(channel).await? } {
            return Ok(Some(refused(error)));
        }
        Ok(check_message(call, Use::Post).err().map(|refusal| refusal.answer()))
    }

    /// The bot's message as it is, or why it cannot be changed.
    async fn changeable(&self, key: &MessageKey) -> Result<Result<Value, &'static str>> {
        if let Some(error) = self.closed_to_posts(&key.0).await? {
            return Ok(Err(error));
        }
        Ok(match self.message_at(&key.0, &key.1).await? {
            Some(message) if message["subtype"] == "ephemeral" => Err("message_not_found"),
            Some(message) if message["bot_id"] != BOT_ID => Err("cant_update_message"),
            Some(message) => Ok(message),
            None => Err("message_not_found"),
        })
    }

    async fn members_of(&self, channel: &str) -> Result<Vec<String>> {
        if let Some(members) = self.directory.channel(channel).members {
            return Ok(members);
        }
        let answer = self.forward("conversations.members", &json!({ "channel": channel }), None).await?;
        Ok(answer["members"].as_array().into_iter().flatten().filter_map(|member| Some(member.as_str()?.to_owned())).collect())
    }
}

/// The arguments of a message as the stand-in understands them: it knows no `markdown_text`, and cuts nothing off.
fn text_arguments(call: &Call) -> Value {
    let text = if call.has("markdown_text") { call.text("markdown_text") } else { call.text("text") };
    let text: String = text.chars().take(MOST_CHARACTERS).collect();
    let kept = |name: &str| call.arguments[name].clone();
    without_nulls(json!({
        "channel": kept("channel"), "text": text, "blocks": kept("blocks"), "attachments": kept("attachments"),
        "thread_ts": kept("thread_ts"), "username": kept("username"),
    }))
}
