//! Starts the Slack stand-in, a program that we did not write, in a temporary folder and on a free port.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::workspace;

/// Where `scripts/test-slack-install` puts the program, under the cache folder.
const PROGRAM: &str = "runlore/local-slack-0.1.8/node_modules/local-slack-linux-x64/bin/local-slack";

/// A running stand-in. It is killed and its folder removed when this is dropped.
///
/// It listens on all interfaces, having no setting for it; its tokens are worth nothing.
pub struct StandIn {
    server: Child,
    pub(super) base: String,
    pub(super) http: reqwest::Client,
    _folder: TempDir,
}

impl StandIn {
    /// Starts one and waits until it serves. The inner `Err` says why there is none.
    ///
    /// # Errors
    /// Where the program is there, but does not start; the message holds what it said.
    pub async fn start() -> Result<Result<Self, String>> {
        let Some(program) = program() else {
            return Ok(Err("the Slack stand-in is not there (scripts/test-slack-install)".to_owned()));
        };
        let started = tokio::task::spawn_blocking(move || launch(&program)).await??;
        Ok(Ok(started))
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed, and is collected just the same.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn launch(program: &Path) -> Result<StandIn> {
    let folder = TempDir::with_prefix("runlore-slack-").context("cannot make a temporary folder")?;
    let config = folder.path().join("config.json");
    std::fs::write(&config, workspace::config().to_string())?;
    let mut command = Command::new(program);
    command.current_dir(folder.path()).arg("--config").arg(&config).arg("--files-dir").arg(folder.path().join("files"));
    command.args(["--port", "0", "--base-host", "127.0.0.1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = command.spawn().with_context(|| format!("cannot start `{}`", program.display()))?;
    let mut stand_in = StandIn { server, base: String::new(), http: super::http_client(), _folder: folder };
    stand_in.base = wait_until_ready(&mut stand_in.server)?;
    Ok(stand_in)
}

/// Reads what it says until it names its address, and goes on reading so that it never waits for a reader.
fn wait_until_ready(server: &mut Child) -> Result<String> {
    let mut lines = BufReader::new(server.stdout.take().context("the output is piped")?).lines();
    let mut errors = server.stderr.take().context("the errors are piped")?;
    let mut base = None;
    while let Some(Ok(line)) = lines.next() {
        if let Some((_, address)) = line.split_once("Web UI:") {
            base = Some(address.trim().to_owned());
        }
        // Its last line names the app.
        if let (true, Some(base)) = (line.contains(workspace::APP), &base) {
            std::thread::spawn(move || lines.for_each(drop));
            std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
            return Ok(base.clone());
        }
    }
    let mut said = String::new();
    let _ = errors.read_to_string(&mut said);
    bail!("the Slack stand-in does not start:\n{said}")
}

fn program() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let program = cache.join(PROGRAM);
    program.is_file().then_some(program)
}
