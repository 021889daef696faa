//! The table `[slack]` of the settings file. Tokens stand in the environment alone.

use std::net::SocketAddr;
use std::time::Duration;

use runlore_indexer::config::{self, ConfigError, Settings};
use secrecy::SecretString;
use serde::Deserialize;

use crate::chat::address;

/// Slack's own address.
const API_URL: &str = "https://slack.com/api";

/// How the bot talks to Slack.
#[derive(Debug, Clone)]
pub struct SlackSettings {
    /// `xoxb-...`.
    pub bot_token: SecretString,
    /// How events come in.
    pub intake: Intake,
    /// Where the Web API is.
    pub api_url: String,
    /// After so long without a word from Slack the connection is made anew.
    pub silence: Duration,
}

/// How events come in.
#[derive(Debug, Clone)]
pub enum Intake {
    /// Over a connection that the bot opens: nothing of the team's has to be reachable from outside.
    Socket {
        /// `xapp-...`.
        app_token: SecretString,
    },
    /// Slack posts them to an address of the team's.
    Http {
        /// Where to listen.
        address: SocketAddr,
        /// What Slack signs them with.
        signing_secret: SecretString,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawSlack {
    mode: Mode,
    bot_token_env: String,
    app_token_env: String,
    signing_secret_env: String,
    listen: String,
    api_url: Option<String>,
    silence_s: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Socket,
    Http,
}

impl Default for RawSlack {
    fn default() -> Self {
        Self {
            mode: Mode::Socket,
            bot_token_env: "SLACK_BOT_TOKEN".to_owned(),
            app_token_env: "SLACK_APP_TOKEN".to_owned(),
            signing_secret_env: "SLACK_SIGNING_SECRET".to_owned(),
            listen: "127.0.0.1:3000".to_owned(),
            api_url: None,
            silence_s: 600,
        }
    }
}

impl SlackSettings {
    /// Reads the table; none where there is none.
    ///
    /// # Errors
    /// Where a key is unknown or wrong, or the environment lacks a token; the message says what to do.
    pub fn from(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let wrong = |message: String| ConfigError::Wrong { file: settings.file.clone(), message: format!("[slack] {message}") };
        let Some(table) = settings.slack.clone() else { return Ok(None) };
        let raw: RawSlack = table.try_into().map_err(|e: toml::de::Error| wrong(config::said(&e)))?;
        Ok(Some(raw.checked().map_err(wrong)?))
    }
}

impl RawSlack {
    fn checked(self) -> Result<SlackSettings, String> {
        let api_url = std::env::var("SLACK_API_URL").ok().or(self.api_url).unwrap_or_else(|| API_URL.to_owned());
        let api_url = address::of_token("api_url", &api_url, "https://")?;
        if self.silence_s == 0 {
            return Err("silence_s is 0; it must be 1 or more".to_owned());
        }
        let intake = match self.mode {
            Mode::Socket => Intake::Socket { app_token: token(&self.app_token_env, "xapp-", "an app-level token with connections:write")? },
            Mode::Http => Intake::Http {
                address: self.listen.parse().map_err(|_| format!("listen is `{}`; it must be an address and a port", self.listen))?,
                signing_secret: token(&self.signing_secret_env, "", "the signing secret")?,
            },
        };
        Ok(SlackSettings {
            bot_token: token(&self.bot_token_env, "xoxb-", "the bot token")?,
            intake,
            api_url,
            silence: Duration::from_secs(self.silence_s),
        })
    }
}

/// A secret of the environment that begins as it should; what it holds is never said.
fn token(name: &str, beginning: &str, what: &str) -> Result<SecretString, String> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Err(format!("the environment's `{name}` is empty; it must hold {what} (docs/slack.md)")),
        Ok(value) if value.starts_with(beginning) => Ok(SecretString::from(value)),
        Ok(_) => Err(format!("the environment's `{name}` must begin with `{beginning}`: {what} (docs/slack.md)")),
        Err(_) => Err(format!("the environment has no `{name}`; it must hold {what} (docs/slack.md)")),
    }
}
