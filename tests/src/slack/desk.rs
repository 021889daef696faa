//! The stand-in, the proxy before it, and the real program beside them; all of one test's own.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::workspace::{APP_TOKEN, BOT, BOT_TOKEN};
use super::{Proxy, StandIn};
use crate::not_run::not_run;
use crate::program::Program;

/// The channels of the stand-in in the team's settings; limits that no test but one on limits meets.
const SETTINGS: &str = r#"
[channels.public]
slack = "C0GENERAL"
spaces = ["team"]

[channels.private]
slack = "C0LEADS"
spaces = ["team", "leads"]

[direct]
spaces = ["team"]

[limits]
per_asker = 600
per_channel = 600
per_workspace = 600

[slack]
silence_s = 600
"#;

/// Everything that a test on Slack needs.
pub struct Desk {
    pub stand_in: StandIn,
    pub proxy: Proxy,
    program: Program,
}

impl Desk {
    /// The made-up team indexed, and the program serving; `more` is appended to its settings. None where the stand-in is not installed.
    pub async fn open(more: &str) -> Result<Option<Self>> {
        let Some(mut desk) = Self::closed(more).await? else { return Ok(None) };
        desk.serve().await?;
        Ok(Some(desk))
    }

    /// The same before the program runs.
    pub async fn closed(more: &str) -> Result<Option<Self>> {
        let stand_in = match StandIn::start().await? {
            Ok(stand_in) => stand_in,
            Err(reason) => {
                not_run("slack", &reason);
                return Ok(None);
            }
        };
        let proxy = Proxy::start(&stand_in).await?;
        let program = Program::closed(&format!("{SETTINGS}\n{more}"))?;
        Ok(Some(Self { stand_in, proxy, program }))
    }

    /// Starts the program and waits until it can answer.
    pub async fn serve(&mut self) -> Result<()> {
        let command = self.command();
        self.program.serve_with(command).await
    }

    /// `runlore serve`, ready to be started.
    pub fn command(&self) -> Command {
        let mut command = self.program.command();
        command.env("SLACK_API_URL", self.proxy.api_url()).env("SLACK_BOT_TOKEN", BOT_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        command
    }

    /// The bot's messages of a thread that have their last form, with their blocks.
    pub async fn answers(&self, channel: &str, thread: &str) -> Result<Vec<Value>> {
        let messages = self.stand_in.messages(channel).await?;
        let is_answer = |message: &Value| message["user"] == BOT && message["thread_ts"] == thread && message["ephemeral_to"].is_null();
        Ok(messages.into_iter().filter(|message| is_answer(message) && is_whole(message)).collect())
    }

    /// Waits for the `n`th answer in a thread.
    pub async fn answer(&self, channel: &str, thread: &str, n: usize) -> Result<Value> {
        let look = || async { Ok(self.answers(channel, thread).await?.into_iter().nth(n - 1)) };
        self.until(&format!("answer {n} in {thread}"), look).await
    }

    /// Says something in a channel and waits for the answer in its thread.
    pub async fn ask(&self, channel: &str, user: &str, text: &str) -> Result<(String, Value)> {
        let ts = self.stand_in.say(channel, user, text, None).await?;
        let answer = self.answer(channel, &ts, 1).await?;
        Ok((ts, answer))
    }

    /// Waits for something that one person alone was shown, by the n-th post to a response address.
    pub async fn whispers(&self, n: usize) -> Result<Vec<Value>> {
        let look = || async {
            let shown: Vec<Value> =
                self.proxy.posted().into_iter().filter(|posted| posted.method == "response_url").map(|posted| posted.body).collect();
            Ok((shown.len() >= n).then_some(shown))
        };
        self.until(&format!("{n} answers for one person alone"), look).await
    }
}

impl Deref for Desk {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// Whether a message is in its last form: neither facts that are still read over nor a sentence about waiting.
fn is_whole(message: &Value) -> bool {
    let all = message.to_string();
    !all.contains("reading it over") && !all.contains("before yours")
}

/// All that a message says, without its marks.
pub fn words(message: &Value) -> String {
    fn gather(value: &Value, words: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| match value {
                Value::String(text) if key == "text" => words.push(text.clone()),
                _ => gather(value, words),
            }),
            Value::Array(array) => array.iter().for_each(|value| gather(value, words)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    gather(&message["blocks"], &mut all);
    all.join(" ")
}
