//! The table `[discord]` of the settings file. The token stands in the environment alone.

use runlore_indexer::config::{self, ConfigError, Settings};
use secrecy::SecretString;
use serde::Deserialize;

use crate::chat::address;

/// Discord's own address.
const API_URL: &str = "https://discord.com/api/v10";

/// How the bot talks to Discord.
#[derive(Debug, Clone)]
pub struct DiscordSettings {
    /// The bot's token.
    pub token: SecretString,
    /// The team's server: its members are the team.
    pub guild: String,
    /// Whether the app's page allows it to read what is said without its name.
    pub message_content: bool,
    /// Where the API is.
    pub api_url: String,
    /// Where events come from, instead of what the API says.
    pub gateway_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDiscord {
    guild: String,
    #[serde(default)]
    message_content: bool,
    #[serde(default = "token_env")]
    bot_token_env: String,
    api_url: Option<String>,
}

fn token_env() -> String {
    "DISCORD_BOT_TOKEN".to_owned()
}

impl DiscordSettings {
    /// Reads the table; none where there is none.
    ///
    /// # Errors
    /// Where a key is unknown or wrong, or the environment lacks the token; the message says what to do.
    pub fn from(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let wrong = |message: String| ConfigError::Wrong { file: settings.file.clone(), message: format!("[discord] {message}") };
        let Some(table) = settings.discord.clone() else { return Ok(None) };
        let raw: RawDiscord = table.try_into().map_err(|e: toml::de::Error| wrong(config::said(&e)))?;
        Ok(Some(raw.checked().map_err(wrong)?))
    }
}

impl RawDiscord {
    fn checked(self) -> Result<DiscordSettings, String> {
        let api_url = std::env::var("DISCORD_API_BASE").ok().or(self.api_url).unwrap_or_else(|| API_URL.to_owned());
        let api_url = address::of_token("api_url", &api_url, "https://")?;
        let gateway_url = std::env::var("DISCORD_GATEWAY_URL").ok();
        let gateway_url = gateway_url.map(|url| address::of_token("DISCORD_GATEWAY_URL", &url, "wss://")).transpose()?;
        if self.guild.is_empty() || !self.guild.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("guild is `{}`; it must be the server's id, a number (docs/discord.md)", self.guild));
        }
        let name = &self.bot_token_env;
        let token = match std::env::var(name) {
            Ok(value) if value.trim().is_empty() => {
                return Err(format!("the environment's `{name}` is empty; it must hold the bot's token (docs/discord.md)"));
            }
            Ok(value) => SecretString::from(value.trim().trim_start_matches("Bot ").to_owned()),
            Err(_) => return Err(format!("the environment has no `{name}`; it must hold the bot's token (docs/discord.md)")),
        };
        Ok(DiscordSettings { token, guild: self.guild, message_content: self.message_content, api_url, gateway_url })
    }
}
