//! The same conversations on Slack and on Discord end in the same replies: the renderers differ, and nothing else.

mod discord;
mod outcome;
mod slack;
mod step;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::store::is_code;
use runlore_tests::discord::{DiscordDesk, Double};
use runlore_tests::not_run::not_run;
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace;
use serde_json::{Value, json};

use self::outcome::Outcome;
use self::step::scenario;

/// Plays a file on both, and compares what it came to. Nothing where one of the stand-ins is not installed.
async fn played(name: &str) -> Result<Option<Outcome>> {
    let steps = scenario(name)?;
    let (Some(mut slack), Some(mut discord)) = (Desk::open("").await?, DiscordDesk::open("").await?) else { return Ok(None) };
    slack::play(&mut slack, &steps).await?;
    discord::play(&mut discord, &steps).await?;
    let (one, other) = (Outcome::read(&slack).await?, Outcome::read(&discord).await?);
    ensure!(one.replies.len() == other.replies.len(), "{} and {} replies", one.replies.len(), other.replies.len());
    for (n, (one, other)) in one.replies.iter().zip(&other.replies).enumerate() {
        ensure!(one == other, "reply {n}: {one:?} {other:?}");
    }
    ensure!(one == other, "{:?} {:?}\n{:?} {:?}", one.shown, one.feedback, other.shown, other.feedback);
    Ok(Some(one))
}

#[tokio::test]
async fn the_same_conversation_ends_in_the_same_replies() -> Result<()> {
    let Some(outcome) = played("conversation.json").await? else { return Ok(()) };
    outcome.replies.iter().find(|(_, reply)| reply.headline.contains("val/map")).context("nothing was answered")?;
    Ok(())
}

#[tokio::test]
async fn the_same_presses_have_the_same_effect() -> Result<()> {
    let Some(outcome) = played("buttons.json").await? else { return Ok(()) };
    let states: Vec<&str> = outcome.replies.iter().map(|(state, _)| state.as_str()).collect();
    ensure!(states == ["posted", "posted", "posted", "removed"], "asked, asked alone, shared, and taken away: {states:?}");
    ensure!(outcome.feedback.len() == 2 && outcome.feedback.iter().any(|said| said.contains("it was another")), "{:?}", outcome.feedback);
    ensure!(outcome.shown.iter().filter(|shown| shown.starts_with("details ")).count() == 2, "{:?}", outcome.shown);
    Ok(())
}

#[tokio::test]
async fn the_same_changes_of_mind_have_the_same_effect() -> Result<()> {
    let Some(outcome) = played("changes.json").await? else { return Ok(()) };
    let (states, headlines): (Vec<&str>, Vec<&str>) =
        outcome.replies.iter().map(|(state, reply)| (state.as_str(), reply.headline.as_str())).unzip();
    ensure!(states == ["posted", "removed", "posted", "posted", "posted", "posted"], "{states:?}");
    ensure!(headlines[0].contains("val/map"), "words that change after the answer change nothing: {headlines:?}");
    ensure!(headlines[2].contains("nothing of yours to stop") && headlines[3].contains("in a direct message"), "{headlines:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_asked_while_away_ends_in_the_same_replies() -> Result<()> {
    let Some(outcome) = played("away.json").await? else { return Ok(()) };
    let is_late = |reply: &runlore_bot::chat::Reply| reply.notices.iter().any(|notice| notice.contains("while I was away"));
    let late: Vec<bool> = outcome.replies.iter().map(|(_, reply)| is_late(reply)).collect();
    ensure!(late == [false, true, false], "{:?}", outcome.replies);
    ensure!(outcome.replies[2].1.headline.contains("val/map"), "what follows keeps the subject: {:?}", outcome.replies[2]);
    Ok(())
}

/// One program on both platforms, ready to be used. Nothing where one of the stand-ins is not installed.
async fn on_both(what: &str) -> Result<Option<(Desk, Double)>> {
    let double = match Double::start(&["message_content"]).await? {
        Ok(double) => double,
        Err(reason) => {
            not_run(what, &reason);
            return Ok(None);
        }
    };
    let general = double.id("channels", "general")?;
    let guild = runlore_tests::discord::id(&double.ready, "guild")?;
    let more = format!("[discord]\nguild = \"{guild}\"\n[channels.lab]\ndiscord = \"{general}\"\nspaces = [\"team\"]\n");
    let Some(mut desk) = Desk::closed(&more).await? else { return Ok(None) };
    let mut command = desk.command();
    command.env("DISCORD_API_BASE", double.api_url()).env("DISCORD_BOT_TOKEN", runlore_tests::discord::id(&double.ready, "token")?);
    desk.serve_with(command).await?;
    Ok(Some((desk, double)))
}

/// Both platforms in one program: each is answered, and neither keeps the other from being acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn both_platforms_are_served_at_once() -> Result<()> {
    let Some((desk, double)) = on_both("both platforms at once").await? else { return Ok(()) };
    let general = double.id("channels", "general")?;
    let typed = json!({"name": "count", "type": 1, "options": []});
    for _ in 0..30 {
        let slash = json!({"do": "slash", "user": "ada", "channel": general, "name": "runlore", "options": [typed]});
        let mention = format!("<@{}> count in vessel-detect", workspace::BOT);
        let (said, typed) = tokio::join!(desk.stand_in.say(workspace::GENERAL, workspace::ADA, &mention, None), double.ctl(slash));
        said?;
        typed?;
    }
    desk.until_settled().await?;
    let interactions = double.told("interactions").await?;
    let late = |told: &&Value| told["answer_ms"].as_f64().is_none_or(|ms| ms > 3_000.0);
    ensure!(interactions.as_array().is_some_and(|all| all.len() == 30 && !all.iter().any(|told| late(&told))), "{interactions}");
    let acks = desk.proxy.acks();
    let most = acks.iter().filter_map(|ack| Some(ack.acked? - ack.delivered)).max().context("nothing was acknowledged")?;
    ensure!(most < Duration::from_secs(3), "{most:?}");
    Ok(())
}

/// A code goes by hand from one platform to the other, as each writes it.
#[tokio::test]
async fn two_accounts_are_linked_through_both_platforms() -> Result<()> {
    let Some((desk, double)) = on_both("linking accounts").await? else { return Ok(()) };
    let asked = desk.stand_in.say(workspace::DIRECT, workspace::ADA, "link", None).await?;
    let told = words(&desk.answer(workspace::DIRECT, &asked, 1).await?);
    let code = told.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| is_code(word)).with_context(|| format!("no code: {told}"))?;
    let typed = double.ctl(json!({"do": "dm", "user": "ada", "text": format!("link {code}")})).await?;
    let channel = runlore_tests::discord::id(&typed, "channel")?;
    let linked = || async {
        let messages = double.told(&format!("messages/{channel}")).await?;
        let is_it = |message: &&Value| message["content"].as_str().is_some_and(|content| content.contains("one person for me now"));
        Ok(messages.as_array().into_iter().flatten().find(is_it).cloned())
    };
    let here = desk.until("the word on Discord", linked).await?;
    ensure!(here["content"].as_str().is_some_and(|content| content.contains(workspace::ADA)), "{here}");
    let there = words(&desk.answer(workspace::DIRECT, &asked, 2).await?);
    let ada = double.id("users", "ada")?;
    ensure!(there.contains("one person for me now") && there.contains(&ada), "{there}");
    let status = desk.team.json(&["status", "--json"], &[0, 1])?;
    let link = &status["service"]["links"][0];
    ensure!(link["slack"] == workspace::ADA && link["discord"] == ada, "{status}");
    Ok(())
}
