//! Slack for tests: a stand-in that we did not write, and in front of it a proxy of ours that adds what it lacks and breaks things
//! on order.

mod call;
mod chat;
mod control;
pub mod desk;
mod directory;
mod envelope;
mod events;
mod faults;
mod history;
mod hooks;
mod limits;
mod listener;
mod proxy;
mod sockets;
mod stand_in;
mod streams;
mod surfaces;
mod switchboard;
mod web_api;
mod workings;
pub mod workspace;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use directory::{ChannelFlags, UserFlags};
pub use envelope::{Ack, Door, Traffic, WhileAway};
pub use faults::{Fault, Faults, What};
pub use proxy::Proxy;
pub use stand_in::StandIn;
pub use workings::{Echo, Posted};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client for plain HTTP on this machine. It needs a provider of cryptography all the same.
fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::{Context, Result, ensure};
    use futures::{SinkExt, StreamExt};
    use serde_json::{Value, json};
    use tokio::net::TcpStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    use super::workspace::{ADA, APP_TOKEN, BOT, BOT_TOKEN, GENERAL};
    use super::*;

    type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

    #[tokio::test]
    async fn the_proxy_carries_corrects_and_breaks() -> Result<()> {
        let Some((stand_in, proxy)) = started().await? else { return Ok(()) };
        proxy.redeliver_after(Duration::from_millis(100));
        let mut socket = connect(&proxy).await?;

        let ts = stand_in.say(GENERAL, ADA, &format!("<@{BOT}> where is it?"), None).await?;
        let mention = next_mention(&mut socket).await?;
        ensure!(mention["payload"]["event"]["ts"] == ts.as_str() && mention["retry_attempt"] == 0, "{mention}");
        let again = next_mention(&mut socket).await?;
        ensure!(again["payload"]["event_id"] == mention["payload"]["event_id"] && again["retry_attempt"] == 1, "{again}");
        ensure!(again["retry_reason"] == "timeout", "{again}");
        acknowledge(&mut socket, &again).await?;
        proxy.until("the mention is acknowledged", |proxy| proxy.acks().iter().any(|ack| ack.acked.is_some())).await?;

        let metadata = json!({ "event_type": "answer", "event_payload": { "key": "k1" } });
        let body = json!({ "channel": GENERAL, "thread_ts": ts, "text": "here", "unfurl_links": false, "metadata": metadata });
        let posted = call(&proxy, "chat.postMessage", body).await?;
        ensure!(posted["ok"] == true, "{posted}");
        ensure!(stand_in.messages(GENERAL).await?.iter().any(|message| message["text"] == "here"), "the post did not arrive");
        let record = proxy.posted();
        ensure!(record.len() == 1 && record[0].body["unfurl_links"] == false && record[0].answer["ts"] == posted["ts"], "{record:?}");

        let read = json!({ "channel": GENERAL, "ts": ts, "include_all_metadata": true, "oldest": posted["ts"], "inclusive": true });
        let replies = call(&proxy, "conversations.replies", read).await?;
        ensure!(replies["messages"][1]["metadata"]["event_payload"]["key"] == "k1", "{replies}");

        proxy.faults().push(Fault { method: "chat.postMessage", what: What::RateLimited { retry_after_s: 7 }, times: 1 });
        let limited = send(&proxy, "chat.postMessage", json!({ "channel": GENERAL, "text": "more" })).await?;
        ensure!(limited.status() == 429 && limited.headers()["retry-after"] == "7", "{limited:?}");
        proxy.faults().push(Fault { method: "*", what: What::ResetAfterDelivery, times: 1 });
        ensure!(send(&proxy, "chat.postMessage", json!({ "channel": GENERAL, "text": "lost" })).await.is_err(), "an answer came");
        ensure!(stand_in.messages(GENERAL).await?.iter().filter(|message| message["text"] == "lost").count() == 1, "it was not posted");
        Ok(())
    }

    #[tokio::test]
    async fn connections_come_go_and_fall_silent() -> Result<()> {
        let Some((stand_in, proxy)) = started().await? else { return Ok(()) };
        proxy.while_away(WhileAway::Lost);
        stand_in.say(GENERAL, ADA, "lost", None).await?;
        proxy.until("it is lost", |proxy| proxy.n_waiting() == 0).await?;
        proxy.while_away(WhileAway::Held);
        stand_in.say(GENERAL, ADA, "held", None).await?;
        let mut socket = connect(&proxy).await?;
        ensure!(text(&next(&mut socket).await?) == "held");

        proxy.reorder_next(2);
        proxy.duplicate_next(1);
        stand_in.say(GENERAL, ADA, "first", None).await?;
        stand_in.say(GENERAL, ADA, "second", None).await?;
        let frames = [next(&mut socket).await?, next(&mut socket).await?, next(&mut socket).await?];
        ensure!(frames.each_ref().map(text) == ["second", "second", "first"], "{frames:?}");
        ensure!(frames[0]["payload"]["event_id"] == frames[1]["payload"]["event_id"], "{frames:?}");

        proxy.set_traffic(Traffic::PingsOnly);
        stand_in.say(GENERAL, ADA, "through a dead path", None).await?;
        socket.send(Message::Ping("p".into())).await?;
        ensure!(matches!(socket.next().await, Some(Ok(Message::Pong(_)))), "no pong");
        proxy.set_traffic(Traffic::Flows);
        ensure!(text(&next(&mut socket).await?) == "through a dead path");

        proxy.disconnect("refresh_requested");
        ensure!(next(&mut socket).await?["reason"] == "refresh_requested");
        proxy.drop_sockets();
        ensure!(!matches!(socket.next().await, Some(Ok(_))), "the connection is open");
        proxy.set_door(Door::Shut);
        ensure!(connect(&proxy).await.is_err(), "a connection was taken");
        Ok(())
    }

    #[tokio::test]
    async fn answers_are_for_one_and_expire() -> Result<()> {
        let Some((stand_in, proxy)) = started().await? else { return Ok(()) };
        let mut socket = connect(&proxy).await?;
        let (typed, answered) = tokio::join!(stand_in.command(GENERAL, ADA, "/runlore", "help"), async {
            let command = next(&mut socket).await?;
            let ack = json!({ "envelope_id": command["envelope_id"], "payload": { "text": "at once" } });
            socket.send(Message::text(ack.to_string())).await?;
            anyhow::Ok(command)
        });
        typed?;
        let url = answered?["payload"]["response_url"].as_str().context("no address")?.to_owned();
        ensure!(url.starts_with(&proxy.workings.own), "{url}");
        for n_uses in 1..=6 {
            let status = http_client().post(&url).json(&json!({ "text": "later" })).send().await?.status();
            ensure!((status == 200) == (n_uses <= 5), "{n_uses}: {status}");
        }
        ensure!(stand_in.messages(GENERAL).await?.iter().all(|message| message["ephemeral_to"] == ADA), "it is public");
        let history = call(&proxy, "conversations.history", json!({ "channel": GENERAL })).await?;
        ensure!(history["messages"] == json!([]), "{history}");

        proxy.set_channel(GENERAL, |flags| flags.is_member = false);
        let refused = call(&proxy, "chat.postMessage", json!({ "channel": GENERAL, "text": "?" })).await?;
        ensure!(refused["error"] == "not_in_channel", "{refused}");
        let long = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(3_001) } }]);
        let refused = call(&proxy, "chat.postMessage", json!({ "channel": super::workspace::LEADS, "blocks": long })).await?;
        ensure!(refused["error"] == "invalid_blocks", "{refused}");
        Ok(())
    }

    async fn started() -> Result<Option<(StandIn, Proxy)>> {
        match StandIn::start().await? {
            Ok(stand_in) => {
                let proxy = Proxy::start(&stand_in).await?;
                Ok(Some((stand_in, proxy)))
            }
            Err(reason) => {
                crate::not_run::not_run("slack", &reason);
                Ok(None)
            }
        }
    }

    fn text(frame: &Value) -> &str {
        frame["payload"]["event"]["text"].as_str().unwrap_or_default()
    }

    async fn connect(proxy: &Proxy) -> Result<Socket> {
        let request = http_client().post(format!("{}/apps.connections.open", proxy.api_url()));
        let opened: Value = request.bearer_auth(APP_TOKEN).send().await?.json().await?;
        let (mut socket, _) = connect_async(opened["url"].as_str().context("no address")?).await?;
        let hello = next(&mut socket).await?;
        ensure!(hello["type"] == "hello" && hello["num_connections"] == 1, "{hello}");
        Ok(socket)
    }

    async fn next(socket: &mut Socket) -> Result<Value> {
        let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await?.context("the socket is closed")??;
        Ok(serde_json::from_str(message.to_text()?)?)
    }

    /// Acknowledges whatever comes before the next mention, and leaves that one.
    async fn next_mention(socket: &mut Socket) -> Result<Value> {
        loop {
            let frame = next(socket).await?;
            if frame["payload"]["event"]["type"] == "app_mention" {
                return Ok(frame);
            }
            acknowledge(socket, &frame).await?;
        }
    }

    async fn acknowledge(socket: &mut Socket, frame: &Value) -> Result<()> {
        let ack = json!({ "envelope_id": frame["envelope_id"] });
        Ok(socket.send(Message::text(ack.to_string())).await?)
    }

    async fn send(proxy: &Proxy, method: &str, body: Value) -> Result<reqwest::Response> {
        Ok(http_client().post(format!("{}/{method}", proxy.api_url())).bearer_auth(BOT_TOKEN).json(&body).send().await?)
    }

    async fn call(proxy: &Proxy, method: &str, body: Value) -> Result<Value> {
        Ok(send(proxy, method, body).await?.json().await?)
    }
}
