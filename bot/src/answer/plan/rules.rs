//! Which look-ups a question's words allow, and which they settle.

use runlore_indexer::record::RecordKind;
use runlore_indexer::run::Direction;
use serde::Deserialize;

use super::super::link::Links;
use crate::tools::Which;

/// The look-ups that a question can lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Best runs.
    Best,
    /// Mean over runs.
    Mean,
    /// Number of runs.
    Count,
    /// List of runs.
    Runs,
    /// Runs side by side.
    Compare,
    /// One run's metric.
    History,
    /// A param of one run.
    Param,
    /// One run's card.
    Run,
    /// Notes, pulls, configs.
    Search,
    /// A pull by number.
    Pull,
    /// A commit by hash.
    Commit,
}

impl Tool {
    /// The word in prompts and schemas.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Mean => "mean",
            Self::Count => "count",
            Self::Runs => "runs",
            Self::Compare => "compare",
            Self::History => "history",
            Self::Param => "param",
            Self::Run => "run",
            Self::Search => "search",
            Self::Pull => "pull",
            Self::Commit => "commit",
        }
    }

    /// Whether its answer is a value from runs, so that every name in the question must be accounted for.
    pub fn is_numeric(self) -> bool {
        !matches!(self, Self::Search | Self::Pull | Self::Commit)
    }
}

/// What the words of a question leave to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The likeliest look-up.
    pub tool: Tool,
    /// All that are possible; one alone is settled.
    pub possible: Vec<Tool>,
    /// Which value of a series.
    pub which: Which,
    /// The direction that the question asks for.
    pub direction: Option<Direction>,
    /// The question asks for the wrong end: `worst`.
    pub is_worst: bool,
    /// Kinds of record that the question asks for.
    pub kinds: Vec<RecordKind>,
}

/// Words of the question, lower-cased, for the tests below.
struct Asked {
    text: String,
    words: Vec<String>,
}

impl Asked {
    fn has(&self, any: &[&str]) -> bool {
        self.words.iter().any(|word| any.contains(&word.as_str()))
    }

    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|phrase| self.text.contains(phrase))
    }
}

/// So many words that nothing accounts for make a question about values doubtful.
const DOUBTFUL: usize = 2;

/// Chooses from the words that are left when the names are taken out: in `mean average precision` nobody asks for a mean.
pub fn choose(links: &Links) -> Choice {
    let text = format!(" {} ", links.plain);
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let asked = Asked { text, words };
    let (tool, which) = likeliest(&asked, links);
    let possible = possible(&asked, links, tool);
    Choice { tool, possible, which, direction: direction(&asked), is_worst: asked.has(&["worst", "poorest"]), kinds: kinds(&asked) }
}

fn likeliest(asked: &Asked, links: &Links) -> (Tool, Which) {
    if wants_pulls(asked) && links.pulls.is_empty() {
        return (Tool::Search, Which::Best);
    }
    if !links.pulls.is_empty() && links.runs.is_empty() {
        return (Tool::Pull, Which::Best);
    }
    if !links.commits.is_empty() {
        return (Tool::Commit, Which::Best);
    }
    let is_about_reasons =
        asked.says(&[" why ", " how did ", " how do ", " how does ", " how to ", " how often ", " what caused ", " what made ", " who "]);
    let is_about_runs = links.runs.len() > 1 || links.runs.len() == 1 && links.metrics.is_empty();
    if is_about_reasons && !is_about_runs {
        return (Tool::Search, Which::Best);
    }
    if !links.runs.is_empty() {
        return of_runs(asked, links);
    }
    let counts_runs = asked.says(&["how many", "number of", "count "]) && !asked.says(&["how many steps", "number of steps"]);
    if counts_runs && links.metrics.is_empty() && links.absent_metric.is_none() {
        return (Tool::Count, Which::Best);
    }
    let has_metric = !links.metrics.is_empty() || links.absent_metric.is_some();
    if has_metric && asked.has(&["mean", "average", "averaged", "avg", "typical", "typically"]) {
        return (Tool::Mean, Which::Best);
    }
    if has_metric && (is_superlative(asked) || !links.params.is_empty() || links.unexplained.is_empty()) {
        return (Tool::Best, Which::Best);
    }
    let asks_for_a_list =
        asked.says(&["which runs", "what runs", "list ", "show me the runs", "show runs", "are running", "still running"]);
    if asks_for_a_list && links.unexplained.len() < DOUBTFUL {
        return (Tool::Runs, Which::Best);
    }
    (Tool::Search, Which::Best)
}

/// What is asked of runs that are named.
fn of_runs(asked: &Asked, links: &Links) -> (Tool, Which) {
    if links.runs.len() > 1 {
        let which = if wants_final(asked) { Which::Final } else { Which::Best };
        return (Tool::Compare, which);
    }
    if !links.metrics.is_empty() || links.absent_metric.is_some() {
        let at_step = asked.words.windows(2).find(|pair| pair[0] == "step").and_then(|pair| pair[1].parse::<i64>().ok());
        let which = match at_step {
            Some(step) => Which::At(step),
            None if wants_final(asked) => Which::Final,
            None if asked.says(&["over time", "curve", "history", "over steps", "progress", "evolve"]) => Which::Points,
            None => Which::Best,
        };
        return (Tool::History, which);
    }
    if !links.params.is_empty() {
        return (Tool::Param, Which::Best);
    }
    (Tool::Run, Which::Best)
}

/// Look-ups between which the words do not decide.
fn possible(asked: &Asked, links: &Links, tool: Tool) -> Vec<Tool> {
    let is_doubtful = links.unexplained.len() >= DOUBTFUL;
    match tool {
        Tool::Best | Tool::Mean if is_doubtful => vec![tool, Tool::Search],
        Tool::Count if links.unexplained.len() > DOUBTFUL => vec![Tool::Count, Tool::Search],
        Tool::Runs if is_doubtful => vec![Tool::Runs, Tool::Search],
        Tool::Search if wants_pulls(asked) => vec![Tool::Search],
        Tool::Search if !links.metrics.is_empty() => vec![Tool::Search, Tool::Best, Tool::Mean],
        Tool::History if links.unexplained.len() > DOUBTFUL => vec![Tool::History, Tool::Run, Tool::Search],
        _ => vec![tool],
    }
}

fn is_superlative(asked: &Asked) -> bool {
    direction(asked).is_some() || asked.has(&["best", "better", "worst", "strongest", "good", "record", "win", "wins", "won", "winner"])
}

fn wants_final(asked: &Asked) -> bool {
    asked.has(&["final", "finally", "end", "ended", "ends", "last", "finish", "finished", "finishes", "closing", "eventual"])
}

/// The end of the scale that the question names.
fn direction(asked: &Asked) -> Option<Direction> {
    if asked.has(&["lowest", "minimum", "minimal", "min", "smallest", "least", "fewest", "low", "bottom"]) {
        return Some(Direction::Min);
    }
    asked.has(&["highest", "maximum", "maximal", "max", "largest", "greatest", "peak", "top", "high", "most"]).then_some(Direction::Max)
}

fn wants_pulls(asked: &Asked) -> bool {
    asked.has(&["pr", "prs", "pull", "pulls", "mr"]) || asked.says(&["merge request"])
}

fn kinds(asked: &Asked) -> Vec<RecordKind> {
    if wants_pulls(asked) {
        return vec![RecordKind::Pull];
    }
    if asked.has(&["commit", "commits", "committed"]) {
        return vec![RecordKind::Commit, RecordKind::Pull];
    }
    if asked.says(&["config file", "in the config", "which config"]) {
        return vec![RecordKind::Config, RecordKind::Note];
    }
    Vec::new()
}
