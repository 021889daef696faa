//! Threads, direct messages, forums, and who may ask where.

use anyhow::{Result, ensure};
use runlore_tests::discord::{DiscordDesk, id, words};
use serde_json::json;

const BEST: &str = "best val/map in vessel-detect";

#[tokio::test]
async fn in_a_thread_of_others_the_bot_waits_to_be_named() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let general = desk.double.id("channels", "general")?;
    let thread = desk.double.ctl(json!({"do": "create_thread", "user": "ada", "channel": general, "name": "mosaic"})).await?;
    let thread = id(&thread, "thread")?;
    let (_, first) = desk.ask(&thread, "ada", &format!("{} {BEST}", desk.bot())).await?;
    ensure!(words(&first).contains("val/map"), "{first}");
    // The bot was called into a thread in which others may talk, so it waits to be named.
    let unnamed = desk.double.say(&thread, "ada", "and the worst?").await?;
    let (_, named) = desk.ask(&thread, "ada", &format!("{} and the worst?", desk.bot())).await?;
    ensure!(words(&named).contains("val/map"), "{named}");
    ensure!(desk.answers_to(&thread, &unnamed).await?.is_empty());

    // Archived, a thread wakes up when something is said in it; locked it takes nothing, and nothing else suffers.
    desk.double.ctl(json!({"do": "archive_thread", "thread": thread})).await?;
    let (_, woken) = desk.ask(&thread, "ada", &format!("{} count in vessel-detect", desk.bot())).await?;
    ensure!(words(&woken).contains("runs"), "{woken}");
    let forum = id(&desk.double.ctl(json!({"do": "add_channel", "name": "ideas", "type": "forum"})).await?, "channel")?;
    let post = desk
        .double
        .ctl(json!({"do": "forum_post", "user": "ada", "forum": forum, "name": "a thought", "text": format!("{} help", desk.bot())}))
        .await?;
    let post = id(&post, "thread")?;
    let refused = desk.until("a word in the forum", || async { Ok(desk.answers(&post).await?.pop()) }).await?;
    ensure!(words(&refused).contains("not set up for this channel") && words(&refused).contains(&forum), "{refused}");
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn direct_messages_are_for_members() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let (channel, first) = desk.ask_alone("ada", BEST).await?;
    ensure!(words(&first).contains("val/map") && first["pings"]["users"] == json!([]), "{first}");
    let (_, second) = desk.ask_alone("ada", "and the worst?").await?;
    ensure!(words(&second).contains("val/map"), "{second}");
    ensure!(desk.answers(&channel).await?.len() == 2);
    desk.double.ctl(json!({"do": "add_user", "name": "mallory", "member": false})).await?;
    let (_, stranger) = desk.ask_alone("mallory", BEST).await?;
    ensure!(words(&stranger).contains("I answer members of this workspace alone"), "{stranger}");
    desk.nothing_is_wrong().await
}

/// The bot is in no group of people. Who installed it for themselves can call it there all the same, and who reads along is not known.
#[tokio::test]
async fn a_group_of_people_gets_no_answer() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let group = id(&desk.double.ctl(json!({"do": "group_dm", "users": ["ada", "grace"]})).await?, "channel")?;
    for public in [false, true] {
        let count = json!({"name": "count", "type": 1, "options": [{"name": "public", "type": 5, "value": public}]});
        let typed = json!({"do": "slash", "user": "ada", "channel": group, "name": "runlore", "options": [count], "unchecked": true});
        let interaction = id(&desk.double.ctl(typed).await?, "interaction")?;
        let refused = desk.answer_of(&group, &interaction).await?;
        ensure!(words(&refused).contains("I do not answer in group conversations"), "{public}: {refused}");
    }
    desk.nothing_is_wrong().await
}

#[tokio::test]
async fn channels_see_their_spaces_and_open_ones_nothing() -> Result<()> {
    let Some(desk) = DiscordDesk::open("").await? else { return Ok(()) };
    let (general, experiments) = (desk.double.id("channels", "general")?, desk.double.id("channels", "experiments")?);
    let question = format!("{} count in sonar-classify", desk.bot());
    let (_, private) = desk.ask(&experiments, "ada", &question).await?;
    let (_, public) = desk.ask(&general, "ada", &question).await?;
    let (_, nowhere) = desk.ask(&general, "ada", &question.replace("sonar-classify", "sonar-nowhere")).await?;
    ensure!(!words(&private).contains("nothing named"), "{private}");
    ensure!(words(&public).replace("sonar-classify", "X") == words(&nowhere).replace("sonar-nowhere", "X"), "{public} {nowhere}");

    // An announcement channel is read by whoever follows it: its category says nothing of it.
    let news = id(&desk.double.ctl(json!({"do": "add_channel", "name": "news", "type": "announcement"})).await?, "channel")?;
    let (_, refused) = desk.ask(&news, "ada", &format!("{} {BEST}", desk.bot())).await?;
    ensure!(words(&refused).contains("not set up for this channel"), "{refused}");
    Ok(())
}

/// A category's entry holds for its channels and their threads; a role's for those who have it.
#[tokio::test]
async fn categories_and_roles() -> Result<()> {
    let Some(mut desk) = DiscordDesk::closed("", &["message_content"]).await? else { return Ok(()) };
    let category = id(&desk.double.ctl(json!({"do": "add_channel", "name": "lab", "type": "category"})).await?, "channel")?;
    let inside = id(&desk.double.ctl(json!({"do": "add_channel", "name": "inside", "parent": category})).await?, "channel")?;
    let news =
        id(&desk.double.ctl(json!({"do": "add_channel", "name": "news", "type": "announcement", "parent": category})).await?, "channel")?;
    let role = desk.double.id("roles", "lab")?;
    desk.double.ctl(json!({"do": "add_user", "name": "newcomer"})).await?;
    let settings = std::fs::read_to_string(desk.team.config())?;
    let lab = format!("{settings}\n[channels.lab]\ndiscord = \"{category}\"\nspaces = [\"team\"]\naskers = [\"{role}\"]\n");
    std::fs::write(desk.team.config(), lab)?;
    desk.serve().await?;
    let question = format!("{} {BEST}", desk.bot());
    let (_, answer) = desk.ask(&inside, "ada", &question).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    let thread = id(&desk.double.ctl(json!({"do": "create_thread", "user": "ada", "channel": inside, "name": "t"})).await?, "thread")?;
    let (_, in_thread) = desk.ask(&thread, "ada", &question).await?;
    ensure!(words(&in_thread).contains("val/map"), "{in_thread}");
    let (_, without) = desk.ask(&inside, "newcomer", &question).await?;
    ensure!(words(&without).contains("only some people may ask"), "{without}");
    let (_, open) = desk.ask(&news, "ada", &question).await?;
    ensure!(words(&open).contains("not set up for this channel"), "{open}");
    Ok(())
}

/// What was asked while away in a forum, and in a channel that only its category's entry covers, is found too.
#[tokio::test]
async fn what_was_asked_while_away_is_found_wherever_an_entry_reaches() -> Result<()> {
    let Some(mut desk) = DiscordDesk::closed("", &["message_content"]).await? else { return Ok(()) };
    let category = id(&desk.double.ctl(json!({"do": "add_channel", "name": "lab", "type": "category"})).await?, "channel")?;
    let inside = id(&desk.double.ctl(json!({"do": "add_channel", "name": "inside", "parent": category})).await?, "channel")?;
    let forum = id(&desk.double.ctl(json!({"do": "add_channel", "name": "ideas", "type": "forum", "parent": category})).await?, "channel")?;
    let settings = std::fs::read_to_string(desk.team.config())?;
    std::fs::write(desk.team.config(), format!("{settings}\n[channels.lab]\ndiscord = \"{category}\"\nspaces = [\"team\"]\n"))?;
    desk.serve().await?;
    let noted = || async {
        let log = desk.double.told("log").await?;
        Ok(log
            .as_array()
            .into_iter()
            .flatten()
            .any(|call| call["path"].as_str().is_some_and(|path| path.ends_with("/channels")))
            .then_some(()))
    };
    desk.until("the bot knows what the category holds", noted).await?;
    desk.ask_alone("ada", "help").await?;
    desk.kill()?;
    desk.double.ctl(json!({"do": "gateway", "action": "invalidate"})).await?;
    let away = desk.double.say(&inside, "ada", &format!("{} {BEST}", desk.bot())).await?;
    let text = format!("{} {BEST}", desk.bot());
    let post = desk.double.ctl(json!({"do": "forum_post", "user": "ada", "forum": forum, "name": "a thought", "text": text})).await?;
    let post = id(&post, "thread")?;
    desk.serve().await?;
    let answer = desk.until("a late answer", || async { Ok(desk.answers_to(&inside, &away).await?.pop()) }).await?;
    ensure!(words(&answer).contains("while I was away"), "{answer}");
    let answer = desk.until("a late answer in the forum", || async { Ok(desk.answers(&post).await?.pop()) }).await?;
    ensure!(words(&answer).contains("while I was away"), "{answer}");
    Ok(())
}

/// Without the intent for it the bot hears its name, direct messages and commands, and nothing else.
#[tokio::test]
async fn it_works_without_reading_everything() -> Result<()> {
    let Some(mut desk) = DiscordDesk::closed("", &[]).await? else { return Ok(()) };
    desk.serve().await?;
    let general = desk.double.id("channels", "general")?;
    let (asked, answer) = desk.ask(&general, "ada", &format!("{} {BEST}", desk.bot())).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    let thread = desk.double.ctl(json!({"do": "create_thread", "user": "ada", "channel": general, "message": asked, "name": "t"})).await?;
    let thread = id(&thread, "thread")?;
    let (_, named) = desk.ask(&thread, "ada", &format!("{} {BEST}", desk.bot())).await?;
    ensure!(words(&named).contains("val/map"), "{named}");
    let unnamed = desk.double.say(&thread, "ada", "and the worst?").await?;
    let (_, alone) = desk.ask_alone("ada", BEST).await?;
    ensure!(words(&alone).contains("val/map"), "{alone}");
    ensure!(desk.answers_to(&thread, &unnamed).await?.is_empty());
    desk.nothing_is_wrong().await
}
