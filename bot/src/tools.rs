//! The look-ups: typed calls that read the corpus under a scope. None has a scope, channel or user among its arguments.

mod best;
mod compare;
mod count;
mod curve;
pub(crate) mod format;
mod history;
pub(crate) mod mean;
mod pulls;
mod search;
mod show;

use jiff::tz::TimeZone;
use runlore_indexer::catalog::{CatalogError, RunFilter};
use runlore_indexer::index::vector::Filter;
use runlore_indexer::record::RecordId;
use runlore_indexer::run::Direction;
use runlore_indexer::search::{Corpus, SearchError};
use runlore_indexer::space::ReadScope;
use serde::Serialize;
use thiserror::Error;

use crate::chart::Chart;
use crate::chat::Quote;
use crate::facts::{Fact, Ledger, Of};

/// Which value of a series is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The best over the run's history.
    #[default]
    Best,
    /// The last one logged.
    Final,
    /// The one at a step.
    At(i64),
    /// All of them, shortened.
    Points,
}

/// A run that was named and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRef {
    /// The record.
    pub record: RecordId,
    /// `PROJECT/RUN`.
    pub key: String,
}

/// One typed look-up.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// The best runs by a metric; a direction where the question says one.
    Best { metric: String, direction: Option<Direction>, runs: RunFilter, show: Vec<String>, limit: usize },
    /// Two or more runs side by side, by one metric or by what differs.
    Compare { metric: Option<String>, runs: Vec<RunRef>, which: Which },
    /// A value, or the points, of one run's metric.
    History { metric: String, run: RunRef, which: Which, direction: Option<Direction> },
    /// One metric of several runs, as a chart.
    Curve { metric: String, runs: Vec<RunRef> },
    /// Mean, standard deviation and number of the runs' best.
    Mean { metric: String, direction: Option<Direction>, runs: RunFilter },
    /// How many runs.
    Count { runs: RunFilter },
    /// Runs, newest first.
    List { runs: RunFilter, limit: usize },
    /// One run's card.
    Show { run: RunRef },
    /// Params of one run.
    Param { names: Vec<String>, run: RunRef },
    /// Notes, pulls, configs, runs by words.
    Search { words: String, filter: Filter, limit: usize },
    /// A pull by number.
    Pull { number: i64 },
    /// A commit by the beginning of its hash.
    Commit { prefix: String },
}

/// What a look-up found, ready to be shown. Every number in `headline` and `lines` is a fact of the ledger, a quote or the question's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finding {
    /// The answer in one sentence or two.
    pub headline: String,
    /// Table or card, a line each.
    pub lines: Vec<String>,
    /// Verbatim pieces.
    pub quotes: Vec<Quote>,
    /// Records with title and address, the most important first.
    pub records: Vec<Source>,
    /// The run that is called best or better.
    pub best_record: Option<String>,
    /// Nothing answers the question.
    pub abstained: bool,
    /// Something that the reader should know about how it was found.
    pub notices: Vec<String>,
    /// What can be drawn.
    pub chart: Option<Chart>,
}

/// A record that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Where to look at it.
    pub url: Option<String>,
}

/// Why a look-up could not be made.
#[derive(Debug, Error)]
pub enum LookUpError {
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The search.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// What a look-up works on.
pub struct Desk<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// What may be read.
    pub scope: &'a ReadScope,
    /// Directions of metrics: declared by a person or by the tracker, else assumed from the name.
    pub directions: &'a crate::directions::Directions,
    /// The reader's time zone.
    pub zone: &'a TimeZone,
    /// The facts of this turn.
    pub ledger: &'a mut Ledger,
}

impl Finding {
    /// Nothing was found: a sentence that says what, and perhaps what there is instead.
    pub fn nothing(sentence: impl Into<String>) -> Self {
        Self { headline: sentence.into(), abstained: true, ..Self::default() }
    }

    /// Adds a record, once.
    pub fn cite(&mut self, key: &str, title: &str, url: Option<&str>) {
        if self.records.iter().all(|source| source.key != key) {
            self.records.push(Source { key: key.to_owned(), title: title.to_owned(), url: url.map(str::to_owned) });
        }
    }
}

impl Call {
    /// Looks it up.
    ///
    /// # Errors
    /// Where catalog or indexes do not serve.
    pub async fn look_up(&self, desk: &mut Desk<'_>) -> Result<Finding, LookUpError> {
        match self {
            Call::Best { metric, direction, runs, show, limit } => {
                best::look_up(desk, &best::Best { metric, direction: *direction, runs, show, limit: *limit }).await
            }
            Call::Compare { metric, runs, which } => compare::look_up(desk, metric.as_deref(), runs, *which).await,
            Call::History { metric, run, which, direction } => history::look_up(desk, metric, run, *which, *direction).await,
            Call::Curve { metric, runs } => curve::look_up(desk, metric, runs).await,
            Call::Mean { metric, direction, runs } => mean::look_up(desk, metric, *direction, runs).await,
            Call::Count { runs } => count::look_up(desk, runs).await,
            Call::List { runs, limit } => show::list(desk, runs, *limit).await,
            Call::Show { run } => show::look_up(desk, run).await,
            Call::Param { names, run } => show::params(desk, names, run).await,
            Call::Search { words, filter, limit } => search::look_up(desk, words, filter, *limit).await,
            Call::Pull { number } => pulls::pull(desk, *number).await,
            Call::Commit { prefix } => pulls::commit(desk, prefix).await,
        }
    }

    /// The tool's name, as in plans and in JSON.
    pub fn tool(&self) -> &'static str {
        match self {
            Call::Best { .. } => "best",
            Call::Compare { .. } => "compare",
            Call::History { .. } => "history",
            Call::Curve { .. } => "curve",
            Call::Mean { .. } => "mean",
            Call::Count { .. } => "count",
            Call::List { .. } => "runs",
            Call::Show { .. } => "run",
            Call::Param { .. } => "param",
            Call::Search { .. } => "search",
            Call::Pull { .. } => "pull",
            Call::Commit { .. } => "commit",
        }
    }

    /// The arguments, as in JSON.
    pub fn args(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Call::Best { metric, direction, runs, show, limit } => {
                json!({"metric": metric, "direction": direction, "runs": filter_json(runs), "show": show, "limit": limit})
            }
            Call::Compare { metric, runs, which } => json!({"metric": metric, "runs": keys(runs), "which": which}),
            Call::History { metric, run, which, direction } => {
                json!({"metric": metric, "run": run.key, "which": which, "direction": direction})
            }
            Call::Curve { metric, runs } => json!({"metric": metric, "runs": keys(runs)}),
            Call::Mean { metric, direction, runs } => json!({"metric": metric, "direction": direction, "runs": filter_json(runs)}),
            Call::Count { runs } => json!({"runs": filter_json(runs)}),
            Call::List { runs, limit } => json!({"runs": filter_json(runs), "limit": limit}),
            Call::Show { run } => json!({"run": run.key}),
            Call::Param { names, run } => json!({"params": names, "run": run.key}),
            Call::Search { words, filter, limit } => {
                json!({"words": words, "kinds": filter.kinds, "project": filter.project, "since_ms": filter.since_ms, "until_ms": filter.until_ms, "limit": limit})
            }
            Call::Pull { number } => json!({"number": number}),
            Call::Commit { prefix } => json!({"prefix": prefix}),
        }
    }
}

fn keys(runs: &[RunRef]) -> Vec<&str> {
    runs.iter().map(|run| run.key.as_str()).collect()
}

fn filter_json(runs: &RunFilter) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| _ = object.insert(name.to_owned(), value);
    if let Some(project) = &runs.project {
        put("project", project.as_str().into());
    }
    if let Some(status) = runs.status {
        put("status", status.as_str().into());
    }
    if let Some(name) = &runs.name {
        put("name", name.as_str().into());
    }
    for (name, value) in runs.params.iter().chain(&runs.tags) {
        put(name, value.as_str().into());
    }
    if let Some(since) = runs.since_ms {
        put("since_ms", since.into());
    }
    if let Some(until) = runs.until_ms {
        put("until_ms", until.into());
    }
    object.into()
}

/// A metric fact for a point of a series.
fn metric_fact(metric: &str, of: Of, at: runlore_indexer::run::AtStep, run: &runlore_indexer::catalog::RunRow) -> Fact {
    Fact::metric(metric, of, at, &run.key, run.url.as_deref())
}
