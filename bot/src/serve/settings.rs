//! How the service is set up: the tables `[serve]` and `[limits]` of the settings file, and when the briefs of its channels come.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use runlore_indexer::config::{self, ChannelSettings, ConfigError, Settings};
use serde::Deserialize;

use super::QueueLimits;
use crate::brief::schedule::Schedule;
use crate::gate::LimitSettings;

/// The time zone of a brief where the settings name none.
const BRIEF_ZONE: &str = "UTC";

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
    /// When the weekly brief of a channel comes, by its name in the settings.
    pub briefs: BTreeMap<String, Schedule>,
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
    /// Reads the two tables, and the briefs of the channels.
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
        let mut briefs = BTreeMap::new();
        for (name, channel) in &settings.access.channels {
            let schedule = schedule(channel).map_err(|message| wrong(&format!("channels.{name}"), message))?;
            briefs.extend(schedule.map(|schedule| (name.clone(), schedule)));
        }
        Ok(Self {
            health,
            at_once: serve.at_once,
            deadline: Duration::from_secs(serve.deadline_s),
            pace: PACE,
            kept: Duration::from_secs(serve.keep_days.saturating_mul(24 * 60 * 60)),
            queue: QueueLimits { per_asker: serve.waiting_per_asker, in_all: serve.waiting },
            limits: LimitSettings { per_asker: limits.per_asker, per_channel: limits.per_channel, per_workspace: limits.per_workspace },
            briefs,
        })
    }
}

/// When the brief of a channel comes; none where its settings do not say.
fn schedule(channel: &ChannelSettings) -> Result<Option<Schedule>, String> {
    let zone = channel.brief_zone.as_deref().unwrap_or(BRIEF_ZONE);
    let Some(cron) = &channel.brief else {
        return Schedule::new("@weekly", zone).map(|_| None);
    };
    if channel.slack.is_none() && channel.discord.is_none() {
        return Err("brief: there is nowhere to post it; give the channel's id, such as slack = \"C0123ABCD\"".to_owned());
    }
    Schedule::new(cron, zone).map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    use super::*;

    fn briefs(keys: &str) -> Result<Vec<String>, String> {
        let text = format!("[channels.vision]\nspaces = [\"*\"]\n{keys}\n");
        let settings = Settings::parse(Path::new("/team/runlore.toml"), &text).unwrap();
        let serve = ServeSettings::from(&settings).map_err(|error| error.to_string())?;
        Ok(serve.briefs.into_keys().collect())
    }

    #[test]
    fn a_wrong_brief_names_its_channel_and_key() {
        assert_eq!(briefs("slack = \"C1\"\nbrief = \"0 9 * * MON\"\nbrief_zone = \"Europe/Berlin\""), Ok(vec!["vision".to_owned()]));
        assert_eq!(briefs("slack = \"C1\"\nbrief_zone = \"Asia/Tokyo\""), Ok(Vec::new()));
        for (keys, said) in [
            ("slack = \"C1\"\nbrief = \"mondays\"", "[channels.vision] brief is `mondays`"),
            ("slack = \"C1\"\nbrief = \"0 9 * * MON\"\nbrief_zone = \"Berlin\"", "[channels.vision] brief_zone is `Berlin`"),
            ("brief_zone = \"Berlin\"", "[channels.vision] brief_zone is `Berlin`"),
            ("brief = \"0 9 * * MON\"", "nowhere to post it"),
        ] {
            let error = briefs(keys).unwrap_err();
            assert!(error.contains(said), "{keys}: {error}");
        }
    }
}
