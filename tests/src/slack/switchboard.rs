//! Decides which envelope goes down which Socket Mode connection, when, and how often.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::envelope::{Ack, Door, Envelope, Order, Traffic, WhileAway};
use super::lock;

/// How often an event that is not acknowledged is sent again, as Slack does.
const MOST_RETRIES: u32 = 3;

struct Waiting {
    envelope: Envelope,
    /// When it is to be sent, or else given up.
    due: Instant,
    n_sent: u32,
}

impl Waiting {
    /// Whether it was sent as often as it may be. Slack sends events again, but neither commands nor interactions.
    fn is_spent(&self) -> bool {
        self.n_sent > if self.envelope.kind == "events_api" { MOST_RETRIES } else { 0 }
    }
}

struct Connection {
    orders: mpsc::UnboundedSender<Order>,
    /// It was told to leave and gets no more.
    leaves: bool,
}

/// The envelopes and the connections.
pub(super) struct Switchboard {
    state: Mutex<State>,
    pub(super) traffic: watch::Sender<Traffic>,
}

struct State {
    connections: BTreeMap<u64, Connection>,
    n_connections: u64,
    n_deliveries: u64,
    waiting: Vec<Waiting>,
    acks: Vec<Ack>,
    redeliver_after: Duration,
    while_away: WhileAway,
    door: Door,
    n_to_duplicate: usize,
    n_to_reorder: usize,
    reordered: Vec<Envelope>,
}

impl Switchboard {
    pub(super) fn new() -> Self {
        let state = State {
            connections: BTreeMap::new(),
            n_connections: 0,
            n_deliveries: 0,
            waiting: Vec::new(),
            acks: Vec::new(),
            redeliver_after: Duration::from_secs(5),
            while_away: WhileAway::Held,
            door: Door::Open,
            n_to_duplicate: 0,
            n_to_reorder: 0,
            reordered: Vec::new(),
        };
        Self { state: Mutex::new(state), traffic: watch::Sender::new(Traffic::Flows) }
    }

    pub(super) fn acks(&self) -> Vec<Ack> {
        lock(&self.state).acks.clone()
    }

    pub(super) fn n_connections(&self) -> usize {
        lock(&self.state).connections.len()
    }

    pub(super) fn n_waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    pub(super) fn redeliver_after(&self, wait: Duration) {
        lock(&self.state).redeliver_after = wait;
    }

    pub(super) fn while_away(&self, rule: WhileAway) {
        lock(&self.state).while_away = rule;
    }

    pub(super) fn set_door(&self, door: Door) {
        lock(&self.state).door = door;
    }

    pub(super) fn door(&self) -> Door {
        lock(&self.state).door
    }

    pub(super) fn duplicate_next(&self, n_envelopes: usize) {
        lock(&self.state).n_to_duplicate = n_envelopes;
    }

    pub(super) fn reorder_next(&self, n_envelopes: usize) {
        lock(&self.state).n_to_reorder = n_envelopes;
    }

    /// Takes a connection in, greets it, and gives it its number.
    pub(super) fn join(&self, orders: mpsc::UnboundedSender<Order>) -> u64 {
        let mut state = lock(&self.state);
        state.n_connections += 1;
        let number = state.n_connections;
        let n_connections = state.connections.len() + 1;
        let hello = json!({
            "type": "hello", "num_connections": n_connections, "connection_info": { "app_id": super::workspace::APP },
            "debug_info": { "host": "applink-test", "build_number": 1, "approximate_connection_time": 18060 },
        });
        let _ = orders.send(Order::Send(hello.to_string()));
        state.connections.insert(number, Connection { orders, leaves: false });
        number
    }

    pub(super) fn leave(&self, number: u64) {
        lock(&self.state).connections.remove(&number);
    }

    pub(super) fn drop_all(&self) {
        for connection in std::mem::take(&mut lock(&self.state).connections).into_values() {
            let _ = connection.orders.send(Order::Drop);
        }
    }

    /// Sends all connections a `disconnect`; they get no more envelopes unless it is only a warning.
    pub(super) fn disconnect(&self, reason: &str) {
        let frame = json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-test" } }).to_string();
        for connection in lock(&self.state).connections.values_mut() {
            connection.leaves |= reason != "warning";
            let _ = connection.orders.send(Order::Send(frame.clone()));
        }
    }

    /// Takes an envelope for delivery.
    pub(super) fn put(&self, envelope: Envelope) {
        let mut state = lock(&self.state);
        if state.n_to_reorder > 0 {
            state.n_to_reorder -= 1;
            state.reordered.push(envelope);
            if state.n_to_reorder == 0 {
                let reordered = std::mem::take(&mut state.reordered);
                reordered.into_iter().rev().for_each(|envelope| state.enqueue(envelope));
            }
        } else {
            state.enqueue(envelope);
        }
        drop(state);
        self.pump();
    }

    /// Notes an acknowledgement. One for a delivery that is not known is nothing.
    pub(super) fn ack(&self, envelope_id: &str, answer: Option<Value>) {
        let mut state = lock(&self.state);
        let delivery = state.acks.iter_mut().rev().find(|ack| ack.envelope_id == envelope_id);
        if let Some(delivery) = delivery.filter(|delivery| delivery.acked.is_none()) {
            delivery.acked = Some(Instant::now());
            delivery.answer.clone_from(&answer);
        }
        if let Some(at) = state.waiting.iter().position(|waiting| waiting.envelope.id == envelope_id) {
            let done = state.waiting.remove(at);
            if let Some(sender) = done.envelope.answer {
                let _ = sender.send(answer);
            }
        }
    }

    /// Sends whatever is due. Called on every change and now and then.
    pub(super) fn pump(&self) {
        let traffic = *self.traffic.borrow();
        lock(&self.state).pump(traffic);
    }
}

impl State {
    fn enqueue(&mut self, envelope: Envelope) {
        let waiting = |envelope| Waiting { envelope, due: Instant::now(), n_sent: 0 };
        if self.n_to_duplicate > 0 {
            self.n_to_duplicate -= 1;
            let Envelope { id, kind, payload, .. } = &envelope;
            let again = Envelope { id: format!("{id}-again"), kind: kind.clone(), payload: payload.clone(), answer: None };
            self.waiting.push(waiting(envelope));
            self.waiting.push(waiting(again));
        } else {
            self.waiting.push(waiting(envelope));
        }
    }

    fn pump(&mut self, traffic: Traffic) {
        if traffic != Traffic::Flows || self.connections.values().all(|connection| connection.leaves) {
            let held = self.while_away == WhileAway::Held;
            self.waiting.retain(|waiting| waiting.n_sent > 0 || (held && waiting.envelope.kind == "events_api"));
            return;
        }
        let now = Instant::now();
        self.waiting.retain(|waiting| waiting.due > now || !waiting.is_spent());
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.due <= now {
                self.deliver(&mut waiting);
            }
            self.waiting.push(waiting);
        }
    }

    /// Sends it down the next connection in turn.
    fn deliver(&mut self, waiting: &mut Waiting) {
        let open: Vec<u64> = self.connections.iter().filter(|(_, connection)| !connection.leaves).map(|(number, _)| *number).collect();
        let number = open[usize::try_from(self.n_deliveries).unwrap_or(0) % open.len()];
        self.n_deliveries += 1;
        let (envelope, is_event) = (&waiting.envelope, waiting.envelope.kind == "events_api");
        let mut frame = json!({
            "envelope_id": envelope.id, "type": envelope.kind, "accepts_response_payload": !is_event, "payload": envelope.payload,
        });
        if is_event {
            frame["retry_attempt"] = waiting.n_sent.into();
            frame["retry_reason"] = if waiting.n_sent == 0 { "" } else { "timeout" }.into();
        }
        let _ = self.connections[&number].orders.send(Order::Send(frame.to_string()));
        self.acks.push(Ack {
            envelope_id: envelope.id.clone(),
            kind: envelope.kind.clone(),
            payload: envelope.payload.clone(),
            retry_attempt: waiting.n_sent,
            connection: number,
            delivered: Instant::now(),
            acked: None,
            answer: None,
        });
        waiting.n_sent += 1;
        waiting.due = Instant::now() + self.redeliver_after;
    }
}
