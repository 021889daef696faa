//! Each surface, from a person's event to the posted message.

use anyhow::{Context, Result, ensure};
use runlore_tests::discord::{DiscordDesk, id, words};
use serde_json::{Value, json};

const BEST: &str = "best val/map in vessel-detect";

fn option(name: &str, value: &str) -> Value {
    json!({"name": name, "type": 3, "value": value})
}

fn subcommand(name: &str, options: Vec<Value>) -> Value {
    json!({"name": name, "type": 1, "options": options})
}

fn best() -> Value {
    subcommand("best", vec![option("metric", "val/map"), option("project", "vessel-detect")])
}

#[tokio::test]
async fn a_mention_is_answered_by_a_reply_and_a_reply_follows_it() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let (asked, answer) = desk.ask(&general, "ada", &format!("{} {BEST}", desk.bot())).await?;
    ensure!(words(&answer).contains("val/map") && answer["reply_to"] == asked, "{answer}");
    let ada = desk.double.id("users", "ada")?;
    ensure!(answer["pings"] == json!({"everyone": false, "users": [ada], "roles": []}) && answer["previews"] == json!([]), "{answer}");
    ensure!(answer["nonce"].is_string(), "{answer}");

    // A reply to the answer keeps its subject; somebody else's words are not for the bot.
    let follow = json!({"do": "say", "user": "ada", "channel": general, "text": "and the worst?", "reply_to": answer["id"]});
    let follow = id(&desk.double.ctl(follow).await?, "id")?;
    let second = desk.until("the follow-up", || async { Ok(desk.answers_to(&general, &follow).await?.pop()) }).await?;
    ensure!(words(&second).contains("val/map"), "{second}");
    let aside = desk.double.say(&general, "grace", "I think so too").await?;
    desk.ask(&general, "grace", &format!("{} help", desk.bot())).await?;
    ensure!(desk.answers_to(&general, &aside).await?.is_empty());
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn commands_are_answered_to_one_alone_or_in_public() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let ada = desk.double.id("users", "ada")?;
    let private = desk.command_of(&general, "ada", best()).await?;
    ensure!(private["ephemeral_for"] == ada && words(&private).contains("val/map"), "{private}");
    let mut public = best();
    public["options"].as_array_mut().context("options")?.push(json!({"name": "public", "type": 5, "value": true}));
    let public = desk.command_of(&general, "ada", public).await?;
    ensure!(public["ephemeral_for"].is_null() && words(&public).contains("val/map"), "{public}");
    let asked = desk.command_of(&general, "grace", subcommand("ask", vec![option("question", "How many runs failed?")])).await?;
    ensure!(words(&asked).contains("fail"), "{asked}");

    // Shared: asked again for all.
    desk.press("ada", &private, "runlore_share").await?;
    let shared = || async {
        let all = desk.answers(&general).await?;
        Ok(all.into_iter().find(|answer| answer["ephemeral_for"].is_null() && answer["interaction"].is_null()))
    };
    let shared = desk.until("the shared answer", shared).await?;
    ensure!(words(&shared).contains("val/map"), "{shared}");
    let interactions = desk.double.told("interactions").await?;
    let late: Vec<&Value> =
        interactions.as_array().into_iter().flatten().filter(|told| told["answer_ms"].as_f64().is_none_or(|ms| ms > 3_000.0)).collect();
    ensure!(late.is_empty(), "{late:?}");
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn names_are_offered_and_none_that_may_not_be_read() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let experiments = desk.double.id("channels", "experiments")?;
    let typing = |channel: &str, subcommand: &str, name: &str, typed: &str| {
        let focused = json!({"name": name, "type": 3, "value": typed, "focused": true});
        let options = json!([{"name": subcommand, "type": 1, "options": [focused]}]);
        desk.double.ctl(json!({"do": "autocomplete", "user": "ada", "channel": channel, "name": "runlore", "options": options}))
    };
    let names = |told: &Value| -> Vec<String> {
        told["choices"].as_array().into_iter().flatten().filter_map(|choice| choice["name"].as_str().map(str::to_owned)).collect()
    };
    let metrics = names(&typing(&general, "best", "metric", "val").await?);
    ensure!(metrics.iter().any(|name| name == "val/map"), "{metrics:?}");
    let projects = names(&typing(&general, "count", "project", "").await?);
    ensure!(projects.iter().any(|name| name == "vessel-detect") && !projects.iter().any(|name| name == "sonar-classify"), "{projects:?}");
    let projects = names(&typing(&experiments, "count", "project", "son").await?);
    ensure!(projects == ["sonar-classify"], "{projects:?}");
    let runs = names(&typing(&general, "run", "run", "vd-mos").await?);
    ensure!(runs.iter().any(|name| name == "vessel-detect/vd-mosaic-s2"), "{runs:?}");
    let shown = desk.command_of(&general, "ada", subcommand("run", vec![option("run", &runs[0])])).await?;
    ensure!(words(&shown).contains(&runs[0]), "{shown}");
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn buttons_do_what_they_say_for_whom_they_may() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let (asked, answer) = desk.ask(&general, "ada", &format!("{} {BEST}", desk.bot())).await?;
    let whispered = |interaction: String| {
        let (desk, general) = (&desk, &general);
        async move { desk.answer_of(general, &interaction).await }
    };
    let thanks = whispered(desk.press("grace", &answer, "runlore_useful").await?).await?;
    ensure!(words(&thanks).contains("Thank you") && thanks["ephemeral_for"] == desk.double.ready["users"]["grace"], "{thanks}");
    let details = whispered(desk.press("ada", &answer, "runlore_details").await?).await?;
    ensure!(words(&details).contains("best {"), "{details}");
    let refused = whispered(desk.press("grace", &answer, "runlore_delete").await?).await?;
    ensure!(words(&refused).contains("Only who asked"), "{refused}");

    let window = desk.press("ada", &answer, "runlore_not_useful").await?;
    let opened = || async {
        let interactions = desk.double.told("interactions").await?;
        let mine = interactions.as_array().into_iter().flatten().find(|told| told["id"] == window.as_str()).cloned();
        Ok(mine.filter(|told| told["callbacks"][0]["type"] == 9))
    };
    desk.until("the window that asks why", opened).await?;
    let question = answer["components"].to_string();
    let question = question.split("runlore_useful:").nth(1).and_then(|rest| rest.split('"').next()).context("no question")?;
    let values = json!({"reason": "a number is wrong", "remark": "it was another"});
    desk.double
        .ctl(
            json!({"do": "modal", "user": "ada", "custom_id": format!("not_useful:{question}"), "values": values, "message": answer["id"]}),
        )
        .await?;
    let exported = desk.until("the feedback", || async {
        let output = desk.team.run(&["feedback", "export"])?;
        let lines: Vec<Value> = String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(lines.iter().any(|line| line["reason"] == "a number is wrong").then_some(lines))
    });
    ensure!(exported.await?.len() == 2);
    desk.press("ada", &answer, "runlore_delete").await?;
    desk.until("the answer is gone", || async { Ok(desk.answers_to(&general, &asked).await?.is_empty().then_some(())) }).await?;
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn the_message_command_and_the_chart() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let said = desk.double.say(&general, "grace", "look at vd-mosaic-s2, it is strange").await?;
    let explain = json!({"do": "message_command", "user": "ada", "message": said, "name": "Explain this run"});
    let interaction = id(&desk.double.ctl(explain).await?, "interaction")?;
    let card = desk.answer_of(&general, &interaction).await?;
    ensure!(words(&card).contains("vd-mosaic-s2") && !card["ephemeral_for"].is_null(), "{card}");

    let curve = "curve val/map vd-mosaic-s1 vd-mosaic-s2";
    desk.ask(&general, "ada", &format!("{} {curve}", desk.bot())).await?;
    let drawn = || async { Ok(desk.answers(&general).await?.into_iter().find(|answer| answer["attachments"][0]["filename"].is_string())) };
    let drawn = desk.until("the chart", drawn).await?;
    ensure!(drawn["attachments"][0]["description"].as_str().is_some_and(|alt| alt.contains("val/map")), "{drawn}");
    let alone =
        desk.command_of(&general, "ada", subcommand("curve", vec![option("metric", "val/map"), option("first", "vd-mosaic-s1")])).await?;
    ensure!(!alone["ephemeral_for"].is_null() && alone["attachments"][0]["size"].as_u64() > Some(1_000), "{alone}");
    desk.nothing_is_wrong().await
}

/// A long answer goes on in a thread of its own, and goes with it.
#[tokio::test]
async fn a_long_answer_goes_on_in_a_thread() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let (asked, answer) = desk
        .ask(&general, "ada", &format!("{} search mosaic augmentation of the detector and what we decided about it", desk.bot()))
        .await?;
    let thread = id(&answer, "id")?;
    desk.until_settled().await?;
    let rest = desk.answers(&thread).await?;
    ensure!(!rest.is_empty(), "{answer}");
    let message = desk.answers_to(&general, &asked).await?.pop().context("the answer")?;
    ensure!(!message.to_string().contains("runlore_more"), "the rest is shown already: {message}");
    ensure!(rest.iter().all(|part| part["content"].as_str().is_some_and(|content| content.contains("> "))), "{rest:?}");
    // In the thread the two go on without a name, until a third one speaks.
    let unnamed = desk.double.say(&thread, "ada", "best val/map in vessel-detect").await?;
    let answered = desk.until("an answer without a name", || async { Ok(desk.answers_to(&thread, &unnamed).await?.pop()) }).await?;
    ensure!(words(&answered).contains("val/map"), "{answered}");
    desk.double.say(&thread, "grace", "I see").await?;
    desk.until_passed_over(1).await?;
    let third = desk.double.say(&thread, "ada", "and the worst?").await?;
    let (_, named) = desk.ask(&thread, "grace", &format!("{} and the worst?", desk.bot())).await?;
    ensure!(words(&named).contains("val/map"), "{named}");
    ensure!(desk.answers_to(&thread, &third).await?.is_empty(), "the bot talks into a conversation of three");

    desk.press("ada", &message, "runlore_delete").await?;
    let gone =
        || async { Ok((desk.answers_to(&general, &asked).await?.is_empty() && desk.answers(&thread).await?.is_empty()).then_some(())) };
    desk.until("all of it is gone", gone).await?;
    desk.nothing_is_wrong().await
}
