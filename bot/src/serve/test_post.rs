//! A test post: shows before it matters that the brief of a channel arrives there, the way that the brief goes.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use runlore_indexer::space::Audience;

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::chat::{Place, Platform};
use crate::store::{Delivery, Post, PostForm};
use crate::surface::{Outcome, Shown, Surface};

/// How long a test post is waited for, and how often it is looked for meanwhile.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Where a test post stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The platform.
    pub platform: Platform,
    /// The channel's id there.
    pub channel: String,
    /// The message's id there.
    pub message: String,
}

/// Posts a sentence to a channel of the settings on every platform that is switched on, through the outbox, and waits until it stands
/// there. A program that serves the same state at the moment may be the one that posts it.
///
/// # Errors
/// Where the settings do not know the channel, no platform has it, it may not be posted to, or the message does not arrive.
pub async fn post_test(service: &Service, channel: &str) -> anyhow::Result<Vec<Arrival>> {
    let places = service.places_of(channel);
    ensure!(!places.is_empty(), "no platform that is switched on has the channel `{channel}`; give its id in `[channels.{channel}]`");
    let mut arrivals = Vec::new();
    for (platform, place) in places {
        let why = || format!("`{channel}` on {}", platform.as_str());
        let message = service.post_test_to(channel, &place).await.with_context(why)?;
        arrivals.push(Arrival { platform, channel: place.channel, message });
    }
    Ok(arrivals)
}

impl Service {
    async fn post_test_to(&self, channel: &str, place: &Place) -> anyhow::Result<String> {
        let audience = match self.readers(place).await? {
            Ok(audience) => audience,
            Err(refusal) => bail!("no brief would be shown there: {refusal}"),
        };
        ensure!(audience == Audience::Channel(channel.to_owned()), "what is posted there is read by {audience}");
        let post = self.test_of(channel, place, &audience);
        self.store.put_out(&post, now_ms()).await?;
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.store.delivery(&post.question).await? {
                Delivery::Posted(message) => return Ok(message),
                Delivery::Dropped(why) => bail!("it cannot be posted there: {why}"),
                Delivery::UnderWay => self.send_test(&post.question).await?,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("it did not arrive within {PATIENCE:?}; the log of `runlore serve` may say why")
    }

    async fn send_test(&self, question: &str) -> anyhow::Result<()> {
        let due = self.store.due(now_ms(), 200).await?;
        if let Some(outgoing) = due.iter().find(|outgoing| outgoing.post.question == question) {
            self.send(outgoing).await;
        }
        Ok(())
    }

    fn test_of(&self, channel: &str, place: &Place, audience: &Audience) -> Post {
        let next = self.briefs().get(channel).and_then(|schedule| {
            let slot = schedule.next(self.app.now())?;
            Some(slot.at.to_zoned(schedule.zone().clone()))
        });
        let shown = Shown { audience: audience.to_string(), ..Shown::plain(Surface::Note, Outcome::Shown) };
        Post {
            place: place.clone(),
            private_to: None,
            otherwise: None,
            asker: None,
            question: format!("test {channel} {} {}", place.platform.as_str(), now_ms()),
            answers: None,
            reply: plain(sentences::test_brief(channel, next.as_ref())),
            form: PostForm::Whole,
            made_under: None,
            shown,
        }
    }
}
