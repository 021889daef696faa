//! A platform on paper: everything that somebody would see is drawn by the platform's own renderer and written down.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use runlore_bot::chat::{Asked, Form, Incoming, Messenger, Place, Platform, Press, Reply, SendError, Setting};
use runlore_bot::gate::{ChannelFacts, PersonFacts};
use runlore_bot::store::{Outgoing, Post, PostForm};
use runlore_bot::{discord, slack};

/// What stands on the paper of one channel or person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is: `waiting`, `facts`, `whole`, `picture`, `removed`, `whisper`, `window`, `home`, `offer`.
    pub what: &'static str,
    /// The question under which it stands.
    pub question: String,
    /// What is seen, byte for byte.
    pub text: String,
}

/// The platform.
pub struct Paper {
    platform: Platform,
    pages: Mutex<HashMap<String, Vec<Seen>>>,
}

impl Paper {
    pub fn new(platform: Platform) -> Self {
        Self { platform, pages: Mutex::default() }
    }

    /// What was shown in a channel or to a person, in order.
    pub fn page(&self, of: &str) -> Vec<Seen> {
        self.pages().get(of).cloned().unwrap_or_default()
    }

    /// Whether the last form of a question's answer stands there.
    pub fn is_answered(&self, channel: &str, question: &str) -> bool {
        let pages = self.pages();
        pages.get(channel).is_some_and(|page| page.iter().any(|seen| seen.question == question && seen.what == "whole"))
    }

    /// What stands there, by where.
    pub fn pages_and_what_stands_there(&self) -> Vec<(String, Seen)> {
        self.pages().iter().flat_map(|(page, all)| all.iter().map(|seen| (page.clone(), seen.clone()))).collect()
    }

    /// Everything that anybody saw.
    pub fn everything(&self) -> Vec<Seen> {
        self.pages().values().flatten().cloned().collect()
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Vec<Seen>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, of: &str, what: &'static str, question: &str, text: String) {
        self.pages().entry(of.to_owned()).or_default().push(Seen { what, question: question.to_owned(), text });
    }

    fn write_post(&self, post: &Post) {
        let what = match post.form {
            PostForm::Waiting => "waiting",
            PostForm::Facts => "facts",
            PostForm::Whole => "whole",
            PostForm::Picture => "picture",
        };
        self.write(&post.place.channel, what, &post.question, self.drawn(post));
    }

    /// The body of its call, the parts behind it, and its picture.
    fn drawn(&self, post: &Post) -> String {
        let body = match self.platform {
            Platform::Slack => slack::rendered(post),
            Platform::Discord => discord::rendered(post),
        };
        let address = post.private_to.as_ref().map(|(person, address)| format!("to {person} by {address}"));
        let picture = post.reply.picture.as_ref().filter(|_| post.form == PostForm::Picture);
        let picture = picture.map(|picture| format!("{} {} {}", picture.name, picture.alt, picture.png));
        format!("{body}\n{}\n{address:?}\n{picture:?}", self.parts(&post.reply, &post.question))
    }

    fn parts(&self, reply: &Reply, question: &str) -> String {
        let setting = Setting { asker: None, question, form: Form::Whole };
        let parts: Vec<String> = match self.platform {
            Platform::Slack => {
                let drawn = |part| slack::outgoing::message(part, &setting);
                slack::outgoing::parts(reply).iter().map(drawn).map(|m| format!("{} {:?}", m.text, m.blocks)).collect()
            }
            Platform::Discord => {
                let drawn = |part| discord::outgoing::message(part, &setting).body().to_string();
                discord::outgoing::parts(reply).iter().map(drawn).collect()
            }
        };
        parts.join("\n")
    }
}

impl Messenger for Paper {
    fn post<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, SendError>> {
        self.write_post(&outgoing.post);
        ready(Ok(outgoing.id.clone())).boxed()
    }

    fn update<'a>(&'a self, _remote: &'a str, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        self.write_post(&outgoing.post);
        ready(Ok(())).boxed()
    }

    fn find<'a>(&'a self, _outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, SendError>> {
        ready(Ok(None)).boxed()
    }

    fn remove<'a>(&'a self, _remote: &'a str, post: &'a Post) -> BoxFuture<'a, Result<(), SendError>> {
        self.write(&post.place.channel, "removed", &post.question, String::new());
        ready(Ok(())).boxed()
    }

    fn keeps_private(&self) -> bool {
        self.platform == Platform::Discord
    }

    fn show_seen<'a>(&'a self, _asked: &'a Asked) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }

    fn hide_seen<'a>(&'a self, _asked: &'a Asked) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }

    fn person<'a>(&'a self, _place: &'a Place, person: &'a str) -> BoxFuture<'a, Result<PersonFacts, SendError>> {
        let zone = person.ends_with('3').then(|| "Europe/Berlin".to_owned());
        ready(Ok(PersonFacts { is_guest: person.starts_with("GUEST"), zone, ..PersonFacts::default() })).boxed()
    }

    fn channel<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<ChannelFacts, SendError>> {
        let facts = ChannelFacts { name: "here".to_owned(), is_shared: place.channel.starts_with("SHARED"), ..ChannelFacts::default() };
        ready(Ok(facts)).boxed()
    }

    fn whisper<'a>(&'a self, press: &'a Press, reply: &'a Reply) -> BoxFuture<'a, Result<(), SendError>> {
        self.write(&press.place.channel, "whisper", &press.question, format!("{:?} {}", press.button, self.parts(reply, &press.question)));
        ready(Ok(())).boxed()
    }

    fn offer<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, ()> {
        self.write(&place.channel, "offer", "", String::new());
        ready(()).boxed()
    }

    fn message_at(&self, at_ms: i64) -> String {
        format!("{at_ms:020}")
    }

    fn ask_reason<'a>(&'a self, trigger: &'a str, question: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        let window = match self.platform {
            Platform::Slack => slack::outgoing::reason_modal(question),
            Platform::Discord => discord::outgoing::reason_modal(question),
        };
        // The trigger begins with the channel in which it was pressed.
        self.write(trigger.split(' ').next().unwrap_or_default(), "window", question, window.to_string());
        ready(Ok(())).boxed()
    }

    fn show_home<'a>(&'a self, person: &'a str, status: &'a [String]) -> BoxFuture<'a, Result<(), SendError>> {
        // How many questions wait is a flow that is allowed by name.
        let told: Vec<String> = status.iter().filter(|line| !line.ends_with("waiting.")).cloned().collect();
        self.write(person, "home", "", slack::outgoing::home(&told, &[]).to_string());
        ready(Ok(())).boxed()
    }

    fn channels_in<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<Vec<String>, SendError>> {
        ready(Ok(vec![entry.to_owned()])).boxed()
    }

    fn missed<'a>(&'a self, _channel: &'a str, _since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>> {
        ready(Ok(Vec::new())).boxed()
    }
}
