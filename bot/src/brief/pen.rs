//! Writes values into a brief: each becomes a fact of its ledger, each record that is named one that it rests on. Pure.

use runlore_indexer::catalog::{PullRow, RunRow};
use runlore_indexer::record::RecordId;
use runlore_indexer::run::AtStep;

use super::Period;
use crate::facts::{Fact, FactKind, Ledger, Of};
use crate::tools::Source;
use crate::tools::format::day;

/// Longest name, title and value of a param, and longest line of a note or log, in characters.
const MAX_NAME: usize = 90;
const MAX_LINE: usize = 180;

/// A record that the brief names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) record: RecordId,
    pub(super) source: Source,
}

/// What writes.
pub(super) struct Pen<'a> {
    pub(super) ledger: Ledger,
    pub(super) named: Vec<Named>,
    period: &'a Period,
}

impl<'a> Pen<'a> {
    pub(super) fn new(period: &'a Period) -> Self {
        Self { ledger: Ledger::default(), named: Vec::new(), period }
    }

    /// How many.
    pub(super) fn count(&mut self, what: &str, n: usize) -> String {
        self.ledger.show(Fact::count(what, n))
    }

    /// How many of something that has a name.
    pub(super) fn count_of(&mut self, what: &str, of: &str, n: usize) -> String {
        self.ledger.show(Fact { label: Some(one_line(of, MAX_NAME)), ..Fact::count(what, n) })
    }

    /// `3 runs`, `1 run`.
    pub(super) fn counted(&mut self, what: &str, n: usize) -> String {
        let number = self.count(&format!("{what}s"), n);
        if n == 1 { format!("{number} {what}") } else { format!("{number} {what}s") }
    }

    /// A number that was computed.
    pub(super) fn number(&mut self, fact: Fact) -> String {
        self.ledger.show(fact)
    }

    /// A short text as it was written, such as a name.
    pub(super) fn word(&mut self, what: &str, text: &str) -> String {
        self.ledger.show(Fact { label: Some(one_line(text, MAX_NAME)), ..Fact::new(FactKind::Text, what) })
    }

    /// The name of a project.
    pub(super) fn project(&mut self, name: &str) -> String {
        if name.is_empty() { "no project".to_owned() } else { self.word("project", name) }
    }

    /// A line of a record, word for word.
    pub(super) fn line(&mut self, what: &str, text: &str, key: &str) -> String {
        self.ledger.show(Fact::text(what, &one_line(text, MAX_LINE), key))
    }

    /// A day of the brief's zone.
    pub(super) fn day(&mut self, what: &str, at_ms: i64) -> String {
        self.ledger.show(Fact { label: Some(day(at_ms, &self.period.zone)), ..Fact::new(FactKind::Time, what) })
    }

    /// The name of a run.
    pub(super) fn run(&mut self, run: &RunRow) -> String {
        self.name(run.record, &run.key, &run.name, run.url.as_deref());
        self.ledger.show(Fact::text("run", &one_line(&run.key, MAX_NAME), &run.key))
    }

    /// The number and title of a pull.
    pub(super) fn pull(&mut self, pull: &PullRow) -> String {
        self.name(pull.record, &pull.key, &pull.title, pull.url.as_deref());
        let key = self.ledger.show(Fact::text("pull", &one_line(&pull.key, MAX_NAME), &pull.key));
        format!("{key} {}", self.ledger.show(Fact::text("title", &one_line(&pull.title, MAX_NAME), &pull.key)))
    }

    /// The path of a note.
    pub(super) fn note(&mut self, record: RecordId, key: &str, title: &str) -> String {
        self.name(record, key, title, None);
        self.ledger.show(Fact::text("note", &one_line(key, MAX_NAME), key))
    }

    /// A value of a metric.
    pub(super) fn value(&mut self, metric: &str, at: AtStep, run: &RunRow) -> String {
        self.ledger.show(Fact::metric(metric, Of::Best, at, &run.key, run.url.as_deref()))
    }

    /// A step.
    pub(super) fn step(&mut self, metric: &str, at: AtStep, run: &RunRow) -> String {
        self.ledger.show(Fact::new(FactKind::Step, metric).with_value(at.step as f64).from(&run.key, None))
    }

    /// A param as logged.
    pub(super) fn param(&mut self, name: &str, raw: &str, run: &RunRow) -> String {
        self.ledger.show(Fact::param(&one_line(name, MAX_NAME), &one_line(raw, MAX_NAME), &run.key, run.url.as_deref()))
    }

    fn name(&mut self, record: RecordId, key: &str, title: &str, url: Option<&str>) {
        if self.named.iter().all(|named| named.record != record) {
            let source = Source { key: key.to_owned(), title: title.to_owned(), url: url.map(str::to_owned) };
            self.named.push(Named { record, source });
        }
    }
}

/// A text on one line, cut where it is too long.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most).collect();
    format!("{}\u{2026}", cut.trim_end())
}
