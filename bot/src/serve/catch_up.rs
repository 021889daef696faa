//! What was asked while away: read from the channels' history since the last message that was seen, and answered, labelled late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Service, now_ms};
use crate::chat::{Messenger, Platform, SendError};

/// Pause after a look that did not succeed, and the longest one.
const PAUSE: Duration = Duration::from_secs(2);
const MAX_PAUSE: Duration = Duration::from_secs(60);

impl Service {
    /// Reads the channels that were seen before; those of the settings that never were count as seen from now on. What is known already
    /// is not taken in twice. One at a time: another that comes meanwhile is over at once, for it would read the same.
    pub async fn catch_up(self: Arc<Self>, platform: Platform) {
        if self.n_catching_up.of(platform).fetch_add(1, Ordering::Relaxed) == 0
            && let Some(messenger) = self.messenger(platform).cloned()
            && let Err(error) = self.read_missed(platform, &*messenger).await
        {
            tracing::error!("cannot look for what was asked while away: {error:#}");
        }
        self.n_catching_up.of(platform).fetch_sub(1, Ordering::Relaxed);
    }

    async fn read_missed(&self, platform: Platform, messenger: &dyn Messenger) -> anyhow::Result<()> {
        let seen: BTreeMap<String, String> = self.store.seen_channels(platform).await?.into_iter().collect();
        for entry in self.entries_of(platform) {
            let channels = messenger.channels_in(&entry).await.unwrap_or_else(|error| {
                tracing::warn!(channel.id = entry, %error, "cannot tell which channels an entry of the settings covers");
                Vec::new()
            });
            for channel in channels.into_iter().filter(|channel| !seen.contains_key(channel)) {
                self.store.see_channel(platform, &channel, &messenger.message_at(now_ms())).await?;
            }
        }
        for (channel, since) in &seen {
            let mut pause = PAUSE;
            let missed = loop {
                let error = match messenger.missed(channel, since).await {
                    Ok(missed) => break missed,
                    Err(SendError::Refused(why)) => {
                        tracing::warn!(channel.id = channel, why, "cannot look for what was asked while away");
                        break Vec::new();
                    }
                    Err(error) => error,
                };
                if let SendError::Pause { after_ms } = error {
                    pause = Duration::from_millis(after_ms.max(0) as u64);
                }
                tokio::select! {
                    () = tokio::time::sleep(pause.min(MAX_PAUSE)) => pause *= 2,
                    () = self.stop.cancelled() => return Ok(()),
                }
            };
            for incoming in missed {
                self.take_in(&incoming).await?;
            }
        }
        Ok(())
    }

    /// The ids that the settings name.
    fn entries_of(&self, platform: Platform) -> Vec<String> {
        let access = self.app.access();
        access.channels.values().filter_map(|channel| platform.of(&channel.slack, &channel.discord)).map(str::to_owned).collect()
    }
}
