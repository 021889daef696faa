//! Matches the names in a question to what the scope holds: projects, metrics, params, runs, tags, pulls, dates. Pure.

mod metrics;
mod projects;
mod resolve;
mod rest;
mod runs;

use jiff::Zoned;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::run::RunStatus;

pub(crate) use metrics::followed;
pub use resolve::{Resolved, resolve_metric, resolve_param, resolve_project, resolve_run};

use super::Subject;
use super::dates::{self, Range};
use super::words::{Word, words};
use crate::tools::RunRef;

/// What a question names, as far as the scope holds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links {
    /// Projects; several only where the words fit several equally.
    pub projects: Vec<String>,
    /// The metrics that the words fit, best first; the first is taken, the others are alternatives.
    pub metrics: Vec<String>,
    /// A metric that the question names and that is not logged where it asks.
    pub absent_metric: Option<String>,
    /// Params.
    pub params: Vec<String>,
    /// Runs, one entry a mention, each with the runs that fit.
    pub runs: Vec<Mention>,
    /// Tag and value.
    pub tags: Vec<(String, String)>,
    /// Param and value.
    pub values: Vec<(String, String)>,
    /// Glob over run names, where a word is part of some and nothing else.
    pub name: Option<String>,
    /// Status.
    pub status: Option<RunStatus>,
    /// Stretch of time.
    pub time: Option<Range>,
    /// Pull numbers.
    pub pulls: Vec<i64>,
    /// Beginnings of commit hashes.
    pub commits: Vec<String>,
    /// Things that look like names and are nothing here.
    pub unknown: Vec<String>,
    /// Words that nothing above accounts for and that are not about asking.
    pub unexplained: Vec<String>,
    /// The question's words without those that name something, lower-cased: what is asked of the names.
    pub plain: String,
}

/// A run as it was named, and the runs that fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// As typed.
    pub typed: String,
    /// None where there is no such run; several where it is ambiguous.
    pub runs: Vec<RunRef>,
}

/// A question's words, and which of them are accounted for.
pub(super) struct Reading<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) words: Vec<Word>,
    pub(super) used: Vec<bool>,
}

impl Reading<'_> {
    /// Every part of the words that are not accounted for yet, with its word's place.
    pub(super) fn free_parts(&self) -> Vec<(usize, &str)> {
        let free = (0..self.words.len()).filter(|&i| !self.used[i]);
        free.flat_map(|i| self.words[i].parts.iter().map(move |part| (i, part.as_str()))).collect()
    }

    /// The lower-cased word at a place; empty beyond the ends.
    pub(super) fn lower(&self, i: usize) -> String {
        self.words.get(i).map(|word| word.raw.to_lowercase()).unwrap_or_default()
    }

    /// Where these parts stand one after another among free words.
    pub(super) fn find(&self, parts: &[String], same: impl Fn(&str, &str) -> bool) -> Option<Vec<usize>> {
        let free = self.free_parts();
        let starts = 0..(free.len() + 1).saturating_sub(parts.len().max(1));
        for start in starts {
            let window = &free[start..start + parts.len()];
            let is_near = window.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 1);
            if !parts.is_empty() && is_near && window.iter().zip(parts).all(|((_, typed), part)| same(typed, part)) {
                let mut places: Vec<usize> = window.iter().map(|(word, _)| *word).collect();
                places.dedup();
                return Some(places);
            }
        }
        None
    }

    /// Accounts for words.
    pub(super) fn take(&mut self, places: &[usize]) {
        places.iter().for_each(|&i| self.used[i] = true);
    }
}

/// The first run that a text names, by key.
pub fn first_run(text: &str, vocabulary: &Vocabulary) -> Option<String> {
    words(text).iter().find_map(|word| runs::named(&vocabulary.runs, &word.raw).into_iter().next()).map(|run| run.key)
}

/// A question, and what the thread is about in which it is asked.
pub struct Asked<'a> {
    /// The words.
    pub question: &'a str,
    /// The names that the last answer used.
    pub subject: &'a Subject,
}

/// Links a question; what a follow-up leaves out is taken from its thread.
pub fn link(asked: &Asked<'_>, vocabulary: &Vocabulary, now: &Zoned) -> Links {
    let question = asked.question;
    let words = words(question);
    let used = vec![false; words.len()];
    let mut reading = Reading { vocabulary, words, used };
    let mut links = Links { time: dates::range(question, now), ..Links::default() };
    rest::take_pulls_and_commits(&mut reading, &mut links);
    runs::take_named(&mut reading, &mut links);
    projects::take(&mut reading, &mut links);
    if links.projects.is_empty() && links.runs.is_empty() {
        links.projects.extend(asked.subject.project_for(vocabulary));
    }
    runs::take_numbered(&mut reading, &mut links);
    metrics::take(&mut reading, &mut links);
    rest::take_params(&mut reading, &mut links);
    rest::take_tags(&mut reading, &mut links);
    rest::take_status(&mut reading, &mut links);
    rest::take_name_parts(&mut reading, &mut links);
    let plain: Vec<String> = (0..reading.words.len()).filter(|&i| !reading.used[i]).map(|i| reading.lower(i)).collect();
    links.plain = plain.join(" ");
    rest::note_the_rest(&mut reading, &mut links);
    asked.subject.fill(question, &mut links, vocabulary);
    runs::narrow(&mut links);
    links
}

#[cfg(test)]
mod tests;
