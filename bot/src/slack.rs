//! Slack: the adapter between its wire and the chat core. `incoming` and `outgoing` are pure; `client` makes the only calls.

mod body;
mod client;
mod history;
pub mod incoming;
mod messenger;
pub mod outgoing;
mod settings;
mod socket;
pub mod web;

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use crate::chat::{Messenger, SendError};
use crate::serve::Service;
use crate::store::Post;
use client::Client;
use incoming::Me;
use messenger::SlackMessenger;
pub use settings::{Intake, SlackSettings};

/// The body of the call that posts it. Pure.
pub fn rendered(post: &Post) -> Value {
    body::body(&post.place.channel, &body::message(post))
}

/// A workspace that let the app in.
pub struct Slack {
    settings: SlackSettings,
    client: Arc<Client>,
    me: Me,
}

impl Slack {
    /// Asks Slack who the bot is.
    ///
    /// # Errors
    /// Where Slack does not answer or refuses the token; the sentence says what to do.
    pub async fn connect(settings: SlackSettings) -> anyhow::Result<Self> {
        use secrecy::ExposeSecret;
        let client = Client::new(&settings.api_url, settings.bot_token.expose_secret())?;
        let told = client.post("auth.test", &json!({})).await.map_err(|error| match error {
            SendError::NotDelivered(why) | SendError::Refused(why) => anyhow::anyhow!("the bot token does not serve: {why}"),
            other => anyhow::Error::new(other).context("Slack does not say who the bot is"),
        })?;
        let field = |name: &str| told[name].as_str().map(str::to_owned).with_context(|| format!("Slack's auth.test says no `{name}`"));
        let me = Me { user: field("user_id")?, team: field("team_id")? };
        Ok(Self { settings, client: Arc::new(client), me })
    }

    /// What the core posts with.
    pub fn messenger(&self) -> Arc<dyn Messenger> {
        Arc::new(SlackMessenger::new(Arc::clone(&self.client), self.me.clone()))
    }

    /// Takes in what Slack sends, until the service ends.
    ///
    /// # Errors
    /// Where Slack refuses the app, or another program serves with the same app.
    pub async fn listen(&self, service: Arc<Service>) -> anyhow::Result<()> {
        match &self.settings.intake {
            Intake::Socket { app_token } => socket::listen(&self.settings, app_token, &self.me, service).await,
            Intake::Http { address, signing_secret } => web::listen(*address, signing_secret, &self.me, service).await,
        }
    }
}
