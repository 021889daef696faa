//! The gateway: what happens on Discord, over a connection that the bot opens. Nothing here waits for more than the inbox.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use serenity::all::{
    ClientBuilder, ConnectionStage, Context, Event, GatewayError, GatewayIntents, HttpBuilder, RawEventHandler, ShardManager,
};
use serenity::async_trait;

use super::acks::Acks;
use super::client::{Call, Client, is_unknown_token};
use super::incoming::{self, Me};
use super::rooms::{Room, Rooms};
use super::settings::DiscordSettings;
use super::{commands, outgoing};
use crate::chat::{Button, Event as Happened, Incoming, Platform, Press, SendError, Way};
use crate::gate::{Circumstances, PersonFacts};
use crate::serve::{Service, Typing};

/// Pause before a lost connection is made anew, and the longest one.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// How often it is looked whether the connection stands, and after how long without it the program says that it is not ready.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOST_AFTER: Duration = Duration::from_secs(60);

/// How often an event that cannot be stored is tried again: Discord does not send it twice.
const TRIES: u32 = 20;

/// How an interaction is answered at once.
const MESSAGE: u8 = 4;
const LATER: u8 = 5;
const NO_CHANGE: u8 = 6;
const CHOICES: u8 = 8;

/// How many names are offered at once.
const MAX_CHOICES: usize = 25;

/// The flag of what one person alone sees.
pub(super) const PRIVATE: u64 = 1 << 6;

/// What the handler of events needs.
pub(super) struct Ear {
    pub(super) service: Arc<Service>,
    pub(super) client: Arc<Client>,
    pub(super) rooms: Arc<Rooms>,
    pub(super) acks: Arc<Acks>,
    pub(super) me: Me,
}

/// What is listened to: without `message_content` what is said in threads without the bot's name stays unknown.
pub(super) fn intents(settings: &DiscordSettings) -> GatewayIntents {
    let always = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES;
    if settings.message_content { always | GatewayIntents::MESSAGE_CONTENT } else { always }
}

/// Listens until the service ends. The library resumes a lost connection by itself; where it gives up, it is begun anew here.
///
/// # Errors
/// Where Discord refuses the bot; the sentence says what to do.
pub(super) async fn listen(
    settings: &DiscordSettings,
    client: &Client,
    ear: impl Fn() -> Ear,
    service: &Arc<Service>,
) -> anyhow::Result<()> {
    service.gauges.lose_after(Platform::Discord, LOST_AFTER);
    let mut pause = PAUSE;
    while !service.stop().is_cancelled() {
        let begun = std::time::Instant::now();
        match connection(settings, client, ear(), service).await {
            Ok(()) => {}
            Err(error) => match fatal(&error) {
                Some(sentence) => anyhow::bail!(sentence),
                None => tracing::warn!("the connection to Discord is lost; connecting anew: {}", told(&error)),
            },
        }
        if begun.elapsed() > MAX_PAUSE {
            pause = PAUSE;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(MAX_PAUSE),
            () = service.stop().cancelled() => {}
        }
    }
    Ok(())
}

/// One connection with all its resumptions, until it cannot be kept or the service ends.
async fn connection(settings: &DiscordSettings, client: &Client, ear: Ear, service: &Service) -> anyhow::Result<()> {
    let url = match &settings.gateway_url {
        Some(url) => url.clone(),
        None => {
            let gateway = client.get("/gateway/bot").await?;
            gateway["url"].as_str().context("Discord does not say where its gateway is")?.to_owned()
        }
    };
    let token = settings.token.expose_secret();
    // The library asks for the gateway too, and goes somewhere else where that fails; what was read above stands.
    let origin = settings.api_url.trim_end_matches("/api/v10");
    let http = HttpBuilder::new(token).proxy(origin).ratelimiter_disabled(true).build();
    let mut library = ClientBuilder::new_with_http(http, intents(settings)).raw_event_handler(ear).await?;
    *library.ws_url.lock().await = url;
    let shards = Arc::clone(&library.shard_manager);
    let ended = tokio::select! {
        ended = library.start() => ended.map_err(anyhow::Error::from),
        never = watch(&shards, service) => match never {},
        () = service.stop().cancelled() => Ok(()),
    };
    _ = tokio::time::timeout(Duration::from_secs(3), shards.shutdown_all()).await;
    ended
}

/// Keeps in mind that Discord is heard, for as long as the connection stands: a quiet server says nothing for hours.
async fn watch(shards: &ShardManager, service: &Service) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if shards.runners.lock().await.values().any(|runner| runner.stage == ConnectionStage::Connected) {
            service.gauges.hear(Platform::Discord);
        }
    }
}

/// What nobody but whoever runs the program can mend.
fn fatal(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<serenity::Error>() {
        Some(serenity::Error::Gateway(error)) => match error {
            GatewayError::InvalidAuthentication | GatewayError::NoAuthentication => {
                Some("Discord does not take the bot's token; make a new one on the app's page and put it into the environment")
            }
            GatewayError::DisallowedGatewayIntents => Some(
                "Discord does not allow the bot to read messages without its name; switch on `Message Content Intent` on the app's page, or \
                 take `message_content = true` out of [discord]",
            ),
            GatewayError::InvalidGatewayIntents => Some("Discord does not know what the bot asks to hear; this is our fault"),
            GatewayError::OverloadedShard | GatewayError::InvalidShardData => {
                Some("the bot is in too many servers for one program; Runlore is made for one team's server")
            }
            _ => None,
        },
        _ => match error.downcast_ref::<SendError>() {
            Some(error) if is_unknown_token(error) => {
                Some("Discord does not take the bot's token; make a new one on the app's page and put it into the environment")
            }
            _ => None,
        },
    }
}

/// An error without anything that Discord sent.
fn told(error: &anyhow::Error) -> String {
    match error.downcast_ref::<SendError>() {
        Some(error) => error.to_string(),
        None => "the gateway is not there".to_owned(),
    }
}

#[async_trait]
impl RawEventHandler for Ear {
    async fn raw_event(&self, _context: Context, event: Event) {
        self.service.gauges.hear(Platform::Discord);
        let Ok(mut told) = serde_json::to_value(&event) else { return };
        if let Event::InteractionCreate(event) = &event {
            // The library reads the type and does not write it.
            told["d"]["type"] = u8::from(event.interaction.kind()).into();
        }
        self.hear(told["t"].as_str().unwrap_or_default(), &told["d"]).await;
    }
}

impl Ear {
    async fn hear(&self, kind: &str, told: &Value) {
        match kind {
            "READY" => {
                self.service.gauges.shut_out(Platform::Discord, false);
                // A new session does not tell what happened before it.
                tokio::spawn(Arc::clone(&self.service).catch_up(Platform::Discord));
            }
            "MESSAGE_CREATE" => {
                if let Some(room) = self.room(told).await {
                    self.take_in(incoming::message(told, &room, &self.me)).await;
                }
            }
            "MESSAGE_UPDATE" => {
                if let Some(room) = self.room(told).await {
                    self.take_in(incoming::edited(told, &room, &self.me)).await;
                }
            }
            "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => self.hear_deleted(told).await,
            "INTERACTION_CREATE" => self.hear_interaction(told).await,
            "CHANNEL_DELETE" => {
                if let Some(room) = self.room(&json!({"channel_id": told["id"], "guild_id": told["guild_id"]})).await {
                    self.take_in(Some(incoming::left(&room))).await;
                }
                self.rooms.learn(kind, told);
            }
            _ => self.rooms.learn(kind, told),
        }
    }

    async fn hear_deleted(&self, told: &Value) {
        let Some(room) = self.room(told).await else { return };
        let many = told["ids"].as_array().into_iter().flatten();
        for id in many.chain([&told["id"]]).filter_map(Value::as_str) {
            self.take_in(Some(incoming::deleted(id, &room))).await;
        }
    }

    /// Where it happened. Where Discord does not say, it is asked again: it sends nothing twice.
    async fn room(&self, told: &Value) -> Option<Room> {
        if let Some(group) = Room::group(told) {
            return Some(group);
        }
        let (id, guild) = (told["channel_id"].as_str()?, told["guild_id"].as_str().unwrap_or_default());
        for n_tries in 1..=TRIES {
            match self.rooms.room(id, guild).await {
                Ok(room) => return Some(room),
                Err(SendError::Refused(why)) => {
                    tracing::warn!(channel.id = id, why, "cannot tell where something was said");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(channel.id = id, %error, n_tries, "cannot tell where something was said; trying on");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        None
    }

    /// Stores an event; whether it is stored. What cannot be stored now is tried again, since it does not come again.
    async fn take_in(&self, incoming: Option<Incoming>) {
        let Some(incoming) = incoming else { return };
        for _ in 1..=TRIES {
            match self.service.take_in(&incoming).await {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, "cannot store an event; trying on"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::error!("an event could not be stored; it is looked for at the next connection");
    }

    /// An interaction is answered within three seconds, and only once it is stored: what is not stored is not acknowledged, and the
    /// person sees that.
    async fn hear_interaction(&self, told: &Value) {
        if told["type"] == 4 {
            return self.complete(told).await;
        }
        let Some(room) = self.room(told).await else { return };
        let Some(incoming) = incoming::interaction(told, &room) else {
            return self.respond(told, &json!({"type": NO_CHANGE})).await;
        };
        let token = told["token"].as_str().unwrap_or_default();
        self.acks.begin(token);
        match self.service.take_in(&incoming).await {
            Ok(()) => self.acknowledge(told, &incoming).await,
            Err(error) => tracing::error!(%error, "an interaction cannot be stored and is not acknowledged"),
        }
        self.acks.end(token);
    }

    async fn acknowledge(&self, told: &Value, incoming: &Incoming) {
        let answer = match &incoming.event {
            Happened::Asked(asked) if asked.way == Way::PublicCommand => json!({"type": LATER}),
            Happened::Asked(_) => json!({"type": LATER, "data": {"flags": PRIVATE}}),
            // The window is its answer.
            Happened::Pressed(Press { button: Button::NotUseful, .. }) => return,
            Happened::Reasoned { .. } => {
                let mut thanks = outgoing::sentence("Thank you, noted.").body();
                thanks["flags"] = (thanks["flags"].as_u64().unwrap_or(0) | PRIVATE).into();
                json!({"type": MESSAGE, "data": thanks})
            }
            _ => json!({"type": NO_CHANGE}),
        };
        self.respond(told, &answer).await;
    }

    /// Names for somebody who types; who may not ask gets none.
    async fn complete(&self, told: &Value) {
        let Some(room) = self.room(told).await else { return };
        let (place, person) = (room.place(None), incoming::person(told));
        let names = match commands::typing(&told["data"]) {
            Some((named, typed, project)) => {
                let circumstances = self.told_circumstances(told, &room);
                let typing = Typing { place: &place, person: &person, circumstances, named, typed, project };
                self.service.complete(&typing, MAX_CHOICES).await
            }
            None => Vec::new(),
        };
        self.respond(told, &json!({"type": CHOICES, "data": outgoing::choices(&names)})).await;
    }

    /// What the event itself and the gateway say of who types and where, so that nothing has to be asked; in direct messages they do not
    /// say who is a member of the team.
    fn told_circumstances(&self, told: &Value, room: &Room) -> Option<Circumstances> {
        let channel = self.rooms.told_facts(&room.place(None)).filter(|_| told["member"].is_object())?;
        let roles = told["member"]["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Circumstances { person: PersonFacts { roles, ..PersonFacts::default() }, channel, linked: None })
    }

    async fn respond(&self, told: &Value, answer: &Value) {
        let (id, token) = (told["id"].as_str().unwrap_or_default(), told["token"].as_str().unwrap_or_default());
        let path = format!("/interactions/{id}/{token}/callback");
        if let Err(error) = self.client.call(Call::of_interaction(Method::POST, path, Some(answer))).await {
            tracing::warn!(%error, "an interaction could not be acknowledged");
        }
    }
}
