//! Names in typed commands: each is one that the vocabulary holds, or the reason why not.

use runlore_indexer::catalog::Vocabulary;

use super::Stop;
use super::words::Word;
use crate::answer::link::{Resolved, resolve_metric, resolve_param, resolve_project, resolve_run};
use crate::refusal::Refusal;
use crate::tools::RunRef;

/// Names listed in a hint.
const MAX_LISTED: usize = 6;

/// Words that stand where a name could, in questions: "best run in ...".
const GENERIC: [&str; 14] =
    ["run", "runs", "model", "models", "result", "results", "config", "configs", "score", "value", "one", "metric", "experiment", "total"];

/// So like a name must a word be to be taken for a slip of it; 1 is the same.
const SLIP: f64 = 0.7;

/// What a condition's key names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// A param.
    Param(String),
    /// A tag.
    Tag(String),
}

/// Finds names in the vocabulary.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) vocabulary: &'a Vocabulary,
}

impl<'a> Names<'a> {
    /// The project of this name.
    pub(super) fn project(&self, word: &Word) -> Result<String, Stop> {
        let name = word.text.as_str();
        if let Some(project) = self.vocabulary.projects.iter().find(|project| project.name.eq_ignore_ascii_case(name)) {
            return Ok(project.name.clone());
        }
        match with_its_numbers(name, resolve_project(name, self.vocabulary)) {
            Resolved::One(project) => Ok(project),
            Resolved::Many(projects) => Err(ambiguous(name, "project", &projects)),
            Resolved::Nothing { nearest } => Err(unknown(word, format!("There is no project `{name}`."), &nearest)),
        }
    }

    /// The metric of this name. Several words must be those of one metric, in order: anything else is a question.
    pub(super) fn metric(&self, words: &[Word], project: Option<&str>) -> Result<String, Stop> {
        let word = match words {
            [] => return Err(Stop::Question),
            [word] => word,
            several => return self.metric_of_words(several, project).ok_or(Stop::Question),
        };
        let name = word.text.as_str();
        if self.metrics(project).any(|metric| metric == name) {
            return Ok(name.to_owned());
        }
        match with_its_numbers(name, resolve_metric(name, project, self.vocabulary)) {
            Resolved::One(metric) => Ok(metric),
            Resolved::Many(metrics) => Err(ambiguous(name, "metric", &metrics)),
            Resolved::Nothing { nearest } => match project {
                // Beside a project that is there the word can only be a metric, however little it looks like one.
                Some(project) if !is_generic(word) => Err(not_there(format!("`{name}` is not logged in `{project}`."), &nearest)),
                _ => Err(unknown(word, format!("`{name}` is not logged."), &nearest)),
            },
        }
    }

    /// The param of this name.
    pub(super) fn param(&self, word: &Word) -> Result<String, Stop> {
        let name = word.text.as_str();
        if self.vocabulary.params.iter().any(|param| param.name == name) {
            return Ok(name.to_owned());
        }
        match with_its_numbers(name, resolve_param(name, self.vocabulary)) {
            Resolved::One(param) => Ok(param),
            Resolved::Many(params) => Err(ambiguous(name, "param", &params)),
            Resolved::Nothing { nearest } => Err(unknown(word, format!("There is no param `{name}`."), &nearest)),
        }
    }

    /// The run of this name.
    pub(super) fn run(&self, word: &Word, project: Option<&str>) -> Result<RunRef, Stop> {
        let name = word.text.as_str();
        match resolve_run(name, project, self.vocabulary) {
            Resolved::One(run) => Ok(run),
            Resolved::Many(runs) => Err(ambiguous(name, "run", &runs.into_iter().map(|run| run.key).collect::<Vec<_>>())),
            Resolved::Nothing { nearest } => Err(unknown(word, format!("There is no run `{name}`."), &nearest)),
        }
    }

    /// The project of a run.
    pub(super) fn project_of(&self, run: &RunRef) -> Option<&'a str> {
        self.vocabulary.runs.iter().find(|entry| entry.record == run.record).map(|entry| entry.project.as_str())
    }

    /// The param or tag of a condition; of a name that is both, the one that has the value.
    pub(super) fn key(&self, name: &str, value: &str) -> Result<Key, Stop> {
        let param = self.vocabulary.params.iter().find(|param| param.name == name);
        let tags = || self.vocabulary.tags.iter().filter(|tag| tag.name.eq_ignore_ascii_case(name));
        let tag_has_value = tags().any(|tag| tag.value.eq_ignore_ascii_case(value));
        match (param, tags().next()) {
            (Some(param), Some(tag)) if tag_has_value && !param.values.contains(value) => Ok(Key::Tag(tag.name.clone())),
            (Some(param), _) => Ok(Key::Param(param.name.clone())),
            (None, Some(tag)) => Ok(Key::Tag(tag.name.clone())),
            (None, None) => self.param(&Word::quoted(name)).map(Key::Param).map_err(|stop| self.with_tags(name, stop)),
        }
    }

    /// A key that is no param may be a mistyped tag.
    fn with_tags(&self, name: &str, stop: Stop) -> Stop {
        let is_near = |tag: &str| strsim::normalized_damerau_levenshtein(&tag.to_lowercase(), &name.to_lowercase()) > SLIP;
        let near = self.vocabulary.tags.iter().map(|tag| tag.name.as_str()).find(|tag| is_near(tag));
        match (near, stop) {
            (Some(tag), Stop::Refused(_)) => {
                let sentence = format!("There is no param or tag `{name}`.");
                Stop::Refused(Refusal::new(sentence).with_hint(format!("The nearest is `{tag}`.")))
            }
            (_, stop) => stop,
        }
    }

    fn metrics(&self, project: Option<&str>) -> impl Iterator<Item = &'a str> {
        let is_in = move |name: &str| project.is_none_or(|project| project == name);
        self.vocabulary.projects.iter().filter(move |entry| is_in(&entry.name)).flat_map(|entry| entry.metrics.iter().map(String::as_str))
    }

    fn metric_of_words(&self, words: &[Word], project: Option<&str>) -> Option<String> {
        let parts = |text: &str| {
            text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let said: Vec<String> = words.iter().flat_map(|word| parts(&word.text)).collect();
        self.metrics(project).find(|metric| parts(metric) == said).map(str::to_owned)
    }
}

/// A likeness that leaves out a number of the name is another name: `top5` is not `top1`.
fn with_its_numbers(name: &str, resolved: Resolved<String>) -> Resolved<String> {
    let numbers = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).map(str::to_owned).collect()
    };
    match resolved {
        Resolved::One(found) if numbers(name).iter().any(|number| !numbers(&found).contains(number)) => {
            Resolved::Nothing { nearest: vec![found] }
        }
        resolved => resolved,
    }
}

fn ambiguous(name: &str, what: &str, candidates: &[String]) -> Stop {
    let more = if candidates.len() > MAX_LISTED { " and others" } else { "" };
    let sentence = format!("`{name}` can be more than one {what}.");
    Stop::Refused(Refusal::new(sentence).with_hint(format!("Write one of {}{more}.", listed(candidates))))
}

/// A refusal where the word looks like a name that was mistyped, else the line is a question.
fn unknown(word: &Word, sentence: String, nearest: &[String]) -> Stop {
    let name = word.text.as_str();
    let is_marked = word.is_quoted || name.chars().any(|c| c.is_ascii_digit() || "/_.-#".contains(c));
    if is_generic(word) || !is_marked && !nearest.iter().any(|near| is_slip(name, near)) {
        return Stop::Question;
    }
    not_there(sentence, nearest)
}

/// Whether a word is about anything, such as `run`.
fn is_generic(word: &Word) -> bool {
    GENERIC.contains(&word.text.to_lowercase().as_str()) && !word.is_quoted
}

fn not_there(sentence: String, nearest: &[String]) -> Stop {
    let refusal = Refusal::new(sentence);
    Stop::Refused(match nearest {
        [] => refusal,
        [one] => refusal.with_hint(format!("The nearest is `{one}`.")),
        several => refusal.with_hint(format!("The nearest are {}.", listed(several))),
    })
}

/// Whether a word without any mark of a name is a name with a letter or two wrong.
fn is_slip(word: &str, name: &str) -> bool {
    let (word, name) = (word.to_lowercase(), name.to_lowercase());
    let last = name.rsplit('/').next().unwrap_or(&name);
    [name.as_str(), last].iter().any(|name| strsim::normalized_damerau_levenshtein(&word, name) > SLIP)
}

fn listed(names: &[String]) -> String {
    names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
