//! Socket Mode: events over connections that the bot opens. A callback waits for the inbox and for nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::*;
use tokio::time::Instant;

use super::client::{Client, advice};
use super::incoming::{self, Me};
use super::settings::SlackSettings;
use crate::chat::{Incoming, Platform, SendError};
use crate::serve::{NotTakenIn, Service};

/// Connections that stand side by side, so that one can be made anew while the other listens.
const N_CONNECTIONS: u32 = 2;

/// Pause before a lost connection is made anew, in seconds.
const RECONNECT_S: u64 = 5;

/// So long a fresh start waits for Slack to greet both connections, and the watchdog for the first word.
const FIRST_WORDS: Duration = Duration::from_secs(8);
const FIRST_WORD: Duration = Duration::from_secs(30);

/// How often, and how far apart, it is looked whether another program serves with the same app.
const LOOKS_AGAIN: u32 = 3;
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(4);

/// How often the watchdog looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the callbacks, which are plain functions, find in the listener's state.
struct Heard {
    service: Arc<Service>,
    me: Me,
    /// How often Slack greeted since the last start.
    n_greetings: AtomicU32,
    /// How many connections of the app there are, as the first greeting said and as the last one did.
    n_at_first: AtomicU32,
    n_connections: AtomicU32,
}

impl Heard {
    fn new(service: &Arc<Service>, me: &Me) -> Arc<Self> {
        let nothing = AtomicU32::default;
        let (n_greetings, n_at_first, n_connections) = (nothing(), nothing(), nothing());
        Arc::new(Self { service: Arc::clone(service), me: me.clone(), n_greetings, n_at_first, n_connections })
    }
}

type Listener = SlackClientSocketModeListener<SlackClientHyperHttpsConnector>;

/// Listens until the service ends. The library connects anew by itself; where it stays silent all the same, the watchdog replaces it.
pub(super) async fn listen(settings: &SlackSettings, app_token: &SecretString, me: &Me, service: Arc<Service>) -> anyhow::Result<()> {
    let client = Client::new(&settings.api_url, app_token.expose_secret())?;
    refuse_wrong_token(&client).await?;
    service.gauges.lose_after(Platform::Slack, settings.silence + FIRST_WORD);
    let mut listener = start_alone(&client, &service, me).await?;
    let mut begun = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = service.stop().cancelled() => break,
        }
        let silent = service.gauges.silent_ms(Platform::Slack).map(|ms| Duration::from_millis(ms.max(0) as u64));
        let is_lost = match silent {
            None => begun.elapsed() > FIRST_WORD,
            Some(silent) => silent > settings.silence && begun.elapsed() > FIRST_WORD.min(settings.silence),
        };
        if is_lost {
            tracing::info!(silent_s = silent.map(|s| s.as_secs()), "no word from Slack; connecting anew");
            match start(&client, &Heard::new(&service, me)).await {
                Ok(fresh) => {
                    let old = std::mem::replace(&mut listener, fresh);
                    tokio::spawn(async move { old.shutdown().await });
                }
                Err(error) => tracing::error!("cannot connect to Slack anew: {error:#}"),
            }
            begun = Instant::now();
        }
    }
    let _ = tokio::time::timeout(Duration::from_secs(5), listener.shutdown()).await;
    Ok(())
}

/// Starts, where nobody else serves with this app: each of two would get only a part of the questions. Connections of a program that
/// has just ended may still be counted, so it is looked again before this is said.
async fn start_alone(client: &Client, service: &Arc<Service>, me: &Me) -> anyhow::Result<Listener> {
    let mut n_tries = 0;
    loop {
        n_tries += 1;
        // Greetings of an earlier try count for that one.
        let heard = Heard::new(service, me);
        let listener = start(client, &heard).await?;
        let greeted = async {
            while heard.n_greetings.load(Ordering::Relaxed) < N_CONNECTIONS {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // Slack may be away, or slow with the second one; the watchdog goes on from there.
        tokio::select! {
            _ = tokio::time::timeout(FIRST_WORDS, greeted) => {}
            () = service.stop().cancelled() => return Ok(listener),
        }
        let n_own = heard.n_greetings.load(Ordering::Relaxed);
        let n_others = heard.n_connections.load(Ordering::Relaxed).saturating_sub(n_own);
        // Who was alone at the first greeting came first, and stays.
        if heard.n_at_first.load(Ordering::Relaxed) <= 1 || n_others == 0 {
            return Ok(listener);
        }
        listener.shutdown().await;
        anyhow::ensure!(
            n_tries < LOOKS_AGAIN,
            "another program serves with the same app token: Slack knows {n_others} connections that are not ours; stop that one, or give this one an app of its own"
        );
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// Asks for an address once, so that a wrong token is told at once and not after a silence.
async fn refuse_wrong_token(client: &Client) -> anyhow::Result<()> {
    match client.post("apps.connections.open", &json!({})).await {
        Ok(_) => Ok(()),
        Err(SendError::NotDelivered(why) | SendError::Refused(why)) => anyhow::bail!("the app token does not serve: {why}"),
        Err(error) => {
            tracing::warn!(%error, "Slack does not answer yet; trying on");
            Ok(())
        }
    }
}

async fn start(client: &Client, heard: &Arc<Heard>) -> anyhow::Result<Listener> {
    let environment = SlackClientEventsListenerEnvironment::new(Arc::clone(&client.client))
        .with_error_handler(on_error)
        .with_user_state(Arc::clone(heard));
    let callbacks = SlackSocketModeListenerCallbacks::new()
        .with_hello_events(on_hello)
        .with_push_events(on_push)
        .with_command_events(on_command)
        .with_interaction_events(on_interaction);
    let config = SlackClientSocketModeConfig {
        max_connections_count: N_CONNECTIONS,
        initial_backoff_in_seconds: 1,
        reconnect_timeout_in_seconds: RECONNECT_S,
        ..SlackClientSocketModeConfig::new()
    };
    let listener = Listener::new(&config, Arc::new(environment), callbacks);
    listener.listen_for(client.token()).await.map_err(|error| anyhow::anyhow!("{}", told(&error)))?;
    listener.start().await;
    Ok(listener)
}

/// An error without anything that Slack sent.
fn told(error: &SlackClientError) -> String {
    match error {
        SlackClientError::ApiError(error) => format!("Slack says `{}`: {}", error.code, advice(&error.code)),
        SlackClientError::HttpError(error) => format!("Slack answers {}", error.status_code),
        _ => "the connection to Slack does not come about".to_owned(),
    }
}

async fn heard(state: &SlackClientEventsUserState) -> Option<Arc<Heard>> {
    let heard = state.read().await.get_user_state::<Arc<Heard>>().cloned();
    if let Some(heard) = &heard {
        heard.service.gauges.hear(Platform::Slack);
    }
    heard
}

/// Stores what came; an error keeps the event from being acknowledged, so that it comes again.
async fn take_in(state: &SlackClientEventsUserState, convert: impl FnOnce(&Me) -> Option<Incoming>) -> UserCallbackResult<()> {
    let heard = heard(state).await.ok_or("the service is not there")?;
    if let Some(incoming) = convert(&heard.me) {
        heard.service.take_in(&incoming).await?;
    }
    Ok(())
}

/// The library does not let the type of its greeting be named, but it can be written as JSON.
async fn on_hello<Hello: serde::Serialize>(hello: Hello, _client: Arc<SlackHyperClient>, state: SlackClientEventsUserState) {
    if let Some(heard) = heard(&state).await {
        let n_connections = serde_json::to_value(&hello).ok().and_then(|hello| hello["num_connections"].as_u64()).unwrap_or(0);
        heard.n_connections.store(n_connections as u32, Ordering::Relaxed);
        if heard.n_greetings.fetch_add(1, Ordering::Relaxed) == 0 {
            heard.n_at_first.store(n_connections as u32, Ordering::Relaxed);
        }
        heard.service.gauges.shut_out(Platform::Slack, false);
        let service = Arc::clone(&heard.service);
        tokio::spawn(async move { service.catch_up(Platform::Slack).await });
    }
}

async fn on_push(
    event: SlackPushEventCallback,
    _client: Arc<SlackHyperClient>,
    state: SlackClientEventsUserState,
) -> UserCallbackResult<()> {
    let payload = serde_json::to_value(&event)?;
    take_in(&state, |me| incoming::event(&payload, me)).await
}

async fn on_command(
    event: SlackCommandEvent,
    _client: Arc<SlackHyperClient>,
    state: SlackClientEventsUserState,
) -> UserCallbackResult<SlackCommandEventResponse> {
    let payload = serde_json::to_value(&event)?;
    take_in(&state, |_| incoming::command(&payload)).await?;
    let content = SlackMessageContent::new().with_text(LOOKING.to_owned());
    Ok(SlackCommandEventResponse::new(content).with_response_type(SlackMessageResponseType::Ephemeral))
}

/// The first sign that a command was seen.
pub(super) const LOOKING: &str = "Looking it up…";

async fn on_interaction(
    event: SlackInteractionEvent,
    _client: Arc<SlackHyperClient>,
    state: SlackClientEventsUserState,
) -> UserCallbackResult<()> {
    let payload: Value = serde_json::to_value(&event)?;
    take_in(&state, |_| incoming::interaction(&payload)).await
}

/// What could not be stored is not acknowledged and comes again; what the library could not read would come again the same. Texts of
/// the library's errors may hold what people wrote, so none is logged.
fn on_error(
    error: Box<dyn std::error::Error + Send + Sync>,
    _client: Arc<SlackHyperClient>,
    _state: SlackClientEventsUserState,
) -> HttpStatusCode {
    if let Some(error) = error.downcast_ref::<NotTakenIn>() {
        tracing::error!("an event could not be stored and is not acknowledged: {error}");
        return HttpStatusCode::INTERNAL_SERVER_ERROR;
    }
    tracing::warn!("Slack sent something that cannot be read; it is passed over");
    HttpStatusCode::OK
}
