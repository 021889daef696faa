//! Completion of commands, and of the names that the asker may see.

use std::sync::Arc;

use runlore_indexer::catalog::Vocabulary;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::command::COMMANDS;

/// Most names offered at once.
const MAX_OFFERED: usize = 60;

/// Asked each time before names are shown.
pub(super) type MayOffer = Box<dyn Fn() -> bool + Send + Sync>;

/// What can be completed.
pub(super) struct Names {
    vocabulary: Arc<Vocabulary>,
    may_offer: MayOffer,
}

impl Names {
    pub(super) fn new(vocabulary: Arc<Vocabulary>, may_offer: MayOffer) -> Self {
        Self { vocabulary, may_offer }
    }

    /// The names that begin with `start`, case ignored, in the order commands, projects, metrics, params, runs.
    fn offers(&self, start: &str, place: Place) -> Vec<String> {
        let vocabulary = &self.vocabulary;
        let commands = COMMANDS.iter().filter(|_| place == Place::First).copied();
        let projects = vocabulary.projects.iter().map(|project| project.name.as_str());
        let metrics = vocabulary.projects.iter().flat_map(|project| project.metrics.iter().map(String::as_str));
        let params = vocabulary.params.iter().map(|param| param.name.as_str());
        let keys = vocabulary.runs.iter().map(|run| run.key.as_str());
        let names = vocabulary.runs.iter().map(|run| run.name.as_str());
        let mut offers: Vec<String> = Vec::new();
        let lower = start.trim_start_matches('"').to_lowercase();
        for name in commands.chain(projects).chain(metrics).chain(params).chain(keys).chain(names).filter(|name| !name.is_empty()) {
            let begins = name.get(..lower.len()).is_some_and(|head| head.to_lowercase() == lower);
            let offer = if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() };
            if begins && offers.len() < MAX_OFFERED && !offers.contains(&offer) {
                offers.push(offer);
            }
        }
        offers
    }
}

/// Where the word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A command may begin here.
    First,
    Later,
}

/// The start of the word at the cursor; a quote that is open begins a word with spaces.
fn word_start(line: &str) -> usize {
    let n_quotes = line.matches('"').count();
    match line.rfind('"') {
        Some(quote) if n_quotes % 2 == 1 => quote,
        _ => line.rfind(|c: char| c.is_whitespace() || "=,".contains(c)).map_or(0, |space| space + 1),
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..pos).unwrap_or_default();
        let start = word_start(before);
        let place = if before[..start].trim().is_empty() { Place::First } else { Place::Later };
        if before.len() == start && place == Place::Later {
            return Ok((start, Vec::new()));
        }
        let offers = self.offers(&before[start..], place);
        let may_offer = !offers.is_empty() && (self.may_offer)();
        Ok((start, if may_offer { offers } else { Vec::new() }))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}

#[cfg(test)]
mod tests {
    use runlore_indexer::catalog::ProjectEntry;

    use super::*;

    fn offers_where(line: &str, may_offer: bool) -> Vec<String> {
        let metrics = ["val/map", "val/loss"].map(str::to_owned).into_iter().collect();
        let projects = ["vessel-detect", "tide forecast"];
        let project = |name: &str| ProjectEntry { name: name.to_owned(), n_runs: 1, metrics: std::collections::BTreeSet::clone(&metrics) };
        let vocabulary = Vocabulary { projects: projects.map(project).to_vec(), ..Vocabulary::default() };
        let history = rustyline::history::DefaultHistory::new();
        let context = Context::new(&history);
        let names = Names::new(Arc::new(vocabulary), Box::new(move || may_offer));
        names.complete(line, line.len(), &context).map(|(_, offers)| offers).unwrap_or_default()
    }

    fn offers(line: &str) -> Vec<String> {
        offers_where(line, true)
    }

    #[test]
    fn commands_come_first_and_names_anywhere() {
        assert_eq!(offers("be"), ["best"]);
        assert_eq!(offers("best VAL/"), ["val/loss", "val/map"]);
        assert_eq!(offers("best val/map in ves"), ["vessel-detect"]);
        assert_eq!(offers("best be"), Vec::<String>::new());
        assert_eq!(offers("best "), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_offered_that_may_not_be_shown() {
        assert_eq!(offers_where("be", false), Vec::<String>::new());
    }

    #[test]
    fn names_with_spaces_are_quoted() {
        assert_eq!(offers("count in tide"), ["\"tide forecast\""]);
        assert_eq!(offers("count in \"tide f"), ["\"tide forecast\""]);
    }
}
