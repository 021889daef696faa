//! The stand-in, the proxy before it, and the real program beside them; all of one test's own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::store::Store;
use runlore_indexer::config::Settings;
use serde_json::Value;

use super::workspace::{APP_TOKEN, BOT, BOT_TOKEN};
use super::{Proxy, StandIn};
use crate::not_run::not_run;
use crate::team::Team;

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(240);

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
    pub team: Team,
    pub port: u16,
    serve: Option<Child>,
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
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let serve = if more.contains("[serve]") {
            more.replace("[serve]", &format!("[serve]\nhealth = \"127.0.0.1:{port}\""))
        } else {
            format!("{more}\n[serve]\nhealth = \"127.0.0.1:{port}\"\n")
        };
        let team = Team::new(&format!("{SETTINGS}\n{serve}"))?;
        team.json(&["index", "--json"], &[0, 1])?;
        Ok(Some(Self { stand_in, proxy, team, port, serve: None }))
    }

    /// Lets the program use a model of the cache folder, such as `chat-0.5b`; whether it is there.
    ///
    /// # Errors
    /// Where the settings cannot be changed.
    pub fn use_model(&self, name: &str) -> Result<bool> {
        let folder = runlore_indexer::config::cache_folder().join("models").join(name);
        let listing = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let Some(file) = listing.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "gguf")) else {
            return Ok(false);
        };
        let settings = std::fs::read_to_string(self.team.config())?;
        let model = format!("kind = \"mistralrs\"\npath = \"{}\"", file.display());
        std::fs::write(self.team.config(), settings.replace("kind = \"none\"", &model))?;
        Ok(true)
    }

    /// Lets the program use a model behind this address.
    ///
    /// # Errors
    /// Where the settings cannot be changed.
    pub fn use_server(&self, url: &str) -> Result<()> {
        let settings = std::fs::read_to_string(self.team.config())?;
        let model = format!("kind = \"openai\"\nurl = \"{url}\"\nname = \"slow\"");
        Ok(std::fs::write(self.team.config(), settings.replace("kind = \"none\"", &model))?)
    }

    /// Starts the program and waits until it can answer.
    pub async fn serve(&mut self) -> Result<()> {
        self.serve_with(self.command()).await
    }

    /// The same with a command of the test's own.
    pub async fn serve_with(&mut self, mut command: Command) -> Result<()> {
        self.serve = Some(command.spawn()?);
        while self.health("ready").await.is_err() {
            let ended = self.serve.as_mut().map(Child::try_wait).transpose()?.flatten();
            ensure!(ended.is_none(), "the program ended instead of serving: {ended:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// `runlore serve`, ready to be started.
    pub fn command(&self) -> Command {
        let mut command = self.team.command(&["serve"]);
        command.env("SLACK_API_URL", self.proxy.api_url()).env("SLACK_BOT_TOKEN", BOT_TOKEN).env("SLACK_APP_TOKEN", APP_TOKEN);
        command.env("RUST_LOG", "warn,runlore_bot=info").stdout(Stdio::null());
        command
    }

    pub async fn until_ready(&self) -> Result<()> {
        self.until("the program is ready", || async { Ok(self.health("ready").await.is_ok().then_some(())) }).await
    }

    /// Resident memory of the program, in kB: all of it, and what is no file's.
    ///
    /// # Errors
    /// Where nothing serves, and on machines that do not tell.
    pub fn memory_kb(&self) -> Result<(u64, u64)> {
        let id = self.serve.as_ref().context("nothing serves")?.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = |name: &str| -> Result<u64> {
            let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
            line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).with_context(|| format!("`{line}` is no number"))
        };
        Ok((line("VmRSS:")?, line("RssAnon:")?))
    }

    /// What the health server says.
    pub async fn health(&self, page: &str) -> Result<String> {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/{page}", self.port)).await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Kills the program as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut serve) = self.serve.take() {
            serve.kill()?;
            serve.wait()?;
        }
        Ok(())
    }

    /// Tells the program to end, and gives its exit code and how long it took.
    pub async fn end(&mut self) -> Result<(Option<i32>, Duration)> {
        let mut serve = self.serve.take().context("nothing serves")?;
        let begun = std::time::Instant::now();
        let told = Command::new("kill").args(["-TERM", &serve.id().to_string()]).status()?;
        ensure!(told.success(), "cannot tell the program to end");
        let status = tokio::task::spawn_blocking(move || serve.wait()).await??;
        Ok((status.code(), begun.elapsed()))
    }

    /// Waits until something is there.
    pub async fn until<T, F: Future<Output = Result<Option<T>>>>(&self, what: &str, look: impl Fn() -> F) -> Result<T> {
        let begun = std::time::Instant::now();
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            ensure!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until every question has ended and everything that can be posted is.
    pub async fn until_settled(&self) -> Result<()> {
        let store = Store::open(&Settings::read(&self.team.config())?.state_url).await?;
        let settled = || async {
            let is_open = store.question_counts().await?.iter().any(|(state, _)| state == "open");
            Ok((!is_open && store.due(i64::MAX, 1).await?.is_empty()).then_some(()))
        };
        self.until("all is settled", settled).await
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

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.kill();
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
