//! Starts MLflow's server on loopback, and runs the steps of the scenario against it.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use runlore_indexer::source::{MlflowLogin, MlflowServer};
use tempfile::TempDir;

use super::reading::{self, Shown};

const START_DEADLINE: Duration = Duration::from_secs(180);
const ADMIN: (&str, &str) = ("admin", "correct-horse-battery");
const READER: (&str, &str) = ("botreader", "staple-wagon-lantern");

/// Whether the server asks who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    Controlled,
}

/// A running server; ends with its processes when dropped.
pub struct Server {
    process: Child,
    folder: TempDir,
    python: PathBuf,
    url: String,
    access: Access,
}

impl Server {
    /// Starts one on a free port, or says why it is not run.
    pub fn start(access: Access) -> Option<Self> {
        let python = cache_folder().join("venv-mlflow/bin/python");
        if !python.is_file() {
            runlore_tests::not_run::not_run("mlflow_server", "MLflow's server is not installed (scripts/test-venv installs it)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a free port").port();
        let mut command = Command::new(&python);
        command.args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]);
        command.args(["--port", &port.to_string(), "--backend-store-uri", &store(&folder)]);
        command.args(["--artifacts-destination", &folder.path().join("artifacts").to_string_lossy()]);
        command.env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false").current_dir(folder.path());
        if access == Access::Controlled {
            control(&mut command, folder.path());
        }
        let process = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut server = Self { process, folder, python, url: format!("http://127.0.0.1:{port}"), access };
        server.wait_until_it_serves();
        Some(server)
    }

    /// Reads what the server says on standard error, to the end, so that it never waits for us.
    fn wait_until_it_serves(&mut self) {
        let errors = BufReader::new(self.process.stderr.take().expect("piped"));
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            let mut said = String::new();
            for line in errors.lines().map_while(Result::ok) {
                if line.contains("Uvicorn running on") {
                    let _ = ready.send(Ok(()));
                } else if said.len() < 20_000 {
                    said = format!("{said}{line}\n");
                }
            }
            let _ = ready.send(Err(said));
        });
        match is_ready.recv_timeout(START_DEADLINE) {
            Ok(Ok(())) => {}
            Ok(Err(said)) => panic!("the server ended:\n{said}"),
            Err(_) => panic!("the server did not start within {START_DEADLINE:?}"),
        }
    }

    /// Where and as whom the source is read.
    pub fn place(&self) -> MlflowServer {
        let login = match self.access {
            Access::Open => MlflowLogin::Nobody,
            Access::Controlled => MlflowLogin::Basic { username: READER.0.to_owned(), password: READER.1.to_owned().into() },
        };
        MlflowServer { url: self.url.clone(), login, timeout: Duration::from_secs(60) }
    }

    /// Runs a step of the scenario as this user.
    fn step(&self, arguments: &[&str], (user, password): (&str, &str)) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mlflow_scenario.py");
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments).env("MLFLOW_TRACKING_URI", &self.url).current_dir(self.folder.path());
        if self.access == Access::Controlled {
            command.env("MLFLOW_TRACKING_USERNAME", user).env("MLFLOW_TRACKING_PASSWORD", password);
            command.env("RUNLORE_READER", format!("{}:{}", READER.0, READER.1));
        }
        let output = command.output().expect("python runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server's process starts others; all of them are in the group that bears its id.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// Turns MLflow's access control on, with its users in the same folder.
fn control(command: &mut Command, folder: &Path) {
    let settings = folder.join("auth.ini");
    let users = folder.join("users.db");
    let text = format!(
        "[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{}\nadmin_username = {}\nadmin_password = {}\n\
         authorization_function = mlflow.server.auth:authenticate_request_basic_auth\nauth_cache_ttl_seconds = 600\n",
        users.display(),
        ADMIN.0,
        ADMIN.1
    );
    fs::write(&settings, text).expect("settings");
    command.args(["--app-name", "basic-auth"]).env("MLFLOW_AUTH_CONFIG_PATH", settings);
    command.env("MLFLOW_FLASK_SERVER_SECRET_KEY", "only-for-this-test");
}

fn store(folder: &TempDir) -> String {
    format!("sqlite:///{}", folder.path().join("mlflow.db").display())
}

fn cache_folder() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from).or_else(home);
    base.expect("HOME is set").join("runlore")
}

/// What the scenario logged, by name.
pub struct Scenario {
    ids: HashMap<String, String>,
}

impl Scenario {
    /// Logs everything.
    pub fn log(server: &Server) -> Self {
        server.step(&["log", &server.file("names.json")], ADMIN);
        Self::named(server)
    }

    /// Changes everything that can be changed.
    pub fn change(self, server: &Server) -> Self {
        server.step(&["change", &server.file("names.json"), &store(&server.folder)], ADMIN);
        Self::named(server)
    }

    fn named(server: &Server) -> Self {
        let text = fs::read_to_string(server.file("names.json")).expect("names");
        Self { ids: serde_json::from_str(&text).expect("names") }
    }

    /// The id of a run or experiment.
    pub fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// What the server shows to the reader now, by MLflow's own client.
    pub fn truth(&self, server: &Server) -> Vec<Shown> {
        server.step(&["truth", &server.file("truth.json")], READER);
        reading::shown(&fs::read_to_string(server.file("truth.json")).expect("truth"))
    }
}
