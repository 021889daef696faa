//! The same conversations on Slack and on Discord end in the same replies: the renderers differ, and nothing else.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::Reply;
use runlore_bot::store::{Post, PostForm};
use runlore_tests::discord::{DiscordDesk, Double};
use runlore_tests::not_run::not_run;
use runlore_tests::program::Program;
use runlore_tests::slack::desk::Desk;
use runlore_tests::slack::workspace;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::Row;

/// One thing that somebody says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    r#in: Place,
    who: String,
    says: String,
    /// In the conversation of the step before.
    #[serde(default)]
    follows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Public,
    Private,
    Direct,
    Command,
}

fn scenario(name: &str) -> Result<Vec<Step>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/scenarios").join(name);
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

async fn on_slack(desk: &Desk, steps: &[Step]) -> Result<Vec<Reply>> {
    let mut before: Option<String> = None;
    for step in steps {
        let who = if step.who == "ada" { workspace::ADA } else { workspace::GRACE };
        let named = format!("<@{}> {}", workspace::BOT, step.says);
        let (channel, text) = match step.r#in {
            Place::Public => (workspace::GENERAL, named),
            Place::Private => (workspace::LEADS, named),
            Place::Direct => (workspace::DIRECT, step.says.clone()),
            Place::Command => {
                desk.stand_in.command(workspace::GENERAL, who, "/runlore", &step.says).await?;
                desk.whispers(1).await?;
                settled(desk).await?;
                continue;
            }
        };
        let thread = before.as_deref().filter(|_| step.follows);
        let asked = desk.stand_in.say(channel, who, &text, thread).await?;
        let root = thread.map_or_else(|| asked.clone(), str::to_owned);
        desk.answer(channel, &root, if step.follows { 2 } else { 1 }).await?;
        settled(desk).await?;
        before = Some(root);
    }
    replies(desk).await
}

async fn on_discord(desk: &DiscordDesk, steps: &[Step]) -> Result<Vec<Reply>> {
    let (general, experiments) = (desk.double.id("channels", "general")?, desk.double.id("channels", "experiments")?);
    let mut before: Option<String> = None;
    for step in steps {
        let named = format!("{} {}", desk.bot(), step.says);
        match step.r#in {
            Place::Direct => _ = desk.ask_alone(&step.who, &step.says).await?,
            Place::Command => {
                let option = json!({"name": "question", "type": 3, "value": step.says});
                desk.command_of(&general, &step.who, json!({"name": "ask", "type": 1, "options": [option]})).await?;
            }
            Place::Public | Place::Private => {
                let channel = if step.r#in == Place::Public { &general } else { &experiments };
                let mut said = json!({"do": "say", "user": step.who, "channel": channel, "text": named});
                if let Some(before) = before.as_ref().filter(|_| step.follows) {
                    said["reply_to"] = before.as_str().into();
                }
                let asked = runlore_tests::discord::id(&desk.double.ctl(said).await?, "id")?;
                let answer = desk.until("an answer", || async { Ok(desk.answers_to(channel, &asked).await?.pop()) }).await?;
                before = Some(runlore_tests::discord::id(&answer, "id")?);
            }
        }
        settled(desk).await?;
    }
    desk.nothing_is_wrong().await?;
    replies(desk).await
}

async fn settled(program: &Program) -> Result<()> {
    program.until_settled().await
}

/// The last replies to all questions, in the order in which they were asked.
async fn replies(program: &Program) -> Result<Vec<Reply>> {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", program.team.data().join("bot.db").display());
    let pool = sqlx::AnyPool::connect(&url).await?;
    let rows = sqlx::query("SELECT o.body FROM outbox o JOIN inbox i ON i.id = o.question WHERE o.part = 0 ORDER BY i.received_ms")
        .fetch_all(&pool)
        .await?;
    rows.iter()
        .map(|row| {
            let post: Post = serde_json::from_str(&row.try_get::<String, _>(0)?)?;
            ensure!(post.form == PostForm::Whole, "{post:?}");
            // Where a person alone is shown it, one platform can show a picture and the other says that there is one.
            let mut reply = post.reply;
            let is_about_picture = |notice: &String| notice.contains("There is a chart too");
            reply.notices.retain(|notice| !is_about_picture(notice));
            Ok(Reply { picture: None, ..reply })
        })
        .collect()
}

#[tokio::test]
async fn the_same_conversation_ends_in_the_same_replies() -> Result<()> {
    let steps = scenario("conversation.json")?;
    let (Some(slack), Some(discord)) = (Desk::open("").await?, DiscordDesk::open("").await?) else { return Ok(()) };
    let (on_slack, on_discord) = (on_slack(&slack, &steps).await?, on_discord(&discord, &steps).await?);
    ensure!(on_slack.len() == steps.len() && on_discord.len() == steps.len(), "{} and {} replies", on_slack.len(), on_discord.len());
    for ((step, one), other) in steps.iter().zip(&on_slack).zip(&on_discord) {
        ensure!(one == other, "{step:?}: {one:?} {other:?}");
    }
    on_slack.iter().find(|reply| reply.headline.contains("val/map")).context("nothing was answered")?;
    Ok(())
}

/// Both platforms in one program: each is answered, and neither keeps the other from being acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn both_platforms_are_served_at_once() -> Result<()> {
    let double = match Double::start(&["message_content"]).await? {
        Ok(double) => double,
        Err(reason) => {
            not_run("both platforms at once", &reason);
            return Ok(());
        }
    };
    let general = double.id("channels", "general")?;
    let guild = runlore_tests::discord::id(&double.ready, "guild")?;
    let more = format!("[discord]\nguild = \"{guild}\"\n[channels.lab]\ndiscord = \"{general}\"\nspaces = [\"team\"]\n");
    let Some(mut desk) = Desk::closed(&more).await? else { return Ok(()) };
    let mut command = desk.command();
    command.env("DISCORD_API_BASE", double.api_url()).env("DISCORD_BOT_TOKEN", runlore_tests::discord::id(&double.ready, "token")?);
    desk.serve_with(command).await?;
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
