//! Throws damaged inputs at a function and keeps what breaks it: a mutational fuzzer that is an ordinary test.
//!
//! It needs no second build of the tree and no nightly compiler, and it is not guided by coverage. What it has instead: seeds in the
//! format's own words, mutations of the tree as well as of the bytes, and the outcome that each input came to: an input with an outcome
//! that none had before joins the seeds. SECURITY.md says what that is worth.

mod mutate;
mod random;
mod run;
mod shrink;
mod tree;
mod watch;

use std::path::PathBuf;

pub use mutate::{MAX_BYTES, mutated};
pub use random::Random;
pub use run::{Finding, fuzz};

/// How an input is written, which says what else than its bytes can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text, of which nothing more is known.
    Text,
    /// One JSON value.
    Json,
    /// A JSON value a line.
    JsonLines,
    /// A TOML table.
    Toml,
}

/// What one input came to, in few words, so that two inputs of the same kind have the same; or what is wrong.
pub type Outcome = Result<String, String>;

/// Something to throw inputs at.
pub struct Target<'a> {
    /// Its name, and that of the folder of kept cases.
    pub name: &'static str,
    /// How its inputs are written.
    pub format: Format,
    /// What is changed first: good inputs.
    pub seeds: Vec<Vec<u8>>,
    /// Words of the format that chance would not write.
    pub words: &'static [&'static str],
    /// Takes one input. It must not panic, not take longer than a second, and what comes out must be as it says.
    pub check: &'a dyn Fn(&[u8]) -> Outcome,
}

impl Target<'_> {
    /// The folder of what once broke it: `tests/data/fuzz/NAME`.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/fuzz").join(self.name)
    }
}
