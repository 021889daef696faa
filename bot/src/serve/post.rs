//! Brings the outbox to the platforms: one message of a channel after another, each posted once and then brought up to date.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Service, now_ms};
use crate::chat::{Messenger, SendError};
use crate::store::{Outgoing, Sent};

/// How often the table is looked at though nothing rang.
const EVERY: Duration = Duration::from_millis(500);

/// Time between two messages, or two versions of one, in the same channel.
const PACE: Duration = Duration::from_millis(1_100);

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
                    service.send(&outgoing).await;
                    channels.lock().unwrap_or_else(PoisonError::into_inner).free_at.insert(channel.clone(), Instant::now() + PACE);
                }
                channels.lock().unwrap_or_else(PoisonError::into_inner).busy.remove(&channel);
                service.goes_out.notify_one();
            });
        }
    }

    /// Sends one row and notes how that ended.
    async fn send(&self, outgoing: &Outgoing) {
        let Some(messenger) = self.messenger(outgoing.post.place.platform) else { return };
        match self.store.begin_send(outgoing).await {
            Ok(true) => {}
            // It was read before another round sent it.
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "cannot note that a send begins; it is tried again");
                return;
            }
        }
        let sent = match tokio::time::timeout(CALL_DEADLINE, attempt(&**messenger, outgoing)).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(error)) => after(outgoing, &error),
            Err(_) => after(outgoing, &SendError::Ambiguous(format!("no answer within {CALL_DEADLINE:?}"))),
        };
        match &sent {
            Sent::Posted(_) => self.gauges.n_posted.inc(),
            Sent::Dropped(why) => {
                self.gauges.n_dropped.inc();
                tracing::warn!(
                    question.id = outgoing.post.question,
                    channel.id = outgoing.post.place.channel,
                    why,
                    "a message cannot be posted"
                );
                0
            }
            Sent::Removed | Sent::Again { .. } | Sent::Unsure { .. } => 0,
        };
        if let Err(error) = self.store.sent(&outgoing.id, outgoing.version, &sent).await {
            // The row still says that nobody knows, so that the next round looks before it sends.
            tracing::error!(%error, "cannot note how a send ended");
        }
    }
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
            // One that was found may show an earlier version.
            messenger.update(&remote, outgoing).await.or_else(|error| if was_known { Err(error) } else { keep(error) })?;
            Ok(Sent::Posted(remote))
        }
        None => messenger.post(outgoing).await.map(Sent::Posted),
    }
}

/// A message that was found stands there, even where it cannot be brought up to date.
fn keep(error: SendError) -> Result<(), SendError> {
    match error {
        SendError::Refused(_) => Ok(()),
        other => Err(other),
    }
}

/// What is to be done after a call that did not succeed.
fn after(outgoing: &Outgoing, error: &SendError) -> Sent {
    let now = now_ms();
    if now - outgoing.created_ms > MAX_AGE_MS {
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
