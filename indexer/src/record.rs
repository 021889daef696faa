//! A record: one run, config, note, pull or commit, as a source gave it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::run::Run;
use crate::space::Space;

/// What a source hands over for one run, config, note, pull or commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Unique and stable within its source: a run id, a path relative to the source's root, a commit hash.
    pub native_id: String,
    /// As people name it: `PROJECT/RUN`, `path/of/note.md`, `#12`, a commit's first ten digits.
    pub key: String,
    /// One line that says what it is about.
    pub title: String,
    /// The tracker's project or experiment, for runs and what belongs to them.
    pub project: Option<String>,
    /// As written in the source.
    pub author: Option<String>,
    /// Where a person can look at it.
    pub url: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// Milliseconds since 1970, UTC.
    pub updated_ms: Option<i64>,
    /// What the source compares to see that nothing changed; opaque to everybody else.
    pub fingerprint: String,
    /// What it says.
    pub body: Body,
}

/// The content of a record, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One training or evaluation run.
    Run(Box<Run>),
    /// Markdown text.
    Note(String),
    /// A configuration file: its text, and its keys flattened with dots.
    Config(Config),
    /// A pull or merge request.
    Pull(Pull),
    /// One commit.
    Commit(Commit),
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The text as it stands in the file.
    pub text: String,
    /// Dotted key and raw scalar text, in file order.
    pub values: Vec<(String, String)>,
}

/// A pull or merge request, merged or open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pull {
    /// The repository that numbers it, as the settings name it; with `number` it says which pull this is, whatever source told of it.
    pub repository: String,
    /// The number in that repository.
    pub number: u64,
    /// Its description, Markdown.
    pub description: String,
    /// The branch that was merged.
    pub head: Option<String>,
    /// The commit that merged it, forty hex digits.
    pub merge_commit: Option<String>,
    /// Milliseconds since 1970, UTC; absent while open.
    pub merged_ms: Option<i64>,
    /// Messages of its commits, newest first.
    pub commits: Vec<String>,
    /// Files that it touches.
    pub files: Vec<TouchedFile>,
}

/// One file of a pull, with lines added and deleted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TouchedFile {
    /// Path in the repository.
    pub path: String,
    /// Lines added.
    #[serde(default)]
    pub added: u64,
    /// Lines deleted.
    #[serde(default)]
    pub deleted: u64,
}

/// One commit of a repository.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// The repository, as the settings name it.
    pub repository: String,
    /// Forty hex digits.
    pub hash: String,
    /// The whole message.
    pub message: String,
    /// The pull that brought it, where the message or the history says so.
    pub pull: Option<u64>,
}

impl Body {
    /// The kind of record that this is the content of.
    pub fn kind(&self) -> RecordKind {
        match self {
            Body::Run(_) => RecordKind::Run,
            Body::Note(_) => RecordKind::Note,
            Body::Config(_) => RecordKind::Config,
            Body::Pull(_) => RecordKind::Pull,
            Body::Commit(_) => RecordKind::Commit,
        }
    }
}

/// The kinds of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A run.
    Run,
    /// A note.
    Note,
    /// A configuration file.
    Config,
    /// A pull or merge request.
    Pull,
    /// A commit.
    Commit,
}

impl RecordKind {
    /// Every kind, in the order in which they are listed to people.
    pub const ALL: [RecordKind; 5] = [Self::Run, Self::Note, Self::Config, Self::Pull, Self::Commit];

    /// The word that stands for the kind in stores, filters and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Note => "note",
            Self::Config => "config",
            Self::Pull => "pull",
            Self::Commit => "commit",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("`{word}` is no kind of record; there are run, note, config, pull, commit"))
    }
}

/// Names one record for good: a UUIDv5 of its source, kind and native id, so that reading it again gives the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Uuid);

/// Root of every UUIDv5 made here.
const NAMESPACE: Uuid = Uuid::from_u128(0x72756e6c_6f72_6520_8000_7265636f7264);

impl RecordId {
    /// The id of a record of `source` in `space`. A pull is named by its repository instead, so that two sources that tell of one pull
    /// mean the same record; but not those of two spaces, of which one may not be read where the other is.
    pub fn of(source: &str, space: &Space, record: &Record) -> Self {
        match &record.body {
            Body::Pull(pull) => Self::named(&format!("{}\u{0}{space}", pull.repository), RecordKind::Pull, &pull.number.to_string()),
            body => Self::named(source, body.kind(), &record.native_id),
        }
    }

    fn named(place: &str, kind: RecordKind, native_id: &str) -> Self {
        let name = format!("{place}\u{0}{kind}\u{0}{native_id}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The id of chunk number `position` of this record, for the vector index.
    pub fn chunk(self, position: u32) -> Uuid {
        Uuid::new_v5(&self.0, &position.to_be_bytes())
    }

    /// The id as a UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

/// The id that an index kept.
impl From<Uuid> for RecordId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_simple())
    }
}

impl FromStr for RecordId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}
