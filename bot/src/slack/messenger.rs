//! What the core asks of Slack: posts, changes, looks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::body::{METADATA, body, file_name, message, private};
use super::client::Client;
use super::incoming::Me;
use super::outgoing::{self, Message};
use crate::chat::believed::Believed;
use crate::chat::{Asked, Button, Form, Incoming, Messenger, Place, PlaceKind, Press, Reply, SendError, Setting, Way};
use crate::gate::{ChannelFacts, PersonFacts};
use crate::store::{Outgoing, Post, PostForm};

/// How long what Slack says of a person is believed, and of a channel, which may be shared from one moment to the next.
const PERSON_BELIEVED: Duration = Duration::from_secs(60);
const CHANNEL_BELIEVED: Duration = Duration::from_secs(4);

/// What Slack says where blocks are not to its liking; the plain text always is.
const OF_BLOCKS: [&str; 5] = ["invalid_blocks", "msg_blocks_too_long", "msg_too_long", "invalid_blocks_format", "no_text"];

/// Parts of a long answer that one press shows.
const MAX_PARTS: usize = 4;

/// Longest alternative text of a picture, in characters.
const MAX_ALT: usize = 1_000;

/// Questions that the bot's page offers.
const EXAMPLES: [&str; 4] = ["what was the best run last week?", "why did the last run fail?", "compare run A with run B", "help"];

/// The Messenger of one workspace.
pub(super) struct SlackMessenger {
    pub(super) client: Arc<Client>,
    pub(super) me: Me,
    people: Believed<PersonFacts>,
    channels: Believed<ChannelFacts>,
    /// Messages that bear our sign.
    marked: Mutex<HashSet<(String, String)>>,
}

impl SlackMessenger {
    pub(super) fn new(client: Arc<Client>, me: Me) -> Self {
        let (people, channels) = (Believed::new(PERSON_BELIEVED), Believed::new(CHANNEL_BELIEVED));
        Self { client, me, people, channels, marked: Mutex::default() }
    }

    async fn post_message(&self, outgoing: &Outgoing) -> Result<String, SendError> {
        let post = &outgoing.post;
        if post.form == PostForm::Picture {
            return self.upload(outgoing).await;
        }
        let message = message(post);
        if let Some((person, address)) = &post.private_to {
            self.show_to(person, address, &post.place, &message).await?;
            return Ok(String::new());
        }
        let mut body = body(&post.place.channel, &message);
        body["metadata"] = json!({"event_type": METADATA, "event_payload": {"key": outgoing.id}});
        body["unfurl_links"] = false.into();
        body["unfurl_media"] = false.into();
        if let Some(thread) = &post.place.thread {
            body["thread_ts"] = thread.as_str().into();
        }
        let answer = self.with_blocks_or_without("chat.postMessage", body).await?;
        answer["ts"].as_str().map(str::to_owned).ok_or_else(|| SendError::Ambiguous("Slack's answer has no `ts`".to_owned()))
    }

    async fn update_message(&self, remote: &str, outgoing: &Outgoing) -> Result<(), SendError> {
        if outgoing.post.form == PostForm::Picture {
            return Ok(());
        }
        if remote.is_empty() {
            // What one person alone was shown cannot be changed.
            return self.post_message(outgoing).await.map(|_| ());
        }
        let mut body = body(&outgoing.post.place.channel, &message(&outgoing.post));
        body["ts"] = remote.into();
        body["metadata"] = json!({"event_type": METADATA, "event_payload": {"key": outgoing.id}});
        self.with_blocks_or_without("chat.update", body).await.map(|_| ())
    }

    /// Sends a message; where Slack does not like its blocks, as plain text.
    async fn with_blocks_or_without(&self, method: &str, mut body: Value) -> Result<Value, SendError> {
        match self.client.post(method, &body).await {
            Err(SendError::Refused(why)) if OF_BLOCKS.iter().any(|code| why.contains(&format!("`{code}`"))) => {
                tracing::error!(why, "a message goes out without its blocks");
                body["blocks"] = json!([]);
                self.client.post(method, &body).await
            }
            other => other,
        }
    }

    /// Shows something to one person alone: by the address that came with what the person did, and where that is used up, by name.
    async fn show_to(&self, person: &str, address: &str, place: &Place, message: &Message) -> Result<(), SendError> {
        match self.client.post_to(address, &private(message)).await {
            Err(SendError::Refused(why)) => {
                tracing::info!(why, "an address for one answer is used up");
                let mut body = body(&place.channel, message);
                body["user"] = person.into();
                self.client.post("chat.postEphemeral", &body).await.map(|_| ())
            }
            other => other,
        }
    }

    /// Uploads a picture into the thread. Its name holds the row's id, by which it is found again.
    async fn upload(&self, outgoing: &Outgoing) -> Result<String, SendError> {
        let post = &outgoing.post;
        let Some(picture) = &post.reply.picture else { return Ok(String::new()) };
        let (name, bytes) = (file_name(outgoing), picture.bytes());
        let alt: String = outgoing::escape(&picture.alt).chars().take(MAX_ALT).collect();
        let length = bytes.len().to_string();
        let place = self.client.get("files.getUploadURLExternal", &[("filename", &name), ("length", &length), ("alt_txt", &alt)]).await?;
        let field = |name: &str| place[name].as_str().ok_or_else(|| SendError::NotDelivered(format!("Slack's answer has no `{name}`")));
        let (url, file) = (field("upload_url")?, field("file_id")?);
        self.client.put_bytes(url, &bytes).await?;
        let mut body = json!({"files": [{"id": file, "title": picture.name}], "channel_id": post.place.channel});
        if let Some(thread) = &post.place.thread {
            body["thread_ts"] = thread.as_str().into();
        }
        self.client.post("files.completeUploadExternal", &body).await?;
        Ok(file.to_owned())
    }

    async fn read_person(&self, person: &str) -> Result<PersonFacts, SendError> {
        if person.is_empty() {
            return Ok(PersonFacts::default());
        }
        if let Some(facts) = self.people.fresh(person) {
            return Ok(facts);
        }
        let answer = self.client.get("users.info", &[("user", person)]).await?;
        let user = &answer["user"];
        if user["id"] != person {
            return Err(SendError::Ambiguous("Slack tells of somebody else".to_owned()));
        }
        let is = |flag: &str| user[flag].as_bool() == Some(true);
        let facts = PersonFacts {
            is_guest: is("is_restricted") || is("is_ultra_restricted"),
            is_stranger: is("is_stranger") || user["team_id"].as_str().is_some_and(|team| team != self.me.team),
            is_bot: is("is_bot"),
            zone: user["tz"].as_str().map(str::to_owned),
            roles: Vec::new(),
        };
        self.people.keep(person, facts.clone());
        Ok(facts)
    }

    async fn read_channel(&self, place: &Place) -> Result<ChannelFacts, SendError> {
        if place.kind == PlaceKind::Direct {
            return Ok(ChannelFacts::default());
        }
        if let Some(facts) = self.channels.fresh(&place.channel) {
            return Ok(facts);
        }
        let answer = self.client.get("conversations.info", &[("channel", place.channel.as_str())]).await?;
        let channel = &answer["channel"];
        if channel["id"] != place.channel.as_str() {
            return Err(SendError::Ambiguous("Slack tells of another channel".to_owned()));
        }
        let is = |flag: &str| channel[flag].as_bool() == Some(true);
        let facts = ChannelFacts {
            name: channel["name"].as_str().unwrap_or_default().to_owned(),
            is_shared: is("is_ext_shared") || is("is_pending_ext_shared") || is("is_org_shared"),
            is_group: is("is_mpim") || channel["name"].as_str().is_some_and(|name| name.starts_with("mpdm-")),
            ..ChannelFacts::default()
        };
        self.channels.keep(&place.channel, facts.clone());
        Ok(facts)
    }

    /// A status line where Slack shows one, else a pair of eyes under the message.
    async fn mark(&self, asked: &Asked) {
        if matches!(asked.way, Way::Command | Way::PublicCommand | Way::Shortcut) || asked.is_late {
            return;
        }
        let thread = asked.place.thread.as_deref().unwrap_or(&asked.message);
        let status = json!({"channel_id": asked.place.channel, "thread_ts": thread, "status": "is looking it up…"});
        if self.client.post("assistant.threads.setStatus", &status).await.is_ok() {
            return;
        }
        let eyes = json!({"channel": asked.place.channel, "timestamp": asked.message, "name": "eyes"});
        match self.client.post("reactions.add", &eyes).await {
            Ok(_) => _ = locked(&self.marked).insert((asked.place.channel.clone(), asked.message.clone())),
            Err(error) => tracing::debug!(%error, "no sign under the question"),
        }
    }

    async fn unmark(&self, asked: &Asked) {
        let marked = (asked.place.channel.clone(), asked.message.clone());
        if locked(&self.marked).remove(&marked) {
            let eyes = json!({"channel": marked.0, "timestamp": marked.1, "name": "eyes"});
            if let Err(error) = self.client.post("reactions.remove", &eyes).await {
                tracing::debug!(%error, "the sign stays under the question");
            }
        }
    }
}

impl Messenger for SlackMessenger {
    fn post<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, SendError>> {
        self.post_message(outgoing).boxed()
    }

    fn update<'a>(&'a self, remote: &'a str, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        self.update_message(remote, outgoing).boxed()
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, SendError>> {
        self.find_message(outgoing).boxed()
    }

    fn remove<'a>(&'a self, remote: &'a str, post: &'a Post) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            if remote.is_empty() {
                return Ok(());
            }
            if post.form == PostForm::Picture {
                return self.client.post("files.delete", &json!({"file": remote})).await.map(|_| ());
            }
            match self.client.post("chat.delete", &json!({"channel": post.place.channel, "ts": remote})).await {
                Err(SendError::Refused(why)) if why.contains("message_not_found") => Ok(()),
                other => other.map(|_| ()),
            }
        }
        .boxed()
    }

    fn keeps_private(&self) -> bool {
        false
    }

    fn show_seen<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, ()> {
        self.mark(asked).boxed()
    }

    fn hide_seen<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, ()> {
        self.unmark(asked).boxed()
    }

    fn person<'a>(&'a self, _place: &'a Place, person: &'a str) -> BoxFuture<'a, Result<PersonFacts, SendError>> {
        self.read_person(person).boxed()
    }

    fn channel<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<ChannelFacts, SendError>> {
        self.read_channel(place).boxed()
    }

    fn whisper<'a>(&'a self, press: &'a Press, reply: &'a Reply) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let Some(address) = &press.private_to else { return Ok(()) };
            let n_shown = usize::from(press.button == Button::More);
            for part in outgoing::parts(reply).iter().skip(n_shown).take(MAX_PARTS) {
                let part = Reply { buttons: Vec::new(), ..part.clone() };
                let setting = Setting { asker: None, question: &press.question, form: Form::Whole };
                let message = outgoing::message(&part, &setting);
                if let Err(error) = self.show_to(&press.person, address, &press.place, &message).await {
                    let Some(pause) = error.pause() else { return Err(error) };
                    tokio::time::sleep(pause).await;
                    self.show_to(&press.person, address, &press.place, &message).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn offer<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, ()> {
        async move {
            let prompts: Vec<Value> = EXAMPLES.iter().map(|example| json!({"title": example, "message": example})).collect();
            // Without a thread: with one, Slack shows them to nobody and says that all is well.
            let body = json!({"channel_id": place.channel, "prompts": prompts});
            if let Err(error) = self.client.post("assistant.threads.setSuggestedPrompts", &body).await {
                tracing::debug!(%error, "no suggested prompts");
            }
        }
        .boxed()
    }

    fn message_at(&self, at_ms: i64) -> String {
        // Down to the second: rather one message too many than one too few.
        format!("{}.000000", at_ms.div_euclid(1_000))
    }

    fn ask_reason<'a>(&'a self, trigger: &'a str, question: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let body = json!({"trigger_id": trigger, "view": outgoing::reason_modal(question)});
            self.client.post("views.open", &body).await.map(|_| ())
        }
        .boxed()
    }

    fn show_home<'a>(&'a self, person: &'a str, status: &'a [String]) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let body = json!({"user_id": person, "view": outgoing::home(status, &EXAMPLES)});
            self.client.post("views.publish", &body).await.map(|_| ())
        }
        .boxed()
    }

    fn channels_in<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<Vec<String>, SendError>> {
        futures::future::ready(Ok(vec![entry.to_owned()])).boxed()
    }

    fn missed<'a>(&'a self, channel: &'a str, since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>> {
        self.read_missed(channel, since).boxed()
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
