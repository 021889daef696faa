//! Never silent: with a fault at each stage every addressed message ends in one visible outcome.

use std::time::Duration;

use anyhow::{Result, ensure};
use runlore_tests::slack::workspace::{ADA, BOT, BOT_TOKEN, DIRECT, GENERAL, LEADS};
use runlore_tests::slack::{Fault, Traffic, What, WhileAway};
use serde_json::Value;

use runlore_tests::slack::desk::{Desk, words};

const BEST: &str = "best val/map in vessel-detect";

fn fault(method: &'static str, what: What, times: usize) -> Fault {
    Fault { method, what, times }
}

/// Whatever happens to the posting, the answer stands there once.
#[tokio::test]
async fn whatever_slack_does_to_a_post_the_answer_stands_there_once() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let whats = [
        What::Status(500),
        What::RateLimited { retry_after_s: 1 },
        What::Reset,
        What::ResetAfterDelivery,
        What::StatusAfterDelivery(500),
        What::TimeoutAfterDelivery(Duration::from_secs(12)),
        What::Slow(Duration::from_secs(2)),
        What::Error("internal_error"),
        What::Error("ratelimited"),
    ];
    for what in whats {
        desk.proxy.faults().push(fault("chat.postMessage", what.clone(), 1));
        let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
        ensure!(words(&answer).contains("val/map"), "{what:?}: {answer}");
        // The next question shows that nothing more comes of this one.
        desk.ask(GENERAL, ADA, &format!("<@{BOT}> count")).await?;
        ensure!(desk.answers(GENERAL, &ts).await?.len() == 1, "{what:?}: answered twice");
    }
    Ok(())
}

#[tokio::test]
async fn lost_sockets_and_silence_lose_no_question() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    desk.proxy.while_away(WhileAway::Held);
    desk.proxy.drop_sockets();
    let (_, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    desk.proxy.disconnect("refresh_requested");
    let (_, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    Ok(())
}

/// A connection that stands and says nothing is noticed by ourselves.
#[tokio::test]
async fn a_silent_socket_is_replaced() -> Result<()> {
    let Some(mut desk) = Desk::closed("").await? else { return Ok(()) };
    let settings = std::fs::read_to_string(desk.team.config())?.replace("silence_s = 600", "silence_s = 3");
    std::fs::write(desk.team.config(), settings)?;
    desk.serve().await?;
    desk.proxy.set_traffic(Traffic::PingsOnly);
    let ts = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> {BEST}"), None).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    desk.proxy.set_traffic(Traffic::Flows);
    let answer = desk.answer(GENERAL, &ts, 1).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    Ok(())
}

/// What was asked while nobody served, and Slack gave up delivering, is found in the channel's history and answered, labelled late.
#[tokio::test]
async fn what_was_asked_while_away_is_answered_late() -> Result<()> {
    let Some(mut desk) = Desk::open("").await? else { return Ok(()) };
    let (first, _) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    desk.kill()?;
    desk.proxy.while_away(WhileAway::Lost);
    let away = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> count in vessel-detect"), None).await?;
    let in_thread = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> help"), Some(&first)).await?;
    desk.stand_in.say(GENERAL, ADA, "nothing for the bot", None).await?;
    desk.serve().await?;
    let answer = desk.answer(GENERAL, &away, 1).await?;
    ensure!(words(&answer).contains("while I was away"), "{answer}");
    let second = desk.answer(GENERAL, &first, 2).await?;
    ensure!(words(&second).contains("compare"), "{in_thread}: {second}");
    ensure!(desk.answers(GENERAL, &first).await?.len() == 2 && desk.answers(GENERAL, &away).await?.len() == 1);
    Ok(())
}

/// While the state cannot be written nothing is acknowledged, and Slack's next delivery is answered.
#[tokio::test]
async fn a_locked_state_is_no_lost_question() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    desk.proxy.redeliver_after(Duration::from_secs(3));
    let url = format!("sqlite://{}", desk.team.data().join("bot.db").display());
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&url).await?;
    let mut connection = pool.acquire().await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let ts = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> {BEST}"), None).await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    ensure!(desk.proxy.acks().iter().any(|ack| ack.acked.is_none()), "acknowledged though it could not be stored");
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
    let answer = desk.answer(GENERAL, &ts, 1).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn where_slack_does_not_say_who_asks_nothing_is_answered() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.proxy.faults().push(fault("users.info", What::Status(500), 1));
    let (_, answer) = desk.ask(DIRECT, ADA, BEST).await?;
    ensure!(words(&answer).contains("cannot see right now who would read"), "{answer}");
    desk.proxy.set_channel(LEADS, |flags| flags.is_ext_shared = true);
    let (_, shared) = desk.ask(LEADS, ADA, &format!("<@{BOT}> count in sonar-classify")).await?;
    ensure!(words(&shared).contains("shared with another organisation"), "{shared}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_and_a_second_program_are_said_and_end() -> Result<()> {
    let Some(mut desk) = Desk::closed("").await? else { return Ok(()) };
    let told = |output: std::process::Output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
    let run = |mut command: std::process::Command| tokio::task::spawn_blocking(move || command.output());
    desk.proxy.revoke(BOT_TOKEN, "token_revoked");
    let (code, said) = told(run(desk.command()).await??);
    ensure!(code == Some(3) && said.contains("token_revoked") && said.contains("make a new one"), "{code:?} {said}");
    desk.proxy.restore(BOT_TOKEN);
    let mut nameless = desk.command();
    nameless.env_remove("SLACK_APP_TOKEN");
    let (code, said) = told(run(nameless).await??);
    ensure!(code == Some(2) && said.contains("SLACK_APP_TOKEN"), "{code:?} {said}");

    desk.serve().await?;
    let (code, said) = told(run(desk.command()).await??);
    ensure!(code == Some(2) && said.contains("is running already"), "{code:?} {said}");
    // The same app from another folder, as from another machine.
    let Some(other) = Desk::closed("").await? else { return Ok(()) };
    let mut elsewhere = other.command();
    elsewhere.env("SLACK_API_URL", desk.proxy.api_url());
    let (code, said) = told(run(elsewhere).await??);
    ensure!(code == Some(3) && said.contains("another program serves with the same app token"), "{code:?} {said}");
    let (_, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn metrics_a_changed_channel_and_a_clean_end() -> Result<()> {
    let Some(mut desk) = Desk::open("").await? else { return Ok(()) };
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    let metrics = desk.health("metrics").await?;
    ensure!(metrics.contains("runlore_messages_posted_total 1") && !metrics.contains(GENERAL) && !metrics.contains(ADA), "{metrics}");
    // A channel that the settings no longer know; then settings that are broken, which change nothing.
    let settings = std::fs::read_to_string(desk.team.config())?;
    std::fs::write(desk.team.config(), settings.replace("C0GENERAL", "C0OTHER"))?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (_, refused) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&refused).contains("not set up for this channel"), "{refused}");
    std::fs::write(desk.team.config(), format!("nonsense\n{settings}"))?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (_, refused) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&refused).contains("not set up for this channel"), "{refused}");
    std::fs::write(desk.team.config(), settings)?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (_, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    let (code, took) = desk.end().await?;
    ensure!(code == Some(0) && took < Duration::from_secs(25), "{code:?} after {took:?}");
    Ok(())
}

/// What nobody expects is passed over, and the next question is answered.
#[tokio::test]
async fn strange_envelopes_are_passed_over() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.proxy.send_event(serde_json::json!({"type": "a_type_of_next_year", "user": ADA, "channel": GENERAL}));
    desk.proxy.send_event(serde_json::json!({"type": "message", "subtype": "of_next_year", "channel": GENERAL, "ts": "1.1"}));
    desk.proxy.send_envelope("interactive", serde_json::json!({"type": "of_next_year"}));
    desk.proxy.send_envelope("of_next_year", serde_json::json!({}));
    desk.proxy.send_envelope("slash_commands", Value::Null);
    desk.proxy.other_bot_said(GENERAL, "1795279213.000001", &format!("<@{BOT}> {BEST}"));
    desk.proxy.duplicate_next(4);
    let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> count")).await?;
    ensure!(desk.answers(GENERAL, &ts).await?.len() == 1);
    ensure!(!desk.stand_in.messages(GENERAL).await?.iter().any(|message| message["thread_ts"] == "1795279213.000001"));
    Ok(())
}
