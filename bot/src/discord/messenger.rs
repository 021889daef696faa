//! What the core asks of Discord: posts, changes, looks.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};

use super::acks::Acks;
use super::body::{message, posted, snowflake, with_picture};
use super::client::{CLOSED, Call, Client, THREAD_EXISTS, UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNKNOWN_MESSAGE, is_code, is_over};
use super::gateway::PRIVATE;
use super::incoming::Me;
use super::outgoing;
use super::rooms::Rooms;
use crate::chat::believed::Believed;
use crate::chat::{Asked, Button, Form, Incoming, Messenger, Place, PlaceKind, Press, Reply, SendError, Setting};
use crate::gate::{ChannelFacts, PersonFacts};
use crate::store::{Outgoing, Post, PostForm};

/// Said to somebody who can be shown an answer no more.
const TOO_LATE: &str = "Your answer came too late to be shown to you alone, and you take no direct messages from me. Ask again, please.";

/// How long what Discord says of a person is believed.
const PERSON_BELIEVED: Duration = Duration::from_secs(60);

/// Stands for the message that answers an interaction.
const OF_INTERACTION: &str = "@original";

/// Parts of a long answer, in its thread or for one press.
const MAX_PARTS: usize = 10;

/// Minutes after which a quiet thread is put away, and longest name of one.
const PUT_AWAY_AFTER: u32 = 1_440;
const MAX_THREAD_NAME: usize = 90;

/// The Messenger of one server.
pub(super) struct DiscordMessenger {
    pub(super) client: Arc<Client>,
    pub(super) rooms: Arc<Rooms>,
    pub(super) acks: Arc<Acks>,
    pub(super) me: Me,
    /// The team's server.
    pub(super) guild: String,
    people: Believed<PersonFacts>,
}

impl DiscordMessenger {
    pub(super) fn new(client: Arc<Client>, rooms: Arc<Rooms>, acks: Arc<Acks>, me: Me, guild: String) -> Self {
        Self { client, rooms, acks, me, guild, people: Believed::new(PERSON_BELIEVED) }
    }

    async fn post_message(&self, outgoing: &Outgoing) -> Result<String, SendError> {
        let post = &outgoing.post;
        if let Some(token) = token(post) {
            match self.answer_interaction(token, post).await {
                Ok(()) => return Ok(OF_INTERACTION.to_owned()),
                // Its time is over: what was for all goes on as a message, what was for one as a direct message.
                Err(error) if is_over(&error) => tracing::info!(%error, "an interaction can be answered no more"),
                Err(error) => return Err(error),
            }
        }
        let Some((person, _)) = &post.private_to else { return self.post_for_all(target(&post.place), outgoing).await };
        let sent = match self.direct_channel(person).await {
            Ok(channel) => self.send(&channel, outgoing, &post.reply, 0).await,
            Err(error) => Err(error),
        };
        match sent {
            // Who takes no direct messages is told where it was asked that there is an answer, and not what it says.
            Err(error) if is_code(&error, CLOSED) && post.place.kind == PlaceKind::Channel => {
                let neutral = Post { reply: plain(TOO_LATE), form: PostForm::Whole, private_to: None, ..post.clone() };
                self.send(target(&post.place), &Outgoing { post: neutral.clone(), ..outgoing.clone() }, &neutral.reply, 0).await
            }
            other => other,
        }
    }

    async fn post_for_all(&self, channel: &str, outgoing: &Outgoing) -> Result<String, SendError> {
        let post = &outgoing.post;
        let remote = self.send(channel, outgoing, &post.reply, 0).await?;
        if post.form == PostForm::Whole {
            self.go_on(channel, &remote, outgoing).await?;
        }
        Ok(remote)
    }

    /// Sends one part as a message of its own. The same within some minutes is not posted twice.
    async fn send(&self, channel: &str, outgoing: &Outgoing, reply: &Reply, part: usize) -> Result<String, SendError> {
        // Who asked is called once.
        let asker = outgoing.post.asker.clone().filter(|_| part == 0);
        let mut body = posted(&message(&Post { asker, ..outgoing.post.clone() }, reply), outgoing, part);
        let path = format!("/channels/{channel}/messages");
        let picture = outgoing.post.reply.picture.as_ref().filter(|_| outgoing.post.form == PostForm::Picture);
        let bytes = picture.map(|picture| picture.bytes());
        if let Some(picture) = picture {
            body["content"] = "".into();
            body["components"] = json!([]);
            body = with_picture(body, &picture.name, &picture.alt);
        }
        let file = picture.zip(bytes.as_deref()).map(|(picture, bytes)| (picture.name.as_str(), bytes));
        let answer = self.client.call(Call::new(Method::POST, path, Some(&body)).with_file(file)).await?;
        id_of(&answer)
    }

    /// The rest of a long answer: in a thread of its own below its message, or behind it where there can be none.
    async fn go_on(&self, channel: &str, remote: &str, outgoing: &Outgoing) -> Result<(), SendError> {
        let post = &outgoing.post;
        let mut parts = outgoing::parts(&post.reply);
        if !parts[1..].iter().any(says_something) {
            return Ok(());
        }
        parts[0].buttons.retain(|button| *button != Button::More);
        let is_in_channel = post.place.kind == PlaceKind::Channel && channel == post.place.channel;
        let thread = if is_in_channel { self.open_thread(channel, remote, &post.reply.headline).await? } else { Some(channel.to_owned()) };
        // Where no thread can be opened, the button shows the rest.
        let Some(thread) = thread else { return Ok(()) };
        for (i, part) in parts.iter().enumerate().skip(1).take(MAX_PARTS) {
            let rest = Reply { buttons: Vec::new(), ..part.clone() };
            self.send(&thread, outgoing, &rest, i).await?;
        }
        self.change(channel, remote, post, &parts[0]).await
    }

    async fn open_thread(&self, channel: &str, message: &str, headline: &str) -> Result<Option<String>, SendError> {
        let name: String = headline.chars().filter(|c| !c.is_control()).take(MAX_THREAD_NAME).collect();
        let name = if name.trim().is_empty() { "Runlore".to_owned() } else { name };
        let body = json!({"name": name, "auto_archive_duration": PUT_AWAY_AFTER});
        let path = format!("/channels/{channel}/messages/{message}/threads");
        match self.client.call(Call::new(Method::POST, path, Some(&body))).await {
            Ok(thread) => id_of(&thread).map(Some),
            // A thread below a message has the message's id.
            Err(error) if is_code(&error, THREAD_EXISTS) => Ok(Some(message.to_owned())),
            Err(SendError::Refused(why)) => {
                tracing::info!(why, "no thread for a long answer");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn change(&self, channel: &str, remote: &str, post: &Post, reply: &Reply) -> Result<(), SendError> {
        let body = message(post, reply).body();
        let path = format!("/channels/{channel}/messages/{remote}");
        self.client.call(Call::new(Method::PATCH, path, Some(&body))).await.map(|_| ())
    }

    /// Brings the one message that answers an interaction up to the post; the same again changes nothing.
    async fn answer_interaction(&self, token: &str, post: &Post) -> Result<(), SendError> {
        self.acks.wait(token).await;
        let mut body = message(post, &post.reply).body();
        let picture = post.reply.picture.as_ref().filter(|_| post.form != PostForm::Facts);
        let bytes = picture.map(|picture| picture.bytes());
        if let Some(picture) = picture {
            body = with_picture(body, &picture.name, &picture.alt);
        }
        let file = picture.zip(bytes.as_deref()).map(|(picture, bytes)| (picture.name.as_str(), bytes));
        let path = format!("/webhooks/{}/{token}/messages/{OF_INTERACTION}", self.me.application);
        self.client.call(Call::of_interaction(Method::PATCH, path, Some(&body)).with_file(file)).await.map(|_| ())
    }

    /// Says something more to who used an interaction.
    async fn follow_up(&self, token: &str, body: &Value) -> Result<(), SendError> {
        let path = format!("/webhooks/{}/{token}", self.me.application);
        self.client.call(Call::of_interaction(Method::POST, path, Some(body))).await.map(|_| ())
    }

    async fn direct_channel(&self, person: &str) -> Result<String, SendError> {
        let body = json!({"recipient_id": person});
        id_of(&self.client.call(Call::new(Method::POST, "/users/@me/channels".to_owned(), Some(&body))).await?)
    }

    /// The channel in which a message of a post stands, where it answers no interaction.
    async fn channel_of(&self, post: &Post) -> Result<String, SendError> {
        match &post.private_to {
            Some((person, _)) => self.direct_channel(person).await,
            None => Ok(target(&post.place).to_owned()),
        }
    }

    async fn update_message(&self, remote: &str, outgoing: &Outgoing) -> Result<(), SendError> {
        let post = &outgoing.post;
        if post.form == PostForm::Picture {
            return Ok(());
        }
        match (remote, token(post)) {
            (OF_INTERACTION, Some(token)) => return self.answer_interaction(token, post).await,
            (OF_INTERACTION, None) => return Err(SendError::Refused("the interaction is not known any more".to_owned())),
            _ => {}
        }
        let channel = self.channel_of(post).await?;
        self.change(&channel, remote, post, &post.reply).await?;
        if post.form == PostForm::Whole && post.private_to.is_none() {
            self.go_on(&channel, remote, outgoing).await?;
        }
        Ok(())
    }

    async fn remove_message(&self, remote: &str, post: &Post) -> Result<(), SendError> {
        if let (OF_INTERACTION, Some(token)) = (remote, token(post)) {
            let path = format!("/webhooks/{}/{token}/messages/{OF_INTERACTION}", self.me.application);
            return gone(self.client.call(Call::of_interaction(Method::DELETE, path, None)).await);
        }
        let channel = self.channel_of(post).await?;
        // What went on in a thread below it goes first.
        if post.place.kind == PlaceKind::Channel && channel == post.place.channel && outgoing::parts(&post.reply).len() > 1 {
            match self.messages_after(remote, "0").await {
                Ok(messages) => {
                    for message in messages.iter().filter(|message| message["author"]["id"] == self.me.user.as_str()) {
                        let id = message["id"].as_str().unwrap_or_default();
                        gone(self.client.call(Call::new(Method::DELETE, format!("/channels/{remote}/messages/{id}"), None)).await)?;
                    }
                }
                Err(SendError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        gone(self.client.call(Call::new(Method::DELETE, format!("/channels/{channel}/messages/{remote}"), None)).await)
    }

    /// Somebody of a server; in direct messages of the team's.
    async fn read_person(&self, place: &Place, person: &str) -> Result<PersonFacts, SendError> {
        if person.is_empty() {
            return Ok(PersonFacts::default());
        }
        let guild = if place.workspace.is_empty() { &self.guild } else { &place.workspace };
        let key = format!("{guild} {person}");
        if let Some(facts) = self.people.fresh(&key) {
            return Ok(facts);
        }
        let facts = match self.client.get(format!("/guilds/{guild}/members/{person}")).await {
            Ok(member) if member["user"]["id"] == person => PersonFacts {
                is_bot: member["user"]["bot"] == true,
                roles: member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
                ..PersonFacts::default()
            },
            Ok(_) => return Err(SendError::Ambiguous("Discord tells of somebody else".to_owned())),
            Err(error) if is_code(&error, UNKNOWN_MEMBER) => PersonFacts { is_stranger: true, ..PersonFacts::default() },
            Err(error) => return Err(error),
        };
        self.people.keep(&key, facts.clone());
        Ok(facts)
    }
}

impl Messenger for DiscordMessenger {
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
        self.remove_message(remote, post).boxed()
    }

    fn keeps_private(&self) -> bool {
        true
    }

    fn show_seen<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, ()> {
        async move {
            if asked.private_to.is_some() || asked.is_late {
                return;
            }
            let path = format!("/channels/{}/typing", target(&asked.place));
            if let Err(error) = self.client.call(Call::new(Method::POST, path, None)).await {
                tracing::debug!(%error, "no sign under the question");
            }
        }
        .boxed()
    }

    fn hide_seen<'a>(&'a self, _asked: &'a Asked) -> BoxFuture<'a, ()> {
        // The sign goes by itself.
        futures::future::ready(()).boxed()
    }

    fn person<'a>(&'a self, place: &'a Place, person: &'a str) -> BoxFuture<'a, Result<PersonFacts, SendError>> {
        self.read_person(place, person).boxed()
    }

    fn channel<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<ChannelFacts, SendError>> {
        async move {
            match place.kind {
                PlaceKind::Direct => Ok(ChannelFacts::default()),
                // The bot is in no group and cannot ask about one.
                PlaceKind::Group => Ok(ChannelFacts { is_group: true, ..ChannelFacts::default() }),
                PlaceKind::Channel => self.rooms.facts(place).await,
            }
        }
        .boxed()
    }

    fn whisper<'a>(&'a self, press: &'a Press, reply: &'a Reply) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let Some(token) = &press.private_to else { return Ok(()) };
            self.acks.wait(token).await;
            let n_shown = usize::from(press.button == Button::More);
            for part in outgoing::parts(reply).iter().skip(n_shown).take(MAX_PARTS) {
                let part = Reply { buttons: Vec::new(), ..part.clone() };
                let setting = Setting { asker: None, question: &press.question, form: Form::Whole };
                let mut body = outgoing::message(&part, &setting).body();
                body["flags"] = (body["flags"].as_u64().unwrap_or(0) | PRIVATE).into();
                if let Err(error) = self.follow_up(token, &body).await {
                    let Some(pause) = error.pause() else { return Err(error) };
                    tokio::time::sleep(pause).await;
                    self.follow_up(token, &body).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn offer<'a>(&'a self, _place: &'a Place) -> BoxFuture<'a, ()> {
        futures::future::ready(()).boxed()
    }

    fn message_at(&self, at_ms: i64) -> String {
        snowflake(at_ms)
    }

    fn ask_reason<'a>(&'a self, trigger: &'a str, question: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let body = json!({"type": 9, "data": outgoing::reason_modal(question)});
            let path = format!("/interactions/{trigger}/callback");
            self.client.call(Call::of_interaction(Method::POST, path, Some(&body))).await.map(|_| ())
        }
        .boxed()
    }

    fn show_home<'a>(&'a self, _person: &'a str, _status: &'a [String]) -> BoxFuture<'a, Result<(), SendError>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn channels_in<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<Vec<String>, SendError>> {
        self.read_channels_in(entry).boxed()
    }

    fn missed<'a>(&'a self, channel: &'a str, since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>> {
        self.read_missed(channel, since).boxed()
    }
}

fn plain(sentence: &str) -> Reply {
    Reply { headline: sentence.to_owned(), ..Reply::default() }
}

/// Whether a part says more than whence the rest comes.
fn says_something(part: &Reply) -> bool {
    !part.lines.is_empty() || !part.quotes.is_empty() || !part.headline.is_empty() || part.narration.is_some()
}

/// The token of the interaction that a post answers; a public one is answered for all.
pub(super) fn token(post: &Post) -> Option<&str> {
    let address = post.private_to.as_ref().or(post.otherwise.as_ref());
    address.map(|(_, token)| token.as_str()).filter(|_| post.form != PostForm::Picture)
}

/// The channel that a message stands in: a thread is one.
pub(super) fn target(place: &Place) -> &str {
    // A conversation in a channel itself, or in direct messages, has a name that is no id.
    let thread = place.thread.as_deref().filter(|thread| thread.chars().all(|c| c.is_ascii_digit()));
    thread.unwrap_or(&place.channel)
}

fn id_of(answer: &Value) -> Result<String, SendError> {
    answer["id"].as_str().map(str::to_owned).ok_or_else(|| SendError::Ambiguous("Discord's answer has no `id`".to_owned()))
}

/// What is not there any more is taken away well.
fn gone(answer: Result<Value, SendError>) -> Result<(), SendError> {
    match answer {
        Err(error) if is_code(&error, UNKNOWN_MESSAGE) || is_code(&error, UNKNOWN_CHANNEL) => Ok(()),
        other => other.map(|_| ()),
    }
}
