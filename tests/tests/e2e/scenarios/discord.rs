//! A scenario on Discord.

use anyhow::{Context, Result};
use runlore_tests::discord::{DiscordDesk, id};
use serde_json::{Value, json};

use super::outcome::{n_happened, until_happened};
use super::step::{Place, Said, Step};

/// What was said last, and what answered it.
struct Last {
    message: String,
    answer: Value,
}

/// Does all of it.
pub async fn play(desk: &mut DiscordDesk, steps: &[Step]) -> Result<()> {
    let mut last: Option<Last> = None;
    for step in steps {
        if let Step::Say(said) = step {
            last = Some(say(desk, said, last.as_ref()).await?);
            desk.until_settled().await?;
            continue;
        }
        let before = n_happened(desk).await?;
        act(desk, step, last.as_ref().context("nothing was said yet")?).await?;
        until_happened(desk, before).await?;
    }
    desk.nothing_is_wrong().await
}

async fn act(desk: &DiscordDesk, step: &Step, last: &Last) -> Result<()> {
    let what = match step {
        Step::Say(_) => return Ok(()),
        Step::Press { who, button } => return desk.press(who, &last.answer, button.action()).await.map(drop),
        Step::Reason { who, reason, remark } => {
            let buttons = last.answer["components"].to_string();
            let question = buttons.split("runlore_useful:").nth(1).and_then(|rest| rest.split('"').next()).context("no question")?;
            let values = json!({"reason": reason, "remark": remark});
            json!({"do": "modal", "user": who, "custom_id": format!("not_useful:{question}"), "values": values, "message": last.answer["id"]})
        }
        Step::Edit { text, .. } => json!({"do": "edit", "message": last.message, "text": format!("{} {text}", desk.bot())}),
        Step::Delete { .. } => json!({"do": "delete", "message": last.message}),
    };
    desk.double.ctl(what).await.map(drop)
}

async fn say(desk: &mut DiscordDesk, said: &Said, last: Option<&Last>) -> Result<Last> {
    let (general, experiments) = (desk.double.id("channels", "general")?, desk.double.id("channels", "experiments")?);
    let channel = match said.r#in {
        Place::Public => &general,
        Place::Private => &experiments,
        Place::Direct => {
            let (_, answer) = desk.ask_alone(&said.who, &said.text).await?;
            return Ok(Last { message: String::new(), answer });
        }
        Place::Command => {
            let option = json!({"name": "question", "type": 3, "value": said.text});
            let ask = json!({"name": "ask", "type": 1, "options": [option]});
            let answer = desk.command_of(&general, &said.who, ask).await?;
            return Ok(Last { message: String::new(), answer });
        }
    };
    let mut what = json!({"do": "say", "user": said.who, "channel": channel, "text": format!("{} {}", desk.bot(), said.text)});
    if let Some(last) = last.filter(|_| said.follows) {
        what["reply_to"] = last.answer["id"].clone();
    }
    if said.while_away {
        desk.kill()?;
        desk.double.ctl(json!({"do": "gateway", "action": "invalidate"})).await?;
    }
    let message = id(&desk.double.ctl(what).await?, "id")?;
    if said.while_away {
        desk.serve().await?;
    }
    desk.until("an answer", || async { Ok(desk.answers_to(channel, &message).await?.pop()) }).await?;
    desk.until_settled().await?;
    let answer = desk.until("an answer", || async { Ok(desk.answers_to(channel, &message).await?.pop()) }).await?;
    Ok(Last { message, answer })
}
