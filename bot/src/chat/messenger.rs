//! What the core asks of a platform: the only calls that go out to it.

use std::time::Duration;

use futures::future::BoxFuture;
use thiserror::Error;

use super::{Asked, Incoming, Place, Press};
use crate::gate::{ChannelFacts, PersonFacts};
use crate::store::{Outgoing, Post};

/// Why a call to a platform did not succeed, by what is to be done next.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// Certainly not delivered; again after so many milliseconds.
    #[error("the platform asks for a pause of {after_ms} ms")]
    Pause { after_ms: i64 },
    /// Certainly not delivered; again later.
    #[error("not delivered: {0}")]
    NotDelivered(String),
    /// It may have been delivered: look before sending again.
    #[error("nobody knows whether it was delivered: {0}")]
    Ambiguous(String),
    /// It will never be delivered.
    #[error("refused: {0}")]
    Refused(String),
}

/// Pause before what was not delivered is sent once more, and the longest one that somebody who waits is asked for.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(10);

impl SendError {
    /// How long to wait before the same is sent once more; none where it may have been delivered, and where it will not be soon.
    pub fn pause(&self) -> Option<Duration> {
        let pause = match self {
            Self::Pause { after_ms } => Duration::from_millis(u64::try_from(*after_ms).unwrap_or_default()),
            Self::NotDelivered(_) => PAUSE,
            Self::Ambiguous(_) | Self::Refused(_) => return None,
        };
        (pause <= MAX_PAUSE).then_some(pause)
    }
}

/// A platform, as the core sees it. Every call ends by itself within some seconds.
pub trait Messenger: Send + Sync {
    /// Posts a message that carries `outgoing.id`, and gives its id on the platform.
    fn post<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, SendError>>;

    /// Brings a message up to what it is to say now.
    fn update<'a>(&'a self, remote: &'a str, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>>;

    /// Looks whether a message that carries `outgoing.id` stands there.
    fn find<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, SendError>>;

    /// Takes a message away; one that is not there is well.
    fn remove<'a>(&'a self, remote: &'a str, post: &'a Post) -> BoxFuture<'a, Result<(), SendError>>;

    /// Whether what one person alone sees can be changed afterwards, and can hold a picture.
    fn keeps_private(&self) -> bool;

    /// Shows at once that the question was seen. A comfort: what goes wrong with it is only logged.
    fn show_seen<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, ()>;

    /// Takes that sign away again, once there is an answer.
    fn hide_seen<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, ()>;

    /// What the platform says of a person, at most a minute old.
    fn person<'a>(&'a self, place: &'a Place, person: &'a str) -> BoxFuture<'a, Result<PersonFacts, SendError>>;

    /// What the platform says of a channel, at most a minute old.
    fn channel<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<ChannelFacts, SendError>>;

    /// Shows something to who pressed, alone; of a reply behind `More` what its message does not show. What was certainly not shown is
    /// tried once more, part by part: nobody can look whether the rest was.
    fn whisper<'a>(&'a self, press: &'a Press, reply: &'a super::Reply) -> BoxFuture<'a, Result<(), SendError>>;

    /// Offers questions to somebody who opened the talk with the bot. A comfort.
    fn offer<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, ()>;

    /// The id that a message of that moment (milliseconds since 1970, UTC) would have.
    fn message_at(&self, at_ms: i64) -> String;

    /// Opens the window that asks why an answer was not useful.
    fn ask_reason<'a>(&'a self, trigger: &'a str, question: &'a str) -> BoxFuture<'a, Result<(), SendError>>;

    /// Shows somebody's page of the bot.
    fn show_home<'a>(&'a self, person: &'a str, status: &'a [String]) -> BoxFuture<'a, Result<(), SendError>>;

    /// The channels that an entry of the settings covers: itself, or what lies in it.
    fn channels_in<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<Vec<String>, SendError>>;

    /// What was asked in a channel after this message, the oldest first.
    fn missed<'a>(&'a self, channel: &'a str, since: &'a str) -> BoxFuture<'a, Result<Vec<Incoming>, SendError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_certainly_not_delivered_is_sent_again() {
        assert_eq!(SendError::Pause { after_ms: 700 }.pause(), Some(Duration::from_millis(700)));
        assert_eq!(SendError::Pause { after_ms: -1 }.pause(), Some(Duration::ZERO));
        assert_eq!(SendError::Pause { after_ms: 3_600_000 }.pause(), None);
        assert_eq!(SendError::NotDelivered("no way".to_owned()).pause(), Some(PAUSE));
        assert_eq!(SendError::Ambiguous("lost".to_owned()).pause(), None);
        assert_eq!(SendError::Refused("never".to_owned()).pause(), None);
    }
}
