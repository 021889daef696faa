//! The clauses of a command: what stands before the first keyword, and what follows each.

use runlore_indexer::catalog::RunFilter;

use super::words::Word;
use super::{Reader, Stop, conditions};
use crate::answer::dates::{next_day, resolve_date};
use crate::refusal::Refusal;
use crate::tools::Which;

/// Most that `limit` gives.
const MAX_LIMIT: usize = 100;

/// A command's words, sorted by keyword.
#[derive(Debug)]
pub(super) struct Clauses {
    /// Before the first keyword.
    pub(super) head: Vec<Word>,
    parts: Vec<(&'static str, Vec<Word>)>,
}

impl Clauses {
    /// Sorts words by these keywords; other words are never keywords. A keyword that comes twice makes it a question.
    pub(super) fn read(words: &[Word], keywords: &[&'static str]) -> Result<Self, Stop> {
        let mut clauses = Self { head: Vec::new(), parts: Vec::new() };
        for word in words {
            let keyword = word.keyword().and_then(|text| keywords.iter().find(|keyword| **keyword == text));
            if keyword.is_some_and(|keyword| clauses.has(keyword)) {
                return Err(Stop::Question);
            }
            match (keyword, clauses.parts.last_mut()) {
                (Some(keyword), _) => clauses.parts.push((keyword, Vec::new())),
                (None, Some((_, part))) => part.push(word.clone()),
                (None, None) => clauses.head.push(word.clone()),
            }
        }
        let is_alone = |keyword: &str| matches!(keyword, "best" | "final");
        let fits = |(keyword, part): &(&str, Vec<Word>)| part.is_empty() == is_alone(keyword);
        if clauses.parts.iter().all(fits) { Ok(clauses) } else { Err(Stop::Question) }
    }

    /// Whether the keyword is there.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.parts.iter().any(|(name, _)| *name == keyword)
    }

    /// What follows a keyword; empty where it is not there.
    pub(super) fn part(&self, keyword: &str) -> &[Word] {
        self.parts.iter().find(|(name, _)| *name == keyword).map_or(&[], |(_, part)| part)
    }

    /// `best`, `final` or `at STEP`.
    pub(super) fn which(&self, otherwise: Which) -> Result<Which, Stop> {
        match (self.has("best"), self.has("final"), self.part("at")) {
            (true, false, []) => Ok(Which::Best),
            (false, true, []) => Ok(Which::Final),
            (false, false, []) => Ok(otherwise),
            (false, false, [step]) => step.text.parse().map(Which::At).map_err(|_| Stop::Question),
            (false, false, [word, step]) if word.keyword().as_deref() == Some("step") => {
                step.text.parse().map(Which::At).map_err(|_| Stop::Question)
            }
            _ => Err(Stop::Question),
        }
    }

    /// `limit N`.
    pub(super) fn limit(&self, otherwise: usize) -> Result<usize, Stop> {
        match self.part("limit") {
            [] => Ok(otherwise),
            [n] => n.text.parse::<usize>().map(|n| n.clamp(1, MAX_LIMIT)).map_err(|_| Stop::Question),
            _ => Err(Stop::Question),
        }
    }
}

impl Reader<'_> {
    /// The project of `in PROJECT`.
    pub(super) fn project(&self, clauses: &Clauses) -> Result<Option<String>, Stop> {
        match clauses.part("in") {
            [] => Ok(None),
            [project] => self.names.project(project).map(Some),
            _ => Err(Stop::Question),
        }
    }

    /// What `in`, `where`, `since` and `until` say.
    pub(super) fn filter(&self, clauses: &Clauses) -> Result<RunFilter, Stop> {
        let mut filter = RunFilter { project: self.project(clauses)?, ..RunFilter::default() };
        for condition in conditions::split(clauses.part("where"))? {
            conditions::apply(&condition, &self.names, &mut filter)?;
        }
        filter.since_ms = self.date_of(clauses.part("since"))?;
        filter.until_ms = self.date_of(clauses.part("until"))?.and_then(|start| next_day(start, self.now.time_zone()));
        Ok(filter)
    }

    /// The start of a day in the asker's zone, milliseconds since 1970, UTC.
    pub(super) fn date(&self, text: &str) -> Result<i64, Stop> {
        resolve_date(text, self.now).ok_or_else(|| {
            let refusal = Refusal::new(format!("`{text}` is no date that I can read."));
            Stop::Refused(refusal.with_hint("Write it as `2026-05-04`, `yesterday` or `last week`."))
        })
    }

    fn date_of(&self, words: &[Word]) -> Result<Option<i64>, Stop> {
        if words.is_empty() {
            return Ok(None);
        }
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        match self.date(&text) {
            Ok(date) => Ok(Some(date)),
            Err(_) if words.len() > 1 => Err(Stop::Question),
            Err(stop) => Err(stop),
        }
    }
}
