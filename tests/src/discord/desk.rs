//! The bridge and the real program beside it; all of one test's own.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Double, id};
use crate::not_run::not_run;
use crate::program::Program;

/// Everything that a test on Discord needs.
pub struct DiscordDesk {
    pub double: Double,
    program: Program,
}

impl DiscordDesk {
    /// The made-up team indexed, and the program serving; `more` is appended to its settings. None where the bridge is not installed.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn open(more: &str) -> Result<Option<Self>> {
        let Some(mut desk) = Self::closed(more, &["message_content"]).await? else { return Ok(None) };
        desk.serve().await?;
        Ok(Some(desk))
    }

    /// The same before the program runs.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn closed(more: &str, privileged: &[&str]) -> Result<Option<Self>> {
        let double = match Double::start(privileged).await? {
            Ok(double) => double,
            Err(reason) => {
                not_run("discord", &reason);
                return Ok(None);
            }
        };
        let settings = settings(&double, !privileged.is_empty())?;
        let program = Program::closed(&format!("{settings}\n{more}"))?;
        Ok(Some(Self { double, program }))
    }

    /// `runlore serve`, ready to be started.
    ///
    /// # Errors
    /// Where the bridge has no token.
    pub fn command(&self) -> Result<Command> {
        let mut command = self.program.command();
        command.env("DISCORD_API_BASE", self.double.api_url()).env("DISCORD_BOT_TOKEN", id(&self.double.ready, "token")?);
        Ok(command)
    }

    /// Starts the program and waits until it can answer.
    ///
    /// # Errors
    /// Where it ends instead.
    pub async fn serve(&mut self) -> Result<()> {
        let command = self.command()?;
        self.program.serve_with(command).await
    }

    /// The bot's name in a message.
    pub fn bot(&self) -> String {
        format!("<@{}>", self.double.ready["bot"].as_str().unwrap_or_default())
    }

    /// The bot's messages in a channel or thread that have their last form, the deleted ones apart.
    ///
    /// # Errors
    /// Where the bridge does not tell.
    pub async fn answers(&self, channel: &str) -> Result<Vec<Value>> {
        let messages = self.double.told(&format!("messages/{channel}")).await?;
        let bot = &self.double.ready["bot"];
        // A thread begins with a message that only points at the one above it.
        let is_answer = |message: &&Value| {
            &message["author"] == bot
                && message["type"] != 21
                && message["deleted"] != true
                && message["loading"] != true
                && is_whole(message)
        };
        Ok(messages.as_array().into_iter().flatten().filter(is_answer).cloned().collect())
    }

    /// The answers that reply to a message.
    ///
    /// # Errors
    /// Where the bridge does not tell.
    pub async fn answers_to(&self, channel: &str, message: &str) -> Result<Vec<Value>> {
        Ok(self.answers(channel).await?.into_iter().filter(|answer| answer["reply_to"] == message).collect())
    }

    /// Says something in a channel or thread and waits for the answer.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn ask(&self, channel: &str, user: &str, text: &str) -> Result<(String, Value)> {
        let asked = self.double.say(channel, user, text).await?;
        let look = || async { Ok(self.answers_to(channel, &asked).await?.pop()) };
        let answer = self.until(&format!("an answer to `{text}`"), look).await?;
        Ok((asked, answer))
    }

    /// The same in direct messages.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn ask_alone(&self, user: &str, text: &str) -> Result<(String, Value)> {
        let said = self.double.ctl(json!({"do": "dm", "user": user, "text": text})).await?;
        let (asked, channel) = (id(&said, "id")?, id(&said, "channel")?);
        let look = || async { Ok(self.answers_to(&channel, &asked).await?.pop()) };
        let answer = self.until(&format!("an answer to `{text}`"), look).await?;
        Ok((channel, answer))
    }

    /// Types a command and waits for the message that answers it.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn command_of(&self, channel: &str, user: &str, subcommand: Value) -> Result<Value> {
        let typed = json!({"do": "slash", "user": user, "channel": channel, "name": "runlore", "options": [subcommand]});
        let interaction = id(&self.double.ctl(typed).await?, "interaction")?;
        self.answer_of(channel, &interaction).await
    }

    /// Waits for the message that answers an interaction.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn answer_of(&self, channel: &str, interaction: &str) -> Result<Value> {
        let look = || async { Ok(self.answers(channel).await?.into_iter().find(|answer| answer["interaction"] == interaction)) };
        self.until("the answer to an interaction", look).await
    }

    /// Presses a button of a message; the interaction's id.
    ///
    /// # Errors
    /// Where there is no such button.
    pub async fn press(&self, user: &str, message: &Value, action: &str) -> Result<String> {
        let rows = message["components"].as_array().into_iter().flatten();
        let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
        let custom = buttons.find_map(|button| button["custom_id"].as_str().filter(|id| id.starts_with(&format!("{action}:"))));
        let custom = custom.with_context(|| format!("no button `{action}`: {message}"))?;
        id(&self.double.ctl(json!({"do": "press", "user": user, "message": message["id"], "custom_id": custom})).await?, "interaction")
    }

    /// Whatever the bridge has seen is to Discord's liking.
    ///
    /// # Errors
    /// With what is not.
    pub async fn nothing_is_wrong(&self) -> Result<()> {
        let violations = self.double.told("violations").await?;
        ensure!(violations.as_array().is_some_and(Vec::is_empty), "{violations}");
        Ok(())
    }
}

impl Deref for DiscordDesk {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for DiscordDesk {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// The channels of the bridge in the team's settings; limits that no test but one on limits meets.
fn settings(double: &Double, message_content: bool) -> Result<String> {
    Ok(format!(
        "[channels.public]\ndiscord = \"{}\"\nspaces = [\"team\"]\n\n[channels.private]\ndiscord = \"{}\"\nspaces = [\"team\", \"leads\"]\n\n\
         [direct]\nspaces = [\"team\"]\n\n[limits]\nper_asker = 600\nper_channel = 600\nper_workspace = 600\n\n\
         [discord]\nguild = \"{}\"\nmessage_content = {message_content}\n",
        double.id("channels", "general")?,
        double.id("channels", "experiments")?,
        id(&double.ready, "guild")?,
    ))
}

/// Whether a message is in its last form: neither facts that are still read over nor a sentence about waiting.
fn is_whole(message: &Value) -> bool {
    let content = message["content"].as_str().unwrap_or_default();
    !content.contains("reading it over") && !content.contains("before yours")
}

/// All that a message says, without the marks that keep it from being more.
pub fn words(message: &Value) -> String {
    message["content"].as_str().unwrap_or_default().replace('\\', "")
}
