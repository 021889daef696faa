//! Runs as people name them: by name, by the key `PROJECT/RUN`, by number, by the beginning of an id.

use runlore_indexer::catalog::RunEntry;

use super::{Links, Mention, Reading};
use crate::tools::RunRef;

/// Takes runs that are named in full, or by at least six characters of their id.
pub(super) fn take_named(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        let typed = reading.words[place].raw.clone();
        let found: Vec<RunRef> = named(&reading.vocabulary.runs, &typed);
        if !found.is_empty() {
            links.runs.push(Mention { typed, runs: found });
            reading.take(&[place]);
        }
    }
}

/// Runs of this name or key, else those whose id begins so.
pub(super) fn named(runs: &[RunEntry], typed: &str) -> Vec<RunRef> {
    let by_name: Vec<RunRef> =
        runs.iter().filter(|run| run.name.eq_ignore_ascii_case(typed) || run.key.eq_ignore_ascii_case(typed)).map(reference).collect();
    // A run that is called like a word of every day must be written as it is.
    if !by_name.is_empty() && (typed.len() > 3 || runs.iter().any(|run| run.name == typed)) {
        return by_name;
    }
    let is_id = typed.len() >= 6 && typed.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && typed.chars().any(|c| c.is_ascii_digit());
    if !is_id {
        return Vec::new();
    }
    let typed = typed.to_lowercase();
    runs.iter().filter(|run| run.native_id.to_lowercase().starts_with(&typed)).map(reference).collect()
}

/// Takes `#345` and `run 345`: a number in the linked project; where the linked project has none, `#345` is left for a pull.
pub(super) fn take_numbered(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        let raw = reading.words[place].raw.clone();
        let after_run = place > 0
            && matches!(reading.lower(place - 1).as_str(), "run" | "runs" | "and" | "vs" | "with" | "to")
            && reading_runs(reading, place);
        let number = raw.strip_prefix('#').or(after_run.then_some(raw.as_str())).and_then(|digits| digits.parse::<i64>().ok());
        let Some(number) = number.filter(|_| !reading.used[place] || raw.starts_with('#')) else { continue };
        let found: Vec<RunRef> = reading
            .vocabulary
            .runs
            .iter()
            .filter(|run| run.number == Some(number) && (links.projects.is_empty() || links.projects.contains(&run.project)))
            .map(reference)
            .collect();
        if raw.starts_with('#') && (found.is_empty() || links.projects.is_empty() && links.pulls.contains(&number)) {
            continue;
        }
        links.pulls.retain(|pull| *pull != number);
        links.runs.push(Mention { typed: raw, runs: found });
        reading.take(&[place]);
    }
}

/// Whether the words before this place speak of runs by number: `run 12`, `runs 12 and 15`.
fn reading_runs(reading: &Reading<'_>, place: usize) -> bool {
    (0..place).rev().take(5).any(|i| matches!(reading.lower(i).as_str(), "run" | "runs"))
}

/// Where a project is linked, runs of others no longer fit.
pub(super) fn narrow(links: &mut Links) {
    if links.projects.is_empty() {
        return;
    }
    for mention in &mut links.runs {
        let within: Vec<RunRef> = mention
            .runs
            .iter()
            .filter(|run| links.projects.iter().any(|project| run.key.starts_with(&format!("{project}/"))))
            .cloned()
            .collect();
        mention.runs = within;
    }
}

pub(super) fn reference(run: &RunEntry) -> RunRef {
    RunRef { record: run.record, key: run.key.clone() }
}
