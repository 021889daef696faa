//! What a thread is about: the names that its last answer used, so that a follow-up need not say them again. Pure.

use runlore_indexer::catalog::Vocabulary;
use serde::{Deserialize, Serialize};

use super::link::{Links, Mention};
use crate::tools::{Call, RunRef};

/// The names that a thread's last answer used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The project.
    pub project: Option<String>,
    /// The metric's key.
    pub metric: Option<String>,
    /// Runs by key; the one that was called best, or those that were named.
    pub runs: Vec<String>,
    /// From when on, milliseconds since 1970, UTC.
    pub since_ms: Option<i64>,
    /// Until when.
    pub until_ms: Option<i64>,
}

/// Words at the beginning that say: as before, but.
const AS_BEFORE: [&str; 12] = ["and", "or", "what about", "how about", "same", "also", "then", "but", "now", "only", "instead", "ok and"];

/// Words that stand for the runs that were spoken of.
const STANDS_FOR_RUNS: [&str; 14] =
    ["it", "its", "it's", "that", "this", "they", "them", "their", "those", "these", "both", "that run", "this run", "one"];

impl Subject {
    /// What the look-ups of an answer were about; what they do not say stays as it was.
    pub fn after(self, calls: &[Call], best_record: Option<&str>) -> Self {
        let mut subject = self;
        for call in calls {
            subject = subject.with(call);
        }
        if let Some(best) = best_record {
            subject.runs = vec![best.to_owned()];
        }
        subject
    }

    fn with(mut self, call: &Call) -> Self {
        let keys = |runs: &[crate::tools::RunRef]| runs.iter().map(|run| run.key.clone()).collect::<Vec<_>>();
        match call {
            Call::Best { metric, runs, .. } | Call::Mean { metric, runs, .. } => {
                self.metric = Some(metric.clone());
                self.about(runs)
            }
            Call::Count { runs } | Call::List { runs, .. } => self.about(runs),
            Call::Compare { metric, runs, .. } => {
                self.metric = metric.clone().or(self.metric);
                self.runs = keys(runs);
                self.project = self.runs.first().and_then(|key| project_of(key)).or(self.project);
                self
            }
            Call::Curve { metric, runs } => {
                self.metric = Some(metric.clone());
                self.runs = keys(runs);
                self.project = self.runs.first().and_then(|key| project_of(key)).or(self.project);
                self
            }
            Call::History { metric, run, .. } => {
                self.metric = Some(metric.clone());
                self.of(&run.key)
            }
            Call::Show { run } | Call::Param { run, .. } => self.of(&run.key),
            Call::Search { .. } | Call::Pull { .. } | Call::Commit { .. } => self,
        }
    }

    fn about(mut self, runs: &runlore_indexer::catalog::RunFilter) -> Self {
        self.project = runs.project.clone().or(self.project);
        (self.since_ms, self.until_ms) = (runs.since_ms, runs.until_ms);
        self
    }

    fn of(mut self, run: &str) -> Self {
        self.runs = vec![run.to_owned()];
        self.project = project_of(run).or(self.project);
        self
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The project that a follow-up without one is about.
    pub(super) fn project_for(&self, vocabulary: &Vocabulary) -> Option<String> {
        self.project.clone().filter(|name| vocabulary.projects.iter().any(|project| project.name == *name))
    }

    /// Fills in what a follow-up leaves out. What it says itself stands.
    pub(super) fn fill(&self, question: &str, links: &mut Links, vocabulary: &Vocabulary) {
        let lower = question.trim().to_lowercase();
        let names_run = links.runs.iter().any(|mention| !mention.runs.is_empty());
        if !names_run && says_any(&lower, &STANDS_FOR_RUNS) {
            links.runs.extend(self.runs.iter().filter_map(|key| mention(key, vocabulary)));
        }
        let is_as_before = AS_BEFORE.iter().any(|start| begins_with(&lower, start));
        let asks_value =
            is_as_before || !links.runs.is_empty() || says_any(&lower, &["best", "worst", "mean", "average", "final", "highest", "lowest"]);
        let says_more = !links.params.is_empty() || !links.unexplained.is_empty() || !links.pulls.is_empty() || !links.commits.is_empty();
        if links.metrics.is_empty() && links.absent_metric.is_none() && asks_value && !says_more {
            let is_logged = |key: &&String| {
                let here = |p: &&runlore_indexer::catalog::ProjectEntry| links.projects.is_empty() || links.projects.contains(&p.name);
                vocabulary.projects.iter().filter(here).any(|project| project.metrics.contains(*key))
            };
            links.metrics.extend(self.metric.as_ref().filter(is_logged).cloned());
        }
    }
}

/// The one run of this key. One that the scope does not hold is as if it had not been spoken of; it is taken for no other.
fn mention(key: &str, vocabulary: &Vocabulary) -> Option<Mention> {
    let mut bearers = vocabulary.runs.iter().filter(|run| run.key == key);
    let (Some(run), None) = (bearers.next(), bearers.next()) else { return None };
    Some(Mention { typed: key.to_owned(), runs: vec![RunRef { record: run.record, key: run.key.clone() }] })
}

fn project_of(run: &str) -> Option<String> {
    run.rsplit_once('/').map(|(project, _)| project.to_owned())
}

fn begins_with(text: &str, start: &str) -> bool {
    text.strip_prefix(start).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn says_any(text: &str, words: &[&str]) -> bool {
    let padded: String = text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let padded = format!(" {} ", padded.split_whitespace().collect::<Vec<_>>().join(" "));
    words.iter().any(|word| padded.contains(&format!(" {word} ")))
}
