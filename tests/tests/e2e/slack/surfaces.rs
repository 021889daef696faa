//! Each surface, from a person's event to the posted message.

use anyhow::{Context, Result, ensure};
use runlore_tests::slack::workspace::{ADA, BOT, DIRECT, GENERAL, GRACE, GUEST, LEADS, TRIO};
use serde_json::{Value, json};

use runlore_tests::slack::desk::{Desk, words};

const BEST: &str = "best val/map in vessel-detect";

/// The action of one of the message's buttons.
fn button(message: &Value, action: &str) -> Result<Value> {
    let blocks = message["blocks"].as_array().context("the message has blocks")?;
    let actions =
        blocks.iter().filter(|block| block["type"] == "actions").flat_map(|block| block["elements"].as_array().into_iter().flatten());
    let found =
        actions.into_iter().find(|element| element["action_id"] == action).with_context(|| format!("no button `{action}`: {message}"))?;
    Ok(json!({"action_id": action, "block_id": "b", "value": found["value"]}))
}

#[tokio::test]
async fn a_mention_is_answered_in_its_thread() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    let posted: Vec<_> = desk.proxy.posted().into_iter().filter(|posted| posted.method == "chat.postMessage").collect();
    ensure!(posted.len() == 1, "one message: {posted:?}");
    let body = &posted[0].body;
    ensure!(body["unfurl_links"] == false && body["unfurl_media"] == false && body["thread_ts"] == ts, "{body}");
    ensure!(body["metadata"]["event_payload"]["key"].is_string(), "{body}");
    ensure!(body["text"].as_str().is_some_and(|text| text.starts_with(&format!("<@{ADA}>"))), "{body}");

    // A follow-up of the two keeps its subject; the third in the thread ends that the bot answers unasked.
    desk.stand_in.say(GENERAL, ADA, "and the worst?", Some(&ts)).await?;
    let second = desk.answer(GENERAL, &ts, 2).await?;
    ensure!(words(&second).contains("val/map"), "{second}");
    desk.stand_in.say(GENERAL, GRACE, "I think so too", Some(&ts)).await?;
    desk.stand_in.say(GENERAL, ADA, "and the best?", Some(&ts)).await?;
    let (_, other) = desk.ask(GENERAL, GRACE, &format!("<@{BOT}> help")).await?;
    ensure!(words(&other).contains("compare"), "{other}");
    ensure!(desk.answers(GENERAL, &ts).await?.len() == 2, "the bot talks into a conversation of three");
    Ok(())
}

#[tokio::test]
async fn channels_see_their_spaces_and_unknown_ones_nothing() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let question = format!("<@{BOT}> count in sonar-classify");
    let (_, leads) = desk.ask(LEADS, ADA, &question).await?;
    let (_, general) = desk.ask(GENERAL, ADA, &question).await?;
    let (_, nowhere) = desk.ask(GENERAL, ADA, &question.replace("sonar-classify", "sonar-nowhere")).await?;
    ensure!(!words(&leads).contains("nothing named"), "{leads}");
    ensure!(words(&general).replace("sonar-classify", "X") == words(&nowhere).replace("sonar-nowhere", "X"), "{general} {nowhere}");

    let (_, direct) = desk.ask(DIRECT, ADA, BEST).await?;
    ensure!(words(&direct).contains("val/map") && !direct.to_string().contains(&format!("<@{ADA}>")), "{direct}");
    let (_, refused) = desk.ask(GENERAL, GUEST, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&refused).contains("Guests of the workspace cannot ask me here"), "{refused}");
    let (_, group) = desk.ask(TRIO, ADA, &format!("<@{BOT}> {BEST}")).await?;
    ensure!(words(&group).contains("group conversations"), "{group}");
    Ok(())
}

#[tokio::test]
async fn a_command_is_answered_to_its_asker_alone_and_shared_when_asked() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    desk.stand_in.command(GENERAL, ADA, "/runlore", BEST).await?;
    let shown = desk.whispers(1).await?;
    ensure!(shown[0]["response_type"] == "ephemeral" && words(&shown[0]).contains("val/map"), "{shown:?}");
    let acks = desk.proxy.posted().into_iter().filter(|posted| posted.method == "ack").count();
    ensure!(acks == 1, "the command is acknowledged once, with a word");
    ensure!(!desk.proxy.posted().iter().any(|posted| posted.method == "chat.postMessage"), "nothing is posted for all to see");

    let messages = desk.stand_in.messages(GENERAL).await?;
    let private = messages.iter().rfind(|message| message["ephemeral_to"] == ADA).context("the asker sees the answer")?;
    let share = button(&shown[0], "runlore_share")?;
    desk.stand_in.press(GENERAL, ADA, private["ts"].as_str().unwrap_or_default(), share).await?;
    let posted = desk
        .until("the shared answer", || async { Ok(desk.proxy.posted().into_iter().find(|posted| posted.method == "chat.postMessage")) });
    let posted = posted.await?;
    ensure!(posted.body["channel"] == GENERAL && words(&posted.body).contains("val/map"), "{posted:?}");
    Ok(())
}

#[tokio::test]
async fn buttons_do_what_they_say_for_whom_they_may() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {BEST}")).await?;
    let answer_ts = answer["ts"].as_str().context("the answer has a ts")?.to_owned();
    desk.stand_in.press(GENERAL, GRACE, &answer_ts, button(&answer, "runlore_useful")?).await?;
    ensure!(words(&desk.whispers(1).await?[0]).contains("Thank you"));
    desk.stand_in.press(GENERAL, ADA, &answer_ts, button(&answer, "runlore_details")?).await?;
    let details = desk.whispers(2).await?;
    ensure!(words(&details[1]).contains("best {"), "{details:?}");
    desk.stand_in.press(GENERAL, GRACE, &answer_ts, button(&answer, "runlore_delete")?).await?;
    ensure!(words(&desk.whispers(3).await?[2]).contains("Only who asked"));
    desk.stand_in.press(GENERAL, ADA, &answer_ts, button(&answer, "runlore_not_useful")?).await?;
    desk.until("the window that asks why", || async { desk.stand_in.modal().await }).await?;
    desk.stand_in.submit_modal(ADA, json!({"reason": {"reason": {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "A number is wrong"}, "value": "wrong_number"}}},
        "remark": {"remark": {"type": "plain_text_input", "value": "it was another"}}})).await?;
    let exported = desk.until("the feedback", || async {
        let output = desk.team.run(&["feedback", "export"])?;
        let lines: Vec<Value> = String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(lines.iter().any(|line| line["reason"] == "wrong_number").then_some(lines))
    });
    let exported = exported.await?;
    ensure!(exported.len() == 2 && exported.iter().all(|line| line["question"] == BEST), "{exported:?}");
    desk.stand_in.press(GENERAL, ADA, &answer_ts, button(&answer, "runlore_delete")?).await?;
    desk.until("the answer is gone", || async { Ok(desk.answers(GENERAL, &ts).await?.is_empty().then_some(())) }).await
}

#[tokio::test]
async fn the_shortcut_the_page_and_the_greeting() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let ts = desk.stand_in.say(GENERAL, GRACE, "look at vd-mosaic-s2, strange", None).await?;
    desk.proxy.message_shortcut(GENERAL, ADA, &ts, "explain_run").await?;
    let shown = desk.whispers(1).await?;
    ensure!(words(&shown[0]).contains("vd-mosaic-s2"), "{shown:?}");
    desk.stand_in.open_home(ADA).await?;
    let published = |desk: &Desk| desk.proxy.called().into_iter().find(|called| called.method == "views.publish");
    desk.until("the page", || async { Ok(published(&desk)) }).await?;
    desk.proxy.joined_channel(GENERAL, BOT);
    let greeted = desk.until("the greeting", || async {
        Ok(desk.proxy.posted().into_iter().find(|posted| posted.body.to_string().contains("I am Runlore")))
    });
    ensure!(greeted.await?.body["channel"] == GENERAL);
    let (_, empty) = desk.ask(GENERAL, ADA, &format!("<@{BOT}>")).await?;
    ensure!(words(&empty).contains("without a question"), "{empty}");
    let (_, long) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> {}", "why ".repeat(9_000))).await?;
    ensure!(words(&long).contains("characters long"), "{long}");
    Ok(())
}

#[tokio::test]
async fn a_curve_comes_with_its_chart() -> Result<()> {
    let Some(desk) = Desk::open("").await? else { return Ok(()) };
    let (ts, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> curve val/map vd-mosaic-s2 vd-mosaic-s1")).await?;
    ensure!(words(&answer).contains("at step"), "{answer}");
    let uploaded = desk.until("the chart", || async {
        let messages = desk.stand_in.messages(GENERAL).await?;
        Ok(messages.into_iter().find(|message| message["files"][0]["name"].as_str().is_some_and(|name| name.ends_with("val-map.png"))))
    });
    let uploaded = uploaded.await?;
    ensure!(uploaded["thread_ts"] == ts, "{uploaded}");
    let asked =
        desk.proxy.called().into_iter().find(|called| called.method == "files.getUploadURLExternal").context("an address is asked")?;
    ensure!(asked.body["alt_txt"].as_str().is_some_and(|alt| alt.contains("vd-mosaic-s2")), "{asked:?}");
    Ok(())
}
