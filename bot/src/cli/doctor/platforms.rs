//! Whether the platforms of the settings let the bot in.

use runlore_indexer::config::Settings;

use super::Check;
use crate::discord::{Discord, DiscordSettings};
use crate::serve::ServeSettings;
use crate::slack::{Slack, SlackSettings};

/// One check for each platform that the settings name; nothing is posted and nothing is changed there.
pub(super) async fn platforms(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Err(error) = ServeSettings::from(settings) {
        checks.push(Check::broken("serving", error.to_string(), "docs/configuration.md has the keys of [serve] and [limits]"));
    }
    match SlackSettings::from(settings) {
        Ok(None) => {}
        Ok(Some(slack)) => checks.push(match Slack::connect(slack).await {
            Ok(_) => Check::ok("Slack", "lets the bot in"),
            Err(error) => Check::broken("Slack", format!("{error:#}"), "docs/slack.md has the steps"),
        }),
        Err(error) => checks.push(Check::broken("Slack", error.to_string(), "docs/slack.md has the steps")),
    }
    match DiscordSettings::from(settings) {
        Ok(None) => {}
        Ok(Some(discord)) => checks.push(match Discord::connect(discord).await {
            Ok(_) => Check::ok("Discord", "lets the bot in"),
            Err(error) => Check::broken("Discord", format!("{error:#}"), "docs/discord.md has the steps"),
        }),
        Err(error) => checks.push(Check::broken("Discord", error.to_string(), "docs/discord.md has the steps")),
    }
    checks
}
