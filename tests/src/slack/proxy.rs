//! The proxy in front of the stand-in, as tests hold it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::routing::{any, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::directory::{ChannelFlags, UserFlags};
use super::envelope::{Ack, Door, Traffic, WhileAway};
use super::faults::Faults;
use super::listener::{CuttableListener, Wire};
use super::stand_in::StandIn;
use super::workings::{Echo, Posted, Workings};
use super::{hooks, lock, sockets, web_api};

/// How long `until` waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it looks for envelopes that are due.
const TICK: Duration = Duration::from_millis(20);

/// A running proxy. It stops, and its connections end, when this is dropped.
pub struct Proxy {
    pub(super) workings: Arc<Workings>,
    /// Ended with the proxy.
    _tasks: JoinSet<()>,
    _running: oneshot::Sender<()>,
}

impl Proxy {
    /// Starts one.
    ///
    /// # Errors
    /// Where the stand-in does not answer.
    pub async fn start(stand_in: &StandIn) -> Result<Self> {
        let (http, sockets) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (own, socket_url) = (format!("http://{}", http.local_addr()?), format!("ws://{}", sockets.local_addr()?));
        let workings = Arc::new(Workings::new(stand_in.base.clone(), own, socket_url));
        let upstream = sockets::connect_upstream(&workings).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(sockets::relay(workings.clone(), upstream));
        tasks.spawn(sockets::serve(workings.clone(), sockets));
        tasks.spawn(tick(workings.clone()));
        let (running, stopped) = oneshot::channel();
        tokio::spawn(serve_http(workings.clone(), http, stopped));
        Ok(Self { workings, _tasks: tasks, _running: running })
    }

    /// What the bot gets as the base of Slack's Web API.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.workings.own)
    }

    /// The faults in wait.
    pub fn faults(&self) -> &Faults {
        &self.workings.faults
    }

    /// All that the bot said, in the order of arrival: posts, changes, deletions, streams, answers to commands and presses.
    pub fn posted(&self) -> Vec<Posted> {
        let says = |posted: &Posted| posted.method.starts_with("chat.") || matches!(posted.method.as_str(), "response_url" | "ack");
        let mut all = self.called();
        all.retain(|posted| says(posted) && posted.method != "chat.getPermalink");
        all
    }

    /// All calls of the Web API and whatever else `posted` has.
    pub fn called(&self) -> Vec<Posted> {
        self.workings.called()
    }

    /// All deliveries of envelopes so far.
    pub fn acks(&self) -> Vec<Ack> {
        self.workings.switchboard.acks()
    }

    /// How many Socket Mode connections the bot has.
    pub fn n_connections(&self) -> usize {
        self.workings.switchboard.n_connections()
    }

    /// How many envelopes wait for delivery or acknowledgement.
    pub fn n_waiting(&self) -> usize {
        self.workings.switchboard.n_waiting()
    }

    /// Waits until the condition holds; looks again whenever a call, an acknowledgement or a connection comes or goes.
    ///
    /// # Errors
    /// Where it does not come to hold within 20 s.
    pub async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) -> Result<()> {
        let mut changes = self.workings.changes();
        let wait = async {
            while !condition(self) {
                // Not every change is announced: what comes with time alone is looked for.
                let _ = tokio::time::timeout(TICK, changes.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| anyhow!("waited in vain until {what}")).context("Slack proxy")
    }

    /// Changes what is so of a channel.
    pub fn set_channel(&self, channel: &str, change: impl FnOnce(&mut ChannelFlags)) {
        self.workings.directory.set_channel(channel, change);
    }

    /// Changes what is so of a person.
    pub fn set_user(&self, user: &str, change: impl FnOnce(&mut UserFlags)) {
        self.workings.directory.set_user(user, change);
    }

    /// Makes a user group, or changes who is in it.
    pub fn set_user_group(&self, group: &str, users: &[&str]) {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        lock(&self.workings.kept).user_groups.insert(group.to_owned(), users);
    }

    /// The scopes that answers name in `x-oauth-scopes`, parted by commas; before this they name none.
    pub fn set_scopes(&self, scopes: &str) {
        lock(&self.workings.kept).scopes = Some(scopes.to_owned());
    }

    /// From now on a token is answered with this error, `invalid_auth` or `token_revoked`.
    pub fn revoke(&self, token: &str, error: &'static str) {
        lock(&self.workings.kept).revoked_tokens.insert(token.to_owned(), error);
    }

    /// Takes `revoke` back.
    pub fn restore(&self, token: &str) {
        lock(&self.workings.kept).revoked_tokens.remove(token);
    }

    /// Whether the bot is told of what it does itself; it is, unless this says otherwise.
    pub fn set_echo(&self, echo: Echo) {
        *lock(&self.workings.echo) = echo;
    }

    /// The response addresses that the bot was given so far expire.
    pub fn expire_response_urls(&self) {
        self.workings.hooks.expire();
    }

    /// Slack ends all streams of its own accord.
    pub fn end_streams(&self) {
        self.workings.end_streams();
    }

    /// How long an event may stay unacknowledged before it comes again; 5 s unless this says otherwise.
    pub fn redeliver_after(&self, wait: Duration) {
        self.workings.switchboard.redeliver_after(wait);
    }

    /// What becomes of events while no connection takes any; they are held unless this says otherwise.
    pub fn while_away(&self, rule: WhileAway) {
        self.workings.switchboard.while_away(rule);
    }

    /// What the connections carry.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.workings.switchboard.traffic.send_replace(traffic);
    }

    /// Whether new connections are taken.
    pub fn set_door(&self, door: Door) {
        self.workings.switchboard.set_door(door);
    }

    /// The next envelopes come twice, under two envelope ids, as the same event.
    pub fn duplicate_next(&self, n_envelopes: usize) {
        self.workings.switchboard.duplicate_next(n_envelopes);
    }

    /// The next envelopes are kept until there are so many, and then come in reverse.
    pub fn reorder_next(&self, n_envelopes: usize) {
        self.workings.switchboard.reorder_next(n_envelopes);
    }

    /// Ends all connections without a word.
    pub fn drop_sockets(&self) {
        self.workings.switchboard.drop_all();
    }

    /// Sends all connections a `disconnect` frame: `warning`, `refresh_requested`, `link_disabled` or `too_many_websockets`.
    pub fn disconnect(&self, reason: &str) {
        self.workings.switchboard.disconnect(reason);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.drop_sockets();
    }
}

async fn serve_http(workings: Arc<Workings>, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    let router = Router::new()
        .route("/api/{method}", any(web_api::serve))
        .route("/_hooks/response/{id}", post(hooks::answer))
        .fallback(hooks::pass_through)
        .with_state(workings)
        .into_make_service_with_connect_info::<Wire>();
    let stop = async { drop(stopped.await) };
    let _ = axum::serve(CuttableListener(listener), router).with_graceful_shutdown(stop).await;
}

async fn tick(workings: Arc<Workings>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        workings.switchboard.pump();
    }
}
