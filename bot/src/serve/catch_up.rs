//! What was asked while away: read from the channels' history since the last message that was seen, and answered, labelled late.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Service;
use crate::chat::Platform;

impl Service {
    /// Reads the channels that were seen before, and those that the settings name. What is known already is not taken in twice.
    pub async fn catch_up(self: Arc<Self>, platform: Platform) {
        let Some(messenger) = self.messenger(platform).cloned() else { return };
        let seen: BTreeMap<String, String> = match self.store.seen_channels(platform).await {
            Ok(seen) => seen.into_iter().collect(),
            Err(error) => {
                tracing::error!(%error, "cannot look for what was asked while away");
                return;
            }
        };
        for (channel, since) in &seen {
            match messenger.missed(channel, since).await {
                Ok(missed) => {
                    for incoming in missed {
                        if let Err(error) = self.take_in(&incoming).await {
                            tracing::error!(%error, "cannot store what was asked while away");
                        }
                    }
                }
                Err(error) => tracing::warn!(channel.id = channel, %error, "cannot look for what was asked while away"),
            }
        }
    }
}
