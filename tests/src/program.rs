//! The real program beside a test: a team of its own, started, watched and ended.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::store::Store;
use runlore_indexer::config::Settings;

use crate::team::Team;

/// How long anything that must happen may take.
fn patience() -> Duration {
    Duration::from_secs(std::env::var("RUNLORE_PATIENCE_S").ok().and_then(|text| text.parse().ok()).unwrap_or(240))
}

/// The program and its team.
pub struct Program {
    pub team: Team,
    pub port: u16,
    serve: Option<Child>,
}

impl Program {
    /// The made-up team indexed; `more` is appended to its settings. The program does not run yet.
    ///
    /// # Errors
    /// Where the team cannot be indexed.
    pub fn closed(more: &str) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let more = if more.contains("[serve]") {
            more.replace("[serve]", &format!("[serve]\nhealth = \"127.0.0.1:{port}\""))
        } else {
            format!("{more}\n[serve]\nhealth = \"127.0.0.1:{port}\"\n")
        };
        let team = Team::new(&more)?;
        team.json(&["index", "--json"], &[0, 1])?;
        Ok(Self { team, port, serve: None })
    }

    /// `runlore serve`, to be started with what the platform needs.
    pub fn command(&self) -> Command {
        let mut command = self.team.command(&["serve"]);
        command.env("RUST_LOG", "warn,runlore_bot=info").stdout(Stdio::null());
        command
    }

    /// Starts the program and waits until it can answer.
    ///
    /// # Errors
    /// Where it ends instead.
    pub async fn serve_with(&mut self, mut command: Command) -> Result<()> {
        self.serve = Some(command.spawn()?);
        while self.health("ready").await.is_err() {
            let ended = self.serve.as_mut().map(Child::try_wait).transpose()?.flatten();
            ensure!(ended.is_none(), "the program ended instead of serving: {ended:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
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
            ensure!(begun.elapsed() < patience(), "not within {:?}: {what}", patience());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until so many messages were heard and passed over, or taken back.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn until_passed_over(&self, n: i64) -> Result<()> {
        let store = Store::open(&Settings::read(&self.team.config())?.state_url).await?;
        let passed = || async {
            let counts = store.question_counts().await?;
            Ok(counts.iter().any(|(state, n_now)| state == "cancelled" && *n_now >= n).then_some(()))
        };
        self.until("so many messages are passed over", passed).await
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
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
