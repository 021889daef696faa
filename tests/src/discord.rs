//! Discord for tests: a stand-in whose state we did not write (simcord), behind a bridge of ours (tests/python/discord_double) that adds
//! what it lacks and breaks things on order.

mod desk;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
pub use desk::{DiscordDesk, words};
use runlore_indexer::config::cache_folder;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running bridge; it ends with the test.
pub struct Double {
    /// What it said when it was ready: ports, ids, the token.
    pub ready: Value,
    http: reqwest::Client,
    // Held open: the bridge ends when it closes.
    _process: Child,
}

impl Double {
    /// Starts one that allows the bot to read what is said without its name, or does not. The reason, where it is not installed.
    ///
    /// # Errors
    /// Where it is installed and does not start.
    pub async fn start(privileged: &[&str]) -> Result<Result<Self, String>> {
        let python = cache_folder().join("venv-discord/bin/python");
        let schemas = cache_folder().join("discord-schemas");
        if let Some(missing) = [&python, &schemas].into_iter().find(|path| !path.exists()) {
            return Ok(Err(format!("`{}` is missing (scripts/test-discord-sdk)", missing.display())));
        }
        let script = script();
        let mut command = Command::new(python);
        command.arg(script).args(["--port", "0", "--schemas"]).arg(schemas);
        if !privileged.is_empty() {
            command.arg("--privileged").args(privileged);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let line = lines.next_line().await?.context("the bridge ended before it was ready")?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Ok(Self { ready: serde_json::from_str(&line)?, http: reqwest::Client::new(), _process: process }))
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ready["port"])
    }

    /// The base of the REST API.
    pub fn api_url(&self) -> String {
        self.url("/api/v10")
    }

    /// Does something as a person, or breaks something: see tests/python/discord_double.
    ///
    /// # Errors
    /// Where the bridge does not take it.
    pub async fn ctl(&self, what: Value) -> Result<Value> {
        let answer = self.http.post(self.url("/_ctl")).json(&what).send().await?;
        let status = answer.status();
        let said: Value = answer.json().await?;
        ensure!(status.is_success(), "{what}: {said}");
        Ok(said)
    }

    /// What the bridge tells, such as `messages/CHANNEL`, `log`, `interactions`, `violations`.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn told(&self, what: &str) -> Result<Value> {
        Ok(self.http.get(self.url(&format!("/_ctl/{what}"))).send().await?.error_for_status()?.json().await?)
    }

    /// Somebody says something; the message's id.
    ///
    /// # Errors
    /// Where the bridge does not take it.
    pub async fn say(&self, channel: &str, user: &str, text: &str) -> Result<String> {
        id(&self.ctl(json!({"do": "say", "user": user, "channel": channel, "text": text})).await?, "id")
    }

    /// The id of a channel or user by its name at the start.
    ///
    /// # Errors
    /// Where there is none.
    pub fn id(&self, table: &str, name: &str) -> Result<String> {
        id(&self.ready[table], name)
    }
}

/// An id of an answer.
pub fn id(answer: &Value, name: &str) -> Result<String> {
    answer[name].as_str().map(str::to_owned).with_context(|| format!("no `{name}` in {answer}"))
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python/discord_double.py")
}
