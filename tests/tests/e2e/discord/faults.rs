//! Never silent: whatever Discord does, every addressed message ends in one visible outcome.

use anyhow::{Result, ensure};
use runlore_tests::discord::{DiscordDesk, id, words};
use serde_json::{Value, json};

const BEST: &str = "best val/map in vessel-detect";

/// Whatever happens to the posting, the answer stands there once.
#[tokio::test]
async fn whatever_discord_does_to_a_post_the_answer_stands_there_once() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let faults = [
        json!({"kind": "status", "status": 429, "retry_after": 0.7}),
        json!({"kind": "status", "status": 500}),
        json!({"kind": "reset"}),
        json!({"kind": "reset_after_delivery"}),
        json!({"kind": "status_after_delivery", "status": 502}),
        json!({"kind": "timeout_after_delivery", "seconds": 12}),
        json!({"kind": "slow", "seconds": 2}),
    ];
    for mut fault in faults {
        fault["do"] = "fault".into();
        fault["method"] = "POST".into();
        fault["path"] = "/channels/[0-9]+/messages$".into();
        desk.double.ctl(fault.clone()).await?;
        let (asked, answer) = desk.ask(&general, "ada", &format!("{} {BEST}", desk.bot())).await?;
        ensure!(words(&answer).contains("val/map"), "{fault}: {answer}");
        desk.until_settled().await?;
        ensure!(desk.answers_to(&general, &asked).await?.len() == 1, "{fault}: answered twice");
    }
    Ok(())
}

/// An answer for one alone is brought up to date as often as it takes; when its time is over it goes on in direct messages.
#[tokio::test]
async fn an_interaction_is_answered_whatever_happens() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let command = json!({"name": "best", "type": 1, "options": [{"name": "metric", "type": 3, "value": "val/map"}]});
    for fault in [json!({"kind": "status", "status": 500}), json!({"kind": "reset_after_delivery"})] {
        let mut fault = fault;
        (fault["do"], fault["method"], fault["path"]) = ("fault".into(), "PATCH".into(), "/webhooks/.*@original".into());
        desk.double.ctl(fault.clone()).await?;
        let answer = desk.command_of(&general, "ada", command.clone()).await?;
        ensure!(words(&answer).contains("val/map"), "{fault}: {answer}");
    }
    desk.until_settled().await?;

    // The first tries find nobody there, and then the token's quarter of an hour is over.
    desk.double
        .ctl(json!({"do": "fault", "method": "PATCH", "path": "/webhooks/.*@original", "kind": "status", "status": 503, "times": 2}))
        .await?;
    let typed = json!({"do": "slash", "user": "grace", "channel": general, "name": "runlore", "options": [command.clone()]});
    desk.double.ctl(typed).await?;
    desk.until("the first try", || async {
        let log = desk.double.told("log").await?;
        Ok(log.as_array().is_some_and(|log| log.iter().any(|call| call["status"] == 503)).then_some(()))
    })
    .await?;
    desk.double.ctl(json!({"do": "advance", "seconds": 1000})).await?;
    let opened = || async {
        let log = desk.double.told("log").await?;
        let direct = log
            .as_array()
            .into_iter()
            .flatten()
            .find(|call| call["path"].as_str().is_some_and(|path| path.ends_with("/users/@me/channels")));
        Ok(direct.cloned())
    };
    desk.until("it goes on in direct messages", opened).await?;
    desk.until_settled().await?;

    // Who takes none is told so where it was asked, without the answer.
    desk.double.ctl(json!({"do": "close_dms", "user": "ada"})).await?;
    desk.double.ctl(json!({"do": "clear_log"})).await?;
    desk.double
        .ctl(json!({"do": "fault", "method": "PATCH", "path": "/webhooks/.*@original", "kind": "status", "status": 503, "times": 2}))
        .await?;
    desk.double.ctl(json!({"do": "slash", "user": "ada", "channel": general, "name": "runlore", "options": [command]})).await?;
    desk.until("the first try", || async {
        let log = desk.double.told("log").await?;
        Ok(log.as_array().is_some_and(|log| log.iter().any(|call| call["status"] == 503)).then_some(()))
    })
    .await?;
    desk.double.ctl(json!({"do": "advance", "seconds": 1000})).await?;
    let neutral = || async { Ok(desk.answers(&general).await?.into_iter().find(|answer| words(answer).contains("came too late"))) };
    let neutral = desk.until("a neutral line", neutral).await?;
    ensure!(!words(&neutral).contains("val/map") && neutral["ephemeral_for"].is_null(), "{neutral}");
    Ok(())
}

/// What who pressed alone sees is sent once more where it certainly was not shown; its limit closes nothing else.
#[tokio::test]
async fn a_press_is_answered_at_the_second_try() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let (_, answer) = desk.ask(&general, "ada", &format!("{} {BEST}", desk.bot())).await?;
    let limited = json!({"do": "fault", "method": "POST", "path": "/webhooks/", "kind": "status", "status": 429, "retry_after": 1.5});
    desk.double.ctl(limited).await?;
    let interaction = desk.press("ada", &answer, "runlore_details").await?;
    let details = desk.answer_of(&general, &interaction).await?;
    ensure!(words(&details).contains("How this was looked up"), "{details}");
    let log = desk.double.told("log").await?;
    ensure!(log.as_array().is_some_and(|log| log.iter().filter(|call| call["status"] == 429).count() == 1), "{log}");
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn lost_connections_lose_no_question() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let question = format!("{} {BEST}", desk.bot());
    desk.ask(&general, "ada", &question).await?;
    for trouble in [
        json!({"action": "op7"}),
        json!({"action": "op9", "resumable": true}),
        json!({"action": "op9", "resumable": false}),
        json!({"action": "close", "code": 4000}),
        json!({"action": "close", "code": 4009}),
        json!({"action": "close", "code": 1001}),
    ] {
        let mut trouble = trouble;
        trouble["do"] = "gateway".into();
        desk.double.ctl(trouble.clone()).await?;
        let (asked, answer) = desk.ask(&general, "ada", &question).await?;
        ensure!(words(&answer).contains("val/map"), "{trouble}: {answer}");
        desk.until_settled().await?;
        ensure!(desk.answers_to(&general, &asked).await?.len() == 1, "{trouble}: answered twice");
    }
    // The same events twice are one question, and what nobody knows is passed over.
    desk.double.ctl(json!({"do": "gateway", "action": "unknown"})).await?;
    desk.double.ctl(json!({"do": "gateway", "action": "malformed"})).await?;
    desk.double.ctl(json!({"do": "bot_message", "channel": general, "text": question})).await?;
    desk.double.ctl(json!({"do": "gateway", "action": "duplicate", "times": 3})).await?;
    let (asked, _) = desk.ask(&general, "ada", &question).await?;
    desk.until_settled().await?;
    ensure!(desk.answers_to(&general, &asked).await?.len() == 1);
    Ok(())
}

/// What was asked while nobody listened is found in the channel's history and answered, labelled late.
#[tokio::test]
async fn what_was_asked_while_away_is_answered_late() -> Result<()> {
    let Some(mut desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let question = format!("{} {BEST}", desk.bot());
    let thread = desk.double.ctl(json!({"do": "create_thread", "user": "ada", "channel": general, "name": "t"})).await?;
    let thread = id(&thread, "thread")?;
    desk.ask(&general, "ada", &question).await?;
    desk.kill()?;
    desk.double.ctl(json!({"do": "gateway", "action": "invalidate"})).await?;
    let away = desk.double.say(&general, "ada", &question).await?;
    let in_thread = desk.double.say(&thread, "grace", &format!("{} help", desk.bot())).await?;
    desk.double.say(&general, "ada", "nothing for the bot").await?;
    desk.serve().await?;
    for (channel, asked) in [(&general, &away), (&thread, &in_thread)] {
        let answer = desk.until("a late answer", || async { Ok(desk.answers_to(channel, asked).await?.pop()) }).await?;
        ensure!(words(&answer).contains("while I was away"), "{answer}");
    }
    desk.until_settled().await?;
    let (in_channel, in_thread) = (desk.answers(&general).await?, desk.answers(&thread).await?);
    ensure!(in_channel.len() == 2 && in_thread.len() == 1, "{in_channel:?} {in_thread:?}");
    Ok(())
}

/// What only whoever runs the program can mend is said in a sentence, and is no loop.
#[tokio::test]
async fn what_discord_refuses_is_said_and_ends_the_program() -> Result<()> {
    let Some(desk) = DiscordDesk::closed("", &[]).await? else { return Ok(()) };
    let run = |mut command: std::process::Command| async move {
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        anyhow::Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let mut wrong = desk.command()?;
    wrong.env("DISCORD_BOT_TOKEN", "not-the-token");
    let (code, said) = run(wrong).await?;
    ensure!(code == Some(3) && said.contains("the token is wrong"), "{code:?} {said}");

    let settings = std::fs::read_to_string(desk.team.config())?;
    std::fs::write(desk.team.config(), settings.replace("message_content = false", "message_content = true"))?;
    let (code, said) = run(desk.command()?).await?;
    ensure!(code == Some(3) && said.contains("Message Content Intent"), "{code:?} {said}");
    std::fs::write(desk.team.config(), settings.replace("guild = \"", "guild = \"1"))?;
    let (code, said) = run(desk.command()?).await?;
    ensure!(code == Some(3) && said.contains("is not in the server"), "{code:?} {said}");
    std::fs::write(desk.team.config(), settings.replace("guild = \"", "guild = \"x"))?;
    let (code, said) = run(desk.command()?).await?;
    ensure!(code == Some(2) && said.contains("guild is"), "{code:?} {said}");
    Ok(())
}

/// Commands are told to Discord when they change, and only then; pace is kept where Discord asks for it.
#[tokio::test]
async fn commands_are_registered_once_and_limits_are_kept() -> Result<()> {
    let Some(mut desk) = DiscordDesk::open("").await? else { return Ok(()) };
    desk.kill()?;
    desk.serve().await?;
    let commands = desk.double.told("commands").await?;
    ensure!(commands["puts"] == 1, "{commands}");
    let general = desk.double.id("channels", "general")?;
    desk.double.ctl(json!({"do": "strict_bucket", "method": "POST", "path": "/channels/[0-9]+/messages$", "limit": 2, "per": 4})).await?;
    for _ in 0..4 {
        desk.double.say(&general, "ada", &format!("{} count in vessel-detect", desk.bot())).await?;
    }
    desk.until("all answers", || async { Ok((desk.answers(&general).await?.len() == 4).then_some(())) }).await?;
    let log = desk.double.told("log").await?;
    let refused = log.as_array().into_iter().flatten().filter(|call: &&Value| call["status"] == 429).count();
    ensure!(refused == 0, "Discord had to refuse {refused} calls");
    desk.nothing_is_wrong().await
}
