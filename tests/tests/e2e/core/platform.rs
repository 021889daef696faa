//! A platform that is a list: it records what is posted, and breaks as it is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use runlore_bot::chat::{Asked, Incoming, Messenger, Place, PlaceKind, Platform, Press, Reply, SendError, Way};
use runlore_bot::gate::{ChannelFacts, PersonFacts};
use runlore_bot::store::{Outgoing, Post};

/// How a send of the recording platform goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    Well,
    /// Nothing is posted, and that is said.
    NotDelivered,
    /// Nothing is posted, and nobody says so.
    Lost,
    /// It is posted, and nobody says so.
    Unsaid,
    /// It is posted some time after it was said to have been lost.
    Late(Duration),
}

/// One message that stands there.
#[derive(Debug, Clone)]
pub struct Standing {
    pub key: String,
    pub reply: Reply,
    pub question: String,
}

/// The recording platform.
#[derive(Default)]
pub struct Recording {
    standing: Mutex<Vec<Standing>>,
    always: Mutex<Vec<Goes>>,
    beside: Mutex<Vec<String>>,
    whispered: Mutex<Vec<(String, Reply)>>,
    pub person: Mutex<PersonFacts>,
    pub channel: Mutex<ChannelFacts>,
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    /// How the next sends of whatever row go.
    pub fn next_sends(&self, goes: &[Goes]) {
        locked(&self.always).extend(goes.iter().rev());
    }

    /// What stands there.
    pub fn standing(&self) -> Vec<Standing> {
        locked(&self.standing).clone()
    }

    /// What was shown beside the messages, in order: what a press whispers, pages, examples.
    pub fn beside(&self) -> Vec<String> {
        locked(&self.beside).clone()
    }

    /// What pressers were told, alone: `PERSON: HEADLINE`, in order.
    pub fn whispered(&self) -> Vec<String> {
        locked(&self.whispered).iter().map(|(person, reply)| format!("{person}: {}", reply.headline)).collect()
    }

    /// The last of that as a whole.
    pub fn last_whispered(&self) -> Option<Reply> {
        locked(&self.whispered).last().map(|(_, reply)| reply.clone())
    }

    fn put(&self, outgoing: &Outgoing) -> String {
        let mut standing = locked(&self.standing);
        let post = &outgoing.post;
        standing.push(Standing { key: outgoing.id.clone(), reply: post.reply.clone(), question: post.question.clone() });
        (standing.len() - 1).to_string()
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<String, SendError> {
        let goes = locked(&self.always).pop();
        match goes.unwrap_or(Goes::Well) {
            Goes::Well => Ok(self.put(outgoing)),
            Goes::NotDelivered => Err(SendError::NotDelivered("no way".to_owned())),
            Goes::Lost => Err(SendError::Ambiguous("lost".to_owned())),
            Goes::Unsaid => {
                self.put(outgoing);
                Err(SendError::Ambiguous("unsaid".to_owned()))
            }
            Goes::Late(after) => {
                tokio::time::sleep(after).await;
                self.put(outgoing);
                Err(SendError::Ambiguous("late".to_owned()))
            }
        }
    }
}

impl Messenger for Recording {
    fn post<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, SendError>> {
        self.send(outgoing).boxed()
    }

    fn update<'a>(&'a self, remote: &'a str, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        let mut standing = locked(&self.standing);
        let at: usize = remote.parse().unwrap();
        standing[at].reply = outgoing.post.reply.clone();
        futures::future::ready(Ok(())).boxed()
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, SendError>> {
        let found = locked(&self.standing).iter().position(|standing| standing.key == outgoing.id);
        futures::future::ready(Ok(found.map(|at| at.to_string()))).boxed()
    }

    fn remove<'a>(&'a self, remote: &'a str, _post: &'a Post) -> BoxFuture<'a, Result<(), SendError>> {
        let at: usize = remote.parse().unwrap();
        locked(&self.standing)[at].key = "removed".to_owned();
        futures::future::ready(Ok(())).boxed()
    }

    fn keeps_private(&self) -> bool {
        false
    }

    fn show_seen<'a>(&'a self, _asked: &'a Asked) -> BoxFuture<'a, ()> {
        futures::future::ready(()).boxed()
    }

    fn hide_seen<'a>(&'a self, _asked: &'a Asked) -> BoxFuture<'a, ()> {
        futures::future::ready(()).boxed()
    }

    fn person<'a>(&'a self, _place: &'a Place, _person: &'a str) -> BoxFuture<'a, Result<PersonFacts, SendError>> {
        futures::future::ready(Ok(locked(&self.person).clone())).boxed()
    }

    fn channel<'a>(&'a self, _place: &'a Place) -> BoxFuture<'a, Result<ChannelFacts, SendError>> {
        futures::future::ready(Ok(locked(&self.channel).clone())).boxed()
    }

    fn whisper<'a>(&'a self, press: &'a Press, reply: &'a Reply) -> BoxFuture<'a, Result<(), SendError>> {
        locked(&self.beside).push(reply.headline.clone());
        locked(&self.whispered).push((press.person.clone(), reply.clone()));
        futures::future::ready(Ok(())).boxed()
    }

    fn offer<'a>(&'a self, _place: &'a Place) -> BoxFuture<'a, ()> {
        locked(&self.beside).push("examples".to_owned());
        futures::future::ready(()).boxed()
    }

    fn message_at(&self, at_ms: i64) -> String {
        format!("{at_ms:020}")
    }

    fn ask_reason<'a>(&'a self, _trigger: &'a str, _question: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        locked(&self.beside).push("why not?".to_owned());
        futures::future::ready(Ok(())).boxed()
    }

    fn show_home<'a>(&'a self, _person: &'a str, status: &'a [String]) -> BoxFuture<'a, Result<(), SendError>> {
        locked(&self.beside).push(status.join(" "));
        futures::future::ready(Ok(())).boxed()
    }

    fn channels_in<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<Vec<String>, SendError>> {
        futures::future::ready(Ok(vec![entry.to_owned()])).boxed()
    }

    fn missed<'a>(&'a self, _channel: &'a str, _since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>> {
        futures::future::ready(Ok(Vec::new())).boxed()
    }
}

/// A question of somebody in a channel.
pub fn asked(channel: &str, message: &str, asker: &str, text: &str) -> Incoming {
    let place = Place {
        platform: Platform::Slack,
        workspace: "T1".to_owned(),
        channel: channel.to_owned(),
        kind: PlaceKind::Channel,
        thread: Some(message.to_owned()),
    };
    Incoming::message(Asked {
        place,
        message: message.to_owned(),
        asker: asker.to_owned(),
        text: text.to_owned(),
        way: Way::Mention,
        private_to: None,
        follows: None,
        is_late: false,
    })
}
