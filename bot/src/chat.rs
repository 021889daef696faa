//! What is asked and what is answered, without any platform and without IO.

pub(crate) mod address;
pub(crate) mod believed;
mod button;
pub(crate) mod clean;
pub(crate) mod cut;
mod event;
mod messenger;
pub(crate) mod parts;
pub(crate) mod text;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
pub use button::Button;
pub(crate) use event::SHARED;
pub use event::{Account, Asked, BESIDE, Event, Incoming, PerPlatform, Place, PlaceKind, Platform, Press, Way};
use jiff::tz::TimeZone;
pub use messenger::{Messenger, SendError};
use runlore_indexer::space::Audience;
use serde::{Deserialize, Serialize};

use crate::answer::Subject;
use crate::facts::Fact;

/// What was asked, and who will see the reply.
#[derive(Debug, Clone)]
pub struct Question {
    /// The words.
    pub text: String,
    /// Who will see the reply.
    pub audience: Audience,
    /// What the thread is about so far.
    pub subject: Subject,
    /// The reader's time zone: what a day is.
    pub zone: TimeZone,
}

impl Question {
    /// A question that follows nothing, from somewhere with days of UTC.
    pub fn new(text: impl Into<String>, audience: Audience) -> Self {
        Self { text: text.into(), audience, subject: Subject::default(), zone: TimeZone::UTC }
    }

    /// The same from somewhere else.
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }
}

/// A verbatim piece of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Word for word.
    pub text: String,
    /// The record that it stands in.
    pub record: String,
}

/// A record that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// `1`, `2`... as in the text: `[1]`.
    pub mark: String,
    /// The record.
    pub record: String,
    /// Its title.
    pub title: String,
    /// Where to look at it.
    pub url: Option<String>,
}

/// What something was made of: it may be shown while its records are in the scope and say no less than then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Basis {
    /// Every record that it names or takes a value from, by their ids, in order.
    pub records: Vec<String>,
    /// One of them was gone before all was said.
    pub is_gone: bool,
    /// It counts records or says that there are none, so that it is out of date once the scope as a whole holds less.
    pub is_whole: bool,
    /// The last change of the catalog when it was looked up.
    pub change: i64,
}

/// What gets posted, without any platform: plain texts, which the platform's renderer escapes. Links are those of the citations alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer in one sentence or two.
    pub headline: String,
    /// Table or card, a line each, aligned for a font of equal widths.
    pub lines: Vec<String>,
    /// Verbatim pieces of records.
    pub quotes: Vec<Quote>,
    /// The model's sentence, checked.
    pub narration: Option<String>,
    /// What the reader should know about how it was found.
    pub notices: Vec<String>,
    /// Records by their marks, the most important first.
    pub citations: Vec<Citation>,
    /// What can be pressed, in order.
    pub buttons: Vec<Button>,
    /// A chart.
    #[serde(default)]
    pub picture: Option<Picture>,
}

/// A chart as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its file name.
    pub name: String,
    /// The same in words, for who does not see it.
    pub alt: String,
    /// The PNG, in base64.
    pub png: String,
}

impl Picture {
    /// A picture of these bytes.
    pub fn new(name: String, alt: String, png: &[u8]) -> Self {
        Self { name, alt, png: BASE64.encode(png) }
    }

    /// The PNG.
    pub fn bytes(&self) -> Vec<u8> {
        BASE64.decode(&self.png).unwrap_or_default()
    }
}

/// How a reply stands in its place.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The id of the user to greet; none in direct messages.
    pub asker: Option<&'a str>,
    /// The opaque id of the question, which the buttons carry; at most 80 characters.
    pub question: &'a str,
    /// How far the reply is.
    pub form: Form,
}

/// How far a reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Whole,
    /// The facts, while the model's sentence is still being made.
    Facts,
}

/// A tool call as it was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedCall {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub args: serde_json::Value,
}

/// How long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Timings {
    /// Until the facts were there, milliseconds.
    pub facts: u64,
    /// Until the answer was whole, milliseconds.
    pub answer: u64,
}

/// A platform-free result: the JSON of one answer (DESIGN 9).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The whole text as the terminal shows it; begins with the answer.
    pub answer: String,
    /// Nothing was found that answers it.
    pub abstained: bool,
    /// The run that the answer calls best or better.
    pub best_record: Option<String>,
    /// Records that the answer rests on, the most important first.
    pub records: Vec<String>,
    /// Verbatim pieces.
    pub quotes: Vec<Quote>,
    /// What the text shows.
    pub facts: Vec<Fact>,
    /// Records by their marks in the text.
    pub citations: Vec<Citation>,
    /// The tool calls that were made.
    pub plan: Vec<PlannedCall>,
    /// How long it took.
    pub timings_ms: Timings,
    /// Names the failure in the log, where something of ours went wrong.
    pub reference: Option<String>,
    /// The same for a platform to render.
    #[serde(skip)]
    pub reply: Reply,
    /// What the thread is about now.
    #[serde(skip)]
    pub subject: Subject,
    /// The id of the scope that it was made under; empty where nothing was read.
    #[serde(skip)]
    pub scope: String,
    /// What it was made of.
    #[serde(skip)]
    pub basis: Basis,
    /// The hashes of the prompts that the model was given for it, in order.
    #[serde(skip)]
    pub prompts: Vec<String>,
}

/// What a person sees while an answer is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// What is being waited for: a short phrase, such as `choosing what to look up`.
    Waiting(String),
    /// The facts are there: all that is known so far.
    Facts {
        /// As the terminal shows it.
        text: String,
        /// For a platform to render.
        reply: Box<Reply>,
        /// The id of the scope that they were read under.
        scope: String,
        /// What they were made of.
        basis: Basis,
        /// The hashes of the prompts that the model was given so far.
        prompts: Vec<String>,
    },
    /// A piece of the model's sentence, already checked.
    Narration(String),
}
