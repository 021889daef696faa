//! The two sides of Socket Mode: the bot's connections to the proxy, and the proxy's one connection to the stand-in.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::stream::SplitSink;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, connect_async};

use super::envelope::{Door, Envelope, Order, Traffic};
use super::workings::Workings;
use super::workspace::APP_TOKEN;

type Upstream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Takes the bot's connections, for ever.
pub(super) async fn serve(workings: Arc<Workings>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        if workings.switchboard.door() == Door::Open {
            let workings = workings.clone();
            tokio::spawn(async move { serve_connection(&workings, stream).await });
        }
    }
}

async fn serve_connection(workings: &Workings, stream: TcpStream) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    let (orders, mut to_do) = mpsc::unbounded_channel();
    let mut traffic = workings.switchboard.traffic.subscribe();
    let number = workings.switchboard.join(orders);
    workings.touch();
    workings.switchboard.pump();
    loop {
        let now = *traffic.borrow_and_update();
        tokio::select! {
            order = to_do.recv() => match order {
                // What comes while nothing flows, the greeting of a new connection, is lost.
                Some(Order::Send(_)) if now != Traffic::Flows => {}
                Some(Order::Send(frame)) => if socket.send(Message::text(frame)).await.is_err() { break },
                Some(Order::Drop) | None => break,
            },
            message = socket.next(), if now != Traffic::Nothing => match message {
                Some(Ok(Message::Text(text))) => acknowledge(workings, text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            changed = traffic.changed() => if changed.is_err() { break },
        }
    }
    workings.switchboard.leave(number);
    workings.touch();
}

fn acknowledge(workings: &Workings, text: &str) {
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return };
    let mut answer = frame.get_mut("payload").map(Value::take).filter(|payload| !payload.is_null());
    if let Some(answer) = &mut answer {
        workings.record_said("ack", answer.clone());
        make_ephemeral(answer);
    }
    workings.switchboard.ack(frame["envelope_id"].as_str().unwrap_or_default(), answer);
    workings.touch();
}

/// Answers to commands and interactions are for one person's eyes unless they say otherwise; the stand-in takes it the other way.
pub(super) fn make_ephemeral(answer: &mut Value) {
    let says_something = answer.get("text").is_some() || answer.get("blocks").is_some();
    if says_something && answer.get("response_type").is_none_or(Value::is_null) {
        answer["response_type"] = "ephemeral".into();
    }
}

/// Connects to the stand-in.
pub(super) async fn connect_upstream(workings: &Workings) -> Result<Upstream> {
    let opened = workings.forward("apps.connections.open", &json!({}), Some(APP_TOKEN)).await?;
    let url = opened["url"].as_str().context("the stand-in opens no socket")?;
    let (mut upstream, _) = connect_async(url).await?;
    upstream.next().await.context("the stand-in closed the socket at once")??;
    Ok(upstream)
}

/// Takes what the stand-in sends, until it ends. Events are acknowledged at once, since the stand-in would wait for it before it
/// goes on; that they reach the bot is the proxy's care. Commands and interactions are acknowledged with what the bot answers.
pub(super) async fn relay(workings: Arc<Workings>, upstream: Upstream) {
    let (mut sender, mut receiver) = upstream.split();
    let (acks, mut acks_to_send) = mpsc::unbounded_channel::<Value>();
    loop {
        tokio::select! {
            ack = acks_to_send.recv() => if let Some(ack) = ack && !send(&mut sender, &ack).await { return },
            message = receiver.next() => match message {
                Some(Ok(Message::Text(text))) => take(&workings, text.as_str(), &acks),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

async fn send(sender: &mut SplitSink<Upstream, Message>, frame: &Value) -> bool {
    sender.send(Message::text(frame.to_string())).await.is_ok()
}

fn take(workings: &Arc<Workings>, text: &str, acks: &mpsc::UnboundedSender<Value>) {
    let Ok(mut frame) = serde_json::from_str::<Value>(&workings.with_own_address(text)) else { return };
    let (id, kind) = (frame["envelope_id"].as_str().unwrap_or_default().to_owned(), frame["type"].as_str().unwrap_or_default().to_owned());
    let mut payload = frame["payload"].take();
    let ack = json!({ "envelope_id": id });
    if kind == "events_api" || workings.takes_for_itself(&payload) {
        let _ = acks.send(ack);
        if kind == "events_api" && workings.correct_event(&mut payload) {
            workings.switchboard.put(Envelope { id, kind, payload, answer: None });
        }
        return;
    }
    workings.correct_interaction(&mut payload);
    let (answer, answered) = oneshot::channel();
    let acks = acks.clone();
    tokio::spawn(async move {
        if let Ok(payload) = answered.await {
            let _ = acks.send(json!({ "envelope_id": ack["envelope_id"], "payload": payload }));
        }
    });
    workings.switchboard.put(Envelope { id, kind, payload, answer: Some(answer) });
}
