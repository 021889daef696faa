//! How often somebody may ask: by asker, channel and workspace, each a bucket that fills again evenly over a minute.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::chat::Place;
use crate::refusal::Refusal;

/// Questions a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Of one asker.
    pub per_asker: NonZeroU32,
    /// In one channel.
    pub per_channel: NonZeroU32,
    /// In one workspace.
    pub per_workspace: NonZeroU32,
}

/// The buckets.
#[derive(Debug)]
pub struct Limits {
    settings: LimitSettings,
    askers: DefaultKeyedRateLimiter<String>,
    channels: DefaultKeyedRateLimiter<String>,
    workspaces: DefaultKeyedRateLimiter<String>,
}

impl Limits {
    /// Full buckets.
    pub fn new(settings: LimitSettings) -> Self {
        let bucket = |n| RateLimiter::keyed(Quota::per_minute(n));
        Self {
            settings,
            askers: bucket(settings.per_asker),
            channels: bucket(settings.per_channel),
            workspaces: bucket(settings.per_workspace),
        }
    }

    /// How they were set.
    pub fn settings(&self) -> LimitSettings {
        self.settings
    }

    /// Takes one question out of each bucket.
    ///
    /// # Errors
    /// With a sentence that says whose bucket is empty, and until when.
    pub fn take(&self, asker: &str, place: &Place) -> Result<(), Refusal> {
        let platform = place.platform.as_str();
        check(&self.askers, format!("{platform} {} {asker}", place.workspace), "You have asked a lot within the last minute.")?;
        check(&self.channels, format!("{platform} {}", place.channel), "This channel has asked a lot within the last minute.")?;
        check(&self.workspaces, format!("{platform} {}", place.workspace), "This workspace has asked a lot within the last minute.")
    }

    /// Forgets buckets that are full.
    pub fn tidy(&self) {
        [&self.askers, &self.channels, &self.workspaces].into_iter().for_each(RateLimiter::retain_recent);
    }
}

fn check(bucket: &DefaultKeyedRateLimiter<String>, key: String, sentence: &str) -> Result<(), Refusal> {
    bucket.check_key(&key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        Refusal::new(sentence).with_hint(format!("Ask again in {}.", seconds(wait)))
    })
}

fn seconds(wait: Duration) -> String {
    match wait.as_secs() + 1 {
        1 => "a second".to_owned(),
        n => format!("{n} seconds"),
    }
}
