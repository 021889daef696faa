//! Takes secrets out of text before anything is stored, hashed, embedded or logged.
//!
//! Each secret becomes `[redacted:RULE]`. Hashes of commits, run ids, UUIDs and checksums stay, since answers are made of
//! them. Invisible and bidirectional control characters go too: they can hide text from people and split a secret in two.

mod engine;
mod invisible;
mod names;
mod rules;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::record::{Body, Commit, Config, Pull, Record};
use crate::run::Run;

/// Changes with the rules, so that what was read under other rules is read again.
pub const RULES_VERSION: &str = "1";

/// The text without secrets and hidden characters, and how many secrets were taken out.
pub fn redact(text: &str) -> (Cow<'_, str>, u64) {
    let mut text = invisible::remove(text);
    let mut n_secrets = 0;
    // What was taken out may have hidden what stands beside it; so again, until nothing more is found.
    for _ in 0..MAX_ROUNDS {
        let Some((redacted, n_found)) = engine::take_out(&text) else { break };
        text = Cow::Owned(redacted);
        n_secrets += n_found;
    }
    (text, n_secrets)
}

/// Rounds in which secrets are looked for in one text.
const MAX_ROUNDS: usize = 4;

/// Takes the secrets out of every text of a record; says how many there were. What names the record in its source stays.
pub fn redact_record(record: &mut Record) -> u64 {
    let mut n_secrets = in_place(&mut record.key) + in_place(&mut record.title);
    for text in [&mut record.project, &mut record.author, &mut record.url] {
        n_secrets += in_option(text);
    }
    n_secrets
        + match &mut record.body {
            Body::Run(run) => redact_run(run),
            Body::Note(text) => in_place(text),
            Body::Config(config) => redact_config(config),
            Body::Pull(pull) => redact_pull(pull),
            Body::Commit(commit) => redact_commit(commit),
        }
}

fn redact_run(run: &mut Run) -> u64 {
    let mut n_secrets = in_place(&mut run.name) + in_option(&mut run.user) + in_option(&mut run.notes);
    n_secrets += in_pairs(&mut run.params) + in_pairs(&mut run.tags);
    for used in &mut run.datasets {
        n_secrets += in_place(&mut used.name);
    }
    for text in &mut run.texts {
        n_secrets += in_place(&mut text.text);
    }
    n_secrets
}

fn redact_config(config: &mut Config) -> u64 {
    in_place(&mut config.text) + in_pairs(&mut config.values)
}

fn redact_pull(pull: &mut Pull) -> u64 {
    let in_commits: u64 = pull.commits.iter_mut().map(in_place).sum();
    in_commits + in_place(&mut pull.description) + in_option(&mut pull.head)
}

fn redact_commit(commit: &mut Commit) -> u64 {
    in_place(&mut commit.message)
}

fn in_place(text: &mut String) -> u64 {
    let (redacted, n_secrets) = redact(text);
    if let Cow::Owned(redacted) = redacted {
        *text = redacted;
    }
    n_secrets
}

fn in_option(text: &mut Option<String>) -> u64 {
    text.as_mut().map_or(0, in_place)
}

/// Values by what they hold, and by the name that they stand under.
fn in_pairs(pairs: &mut [(String, String)]) -> u64 {
    let mut n_secrets = 0;
    for (key, text) in pairs {
        n_secrets += in_place(text);
        if names::is_secret(key, text) {
            *text = "[redacted:secret-by-name]".to_owned();
            n_secrets += 1;
        }
    }
    n_secrets
}
