//! What is asked and what is answered, without any platform and without IO.

use runlore_indexer::space::Audience;
use serde::Serialize;

use crate::facts::Fact;

/// What was asked, and who will see the reply.
#[derive(Debug, Clone)]
pub struct Question {
    /// The words.
    pub text: String,
    /// Who will see the reply.
    pub audience: Audience,
}

/// A verbatim piece of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// Word for word.
    pub text: String,
    /// The record that it stands in.
    pub record: String,
}

/// A record that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
}

/// What a person sees while an answer is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// What is being waited for: a short phrase, such as `choosing what to look up`.
    Waiting(String),
    /// The facts are there: the text so far.
    Facts(String),
    /// A piece of the model's sentence, already checked.
    Narration(String),
}
