//! How the service is set up: the tables `[serve]` and `[limits]` of the settings file.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use runlore_indexer::config::{self, ConfigError, Settings};
use serde::Deserialize;

use super::QueueLimits;
use crate::gate::LimitSettings;

/// What the platforms bear for long: about a message a second in one channel.
const PACE: Duration = Duration::from_millis(1_100);

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// Where health and metrics are served; a loopback address.
    pub health: SocketAddr,
    /// How many questions are answered at once.
    pub at_once: usize,
    /// Longest time for one answer; then the facts alone stand.
    pub deadline: Duration,
    /// Time between two messages, or two versions of one, in the same channel.
    pub pace: Duration,
    /// How long the state keeps what was asked and answered.
    pub kept: Duration,
    /// How many may wait.
    pub queue: QueueLimits,
    /// How often somebody may ask.
    pub limits: LimitSettings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawServe {
    health: String,
    at_once: usize,
    deadline_s: u64,
    waiting: usize,
    waiting_per_asker: usize,
    keep_days: u64,
}

impl Default for RawServe {
    fn default() -> Self {
        Self { health: "127.0.0.1:9187".to_owned(), at_once: 1, deadline_s: 120, waiting: 100, waiting_per_asker: 5, keep_days: 90 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    per_asker: NonZeroU32,
    per_channel: NonZeroU32,
    per_workspace: NonZeroU32,
}

impl Default for RawLimits {
    fn default() -> Self {
        let of = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { per_asker: of(12), per_channel: of(60), per_workspace: of(240) }
    }
}

impl ServeSettings {
    /// Reads the two tables.
    ///
    /// # Errors
    /// Where a key is unknown or wrong; the message names it and what is allowed.
    pub fn from(settings: &Settings) -> Result<Self, ConfigError> {
        let wrong =
            |table: &str, message: String| ConfigError::Wrong { file: settings.file.clone(), message: format!("[{table}] {message}") };
        let serve: RawServe = settings.serve.clone().try_into().map_err(|e: toml::de::Error| wrong("serve", config::said(&e)))?;
        let limits: RawLimits = settings.limits.clone().try_into().map_err(|e: toml::de::Error| wrong("limits", config::said(&e)))?;
        let health: SocketAddr = serve.health.parse().map_err(|_| {
            wrong("serve", format!("health is `{}`; it must be an address and a port, such as 127.0.0.1:9187", serve.health))
        })?;
        if !health.ip().is_loopback() {
            return Err(wrong("serve", format!("health is `{health}`; it must be a loopback address, for it has no access control")));
        }
        if [serve.at_once as u64, serve.waiting as u64, serve.waiting_per_asker as u64, serve.deadline_s, serve.keep_days].contains(&0) {
            return Err(wrong("serve", "at_once, waiting, waiting_per_asker, deadline_s and keep_days must be 1 or more".to_owned()));
        }
        Ok(Self {
            health,
            at_once: serve.at_once,
            deadline: Duration::from_secs(serve.deadline_s),
            pace: PACE,
            kept: Duration::from_secs(serve.keep_days.saturating_mul(24 * 60 * 60)),
            queue: QueueLimits { per_asker: serve.waiting_per_asker, in_all: serve.waiting },
            limits: LimitSettings { per_asker: limits.per_asker, per_channel: limits.per_channel, per_workspace: limits.per_workspace },
        })
    }
}
