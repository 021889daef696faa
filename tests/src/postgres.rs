//! A PostgreSQL server of the tests' own: in a temporary folder, as an ordinary user, on a free port of the loopback address.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// The user and group `nobody`: where root runs the tests, the server runs as this one, since it refuses to run as root.
const NOBODY: u32 = 65534;

/// The superuser of the server, who needs no password.
const USER: &str = "runlore";

/// How often a port that was free a moment ago may be taken by somebody else.
const TRIES: usize = 3;

/// A running server. It is stopped and its data removed when this is dropped.
pub struct Postgres {
    programs: Programs,
    server: Child,
    folder: TempDir,
    port: u16,
    n_databases: AtomicU32,
}

/// Where the server's programs lie, and whether root calls them.
#[derive(Clone)]
struct Programs {
    folder: PathBuf,
    as_nobody: bool,
}

impl Postgres {
    /// The server that the tests of this process share; it stops with the last of them. The inner `Err` says why there is none.
    ///
    /// # Errors
    /// Where there are server programs, but they do not start.
    pub fn shared() -> Result<Result<Arc<Self>, String>> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(Ok(running));
        }
        let Some(folder) = program_folder() else {
            return Ok(Err("there are no PostgreSQL programs here (scripts/test-postgres-install)".to_owned()));
        };
        let started = Arc::new(Self::start(folder)?);
        *shared = Arc::downgrade(&started);
        Ok(Ok(started))
    }

    /// Makes an empty database and returns its address.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn fresh_database(&self) -> Result<String> {
        let name = format!("test_{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        let address = ["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", USER, &name];
        finish(self.programs.command("createdb").args(address))?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    fn start(folder: PathBuf) -> Result<Self> {
        let data = TempDir::with_prefix("runlore-postgres-").context("cannot make a temporary folder")?;
        let as_nobody = data.path().metadata()?.uid() == 0;
        if as_nobody {
            chown(data.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let programs = Programs { folder, as_nobody };
        let init = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--pgdata"];
        finish(programs.command("initdb").args(init).arg(data.path()))?;
        let mut last_words = String::new();
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut server = programs.serve(data.path(), port)?;
            let errors = server.stderr.take().context("the server's errors are piped")?;
            match wait_until_ready(errors) {
                Ok(()) => return Ok(Self { programs, server, folder: data, port, n_databases: AtomicU32::new(0) }),
                Err(words) => last_words = words,
            }
            server.wait()?;
        }
        bail!("PostgreSQL does not start:\n{last_words}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Immediate: it need not put anything in order, all is removed. Killing it outright would leave its shared memory behind.
        let stop =
            self.programs.command("pg_ctl").args(["stop", "--silent", "--mode", "immediate", "--pgdata"]).arg(self.folder.path()).status();
        if !stop.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

impl Programs {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.current_dir("/").env("LC_ALL", "C");
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn serve(&self, data: &Path, port: u16) -> Result<Child> {
        let settings =
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=200", "logging_collector=off"];
        let mut command = self.command("postgres");
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().context("cannot start `postgres`")
    }
}

/// Reads what the server says until it takes connections, and goes on reading so that it never waits for a reader.
fn wait_until_ready(errors: ChildStderr) -> Result<(), String> {
    let mut said = String::new();
    let mut lines = BufReader::new(errors).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.contains("ready to accept connections") {
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(());
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

fn finish(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run `{}`", command.get_program().display()))?;
    ensure!(output.status.success(), "`{}` failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The folder of `postgres` on the path, links followed, else the newest of Debian's.
fn program_folder() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| Some(folder.join("postgres").canonicalize().ok()?.parent()?.to_owned()));
    on_path
        .chain(debian_folders())
        .find(|folder| ["postgres", "initdb", "createdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file()))
}

fn debian_folders() -> Vec<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let listed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<PathBuf> = listed.filter(|folder| version(folder).is_some()).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    versions.into_iter().map(|folder| folder.join("bin")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_apart_and_the_server_goes_with_its_last_user() -> Result<()> {
        let server = match Postgres::shared()? {
            Ok(server) => server,
            Err(reason) => {
                crate::not_run::not_run("postgres", &reason);
                return Ok(());
            }
        };
        assert_ne!(server.fresh_database()?, server.fresh_database()?);
        let (data, port) = (server.folder.path().to_owned(), server.port);
        let again = Postgres::shared()?.map_err(anyhow::Error::msg)?;
        assert!(Arc::ptr_eq(&server, &again));
        drop((server, again));
        assert!(!data.exists(), "the data folder is left behind");
        assert!(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "the server still answers");
        Ok(())
    }
}
