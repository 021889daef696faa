//! `runlore brief --test`: whether the brief of a channel would arrive there.

use std::sync::Arc;

use anyhow::Context;
use serde_json::json;

use super::serve::Platforms;
use super::{Exit, Form, Options, out};
use crate::app::{App, ModelUse};
use crate::discord::DiscordSettings;
use crate::serve::{Arrival, ServeSettings, Service, post_test};
use crate::slack::SlackSettings;
use crate::store::Store;

/// Posts a sentence to the channel the way that its brief goes, and says where it stands.
pub(super) async fn brief_test(channel: &str, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    super::audience(&settings, Some(channel))?;
    let serve_settings = ServeSettings::from(&settings)?;
    let (slack, discord) = (SlackSettings::from(&settings)?, DiscordSettings::from(&settings)?);
    let store = Store::open(&settings.state_url).await?;
    let platforms = Platforms::connect(slack, discord, &settings.data).await?;
    let app = App::open(settings, ModelUse::None).await.context("cannot open catalog and indexes; `runlore doctor` says more")?;
    let service = platforms.join(Service::new(Arc::new(app), store, serve_settings));
    for arrival in post_test(&service, channel).await? {
        out::line(&said(&arrival, options.form))?;
    }
    Ok(Exit::Fine)
}

fn said(arrival: &Arrival, form: Form) -> String {
    let Arrival { platform, channel, message } = arrival;
    match form {
        Form::Json => json!({"platform": platform.as_str(), "channel": channel, "message": message}).to_string(),
        Form::Text => format!("it stands on {} in {channel}, as message {message}", platform.as_str()),
    }
}
