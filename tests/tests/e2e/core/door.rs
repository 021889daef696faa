//! The one door that is open to the outside, Slack's events over HTTP: ten thousand forged, damaged, old and doubled requests at the real
//! routes. Each is refused and leaves nothing; what is genuine has one effect, however often it comes.

mod forge;
mod genuine;

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use runlore_bot::serve::{ServeSettings, Service};
use runlore_bot::slack::incoming::Me;
use runlore_bot::slack::web;
use runlore_bot::store::Store;
use runlore_indexer::config::Settings;
use runlore_tests::fuzz::Random;
use runlore_tests::team::Team;
use secrecy::SecretString;
use sqlx::SqlitePool;
use tokio::net::TcpListener;

use self::genuine::Kind;
use super::{app, team};

/// What Slack and the bot alone know.
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// How many requests are forged, and how many genuine ones of each kind are sent, each so many times.
const N_FORGED: usize = 10_000;
const N_GENUINE: u64 = 40;
const N_TIMES: usize = 3;

/// Always the same requests, but for the time.
const SEED: u64 = 20_261_121;

/// A request as it goes out.
#[derive(Debug, Clone)]
struct Sent {
    path: &'static str,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// The routes over a state of their own. Nothing works on what comes in, so that all of it stays there to be counted.
struct Door {
    url: String,
    client: reqwest::Client,
    state: SqlitePool,
    _team: Team,
}

impl Door {
    async fn open() -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let team = team("")?;
        let settings = Settings::read(&team.config())?;
        let mut serve_settings = ServeSettings::from(&settings)?;
        serve_settings.health.set_port(0);
        let store = Store::open(&settings.state_url).await?;
        let service = Arc::new(Service::new(Arc::new(app(&team, None).await?), store, serve_settings));
        let me = Me { user: "U0BOT".to_owned(), team: "T1".to_owned() };
        let routes = web::routes(&SecretString::from(SECRET), &me, service);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, client: reqwest::Client::new(), state: SqlitePool::connect(&settings.state_url).await?, _team: team })
    }

    async fn send(&self, sent: &Sent) -> Result<StatusCode> {
        let mut request = self.client.post(format!("{}{}", self.url, sent.path)).body(sent.body.clone());
        for (name, value) in &sent.headers {
            request = request.header(*name, HeaderValue::from_bytes(value).with_context(|| format!("{name}: {value:?}"))?);
        }
        Ok(request.send().await?.status())
    }

    async fn n_events(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM inbox").fetch_one(&self.state).await?)
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_requests_are_refused_and_leave_nothing() -> Result<()> {
    let door = Door::open().await?;
    let mut random = Random::new(SEED);
    let mut n_of_way = vec![0_usize; forge::WAYS.len()];
    for n in 0..N_FORGED {
        let kind = *random.pick(&Kind::ALL);
        let way = n % forge::WAYS.len();
        let sent = forge::forged(&mut random, way, &genuine::sent(kind, n as u64, &now().to_string()));
        let status = door.send(&sent).await.with_context(|| format!("{}: {sent:?}", forge::WAYS[way].0))?;
        ensure!(matches!(status.as_u16(), 400 | 401), "{}: {status} for {sent:?}", forge::WAYS[way].0);
        n_of_way[way] += 1;
    }
    ensure!(door.n_events().await? == 0, "{} of them stand in the inbox", door.n_events().await?);
    println!("{N_FORGED} requests, forged in {} ways, each at least {} times: all refused", n_of_way.len(), n_of_way.iter().min().unwrap());
    Ok(())
}

/// Slack sends again what was not acknowledged in time, signed anew; somebody who saw a request sends it again as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_genuine_has_one_effect_however_often_it_comes() -> Result<()> {
    let door = Door::open().await?;
    let mut n_events = 0;
    for kind in Kind::ALL {
        for n in 0..N_GENUINE {
            for at in [now(), now() - 200, now() + 200] {
                let sent = genuine::sent(kind, n, &at.to_string());
                for _ in 0..N_TIMES {
                    ensure!(door.send(&sent).await? == StatusCode::OK, "{sent:?}");
                }
            }
            n_events += 1;
            ensure!(door.n_events().await? == n_events, "{kind:?} {n}: {} events, and not {n_events}", door.n_events().await?);
        }
    }
    Ok(())
}

/// A body that Slack signed for one address means nothing at another: JSON with somebody's words in it is no form, though it can be read
/// as one by who is careless.
#[tokio::test]
async fn what_is_signed_for_one_address_is_nothing_at_another() -> Result<()> {
    let door = Door::open().await?;
    let words =
        "hello &trigger_id=t.9&channel_id=C1&user_id=U0BOSS&team_id=T1&text=best+loss&payload=%7B%22type%22%3A%22block_actions%22%7D&x=";
    let json = genuine::event_of(1, words);
    let at = now().to_string();
    for path in ["/slack/commands", "/slack/interactions"] {
        let sent = genuine::signed(path, json.clone().into_bytes(), &at);
        ensure!(door.send(&sent).await? == StatusCode::BAD_REQUEST, "{sent:?}");
    }
    for kind in [Kind::Command, Kind::Press] {
        let form = genuine::sent(kind, 1, &at);
        ensure!(door.send(&Sent { path: "/slack/events", ..form.clone() }).await? == StatusCode::BAD_REQUEST, "{form:?}");
    }
    // A form at the wrong one of the two lacks what makes it an event there.
    door.send(&Sent { path: "/slack/interactions", ..genuine::sent(Kind::Command, 1, &at) }).await?;
    door.send(&Sent { path: "/slack/commands", ..genuine::sent(Kind::Press, 1, &at) }).await?;
    ensure!(door.n_events().await? == 0);
    Ok(())
}

/// Too long is refused by its head alone; what is longer than it says, or never ends, at the longest body.
#[tokio::test]
async fn too_long_is_refused_before_it_is_read() -> Result<()> {
    let door = Door::open().await?;
    let long = genuine::signed("/slack/events", vec![b' '; 1024 * 1024 + 1], &now().to_string());
    // It may be noticed as a connection that is closed while the body is still written.
    if let Ok(status) = door.send(&long).await {
        ensure!(status == StatusCode::PAYLOAD_TOO_LARGE, "{status}");
    }
    let chunks = futures::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
    let mut request = door.client.post(format!("{}/slack/events", door.url)).body(reqwest::Body::wrap_stream(chunks));
    for (name, value) in &long.headers {
        request = request.header(*name, HeaderValue::from_bytes(value)?);
    }
    if let Ok(answer) = request.send().await {
        ensure!(answer.status() == StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.status());
    }
    ensure!(door.n_events().await? == 0);
    Ok(())
}
