//! Discord: the adapter between its wire and the chat core. `incoming` and `outgoing` are pure; `client` makes the only calls.

mod acks;
mod body;
mod client;
mod commands;
mod gateway;
mod history;
pub mod incoming;
mod messenger;
pub mod outgoing;
mod rooms;
mod settings;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::chat::{Messenger, SendError};
use crate::serve::Service;
use crate::store::Post;
use acks::Acks;
use client::{Call, Client};
use gateway::Ear;
use incoming::Me;
use messenger::DiscordMessenger;
use rooms::Rooms;
pub use settings::DiscordSettings;

/// The name of the file in the data folder that tells which commands Discord has.
const REGISTERED: &str = "discord-commands";

/// The body of the call that posts its first part. Pure.
pub fn rendered(post: &Post) -> Value {
    body::message(post, &post.reply).body()
}

/// A server that let the bot in.
pub struct Discord {
    settings: DiscordSettings,
    client: Arc<Client>,
    rooms: Arc<Rooms>,
    acks: Arc<Acks>,
    me: Me,
}

impl Discord {
    /// Asks Discord who the bot is, and whether it is in the team's server.
    ///
    /// # Errors
    /// Where Discord does not answer or refuses the token; the sentence says what to do.
    pub async fn connect(settings: DiscordSettings) -> anyhow::Result<Self> {
        let client = Arc::new(Client::new(&settings.api_url, settings.token.clone())?);
        let told = client.get("/applications/@me").await.map_err(|error| match error {
            SendError::NotDelivered(why) | SendError::Refused(why) => anyhow::anyhow!("the bot token does not serve: {why}"),
            other => anyhow::Error::new(other).context("Discord does not say who the bot is"),
        })?;
        let application = told["id"].as_str().context("Discord does not say the application's id")?.to_owned();
        let user = client.get("/users/@me").await.context("Discord does not say who the bot is")?;
        let me = Me { user: user["id"].as_str().context("Discord does not say the bot's id")?.to_owned(), application };
        if let Err(SendError::Refused(why)) = client.get(format!("/guilds/{}", settings.guild)).await {
            anyhow::bail!("the bot is not in the server `{}` of [discord] guild; invite it (docs/discord.md): {why}", settings.guild);
        }
        Ok(Self { settings, rooms: Arc::new(Rooms::new(Arc::clone(&client))), acks: Arc::default(), client, me })
    }

    /// What the core posts with.
    pub fn messenger(&self) -> Arc<dyn Messenger> {
        let (client, rooms, acks) = (Arc::clone(&self.client), Arc::clone(&self.rooms), Arc::clone(&self.acks));
        let (me, guild) = (self.me.clone(), self.settings.guild.clone());
        Arc::new(DiscordMessenger::new(client, rooms, acks, me, guild))
    }

    /// Takes in what Discord sends, until the service ends.
    ///
    /// # Errors
    /// Where Discord refuses the bot.
    pub async fn listen(&self, service: Arc<Service>) -> anyhow::Result<()> {
        if !self.settings.message_content {
            tracing::info!("without `message_content` the bot answers in threads only where it is named");
        }
        let ear = || Ear {
            service: Arc::clone(&service),
            client: Arc::clone(&self.client),
            rooms: Arc::clone(&self.rooms),
            acks: Arc::clone(&self.acks),
            me: self.me.clone(),
        };
        gateway::listen(&self.settings, &self.client, ear, &service).await
    }

    /// Tells Discord the commands, all at once, where they are not those of last time, which a file in `data` remembers: it takes only so
    /// many changes a day.
    ///
    /// # Errors
    /// Where Discord does not take them.
    pub async fn register(&self, data: &Path) -> anyhow::Result<()> {
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
