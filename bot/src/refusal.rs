//! A refusal: told to the person, with what to do next. What went wrong on our side is no refusal but a failure with a reference.

use std::fmt;

/// Why a question or a command is not answered as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is the matter, one sentence.
    pub sentence: String,
    /// What to do next, one sentence.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), hint: None }
    }

    /// The same with a hint.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{} {hint}", self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}
