//! What goes over Socket Mode, what comes back, and the rules that a test sets for it.

use std::time::Instant;

use serde_json::Value;
use tokio::sync::oneshot;

/// One delivery of an envelope, and its acknowledgement.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The envelope's id; a redelivery has the same.
    pub envelope_id: String,
    /// `events_api`, `slash_commands` or `interactive`.
    pub kind: String,
    /// What was delivered.
    pub payload: Value,
    /// 0 for the first delivery.
    pub retry_attempt: u32,
    /// The number of the connection, counted from 1.
    pub connection: u64,
    /// When its frame was sent.
    pub delivered: Instant,
    /// When the acknowledgement came; it counts for the latest delivery of the envelope.
    pub acked: Option<Instant>,
    /// The payload of the acknowledgement.
    pub answer: Option<Value>,
}

/// What becomes of events that occur while no connection can take them. Commands and interactions are lost at all times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WhileAway {
    /// They come with the next connection.
    Held,
    /// They never come.
    Lost,
}

/// What the connections carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Traffic {
    /// All goes as it should.
    Flows,
    /// Pings are answered, but no event comes, and no `hello` to a new connection.
    PingsOnly,
    /// Nothing is read or written, though the connections are open: a path that died.
    Nothing,
}

/// Whether new connections are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Door {
    /// They are.
    Open,
    /// They are closed before the WebSocket handshake.
    Shut,
}

/// An order to the task of one connection.
pub(super) enum Order {
    Send(String),
    Drop,
}

/// What waits for delivery or acknowledgement.
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) payload: Value,
    /// Who wants the payload of the acknowledgement.
    pub(super) answer: Option<oneshot::Sender<Option<Value>>>,
}
