//! The places that are read, and the contract between a reader and the pipeline.
//!
//! A reader is told what is known of its source (`Known`), sends `Item`s as it goes, and ends with a `Listing` that says
//! whether it saw everything there is. It never decides that something was deleted: that follows from a complete,
//! authorised listing, in `pipeline`. A thing that cannot be read is a complaint with its place, not an end.

pub mod configs;
mod folder;
pub mod git;
mod mlflow;
pub mod mlflow_rest;
pub mod mlflow_sqlite;
pub mod mlruns;
pub mod notes;
pub mod push;

use std::collections::HashMap;
use std::path::PathBuf;

use secrecy::SecretString;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::record::Record;

/// One configured place, ready to be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Unique among the sources; part of every record id.
    pub name: String,
    /// What and where.
    pub place: Place,
}

/// What kind of place, and where it is.
#[derive(Debug, Clone)]
pub enum Place {
    /// MLflow's REST interface.
    MlflowRest(MlflowServer),
    /// MLflow's SQLite store, opened read-only.
    MlflowSqlite(PathBuf),
    /// MLflow's `mlruns` folder.
    Mlruns(PathBuf),
    /// A folder of Markdown files.
    Notes(PathBuf),
    /// A folder of YAML, TOML and JSON files, Hydra's output folders included.
    Configs(PathBuf),
    /// A local git repository, bare or not.
    Git(GitRepository),
    /// A file, or a folder of files, of JSON lines in the push format (docs/push-format.md).
    Push(PathBuf),
}

/// Where an MLflow server answers, and as whom it is asked.
#[derive(Debug, Clone)]
pub struct MlflowServer {
    /// `http(s)://host[:port][/prefix]`, without a slash at the end.
    pub url: String,
    /// How the reader says who it is.
    pub login: MlflowLogin,
    /// Longest wait for one answer.
    pub timeout: std::time::Duration,
}

/// How to say who asks.
#[derive(Debug, Clone)]
pub enum MlflowLogin {
    /// Nobody in particular.
    Nobody,
    /// HTTP Basic.
    Basic { username: String, password: SecretString },
    /// A bearer token.
    Token(SecretString),
}

/// A local repository.
#[derive(Debug, Clone)]
pub struct GitRepository {
    /// The work tree or the bare repository.
    pub path: PathBuf,
    /// The name under which its pulls are numbered; another source with the same name tells of the same pulls.
    pub repository: String,
    /// The branch to read; by default the one that HEAD names.
    pub branch: Option<String>,
}

/// What the catalog remembers of a source.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Native id -> fingerprint of the last good read.
    pub fingerprints: HashMap<String, String>,
    /// What the reader left as its cursor the last time; opaque to everybody else.
    pub cursor: Option<String>,
}

impl Known {
    /// Whether this thing was read before and looks the same.
    pub fn is_same(&self, native_id: &str, fingerprint: &str) -> bool {
        self.fingerprints.get(native_id).is_some_and(|known| known == fingerprint)
    }
}

/// What a reader sends as it goes.
#[derive(Debug)]
pub enum Item {
    /// How many records there may be in all; a hint for progress.
    Expect(usize),
    /// Read and parsed.
    Record(Box<Record>),
    /// Present and unchanged since the last good read, by native id.
    Unchanged(String),
    /// Something could not be read. Its `native_id`, where known, counts as present.
    Complaint(Complaint),
    /// The source says for certain that this one is gone (a run in the bin), by native id.
    Gone(String),
    /// The source no longer shows this one to us, which is not to say that it is gone: kept, and not answered from until it is shown again.
    Withheld(String),
}

/// Something that could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Path, address or run, with a line where there is one.
    pub place: String,
    /// Lower case, no full stop, literals in backticks.
    pub message: String,
    /// The thing that it concerns, which then counts as present.
    pub native_id: Option<String>,
}

/// How a reading ended.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Everything that is there was listed, with the right to see it: what was not named is gone.
    pub is_complete: bool,
    /// To be handed back at the next reading.
    pub cursor: Option<String>,
}

/// Why a source could not be read at all, or no further. What was sent before stays.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A file or folder.
    #[error("cannot read `{place}`: {reason}")]
    Unreadable { place: String, reason: String },
    /// The place holds something else than the settings say.
    #[error("`{place}` is not {expected}: {reason}")]
    NotWhatItShouldBe { place: String, expected: &'static str, reason: String },
    /// The server refuses us; nothing may be concluded from what it does not show.
    #[error("`{place}` refuses access ({status}); check the login in the settings")]
    AccessLost { place: String, status: u16 },
    /// The server answers too late, or not at all.
    #[error("`{place}` does not answer: {reason}")]
    NoAnswer { place: String, reason: String },
    /// The pipeline stopped listening.
    #[error("reading was stopped")]
    Stopped,
}

/// Sends items to the pipeline.
#[derive(Debug, Clone)]
pub struct Outlet(mpsc::Sender<Item>);

impl Outlet {
    /// Wraps the sending end.
    pub fn new(sender: mpsc::Sender<Item>) -> Self {
        Self(sender)
    }

    /// Sends one item; waits while the pipeline is busy.
    ///
    /// # Errors
    /// `Stopped` when nobody listens any more.
    pub async fn send(&self, item: Item) -> Result<(), SourceError> {
        self.0.send(item).await.map_err(|_| SourceError::Stopped)
    }

    /// The same, from a blocking thread.
    ///
    /// # Errors
    /// `Stopped` when nobody listens any more.
    pub fn send_blocking(&self, item: Item) -> Result<(), SourceError> {
        self.0.blocking_send(item).map_err(|_| SourceError::Stopped)
    }

    /// Sends a complaint about `native_id`.
    ///
    /// # Errors
    /// `Stopped` when nobody listens any more.
    pub async fn complain(&self, place: &str, message: impl ToString, native_id: Option<&str>) -> Result<(), SourceError> {
        let complaint = Complaint { place: place.to_owned(), message: message.to_string(), native_id: native_id.map(str::to_owned) };
        self.send(Item::Complaint(complaint)).await
    }
}

impl Source {
    /// Reads what changed and lists what is there.
    ///
    /// # Errors
    /// Where the place as a whole cannot be read, or no further; what was sent before stays valid.
    pub async fn read(&self, known: Known, outlet: Outlet) -> Result<Listing, SourceError> {
        match &self.place {
            Place::MlflowRest(server) => mlflow_rest::read(server, known, outlet).await,
            Place::MlflowSqlite(path) => mlflow_sqlite::read(path, known, outlet).await,
            Place::Mlruns(path) => in_thread(path, known, outlet, |path, known, outlet| mlruns::read(path, known, outlet)).await,
            Place::Notes(path) => in_thread(path, known, outlet, |path, known, outlet| notes::read(path, known, outlet)).await,
            Place::Configs(path) => in_thread(path, known, outlet, |path, known, outlet| configs::read(path, known, outlet)).await,
            Place::Git(repository) => in_thread(repository, known, outlet, git::read).await,
            Place::Push(path) => in_thread(path, known, outlet, |path, known, outlet| push::read(path, known, outlet)).await,
        }
    }

    /// The word for the kind of place, as in the settings.
    pub fn kind(&self) -> &'static str {
        match self.place {
            Place::MlflowRest(_) => "mlflow",
            Place::MlflowSqlite(_) => "mlflow-db",
            Place::Mlruns(_) => "mlruns",
            Place::Notes(_) => "notes",
            Place::Configs(_) => "configs",
            Place::Git(_) => "git",
            Place::Push(_) => "push",
        }
    }
}

/// Runs a blocking reader on a thread of its own.
async fn in_thread<P, F>(place: &P, known: Known, outlet: Outlet, read: F) -> Result<Listing, SourceError>
where
    P: Clone + Send + Sync + 'static,
    F: FnOnce(&P, &Known, &Outlet) -> Result<Listing, SourceError> + Send + 'static,
{
    let place = place.clone();
    tokio::task::spawn_blocking(move || read(&place, &known, &outlet))
        .await
        .unwrap_or_else(|panic| Err(SourceError::Unreadable { place: "reader".to_owned(), reason: panic.to_string() }))
}
