//! What teams do to a bot: channels change while it answers, scopes are missing, the app is thrown out. Each has a clear end, and the
//! next question is answered.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace::{ADA, BOT, DIRECT, GENERAL, LEADS};
use runlore_tests::slack::{ChannelFlags, Fault, What};
use runlore_tests::slow_model::SlowModel;
use serde_json::{Value, json};

const BEST: &str = "best val/map in vessel-detect";

/// A question whose sentence the model makes, slowly, behind the facts.
const SLOW: &str = "Which run in vessel-detect has the best val/map?";

/// The program with a model that takes two seconds.
async fn slow() -> Result<Option<(Desk, SlowModel)>> {
    let Some(mut desk) = Desk::closed("").await? else { return Ok(None) };
    let model = SlowModel::start(Duration::from_secs(2)).await?;
    desk.use_server(&model.url)?;
    desk.serve().await?;
    Ok(Some((desk, model)))
}

impl Asking<'_> {
    /// Asks, waits for the facts, changes the channel, and waits until the question has ended.
    async fn change_while_answered(&self, change: impl FnOnce(&mut ChannelFlags)) -> Result<Vec<Value>> {
        let ts = self.desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> {SLOW}"), None).await?;
        let of_thread = || async {
            let messages = self.desk.stand_in.messages(GENERAL).await?;
            anyhow::Ok(messages.into_iter().filter(|message| message["user"] == BOT && message["thread_ts"] == ts).collect::<Vec<Value>>())
        };
        let n_updates = || self.desk.proxy.called().iter().filter(|call| call.method == "chat.update").count();
        let before = n_updates();
        self.desk.until("the facts", || async { Ok((!of_thread().await?.is_empty()).then_some(())) }).await?;
        self.desk.proxy.set_channel(GENERAL, change);
        self.desk.until("the last word", || async { Ok((n_updates() > before).then_some(())) }).await?;
        self.desk.until_settled().await?;
        of_thread().await
    }
}

/// Somebody at the desk.
struct Asking<'a> {
    desk: &'a Desk,
}

#[tokio::test]
async fn a_channel_that_changes_while_it_is_answered() -> Result<()> {
    let Some((desk, _model)) = slow().await? else { return Ok(()) };
    let asking = Asking { desk: &desk };
    // A name and a lock on the door change nothing: who may read is told by the channel's id.
    let shown = asking.change_while_answered(|channel| channel.is_private = true).await?;
    ensure!(words(&shown[0]).contains("val/map") && !words(&shown[0]).contains("reading it over"), "{shown:?}");

    // Another organisation comes in: what was made for the team alone is not shown any more.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let shown = asking.change_while_answered(|channel| channel.is_ext_shared = true).await?;
    ensure!(
        shown.len() == 1 && !words(&shown[0]).contains("val/map") && words(&shown[0]).contains("changed while I answered"),
        "{shown:?}"
    );
    desk.proxy.set_channel(GENERAL, |channel| channel.is_ext_shared = false);
    tokio::time::sleep(Duration::from_secs(5)).await;

    // Archived, and the app taken out: nothing can be posted there, and elsewhere all goes on.
    for (what, error) in [("archived", "is_archived"), ("taken out", "not_in_channel")] {
        let refuse = || desk.proxy.faults().push(Fault { method: "chat.update", what: What::Error(error), times: 1 });
        refuse();
        desk.proxy.faults().push(Fault { method: "chat.postMessage", what: What::Slow(Duration::from_millis(1)), times: 1 });
        let ts = desk.stand_in.say(GENERAL, ADA, &format!("<@{BOT}> {SLOW}"), None).await?;
        desk.until_settled().await?;
        let (_, elsewhere) = desk.ask(DIRECT, ADA, BEST).await?;
        ensure!(words(&elsewhere).contains("val/map"), "{what} {ts}: {elsewhere}");
    }
    Ok(())
}

/// A scope that is missing is named in the log, and nothing is lost meanwhile.
#[tokio::test]
async fn a_missing_scope_delays_and_loses_nothing() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.proxy.faults().push(Fault { method: "chat.postMessage", what: What::Error("missing_scope"), times: 3 });
    let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map") && desk.answers(GENERAL, &ts).await?.len() == 1, "{answer}");
    Ok(())
}

#[tokio::test]
async fn answers_for_one_find_their_way() -> Result<()> {
    let Some((desk, _model)) = slow().await? else { return Ok(()) };
    // The address is used up before the answer is there.
    desk.stand_in.command(GENERAL, ADA, "/runlore", SLOW).await?;
    desk.proxy.expire_response_urls();
    let ephemeral = || async { Ok(desk.proxy.called().into_iter().find(|call| call.method == "chat.postEphemeral")) };
    let shown = desk.until("an answer for one by name", ephemeral).await?;
    ensure!(shown.body["user"] == ADA && words(&shown.body).contains("val/map"), "{shown:?}");

    // In public, and where the app cannot post, to the asker with the reason.
    desk.stand_in.command(GENERAL, ADA, "/runlore", &format!("public {BEST}")).await?;
    let posted = || async { Ok(desk.proxy.posted().into_iter().find(|posted| posted.method == "chat.postMessage")) };
    let posted = desk.until("an answer for all", posted).await?;
    ensure!(posted.body["channel"] == GENERAL && words(&posted.body).contains("val/map"), "{posted:?}");
    ensure!(words(&posted.body).contains(&format!("Asked with /runlore: {BEST}")), "{posted:?}");
    desk.proxy.set_channel(LEADS, |channel| channel.is_member = false);
    desk.proxy.faults().push(Fault { method: "chat.postMessage", what: What::Error("not_in_channel"), times: 1 });
    let n_before = desk.proxy.posted().iter().filter(|posted| posted.method == "response_url").count();
    desk.stand_in.command(GENERAL, ADA, "/runlore", &format!("public {BEST}")).await?;
    let told = desk.whispers(n_before + 1).await?.pop().context("nothing was told")?;
    ensure!(words(&told).contains("I cannot post in this channel") && words(&told).contains("val/map"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_day_is_the_readers() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let card = "run vd-mosaic-s2";
    let (_, here) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {card}")).await?;
    ensure!(words(&here).contains("Days are those of Europe/Berlin."), "{here}");
    let (_, alone) = desk.ask(DIRECT, ADA, card).await?;
    ensure!(!words(&alone).contains("Days are"), "{alone}");
    Ok(())
}

#[tokio::test]
async fn an_app_that_is_thrown_out_is_not_ready() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    // The token of a person is none of ours.
    desk.proxy.send_event(json!({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}));
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    desk.health("ready").await?;
    desk.proxy.send_event(json!({"type": "app_uninstalled"}));
    desk.until("it says that it is out", || async { Ok(desk.health("ready").await.is_err().then_some(())) }).await?;
    desk.health("health").await?;
    Ok(())
}
