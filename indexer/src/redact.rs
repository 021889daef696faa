//! Takes secrets and hidden characters out of text before anything is stored, hashed, embedded or logged, and again before it goes out.
//!
//! Each secret becomes `[redacted:RULE]`. Hashes of commits, run ids, UUIDs and checksums stay, since answers are made of
//! them. Invisible and bidirectional control characters go too: they can hide text from people and split a secret in two.

mod engine;
mod gaps;
mod invisible;
mod manifest;
mod names;
mod records;
mod rules;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

pub use records::redact_record;

/// Changes with the rules, so that what was read under other rules is read again.
pub const RULES_VERSION: &str = "2";

/// Begins what stands in the place of a secret.
pub const MARK: &str = "[redacted:";

/// What was taken out of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Secrets.
    pub n_secrets: u64,
    /// Characters that nobody sees, terminal colours not counted.
    pub n_hidden: u64,
}

impl Add for Taken {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { n_secrets: self.n_secrets + other.n_secrets, n_hidden: self.n_hidden + other.n_hidden }
    }
}

impl AddAssign for Taken {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Taken {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// The text without secrets and hidden characters, and how many were taken out.
pub fn redact(text: &str) -> (Cow<'_, str>, Taken) {
    let (text, n_hidden) = invisible::remove(text);
    let (text, n_secrets) = redact_secrets(text);
    (text, Taken { n_secrets, n_hidden })
}

/// The text without secrets, and how many were taken out; terminal colours stay.
pub fn redact_secrets(mut text: Cow<'_, str>) -> (Cow<'_, str>, u64) {
    let mut n_secrets = 0;
    // What was taken out may have hidden what stands beside it; so again, until nothing more is found.
    for round in 0..3 * MAX_ROUNDS {
        // So many layers are made to hide something: then the rest of their lines goes, and at last all that stands behind the first.
        let found = match round / MAX_ROUNDS {
            0 => engine::take_out(&text),
            1 => engine::take_out_lines(&text),
            _ => engine::take_out_rest(&text),
        };
        let Some((redacted, n_found)) = found else { break };
        text = Cow::Owned(redacted);
        n_secrets += n_found;
    }
    (text, n_secrets)
}

/// Rounds in which secrets are looked for in one text.
const MAX_ROUNDS: usize = 4;
