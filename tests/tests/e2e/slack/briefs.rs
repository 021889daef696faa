//! The weekly brief with the real program: killed at each step, it is posted once; and tried from the command line.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use runlore_bot::brief::schedule::Mark;
use runlore_bot::store::{BriefReceipt, Store};
use runlore_indexer::config::Settings;
use runlore_indexer::failpoint;
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace::{APP_TOKEN, BOT, BOT_TOKEN, GENERAL};
use serde_json::Value;

/// Longest wait for the program to reach a step: longer than a lease.
const PATIENCE: Duration = Duration::from_secs(90);

/// A desk whose public channel got a brief due an hour ago by the real clock, while nothing ran; and the schedule.
async fn desk() -> Result<Option<(Desk, String)>> {
    let Some(desk) = Desk::closed("").await? else { return Ok(None) };
    let due = (Timestamp::now() - SignedDuration::from_hours(1)).to_zoned(TimeZone::UTC);
    let cron = due.strftime("%-M %-H * * %w").to_string();
    let settings = std::fs::read_to_string(desk.team.config())?;
    ensure!(settings.contains("slack = \"C0GENERAL\"\n"), "{settings}");
    let brief = format!("slack = \"C0GENERAL\"\nbrief = \"{cron}\"\n");
    std::fs::write(desk.team.config(), settings.replace("slack = \"C0GENERAL\"\n", &brief))?;
    Ok(Some((desk, format!("{cron} UTC"))))
}

/// A state of this name, which was last looked at two days ago.
async fn fresh_state(desk: &Desk, schedule: &str, name: &str) -> Result<Store> {
    let settings = std::fs::read_to_string(desk.team.config())?;
    let settings = settings.split("\n[state]\n").next().unwrap_or_default();
    let state = format!("\n[state]\nurl = \"sqlite://{}\"\n", desk.team.data().join(name).display());
    std::fs::write(desk.team.config(), format!("{settings}{state}"))?;
    let store = Store::open(&Settings::read(&desk.team.config())?.state_url).await?;
    let upto_ms = (Timestamp::now() - SignedDuration::from_hours(48)).as_millisecond();
    store.note_briefs("public", &Mark { schedule: schedule.to_owned(), upto_ms }, &[]).await?;
    Ok(store)
}

/// Runs the program until it is killed at this step.
async fn die_at(desk: &Desk, name: &str) -> Result<()> {
    let mut program = desk.command().env("RUNLORE_FAILPOINT", name).spawn()?;
    let begun = Instant::now();
    loop {
        match program.try_wait()? {
            Some(status) if status.code().is_none() => return Ok(()),
            Some(status) => bail!("the program ended by itself before {name}: {status}"),
            None if begun.elapsed() > PATIENCE => {
                program.kill()?;
                program.wait()?;
                bail!("{name} is not reached")
            }
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// What the bot said in the channel by itself.
async fn said(desk: &Desk) -> Result<Vec<Value>> {
    let messages = desk.stand_in.messages(GENERAL).await?;
    let is_own = |message: &Value| message["user"] == BOT && message["thread_ts"].is_null() && message["files"].is_null();
    Ok(messages.into_iter().filter(is_own).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_a_brief_is_posted_once() -> Result<()> {
    let Some((mut desk, schedule)) = desk().await? else { return Ok(()) };
    // Backwards: where a post may have been lost it is looked for, and there must be none of a round before.
    for (n_before, name) in failpoint::OF_BRIEFS.iter().rev().enumerate() {
        let store = fresh_state(&desk, &schedule, &format!("{name}.db")).await?;
        die_at(&desk, name).await.with_context(|| format!("killed at {name}"))?;
        desk.serve().await?;
        let receipt = desk.until(&format!("the brief after {name} is posted"), || receipt(&store)).await?;
        desk.until_settled().await?;
        let said = said(&desk).await?;
        ensure!(said.len() == n_before + 1, "after {name} it stands there {} times: {said:?}", said.len() - n_before);
        let posted = said.iter().find(|message| message["ts"] == receipt.message.as_str()).context("the receipt is of another message")?;
        ensure!(words(posted).contains("late; it was due"), "{posted}");
        desk.kill()?;
    }
    Ok(())
}

async fn receipt(store: &Store) -> Result<Option<BriefReceipt>> {
    Ok(store.brief_receipts("public").await?.into_iter().find(|receipt| receipt.state == "posted"))
}

/// Without a program that serves, and beside one.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_post_arrives() -> Result<()> {
    let Some((mut desk, schedule)) = desk().await? else { return Ok(()) };
    let store = fresh_state(&desk, &schedule, "state.db").await?;
    // Nothing is due.
    store.note_briefs("public", &Mark { schedule, upto_ms: Timestamp::now().as_millisecond() }, &[]).await?;
    for n in 1..=2 {
        let mut command = desk.team.command(&["brief", "--test", "--channel", "public", "--json"]);
        command.env("SLACK_API_URL", desk.proxy.api_url()).env("SLACK_BOT_TOKEN", BOT_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let arrival: Value = serde_json::from_slice(&output.stdout)?;
        let said = said(&desk).await?;
        ensure!(said.len() == n && said.iter().any(|message| message["ts"] == arrival["message"]), "{arrival}: {said:?}");
        ensure!(words(&said[0]).contains("This is a test"), "{said:?}");
        if n == 1 {
            desk.serve().await?;
        }
    }
    Ok(())
}
