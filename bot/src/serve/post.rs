//! Brings the outbox to the platforms: one message of a channel after another, each posted once and then brought up to date.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runlore_indexer::failpoint;
use runlore_indexer::space::Audience;
use tokio::time::Instant;

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::chat::{Messenger, Place, SendError};
use crate::gate;
use crate::refusal::Refusal;
use crate::store::{Outgoing, Post, PostForm, Sent, StoreError};
use crate::surface::{Outcome, Shown, Surface};
use crate::telemetry;

/// How often the table is looked at though nothing rang.
const EVERY: Duration = Duration::from_millis(500);

/// Longest time for one call to a platform.
const CALL_DEADLINE: Duration = Duration::from_secs(15);

/// When to look for a message of which nobody knows whether it was delivered: late enough for one that is on its way.
const LOOK_AFTER_MS: i64 = 3_000;

/// Longest pause between two tries, and longest age of what is still tried.
const MAX_PAUSE_MS: i64 = 60_000;
const MAX_AGE_MS: i64 = 24 * 60 * 60 * 1_000;

/// Which channels are being written to, and when each may be next.
#[derive(Default)]
struct Channels {
    busy: HashSet<String>,
    free_at: HashMap<String, Instant>,
}

/// Sends what is due, for as long as it is let.
pub(super) async fn send_due(service: Arc<Service>) {
    let channels = Arc::new(Mutex::new(Channels::default()));
    loop {
        service.send_round(&channels).await;
        tokio::select! {
            () = service.goes_out.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

impl Service {
    /// Waits until nothing is due at once.
    pub(super) async fn nothing_due(&self) {
        self.goes_out.notify_one();
        while self.store.due(now_ms(), 1).await.is_ok_and(|due| !due.is_empty()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Begins to send everything that is due, a task a channel.
    async fn send_round(self: &Arc<Self>, channels: &Arc<Mutex<Channels>>) {
        let due = match self.store.due(now_ms(), 200).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "cannot read the outbox");
                return;
            }
        };
        let mut by_channel: HashMap<String, Vec<Outgoing>> = HashMap::new();
        for outgoing in due {
            by_channel.entry(outgoing.post.place.channel.clone()).or_default().push(outgoing);
        }
        let locked = || channels.lock().unwrap_or_else(PoisonError::into_inner);
        by_channel.retain(|channel, _| locked().busy.insert(channel.clone()));
        for (channel, rows) in by_channel {
            let (service, channels) = (Arc::clone(self), Arc::clone(channels));
            tokio::spawn(async move {
                for outgoing in rows {
                    let free_at = channels.lock().unwrap_or_else(PoisonError::into_inner).free_at.get(&channel).copied();
                    if let Some(free_at) = free_at {
                        tokio::time::sleep_until(free_at).await;
                    }
                    let pause = service.send_or_say(&outgoing).await;
                    channels.lock().unwrap_or_else(PoisonError::into_inner).free_at.insert(channel.clone(), Instant::now() + pause);
                }
                channels.lock().unwrap_or_else(PoisonError::into_inner).busy.remove(&channel);
                service.goes_out.notify_one();
            });
        }
    }

    /// Sends one row. A panic in it is that one's: its place is taken by a sentence. How long the channel then rests.
    async fn send_or_say(self: &Arc<Self>, outgoing: &Outgoing) -> Duration {
        let sent = {
            let (service, outgoing) = (Arc::clone(self), outgoing.clone());
            tokio::spawn(async move { service.send(&outgoing).await })
        };
        match sent.await {
            Ok(pause) => pause,
            Err(error) => {
                telemetry::failure_reference(&anyhow::Error::new(error).context("posting a message broke off"));
                if let Err(error) = self.replace_broken(outgoing).await {
                    tracing::error!(%error, "cannot replace a message that breaks");
                }
                self.settings.pace
            }
        }
    }

    /// A message that cannot be made gives way to a sentence, a picture to nothing: its message stands beside it.
    async fn replace_broken(&self, outgoing: &Outgoing) -> Result<(), StoreError> {
        if outgoing.post.form == PostForm::Picture {
            return self.store.sent(&outgoing.id, outgoing.version, &Sent::Dropped("it cannot be made".to_owned())).await;
        }
        let post = outgoing.post.instead(plain(sentences::CANNOT_SHOW), Surface::Failure, Outcome::Failed);
        self.store.put_out(&post, now_ms()).await
    }

    /// Sends one row and notes how that ended. How long the channel then rests.
    pub(super) async fn send(&self, outgoing: &Outgoing) -> Duration {
        let Some(messenger) = self.messenger(outgoing.post.place.platform) else { return self.settings.pace };
        match self.store.begin_send(outgoing, now_ms() + LOOK_AFTER_MS).await {
            Ok(true) => {}
            // It was read before another round sent it.
            Ok(false) => return Duration::ZERO,
            Err(error) => {
                tracing::error!(%error, "cannot note that a send begins; it is tried again");
                return self.settings.pace;
            }
        }
        match self.may_be_seen(outgoing).await {
            Ok(true) => {}
            Ok(false) => return self.withhold(outgoing).await,
            Err(error) => return self.note(outgoing, &after(outgoing, &error), Some(&error)).await,
        }
        let cleaned = without_secrets(outgoing.clone());
        let sent = match tokio::time::timeout(CALL_DEADLINE, attempt(&**messenger, &cleaned)).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::Ambiguous(format!("no answer within {CALL_DEADLINE:?}"))),
        };
        failpoint::reach("post.sent");
        let (sent, error) = match sent {
            Ok(sent) => (sent, None),
            Err(error) => (after(outgoing, &error), Some(error)),
        };
        self.note(outgoing, &sent, error.as_ref()).await
    }

    /// Whether the row may be seen now: not where who reads there, or what may be read there, is not what it was when the reply was made,
    /// nor where a record that it rests on is gone or edited.
    async fn may_be_seen(&self, outgoing: &Outgoing) -> Result<bool, SendError> {
        let post = &outgoing.post;
        let (Some(made_under), false) = (&post.made_under, outgoing.is_to_go) else { return Ok(true) };
        let now = match &post.asker {
            Some(person) => self.audience_for(post, person).await?,
            None => self.readers(&post.place).await?.ok(),
        };
        let access = self.app.access();
        let scope = now.as_ref().and_then(|audience| access.policy.scope_for(audience)).map(|scope| scope.id());
        if now.is_none_or(|audience| audience.to_string() != made_under.audience) || scope.as_ref() != Some(&made_under.scope) {
            return Ok(false);
        }
        self.stands(made_under).await.map_err(|error| SendError::NotDelivered(error.to_string()))
    }

    /// Who would see the answer to this person's question now; nobody where it would be refused.
    async fn audience_for(&self, post: &Post, person: &str) -> Result<Option<Audience>, SendError> {
        let cannot_tell = |_| SendError::NotDelivered("nobody says who reads there".to_owned());
        let circumstances = self.circumstances(&post.place, person).await.map_err(cannot_tell)?;
        let place = gate::counted_as(&post.place, post.private_to.is_some());
        Ok(gate::audience_of(&place, person, &circumstances, &self.app.access()).ok())
    }

    /// Who would see now what is posted at a place by itself.
    pub(super) async fn readers(&self, place: &Place) -> Result<Result<Audience, Refusal>, SendError> {
        let unserved = || SendError::Refused(format!("{} is not switched on", place.platform.as_str()));
        let facts = self.messenger(place.platform).ok_or_else(unserved)?.channel(place).await?;
        Ok(gate::readers_of(place, &facts, &self.app.access()))
    }

    /// A sentence takes the place of what may not be seen, a picture's place nothing. How long the channel then rests.
    async fn withhold(&self, outgoing: &Outgoing) -> Duration {
        tracing::warn!(question.id = outgoing.post.question, "who may read, or what, changed while a reply was made; it is not shown");
        if outgoing.post.form == PostForm::Picture {
            return self.note(outgoing, &Sent::Dropped("who may read, or what, changed".to_owned()), None).await;
        }
        let sentence = if outgoing.post.shown.surface == Surface::Brief { sentences::NO_BRIEF } else { sentences::NO_LONGER };
        let post = outgoing.post.instead(plain(sentence), Surface::Refusal, Outcome::Refused);
        if let Err(error) = self.store.replace(outgoing, &post, now_ms()).await {
            tracing::error!(%error, "cannot say that a reply is not shown; it is tried again");
        }
        self.note(outgoing, &Sent::Again { due_ms: now_ms() }, None).await
    }

    /// Tells who asked, alone, what cannot be posted for all; a part of it, such as a picture or the facts, is not missed.
    async fn say_otherwise(&self, outgoing: &Outgoing) -> Result<(), StoreError> {
        let post = &outgoing.post;
        let (Some(address), PostForm::Whole) = (&post.otherwise, post.form) else { return Ok(()) };
        let mut reply = post.reply.clone();
        reply.notices.insert(0, sentences::CANNOT_POST_HERE.to_owned());
        reply.buttons.clear();
        let shown = Shown { surface: Surface::Private, ..post.shown.clone() };
        let post = Post { private_to: Some(address.clone()), otherwise: None, reply, shown, ..post.clone() };
        self.store.put_out(&post, now_ms()).await
    }

    async fn note(&self, outgoing: &Outgoing, sent: &Sent, error: Option<&SendError>) -> Duration {
        // Once it may stand there, only a look says that it does not, whatever became of a look.
        let sent = match sent {
            Sent::Again { due_ms } if outgoing.is_unsure => &Sent::Unsure { due_ms: *due_ms },
            other => other,
        };
        let (question, channel) = (&outgoing.post.question, &outgoing.post.place.channel);
        match sent {
            Sent::Posted(_) => _ = self.gauges.n_posted.inc(),
            Sent::Dropped(why) => {
                self.gauges.n_dropped.inc();
                tracing::warn!(question.id = question, channel.id = channel, why, "a message cannot be posted");
            }
            _ if outgoing.attempts % 10 == 0 => {
                if let Some(error) = error {
                    tracing::warn!(question.id = question, channel.id = channel, %error, "a message is not posted yet; trying on");
                }
            }
            _ => {}
        }
        if let Err(error) = self.store.sent(&outgoing.id, outgoing.version, sent).await {
            // The row still says that nobody knows, so that the next round looks before it sends.
            tracing::error!(%error, "cannot note how a send ended");
        } else if matches!(sent, Sent::Dropped(_))
            && let Err(error) = self.say_otherwise(outgoing).await
        {
            tracing::error!(%error, "cannot say that a message cannot be posted");
        }
        match error {
            Some(SendError::Pause { after_ms }) => self.settings.pace.max(Duration::from_millis((*after_ms).max(0) as u64)),
            _ => self.settings.pace,
        }
    }
}

/// The last look at what goes out, whatever rules it was stored under.
fn without_secrets(outgoing: Outgoing) -> Outgoing {
    let post = Post { reply: outgoing.post.reply.without_secrets(), ..outgoing.post };
    Outgoing { post, ..outgoing }
}

async fn attempt(messenger: &dyn Messenger, outgoing: &Outgoing) -> Result<Sent, SendError> {
    let mut remote = outgoing.remote.clone();
    let was_known = remote.is_some();
    if remote.is_none() && outgoing.is_unsure || remote.is_none() && outgoing.is_to_go {
        remote = messenger.find(outgoing).await?;
    }
    match remote {
        Some(remote) if outgoing.is_to_go => messenger.remove(&remote, &outgoing.post).await.map(|()| Sent::Removed),
        None if outgoing.is_to_go => Ok(Sent::Removed),
        Some(remote) => {
            match messenger.update(&remote, outgoing).await {
                Ok(()) => Ok(Sent::Posted(remote)),
                // What stood there can be changed no more: the last version is a message of its own.
                Err(SendError::Refused(why)) if was_known => {
                    tracing::warn!(why, "a message cannot be brought up to date and is posted anew");
                    Ok(Sent::Anew)
                }
                Err(SendError::Refused(_)) => Ok(Sent::Posted(remote)),
                Err(error) => Err(error),
            }
        }
        None => messenger.post(outgoing).await.map(Sent::Posted),
    }
}

/// What is to be done after a call that did not succeed.
fn after(outgoing: &Outgoing, error: &SendError) -> Sent {
    let now = now_ms();
    if now - outgoing.created_ms > MAX_AGE_MS && !outgoing.is_to_go {
        return Sent::Dropped(format!("given up after a day: {error}"));
    }
    let pause = (500_i64 << outgoing.attempts.clamp(0, 7)).min(MAX_PAUSE_MS);
    match error {
        SendError::Pause { after_ms } => Sent::Again { due_ms: now + (*after_ms).max(100) },
        SendError::NotDelivered(_) => Sent::Again { due_ms: now + pause },
        SendError::Ambiguous(_) => Sent::Unsure { due_ms: now + pause.max(LOOK_AFTER_MS) },
        SendError::Refused(why) => Sent::Dropped(why.clone()),
    }
}
