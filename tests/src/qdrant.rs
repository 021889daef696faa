//! A real Qdrant server, alone or as a cluster of three, started on free loopback ports and ended with the value that holds it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a server may take to start, join or come back.
const PATIENCE: Duration = Duration::from_secs(90);

const PACKED: &str = "tools/qdrant-1.18.3-x86_64-linux.xz";

/// The server's program: what `RUNLORE_TEST_QDRANT` names, else the one of the shared folder, unpacked once into the cache
/// folder.
///
/// # Errors
/// A sentence that says what is missing; the test that needs it prints it and counts as not run.
pub fn program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("RUNLORE_TEST_QDRANT").map(PathBuf::from) {
        ensure!(named.is_file(), "RUNLORE_TEST_QDRANT names `{}`, which is no file", named.display());
        return Ok(named);
    }
    let shared = std::env::var_os("RUNLORE_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let packed = shared.join(PACKED);
    ensure!(packed.is_file(), "no Qdrant server: `{}` is not there and RUNLORE_TEST_QDRANT is not set", packed.display());
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).context("no home folder")?;
    let folder = cache.join("runlore/qdrant-1.18.3");
    let program = folder.join("qdrant");
    if !program.is_file() {
        std::fs::create_dir_all(&folder)?;
        unpack(&packed, &program)?;
    }
    Ok(program)
}

/// Unpacks beside and renames, so that two tests at once, or one cut short, leave no half file.
fn unpack(packed: &Path, program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let beside = program.with_extension(std::process::id().to_string());
    // Python is among the prerequisites, the command `xz` is not.
    let script = "import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)";
    let mut unpacking = Command::new("python3");
    unpacking.args(["-c", script]).arg(packed).stdout(std::fs::File::create(&beside)?);
    let status = unpacking.status().context("cannot run `python3`")?;
    ensure!(status.success(), "`{}` cannot be unpacked", packed.display());
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755))?;
    std::fs::rename(&beside, program)?;
    Ok(())
}

/// One server process and its folder.
pub struct Node {
    program: PathBuf,
    folder: PathBuf,
    ports: Ports,
    cluster: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    log: Receiver<String>,
}

#[derive(Clone, Copy)]
struct Ports {
    http: u16,
    grpc: u16,
    p2p: u16,
}

impl Node {
    /// Starts a server of its own that keeps its files in `folder`.
    ///
    /// # Errors
    /// Where it does not start; the message holds the end of its log.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        Self::start_with(program, folder, Ports::free()?, Vec::new())
    }

    fn start_with(program: &Path, folder: &Path, ports: Ports, cluster: Vec<String>) -> Result<Self> {
        let mut node = Self { program: program.to_owned(), folder: folder.to_owned(), ports, cluster, running: None };
        node.restart()?;
        Ok(node)
    }

    /// Starts it again on the same ports and files.
    ///
    /// # Errors
    /// As `start`.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        std::fs::create_dir_all(&self.folder)?;
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(&self.cluster).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let settings = [
            ("SERVICE__HOST", "127.0.0.1".to_owned()),
            ("SERVICE__HTTP_PORT", self.ports.http.to_string()),
            ("SERVICE__GRPC_PORT", self.ports.grpc.to_string()),
            ("STORAGE__STORAGE_PATH", "./storage".to_owned()),
            ("STORAGE__SNAPSHOTS_PATH", "./snapshots".to_owned()),
            ("TELEMETRY_DISABLED", "true".to_owned()),
            ("CLUSTER__ENABLED", (!self.cluster.is_empty()).to_string()),
            ("CLUSTER__P2P__PORT", self.ports.p2p.to_string()),
        ];
        command.envs(settings.map(|(name, value)| (format!("QDRANT__{name}"), value)));
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", self.program.display()))?;
        let (line, log) = channel();
        let output = child.stdout.take().context("no output")?;
        // The log is read to its end, whoever listens: a full pipe would stop the server.
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(|text| drop(line.send(text))));
        self.running = Some(Running { child, log });
        self.wait_until("it listens", |node| TcpStream::connect(("127.0.0.1", node.ports.grpc)).is_ok() && node.get("/readyz").is_ok())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // One that ended by itself cannot be killed, and is collected just the same.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.grpc)
    }

    /// Waits, with the server's log as the clock, until the condition holds.
    ///
    /// # Errors
    /// Where it does not come to hold, or the server ends; the message holds the end of the log.
    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) -> Result<()> {
        let (begin, mut last_lines) = (Instant::now(), Vec::new());
        while !condition(self) {
            let running = self.running.as_mut().context("the server is not running")?;
            last_lines.extend(running.log.recv_timeout(Duration::from_millis(100)));
            last_lines.drain(..last_lines.len().saturating_sub(10));
            if begin.elapsed() > PATIENCE || running.child.try_wait()?.is_some() {
                bail!("waited for a Qdrant server until {what}:\n{}", last_lines.join("\n"));
            }
        }
        Ok(())
    }

    /// Asks its REST interface.
    ///
    /// # Errors
    /// Where it does not answer 200.
    pub fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports.http))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{path}: {}", answer.lines().next().unwrap_or_default());
        Ok(answer)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Ports {
    /// Ports that are free now.
    fn free() -> Result<Self> {
        let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let port = |at: usize| listeners[at].local_addr().map(|address| address.port());
        Ok(Self { http: port(0)?, grpc: port(1)?, p2p: port(2)? })
    }
}

/// Three nodes that know each other.
pub struct Cluster {
    /// The nodes; the first was there first.
    pub nodes: Vec<Node>,
}

impl Cluster {
    /// Starts three nodes with folders under `folder`.
    ///
    /// # Errors
    /// As `Node::start`.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        let all_ports = [Ports::free()?, Ports::free()?, Ports::free()?];
        let address = |ports: &Ports| format!("http://127.0.0.1:{}", ports.p2p);
        let first = address(&all_ports[0]);
        let mut nodes: Vec<Node> = Vec::new();
        for (number, ports) in all_ports.into_iter().enumerate() {
            let mut arguments = vec!["--uri".to_owned(), address(&ports)];
            if number > 0 {
                arguments.extend(["--bootstrap".to_owned(), first.clone()]);
            }
            nodes.push(Node::start_with(program, &folder.join(format!("node{number}")), ports, arguments)?);
        }
        for node in &mut nodes {
            node.wait_until("it sees three nodes", |node| {
                node.get("/cluster").is_ok_and(|text| text.matches("\"uri\"").count() == 3 && text.contains("\"enabled\""))
            })?;
        }
        Ok(Self { nodes })
    }

    /// The addresses of all nodes, parted by commas.
    pub fn urls(&self) -> String {
        self.nodes.iter().map(Node::url).collect::<Vec<_>>().join(",")
    }
}
