//! Which way a metric gets better, and how we know.

use std::collections::{BTreeMap, HashMap};

use runlore_indexer::run::Direction;

/// A direction and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The direction.
    pub direction: Direction,
    /// How we know.
    pub why: Why,
}

/// How a direction is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The question says so.
    Asked,
    /// The settings say so.
    Declared,
    /// The tracker says so.
    Logged,
    /// Guessed from the metric's name.
    Assumed,
}

impl Why {
    /// A phrase for people.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Asked => "as asked",
            Self::Declared => "declared in the settings",
            Self::Logged => "logged by the tracker",
            Self::Assumed => "assumed from the name",
        }
    }
}

/// What the settings and the trackers say.
#[derive(Debug, Clone, Default)]
pub struct Directions {
    /// By metric key, or by its last part.
    pub declared: BTreeMap<String, Direction>,
    /// By project and metric key.
    pub logged: HashMap<(String, String), Direction>,
}

/// Words in a metric's name that mean that lower is better; everything else is assumed to be better when higher.
const LOWER_IS_BETTER: [&str; 25] = [
    "loss",
    "error",
    "err",
    "wer",
    "cer",
    "ter",
    "mae",
    "mse",
    "rmse",
    "mape",
    "perplexity",
    "ppl",
    "nll",
    "bpb",
    "bpc",
    "fid",
    "time",
    "latency",
    "duration",
    "memory",
    "eer",
    "brier",
    "ece",
    "regret",
    "cost",
];

impl Directions {
    /// The direction of a metric in a project.
    pub fn of(&self, project: &str, metric: &str) -> Known {
        let last = metric.rsplit(['/', '.']).next().unwrap_or(metric);
        if let Some(direction) = self.declared.get(metric).or_else(|| self.declared.get(last)) {
            return Known { direction: *direction, why: Why::Declared };
        }
        if let Some(direction) = self.logged.get(&(project.to_owned(), metric.to_owned())) {
            return Known { direction: *direction, why: Why::Logged };
        }
        let lower = metric.to_lowercase();
        let is_lower = lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|part| LOWER_IS_BETTER.contains(&part.trim_end_matches(char::is_numeric)));
        Known { direction: if is_lower { Direction::Min } else { Direction::Max }, why: Why::Assumed }
    }

    /// The direction that the question asks for, else the one that is known.
    pub fn asked(&self, asked: Option<Direction>, project: &str, metric: &str) -> Known {
        let known = self.of(project, metric);
        match asked {
            Some(direction) if direction != known.direction => Known { direction, why: Why::Asked },
            _ => known,
        }
    }
}

/// `lower is better` or `higher is better`.
pub fn phrase(direction: Direction) -> &'static str {
    match direction {
        Direction::Min => "lower is better",
        Direction::Max => "higher is better",
    }
}
