//! Dotted keys and raw texts, within a budget that no honest configuration reaches.

use std::collections::HashMap;
use std::fmt;

/// Most values that one file may have.
const MAX_VALUES: usize = 20_000;
/// Most bytes of keys and texts that one file may have.
const MAX_BYTES: usize = 4 << 20;

/// Why a file, or a part of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Problem {
    /// Counted from 1.
    pub(in crate::source) line: Option<usize>,
    /// Lower case, no full stop.
    pub(in crate::source) message: String,
}

impl Problem {
    pub(super) fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The values of one text, and what was wrong with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Flat {
    /// Dotted key and raw text, in the order of the text; a key given twice has its last value.
    pub(in crate::source) values: Vec<(String, String)>,
    /// What could not be read.
    pub(in crate::source) problem: Option<Problem>,
}

impl From<Problem> for Flat {
    fn from(problem: Problem) -> Self {
        Self { values: Vec::new(), problem: Some(problem) }
    }
}

/// Collects values within the budget.
#[derive(Debug, Default)]
pub(super) struct Values {
    list: Vec<(String, String)>,
    n_bytes: usize,
}

impl Values {
    /// Adds one value.
    ///
    /// # Errors
    /// When the budget is used up.
    pub(super) fn push(&mut self, key: &str, text: &str) -> Result<(), Problem> {
        self.n_bytes += key.len() + text.len();
        if self.list.len() >= MAX_VALUES || self.n_bytes > MAX_BYTES {
            return Err(too_many());
        }
        self.list.push((key.to_owned(), text.to_owned()));
        Ok(())
    }

    /// The values, each key once.
    pub(super) fn into_list(self) -> Vec<(String, String)> {
        let mut places: HashMap<String, usize> = HashMap::with_capacity(self.list.len());
        let mut list: Vec<(String, String)> = Vec::with_capacity(self.list.len());
        for (key, text) in self.list {
            match places.get(&key) {
                Some(&place) => list[place].1 = text,
                None => {
                    places.insert(key.clone(), list.len());
                    list.push((key, text));
                }
            }
        }
        list
    }
}

pub(super) fn too_many() -> Problem {
    Problem::of_file(format!("expands to more than {MAX_VALUES} values or {} MiB; not read as a configuration", MAX_BYTES >> 20))
}

/// The most entries that merging may copy.
pub(super) const MAX_MERGED: usize = MAX_VALUES;

/// `head.tail`, or `tail` where there is no head.
pub(super) fn dotted(head: &str, tail: &str) -> String {
    if head.is_empty() { tail.to_owned() } else { format!("{head}.{tail}") }
}
