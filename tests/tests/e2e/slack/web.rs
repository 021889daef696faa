//! The Events API over HTTP: only what Slack signed within the last minutes is read, and that is answered as over a socket.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use reqwest::StatusCode;
use runlore_tests::signing::signature;
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace::{ADA, APP, BOT, GENERAL, TEAM};
use serde_json::{Value, json};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

struct Door {
    url: String,
    client: reqwest::Client,
}

impl Door {
    async fn knock(&self, path: &str, body: String, secret: &str, at: i64) -> Result<(StatusCode, String)> {
        let signature = signature(secret.as_bytes(), &at.to_string(), body.as_bytes());
        let request = self.client.post(format!("{}{path}", self.url)).header("X-Slack-Request-Timestamp", at.to_string());
        let answer = request.header("X-Slack-Signature", signature).body(body).send().await?;
        Ok((answer.status(), answer.text().await?))
    }
}

#[tokio::test]
async fn signed_events_are_answered_and_nothing_else_is_read() -> Result<()> {
    let Some(mut desk) = Desk::closed("").await? else { return Ok(()) };
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let settings = std::fs::read_to_string(desk.team.config())?;
    let http = format!("silence_s = 600\nmode = \"http\"\nlisten = \"{address}\"\nsigning_secret_env = \"TEST_SIGNING_SECRET\"");
    std::fs::write(desk.team.config(), settings.replace("silence_s = 600", &http))?;
    let mut command = desk.command();
    command.env("TEST_SIGNING_SECRET", SECRET).env_remove("SLACK_APP_TOKEN");
    desk.serve_with(command).await?;
    let door = Door { url: format!("http://{address}"), client: reqwest::Client::builder().pool_max_idle_per_host(0).build()? };
    let now = Timestamp::now().as_second();

    let greeting = json!({"type": "url_verification", "challenge": "c"}).to_string();
    let (status, said) = door.knock("/slack/events", greeting.clone(), SECRET, now).await?;
    ensure!(status == StatusCode::OK && serde_json::from_str::<Value>(&said)?["challenge"] == "c", "{status} {said}");
    for (secret, at) in [("wrong", now), (SECRET, now - 600), (SECRET, now + 600)] {
        let (status, _) = door.knock("/slack/events", greeting.clone(), secret, at).await?;
        ensure!(status == StatusCode::UNAUTHORIZED, "{secret} {at}: {status}");
    }
    let unsigned = door.client.post(format!("{}/slack/events", door.url)).body(greeting).send().await?;
    ensure!(unsigned.status() == StatusCode::UNAUTHORIZED);
    // Refused before it is all there; the client may notice that as a broken connection.
    if let Ok((status, _)) = door.knock("/slack/events", "x".repeat(2 * 1024 * 1024), SECRET, now).await {
        ensure!(status == StatusCode::PAYLOAD_TOO_LARGE, "{status}");
    }
    let (status, _) = door.knock("/slack/events", "no JSON".to_owned(), SECRET, now).await?;
    ensure!(status == StatusCode::BAD_REQUEST, "{status}");

    let ts = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> best val/map in vessel-detect"), None).await?;
    let event = json!({"type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event_id": "Ev1", "event_time": now,
        "event": {"type": "app_mention", "user": ADA, "text": format!("<@{BOT}> best val/map in vessel-detect"), "ts": ts, "channel": GENERAL}});
    for _ in 0..2 {
        ensure!(door.knock("/slack/events", event.to_string(), SECRET, now).await?.0 == StatusCode::OK);
    }
    let answer = desk.answer(GENERAL, &ts, 1).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");

    let command = format!(
        "team_id={TEAM}&channel_id={GENERAL}&channel_name=general&user_id={ADA}&command=%2Frunlore&text=help%20me&response_url=http%3A%2F%2F127.0.0.1%3A9%2Fr&trigger_id=t.1"
    );
    let (status, said) = door.knock("/slack/commands", command, SECRET, now).await?;
    ensure!(status == StatusCode::OK && said.contains("ephemeral") && said.contains("Looking it up"), "{status} {said}");
    let (status, _) = door.knock("/slack/interactions", "payload=%7B%22type%22%3A%22view_closed%22%7D".to_owned(), SECRET, now).await?;
    ensure!(status == StatusCode::OK);
    let (code, took) = desk.end().await?;
    ensure!(code == Some(0) && took.as_secs() < 25, "{code:?} {took:?}");
    Ok(())
}
