//! Who may read what: every record carries a space; a `ReadScope` is the set of spaces that one audience may read.
//!
//! A scope comes out of an evaluated `Policy` and from nowhere else: its fields are private, and there is no other
//! constructor but the one door for maintenance, which is named so that it can be found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::record::{RecordId, RecordKind};

/// The access label of a record: lower case letters, digits, `-`, `_` and `.`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Space(String);

impl Space {
    /// Checks the label.
    ///
    /// # Errors
    /// A sentence that names the label and what is allowed.
    pub fn new(label: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if label.is_empty() || label.len() > 64 || !label.chars().all(fits) || label.starts_with('.') {
            return Err(format!("`{label}` is no space: lower case letters, digits, `-`, `_` and `.`, at most 64, not starting with `.`"));
        }
        Ok(Self(label.to_owned()))
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who will see a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Whoever runs the program on this machine.
    Terminal,
    /// The members of a channel, by its name in the settings.
    Channel(String),
    /// One person in direct messages: by name where the settings name them.
    Direct(Option<String>),
}

/// As it is stored: `terminal`, `channel NAME`, `direct`, `direct NAME`.
impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal => f.write_str("terminal"),
            Self::Channel(name) => write!(f, "channel {name}"),
            Self::Direct(None) => f.write_str("direct"),
            Self::Direct(Some(name)) => write!(f, "direct {name}"),
        }
    }
}

/// Reads what is stored. A name alone gives nothing: what it may read is asked of the policy.
impl FromStr for Audience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            None if text == "terminal" => Ok(Self::Terminal),
            None if text == "direct" => Ok(Self::Direct(None)),
            Some(("channel", name)) => Ok(Self::Channel(name.to_owned())),
            Some(("direct", name)) => Ok(Self::Direct(Some(name.to_owned()))),
            _ => Err(format!("`{text}` is no audience")),
        }
    }
}

/// Which spaces an entry of the settings gives: named ones, or all that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Every space.
    All,
    /// These.
    Spaces(BTreeSet<Space>),
}

/// The evaluated access settings.
#[derive(Debug, Clone)]
pub struct Policy {
    every_space: BTreeSet<Space>,
    terminal: Grant,
    channels: BTreeMap<String, Grant>,
    direct: Option<Grant>,
    people: BTreeMap<String, Grant>,
}

impl Policy {
    /// `every_space` are the spaces that the settings can assign.
    pub fn new(every_space: BTreeSet<Space>, terminal: Grant, channels: BTreeMap<String, Grant>) -> Self {
        Self { every_space, terminal, channels, direct: None, people: BTreeMap::new() }
    }

    /// The same with what anybody may read in direct messages, and what people with an entry of their own may instead.
    pub fn with_direct(self, direct: Option<Grant>, people: BTreeMap<String, Grant>) -> Self {
        Self { direct, people, ..self }
    }

    /// What this audience may read; `None` for one that the settings do not know.
    pub fn scope_for(&self, audience: &Audience) -> Option<ReadScope> {
        let grant = match audience {
            Audience::Terminal => &self.terminal,
            Audience::Channel(name) => self.channels.get(name)?,
            Audience::Direct(Some(person)) => self.people.get(person)?,
            Audience::Direct(None) => self.direct.as_ref()?,
        };
        let spaces = match grant {
            Grant::All => self.every_space.clone(),
            Grant::Spaces(spaces) => spaces.clone(),
        };
        Some(ReadScope { spaces })
    }

    /// The channels that the settings name.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.channels.keys().map(String::as_str)
    }
}

/// The spaces that one audience may read. Only a `Policy` makes one; nobody else can:
///
/// ```compile_fail,E0451
/// use runlore_indexer::space::ReadScope;
/// let scope = ReadScope { spaces: Default::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReadScope {
    spaces: BTreeSet<Space>,
}

impl ReadScope {
    /// The one door beside the policy, for work that answers nobody: indexing, verification, `status`.
    pub fn for_maintenance(spaces: BTreeSet<Space>) -> Self {
        Self { spaces }
    }

    /// Whether records of this space may be read.
    pub fn holds(&self, space: &Space) -> bool {
        self.spaces.contains(space)
    }

    /// The spaces, in order.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        self.spaces.iter()
    }

    /// How many spaces.
    pub fn n_spaces(&self) -> usize {
        self.spaces.len()
    }

    /// A short name that is the same for the same set of spaces; part of every cache key.
    pub fn id(&self) -> String {
        let labels: Vec<&str> = self.spaces.iter().map(Space::as_str).collect();
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, labels.join("\n").as_bytes());
        name.as_simple().to_string()[..12].to_owned()
    }
}

/// A search result that nobody checked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The space of the index that it came from.
    pub space: Space,
    /// The record.
    pub record: RecordId,
    /// Which chunk of it.
    pub position: u32,
    /// Hash of the chunk's text when it was indexed.
    pub text_hash: String,
    /// Higher is nearer; comparable within one result list only.
    pub score: f64,
}

/// A hit that the catalog admitted under a scope: it exists, its space is in scope, and its text is the one that was indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    pub(crate) record: RecordId,
    pub(crate) kind: RecordKind,
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) url: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) created_ms: Option<i64>,
    pub(crate) score: f64,
}

impl Passage {
    /// The record.
    pub fn record(&self) -> RecordId {
        self.record
    }
    /// Its kind.
    pub fn kind(&self) -> RecordKind {
        self.kind
    }
    /// As people name the record.
    pub fn key(&self) -> &str {
        &self.key
    }
    /// The record's title.
    pub fn title(&self) -> &str {
        &self.title
    }
    /// The headings that the text stands under, joined with ` > `; empty at the top.
    pub fn heading(&self) -> &str {
        &self.heading
    }
    /// The chunk's text, verbatim.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Where a person can look at the record.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
    /// The record's project.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }
    /// Milliseconds since 1970, UTC.
    pub fn created_ms(&self) -> Option<i64> {
        self.created_ms
    }
    /// Fused score of the search.
    pub fn score(&self) -> f64 {
        self.score
    }
}
