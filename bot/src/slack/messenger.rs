//! What the core asks of Slack: posts, changes, looks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::client::Client;
use super::incoming::{self, Me};
use super::outgoing::{self, Form, Message, Setting};
use crate::chat::{Asked, Incoming, Messenger, Place, PlaceKind, Reply, SendError, Way};
use crate::gate::{ChannelFacts, PersonFacts};
use crate::store::{Outgoing, Post, PostForm};

/// The type of the metadata that carries an outbox row's id.
const METADATA: &str = "runlore_reply";

/// How long what Slack says of people and channels is believed.
const BELIEVED: Duration = Duration::from_secs(60);

/// How many messages a look reads, and a catching up.
const READ: &str = "200";

/// Clocks of Slack and of this machine may differ by so much, in seconds.
const CLOCKS_S: i64 = 120;

/// Longest alternative text of a picture, in characters.
const MAX_ALT: usize = 1_000;

/// Questions that the bot's page offers.
const EXAMPLES: [&str; 4] = ["what was the best run last week?", "why did the last run fail?", "compare run A with run B", "help"];

/// The Messenger of one workspace.
pub(super) struct SlackMessenger {
    client: Arc<Client>,
    me: Me,
    people: Mutex<HashMap<String, (Instant, PersonFacts)>>,
    channels: Mutex<HashMap<String, (Instant, ChannelFacts)>>,
    /// Messages that bear our sign.
    marked: Mutex<HashSet<(String, String)>>,
}

impl SlackMessenger {
    pub(super) fn new(client: Arc<Client>, me: Me) -> Self {
        Self { client, me, people: Mutex::default(), channels: Mutex::default(), marked: Mutex::default() }
    }

    async fn post_message(&self, outgoing: &Outgoing) -> Result<String, SendError> {
        let post = &outgoing.post;
        if post.form == PostForm::Picture {
            return self.upload(outgoing).await;
        }
        let message = message(post);
        if let Some((_, address)) = &post.private_to {
            self.client.post_to(address, &private(&message)).await?;
            return Ok(String::new());
        }
        let mut body = body(&post.place.channel, &message);
        body["metadata"] = json!({"event_type": METADATA, "event_payload": {"key": outgoing.id}});
        body["unfurl_links"] = false.into();
        body["unfurl_media"] = false.into();
        if let Some(thread) = &post.place.thread {
            body["thread_ts"] = thread.as_str().into();
        }
        let answer = self.client.post("chat.postMessage", &body).await?;
        answer["ts"].as_str().map(str::to_owned).ok_or_else(|| SendError::Ambiguous("Slack's answer has no `ts`".to_owned()))
    }

    async fn update_message(&self, remote: &str, outgoing: &Outgoing) -> Result<(), SendError> {
        if remote.is_empty() || outgoing.post.form == PostForm::Picture {
            return Ok(());
        }
        let mut body = body(&outgoing.post.place.channel, &message(&outgoing.post));
        body["ts"] = remote.into();
        body["metadata"] = json!({"event_type": METADATA, "event_payload": {"key": outgoing.id}});
        self.client.post("chat.update", &body).await.map(|_| ())
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

    /// Reads what stands in the thread or the channel since shortly before the row was stored.
    async fn find_message(&self, outgoing: &Outgoing) -> Result<Option<String>, SendError> {
        if outgoing.post.private_to.is_some() {
            // Nobody can look; a second one is better than none.
            return Ok(None);
        }
        let place = &outgoing.post.place;
        let oldest = (outgoing.created_ms / 1_000 - CLOCKS_S).to_string();
        let mut cursor = String::new();
        loop {
            let mut params =
                vec![("channel", place.channel.as_str()), ("limit", READ), ("include_all_metadata", "true"), ("oldest", &*oldest)];
            if !cursor.is_empty() {
                params.push(("cursor", &cursor));
            }
            let method = match &place.thread {
                Some(thread) => {
                    params.push(("ts", thread));
                    "conversations.replies"
                }
                None => "conversations.history",
            };
            let page = self.client.get(method, &params).await?;
            let name = file_name(outgoing);
            let has_file =
                |message: &Value| message["files"].as_array().into_iter().flatten().any(|file| file["name"].as_str() == Some(&name));
            let is_it = |message: &&Value| message["metadata"]["event_payload"]["key"].as_str() == Some(&outgoing.id) || has_file(message);
            if let Some(found) = page["messages"].as_array().into_iter().flatten().find(is_it) {
                return Ok(found["ts"].as_str().map(str::to_owned));
            }
            cursor = next_cursor(&page);
            if cursor.is_empty() {
                return Ok(None);
            }
        }
    }

    async fn read_person(&self, person: &str) -> Result<PersonFacts, SendError> {
        if person.is_empty() {
            return Ok(PersonFacts::default());
        }
        if let Some(facts) = fresh(&self.people, person) {
            return Ok(facts);
        }
        let answer = self.client.get("users.info", &[("user", person)]).await?;
        let user = &answer["user"];
        let is = |flag: &str| user[flag].as_bool() == Some(true);
        let facts = PersonFacts {
            is_guest: is("is_restricted") || is("is_ultra_restricted"),
            is_stranger: is("is_stranger") || user["team_id"].as_str().is_some_and(|team| team != self.me.team),
            is_bot: is("is_bot"),
            utc_offset_s: user["tz_offset"].as_i64().unwrap_or(0) as i32,
        };
        keep(&self.people, person, facts.clone());
        Ok(facts)
    }

    async fn read_channel(&self, place: &Place) -> Result<ChannelFacts, SendError> {
        if place.kind == PlaceKind::Direct {
            return Ok(ChannelFacts::default());
        }
        if let Some(facts) = fresh(&self.channels, &place.channel) {
            return Ok(facts);
        }
        let answer = self.client.get("conversations.info", &[("channel", place.channel.as_str())]).await?;
        let channel = &answer["channel"];
        let is = |flag: &str| channel[flag].as_bool() == Some(true);
        let facts = ChannelFacts {
            name: channel["name"].as_str().unwrap_or_default().to_owned(),
            is_shared: is("is_ext_shared") || is("is_pending_ext_shared") || is("is_org_shared"),
            is_archived: is("is_archived"),
        };
        keep(&self.channels, &place.channel, facts.clone());
        Ok(facts)
    }

    /// A status line where Slack shows one, else a pair of eyes under the message.
    async fn mark(&self, asked: &Asked) {
        if matches!(asked.way, Way::Command | Way::Shortcut) || asked.is_late {
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

    /// Questions in a channel's history, threads with later replies included.
    async fn read_missed(&self, channel: &str, since: &str) -> Result<Vec<Incoming>, SendError> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        // Threads that began earlier go on too: a day back is read for those.
        let day_before = since.split('.').next().and_then(|s| s.parse::<i64>().ok()).map_or(0, |s| s - 24 * 60 * 60).to_string();
        loop {
            let mut params = vec![("channel", channel), ("limit", READ), ("oldest", &*day_before)];
            if !cursor.is_empty() {
                params.push(("cursor", &cursor));
            }
            let page = self.client.get("conversations.history", &params).await?;
            for message in page["messages"].as_array().into_iter().flatten() {
                let ts = message["ts"].as_str().unwrap_or_default();
                if ts > since {
                    found.extend(incoming::missed(message, channel, &self.me));
                }
                if message["latest_reply"].as_str().is_some_and(|latest| latest > since) {
                    let params = [("channel", channel), ("ts", ts), ("limit", READ), ("oldest", since)];
                    let replies = self.client.get("conversations.replies", &params).await?;
                    let later = replies["messages"].as_array().into_iter().flatten().filter(|reply| reply["ts"].as_str() > Some(since));
                    found.extend(later.filter_map(|reply| incoming::missed(reply, channel, &self.me)));
                }
            }
            cursor = next_cursor(&page);
            if cursor.is_empty() {
                break;
            }
        }
        found.sort_by(|a, b| a.event.message().cmp(b.event.message()));
        Ok(found)
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

    fn whisper<'a>(&'a self, to: &'a str, _person: &'a str, reply: &'a Reply) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let setting = Setting { asker: None, question: "00000000-0000-0000-0000-000000000000", form: Form::Whole };
            self.client.post_to(to, &private(&outgoing::message(reply, &setting))).await
        }
        .boxed()
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

    fn missed<'a>(&'a self, channel: &'a str, since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>> {
        self.read_missed(channel, since).boxed()
    }
}

/// A post as a message.
fn message(post: &Post) -> Message {
    // In a direct message nobody else is there to be told apart from, and what one person alone sees is addressed already.
    let asker = post.asker.as_deref().filter(|_| post.place.kind == PlaceKind::Channel && post.private_to.is_none());
    let setting = |form| Setting { asker, question: &post.question, form };
    match post.form {
        PostForm::Waiting => outgoing::sentence(&post.reply.headline),
        PostForm::Facts => outgoing::message(&post.reply, &setting(Form::Facts)),
        PostForm::Whole | PostForm::Picture => outgoing::message(&post.reply, &setting(Form::Whole)),
    }
}

/// The name of a row's picture on Slack.
fn file_name(outgoing: &Outgoing) -> String {
    let name = outgoing.post.reply.picture.as_ref().map_or("chart.png", |picture| picture.name.as_str());
    format!("{}-{name}", &outgoing.id[..outgoing.id.len().min(8)])
}

fn body(channel: &str, message: &Message) -> Value {
    json!({"channel": channel, "text": message.text, "blocks": message.blocks, "parse": "none"})
}

/// For one person alone: without the word Slack would show it to that person too, but a stand-in or a later Slack may not.
fn private(message: &Message) -> Value {
    json!({"response_type": "ephemeral", "replace_original": false, "text": message.text, "blocks": message.blocks})
}

fn next_cursor(page: &Value) -> String {
    page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned()
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fresh<T: Clone>(kept: &Mutex<HashMap<String, (Instant, T)>>, key: &str) -> Option<T> {
    locked(kept).get(key).filter(|(since, _)| since.elapsed() < BELIEVED).map(|(_, facts)| facts.clone())
}

fn keep<T>(kept: &Mutex<HashMap<String, (Instant, T)>>, key: &str, facts: T) {
    let mut kept = locked(kept);
    kept.retain(|_, (since, _)| since.elapsed() < BELIEVED);
    kept.insert(key.to_owned(), (Instant::now(), facts));
}
