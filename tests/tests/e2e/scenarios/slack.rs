//! A scenario on Slack.

use anyhow::{Context, Result};
use runlore_bot::chat::Button;
use runlore_tests::slack::desk::Desk;
use runlore_tests::slack::{WhileAway, workspace};
use serde_json::{Value, json};

use super::outcome::{n_happened, until_happened};
use super::step::{Place, Said, Step};

/// What was said last, and what answered it.
struct Last {
    channel: &'static str,
    message: String,
    /// The first message of its thread, and how many answers stand in it.
    root: String,
    n_answers: usize,
    answer: Value,
}

/// Does all of it.
pub async fn play(desk: &mut Desk, steps: &[Step]) -> Result<()> {
    let mut last: Option<Last> = None;
    for step in steps {
        if let Step::Say(said) = step {
            last = Some(say(desk, said, last.as_ref()).await?);
            continue;
        }
        let before = n_happened(desk).await?;
        act(desk, step, last.as_ref().context("nothing was said yet")?).await?;
        until_happened(desk, before).await?;
    }
    Ok(())
}

async fn act(desk: &Desk, step: &Step, last: &Last) -> Result<()> {
    match step {
        Step::Say(_) => Ok(()),
        Step::Press { who, button } => {
            let ts = last.answer["ts"].as_str().context("the answer has a ts")?;
            desk.stand_in.press(last.channel, id_of(who), ts, pressed(&last.answer, *button)?).await
        }
        Step::Reason { who, reason, remark } => {
            let option = json!({"text": {"type": "plain_text", "text": reason}, "value": reason});
            let values = json!({
                "reason": {"reason": {"type": "static_select", "selected_option": option}},
                "remark": {"remark": {"type": "plain_text_input", "value": remark}},
            });
            desk.stand_in.submit_modal(id_of(who), values).await
        }
        Step::Edit { who, text } => desk.stand_in.edit(last.channel, id_of(who), &last.message, &named(text)).await,
        Step::Delete { who } => desk.stand_in.delete(last.channel, id_of(who), &last.message).await,
    }
}

async fn say(desk: &mut Desk, said: &Said, last: Option<&Last>) -> Result<Last> {
    let who = id_of(&said.who);
    let (channel, text) = match said.r#in {
        Place::Public => (workspace::GENERAL, named(&said.text)),
        Place::Private => (workspace::LEADS, named(&said.text)),
        Place::Direct => (workspace::DIRECT, said.text.clone()),
        Place::Command => return command(desk, who, &said.text).await,
    };
    let (root, n_before) = match last.filter(|_| said.follows) {
        Some(last) => (Some(last.root.clone()), last.n_answers),
        None => (None, 0),
    };
    if said.while_away {
        desk.kill()?;
        desk.proxy.while_away(WhileAway::Lost);
    }
    let message = desk.stand_in.say(channel, who, &text, root.as_deref()).await?;
    if said.while_away {
        desk.serve().await?;
    }
    let root = root.unwrap_or_else(|| message.clone());
    desk.answer(channel, &root, n_before + 1).await?;
    desk.until_settled().await?;
    let answer = desk.answer(channel, &root, n_before + 1).await?;
    Ok(Last { channel, message, root, n_answers: n_before + 1, answer })
}

async fn command(desk: &Desk, who: &str, text: &str) -> Result<Last> {
    let before = desk.proxy.posted().iter().filter(|posted| posted.method == "response_url").count();
    desk.stand_in.command(workspace::GENERAL, who, "/runlore", text).await?;
    desk.whispers(before + 1).await?;
    desk.until_settled().await?;
    let mut answer = desk.whispers(before + 1).await?.pop().context("an answer for one alone")?;
    let messages = desk.stand_in.messages(workspace::GENERAL).await?;
    let seen = messages.iter().rfind(|message| message["ephemeral_to"] == who).context("the asker sees the answer")?;
    answer["ts"] = seen["ts"].clone();
    Ok(Last { channel: workspace::GENERAL, message: String::new(), root: String::new(), n_answers: 0, answer })
}

fn pressed(message: &Value, button: Button) -> Result<Value> {
    let blocks = message["blocks"].as_array().into_iter().flatten();
    let mut elements = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
    let found = elements.find(|element| element["action_id"] == button.action());
    let found = found.with_context(|| format!("no button {button:?}: {message}"))?;
    Ok(json!({"action_id": button.action(), "block_id": "b", "value": found["value"]}))
}

fn named(text: &str) -> String {
    format!("<@{}> {text}", workspace::BOT)
}

fn id_of(who: &str) -> &'static str {
    if who == "ada" { workspace::ADA } else { workspace::GRACE }
}
