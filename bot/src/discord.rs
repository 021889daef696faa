//! Discord: the adapter between its wire and the chat core. `incoming` and `outgoing` are pure; `client` makes the only calls.

mod body;
mod client;
mod commands;
mod gateway;
pub mod incoming;
mod messenger;
pub mod outgoing;
mod rooms;
mod settings;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use reqwest::Method;
use sha2::{Digest, Sha256};

use crate::chat::{Messenger, SendError};
use crate::serve::Service;
use client::{Call, Client};
use incoming::Me;
use messenger::DiscordMessenger;
use rooms::Rooms;
pub use settings::DiscordSettings;

/// The name of the file in the data folder that tells which commands Discord has.
const REGISTERED: &str = "discord-commands";

/// A server that let the bot in.
pub struct Discord {
    settings: DiscordSettings,
    client: Arc<Client>,
    rooms: Arc<Rooms>,
    me: Me,
}

impl Discord {
    /// Asks Discord who the bot is, and tells it the commands where they are not those of last time, which a file in `data` remembers.
    ///
    /// # Errors
    /// Where Discord does not answer or refuses the token; the sentence says what to do.
    pub async fn connect(settings: DiscordSettings, data: &Path) -> anyhow::Result<Self> {
        let client = Arc::new(Client::new(&settings.api_url, settings.token.clone())?);
        let told = client.get("/applications/@me").await.map_err(|error| match error {
            SendError::NotDelivered(why) | SendError::Refused(why) => anyhow::anyhow!("the bot token does not serve: {why}"),
            other => anyhow::Error::new(other).context("Discord does not say who the bot is"),
        })?;
        let application = told["id"].as_str().context("Discord does not say the application's id")?.to_owned();
        let user = client.get("/users/@me").await.context("Discord does not say who the bot is")?;
        let me = Me { user: user["id"].as_str().context("Discord does not say the bot's id")?.to_owned(), application };
        let discord = Self { settings, rooms: Arc::new(Rooms::new(Arc::clone(&client))), client, me };
        discord.register(data).await?;
        Ok(discord)
    }

    /// What the core posts with.
    pub fn messenger(&self) -> Arc<dyn Messenger> {
        let (client, rooms) = (Arc::clone(&self.client), Arc::clone(&self.rooms));
        Arc::new(DiscordMessenger::new(client, rooms, self.me.clone(), self.settings.guild.clone()))
    }

    /// Takes in what Discord sends, until the service ends.
    ///
    /// # Errors
    /// Where Discord refuses the bot.
    pub async fn listen(&self, service: Arc<Service>) -> anyhow::Result<()> {
        if !self.settings.message_content {
            tracing::info!("without `message_content` the bot answers in threads only where it is named");
        }
        gateway::listen(&self.settings, Arc::clone(&self.client), Arc::clone(&self.rooms), &self.me, service).await
    }

    /// Tells Discord the commands, all at once: it takes only so many changes a day.
    async fn register(&self, data: &Path) -> anyhow::Result<()> {
        let definition = commands::definition();
        let digest: String =
            Sha256::digest(format!("{} {definition}", self.me.application)).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = data.join(REGISTERED);
        if std::fs::read_to_string(&file).is_ok_and(|known| known == digest) {
            return Ok(());
        }
        let path = format!("/applications/{}/commands", self.me.application);
        self.client.call(Call::new(Method::PUT, path, Some(&definition))).await.context("Discord does not take the commands")?;
        std::fs::write(&file, digest).with_context(|| format!("cannot write `{}`", file.display()))
    }
}
