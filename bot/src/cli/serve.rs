//! `runlore serve`: answers on the platforms that the settings name, until it is told to end.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use fs4::FileExt;
use futures::FutureExt;
use runlore_indexer::config::{ConfigError, Settings};

use super::{Exit, Form, Options, WrongUse, out};
use crate::app::{App, ModelUse};
use crate::chat::Platform;
use crate::discord::{Discord, DiscordSettings};
use crate::serve::{self, ServeSettings, Service};
use crate::slack::{Slack, SlackSettings};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Facts and passages alone, without the model
    #[arg(long)]
    no_model: bool,
}

/// Serves.
pub(super) async fn serve(args: &ServeArgs, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    let serve_settings = ServeSettings::from(&settings)?;
    let (slack_settings, discord_settings) = (SlackSettings::from(&settings)?, DiscordSettings::from(&settings)?);
    if slack_settings.is_none() && discord_settings.is_none() {
        let message = "no platform to serve on; a table `[slack]` switches Slack on (docs/slack.md), `[discord]` Discord (docs/discord.md)";
        return Err(ConfigError::Wrong { file: settings.file.clone(), message: message.to_owned() }.into());
    }
    let _lock = lock(&settings)?;
    let store = Store::open(&settings.state_url).await?;
    let platforms = Platforms::connect(slack_settings, discord_settings, &settings.data).await?;
    let model = if args.no_model { ModelUse::None } else { ModelUse::AsConfigured };
    let app = App::open(settings, model).await.context("cannot open catalog and indexes; `runlore doctor` says more")?;
    let service = Arc::new(platforms.join(Service::new(Arc::new(app), store, serve_settings)));
    if options.form == Form::Text {
        out::line(&format!("serving on {}; health and metrics on http://{}", platforms.names(), service.settings.health))?;
    }
    tokio::spawn(stop_on_signal(Arc::clone(&service)));
    let core = {
        let (service, ends) = (Arc::clone(&service), service.stop().clone().drop_guard());
        tokio::spawn(async move {
            // However this ends, listening ends too: nothing is acknowledged that nobody works on.
            let _ends = ends;
            serve::run(service).await
        })
    };
    let listened = platforms.listen(&service).await;
    // Where listening ended by itself the rest ends too, in order.
    service.stop().cancel();
    core.await.context("the service broke off")??;
    listened?;
    Ok(Exit::Fine)
}

/// The platforms that the settings name.
pub(super) struct Platforms {
    slack: Option<Slack>,
    discord: Option<Discord>,
}

impl Platforms {
    pub(super) async fn connect(slack: Option<SlackSettings>, discord: Option<DiscordSettings>, data: &Path) -> anyhow::Result<Self> {
        let slack = match slack {
            Some(settings) => Some(Slack::connect(settings).await?),
            None => None,
        };
        let discord = match discord {
            Some(settings) => Some(Discord::connect(settings).await?),
            None => None,
        };
        if let Some(discord) = &discord {
            discord.register(data).await?;
        }
        Ok(Self { slack, discord })
    }

    pub(super) fn join(&self, mut service: Service) -> Service {
        if let Some(slack) = &self.slack {
            service = service.with(Platform::Slack, slack.messenger());
        }
        if let Some(discord) = &self.discord {
            service = service.with(Platform::Discord, discord.messenger());
        }
        service
    }

    fn names(&self) -> String {
        let names = [self.slack.as_ref().map(|_| "Slack"), self.discord.as_ref().map(|_| "Discord")];
        names.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    /// Listens on all of them until the service ends; where one cannot go on, all end, and say why.
    async fn listen(&self, service: &Arc<Service>) -> anyhow::Result<()> {
        let slack = async {
            match &self.slack {
                Some(slack) => slack.listen(Arc::clone(service)).await,
                None => service.stop().cancelled().map(Ok).await,
            }
        };
        let discord = async {
            match &self.discord {
                Some(discord) => discord.listen(Arc::clone(service)).await,
                None => service.stop().cancelled().map(Ok).await,
            }
        };
        // The first that ends, ends the others, in order.
        let slack = slack.inspect(|_| service.stop().cancel());
        let discord = discord.inspect(|_| service.stop().cancel());
        let (slack, discord) = tokio::join!(slack, discord);
        slack.and(discord)
    }
}

/// One program a data folder: two would answer everything twice.
fn lock(settings: &Settings) -> anyhow::Result<File> {
    std::fs::create_dir_all(&settings.data).with_context(|| format!("cannot make `{}`", settings.data.display()))?;
    let path = settings.data.join("serve.lock");
    let file = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(_) => {
            let message = format!("`runlore serve` is running already on `{}`; stop that one first", settings.data.display());
            Err(WrongUse(message).into())
        }
    }
}

/// Ends the service in order on SIGTERM and Ctrl-C; a second one ends it at once.
async fn stop_on_signal(service: Arc<Service>) {
    for n_signals in 1.. {
        wait_for_signal().await;
        if n_signals > 1 {
            std::process::exit(3);
        }
        tracing::info!("ending");
        service.stop().cancel();
    }
}

async fn wait_for_signal() {
    let mut terminated = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM is not heard; Ctrl-C is");
            _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
