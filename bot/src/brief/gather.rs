//! What a brief may tell, read from the catalog under one scope before a word is written.

mod progress;
mod troubles;

use std::collections::{BTreeMap, HashMap, HashSet};

use runlore_indexer::catalog::{Catalog, CatalogError, NoteRow, PullRow, RunDetail, RunFilter, RunRow, Vocabulary};
use runlore_indexer::config::{PlacedSource, Settings};
use runlore_indexer::record::RecordId;
use runlore_indexer::run::{AtStep, RunStatus};
use runlore_indexer::space::ReadScope;

use super::Period;
use super::bests::{When, when};
use super::failures::Group;
use super::habits::{self, GpuHours, Silent};
use super::items::{self, ItemKind};
use crate::directions::{Directions, Known};

const DAY_MS: i64 = 24 * 3_600_000;

/// How far back runs may lie that are compared with those of the week: siblings of a best that differ by their seed.
const LOOK_BACK_MS: i64 = 28 * DAY_MS;

/// What is looked at.
pub(super) struct Asked<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) settings: &'a Settings,
    pub(super) scope: &'a ReadScope,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) directions: &'a Directions,
    pub(super) period: &'a Period,
    pub(super) now_ms: i64,
}

/// Everything that was found.
pub(super) struct Gathered {
    /// Runs that began in the period, by project and number.
    pub(super) began: Vec<RunRow>,
    /// Runs that ended in it.
    pub(super) ended: Vec<RunRow>,
    /// Runs of it that go on, silent ones apart.
    pub(super) n_running: usize,
    pub(super) bests: Vec<NewBest>,
    pub(super) failures: Vec<Group>,
    pub(super) silent: Vec<Silent>,
    pub(super) pulls: Vec<PullRow>,
    pub(super) linked: Vec<Linked>,
    pub(super) items: Vec<NoteItem>,
    pub(super) n_notes: usize,
    pub(super) gpu_hours: Option<GpuHours>,
    pub(super) without_notes: Vec<RunRow>,
    pub(super) oddly_named: Vec<RunRow>,
    pub(super) reading: Reading,
}

/// A project's new best by a metric.
#[derive(Debug, Clone)]
pub(super) struct NewBest {
    pub(super) metric: String,
    pub(super) known: Known,
    pub(super) run: RunRow,
    pub(super) at: AtStep,
    pub(super) previous: Option<(RunRow, AtStep)>,
    pub(super) seeds: Option<Seeds>,
}

/// The best values of runs that differ by their seed alone, the new best among them.
#[derive(Debug, Clone)]
pub(super) struct Seeds {
    pub(super) n: usize,
    pub(super) mean: f64,
    pub(super) sd: f64,
}

/// A pull whose merge runs of the period ran.
pub(super) struct Linked {
    pub(super) pull: PullRow,
    pub(super) runs: Vec<RunRow>,
}

/// A decision or an open item.
#[derive(Debug, Clone)]
pub(super) struct NoteItem {
    pub(super) kind: ItemKind,
    /// Word for word.
    pub(super) text: String,
    pub(super) note: RecordId,
    pub(super) key: String,
    pub(super) title: String,
}

/// When the sources that this scope reads were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// No source puts anything here.
    NoSource,
    /// None was ever read.
    Never,
    /// One was last read then, before the period was over, or never (none).
    Behind(Option<i64>),
    /// All were read since, the first of them then.
    UpToDate(i64),
}

impl Reading {
    /// The moment up to which everything is known.
    fn until_ms(self) -> Option<i64> {
        match self {
            Self::NoSource | Self::Never => None,
            Self::Behind(at_ms) => at_ms,
            Self::UpToDate(at_ms) => Some(at_ms),
        }
    }
}

/// The runs of a scope, and what a brief needs to know of them.
struct Runs {
    /// All that began before the moment as of which is looked.
    all: Vec<RunRow>,
    details: HashMap<RecordId, RunDetail>,
}

impl Asked<'_> {
    /// As of when it is looked: now, or a week after the period where that is longer ago.
    fn as_of_ms(&self) -> i64 {
        self.now_ms.min(self.period.end_ms.saturating_add(7 * DAY_MS))
    }
}

/// Reads everything.
///
/// # Errors
/// Where the catalog does not serve.
pub(super) async fn gather(asked: &Asked<'_>) -> Result<Gathered, CatalogError> {
    let (period, catalog, scope) = (asked.period, asked.catalog, asked.scope);
    let reading = reading(asked).await?;
    let until_ms = asked.as_of_ms().max(period.end_ms);
    let all = catalog.runs(scope, &RunFilter { until_ms: Some(until_ms), ..RunFilter::default() }).await?;
    let details = catalog.run_details(scope, period.start_ms.saturating_sub(LOOK_BACK_MS), until_ms).await?;
    let runs = Runs { all, details: details.into_iter().map(|detail| (detail.record, detail)).collect() };

    let began: Vec<&RunRow> = runs.all.iter().filter(|run| run.started_ms.is_some_and(|at| period.holds(at))).collect();
    let ended: Vec<&RunRow> = runs.all.iter().filter(|run| has_ended_in(run, period)).collect();
    let params = catalog.params_of(scope, &compared(asked, &runs)).await?;
    let bests = progress::bests(asked, &runs).await?;
    let failures = troubles::failures(asked, &runs, &params).await?;
    let silent = troubles::silent(asked, &runs, reading.until_ms()).await?;
    let pulls = catalog.pulls_merged(scope, period.start_ms, period.end_ms).await?;
    let linked = linked(asked, &runs, &began).await?;
    let notes = catalog.notes_between(scope, period.start_ms, period.end_ms).await?;
    let item = |note: &NoteRow| {
        let (record, key, title) = (note.record, note.key.clone(), note.title.clone());
        let of_note = items::items(&note.text).into_iter();
        of_note.map(move |(kind, text)| NoteItem { kind, text, note: record, key: key.clone(), title: title.clone() })
    };
    let has_no_note = |run: &&&RunRow| runs.details.get(&run.record).is_some_and(|detail| !detail.has_notes);
    let is_silent = |run: &RunRow| silent.iter().any(|silent| silent.run.record == run.record);
    let goes_on = |run: &&RunRow| run.status == RunStatus::Running && when(run, period) == When::Across && !is_silent(run);
    Ok(Gathered {
        n_running: runs.all.iter().filter(goes_on).count(),
        bests,
        failures,
        silent,
        pulls,
        linked,
        items: notes.iter().flat_map(item).collect(),
        n_notes: notes.len(),
        gpu_hours: habits::gpu_hours(&ended, &params),
        without_notes: began.iter().filter(has_no_note).map(|run| (*run).clone()).collect(),
        oddly_named: habits::oddly_named(&began, &runs.all).into_iter().cloned().collect(),
        reading,
        ended: ended.into_iter().cloned().collect(),
        began: began.into_iter().cloned().collect(),
    })
}

/// Whether a run ended in a period; one without an end that is not going on is taken to have ended when it began.
pub(super) fn has_ended_in(run: &RunRow, period: &Period) -> bool {
    let goes_on = matches!(run.status, RunStatus::Queued | RunStatus::Running);
    !goes_on && run.ended_ms.or(run.started_ms).is_some_and(|at| period.holds(at))
}

/// Runs whose params are looked at: those of the period, and what worked later in the same projects.
fn compared(asked: &Asked<'_>, runs: &Runs) -> Vec<RecordId> {
    let is_of_period = |run: &&RunRow| matches!(when(run, asked.period), When::Within | When::Across);
    let projects: HashSet<&str> = runs.all.iter().filter(is_of_period).map(|run| run.project.as_str()).collect();
    let came_later = |run: &&RunRow| run.started_ms >= Some(asked.period.end_ms) && run.status == RunStatus::Finished;
    let is_compared = |run: &&RunRow| is_of_period(run) || came_later(run) && projects.contains(run.project.as_str());
    runs.all.iter().filter(is_compared).map(|run| run.record).collect()
}

/// Pulls whose merge was run, each with the runs.
async fn linked(asked: &Asked<'_>, runs: &Runs, began: &[&RunRow]) -> Result<Vec<Linked>, CatalogError> {
    let mut by_commit: BTreeMap<&str, Vec<&RunRow>> = BTreeMap::new();
    for run in began {
        if let Some(commit) = runs.details.get(&run.record).and_then(|detail| detail.commit.as_deref()) {
            by_commit.entry(commit).or_default().push(run);
        }
    }
    let hashes: Vec<&str> = by_commit.keys().copied().collect();
    let pulls = asked.catalog.pulls_of_commits(asked.scope, &hashes).await?;
    let linked = pulls.into_iter().filter_map(|pull| {
        let runs = by_commit.get(pull.merge_commit.as_deref()?)?;
        Some(Linked { runs: runs.iter().map(|run| (*run).clone()).collect(), pull })
    });
    Ok(linked.collect())
}

/// How far the sources were read whose records this scope may hold, by the settings alone: that nothing of one is here says nothing.
async fn reading(asked: &Asked<'_>) -> Result<Reading, CatalogError> {
    let is_read_here = |source: &&PlacedSource| source.spaces().any(|space| asked.scope.holds(space));
    let names: Vec<&str> = asked.settings.sources.iter().filter(is_read_here).map(|source| source.source.name.as_str()).collect();
    let read = asked.catalog.last_read(&names).await?;
    let first = names.iter().map(|name| read.get(*name).copied()).min();
    // A week that goes on is as well known as it was yesterday.
    let due_ms = if asked.period.end_ms <= asked.now_ms { asked.period.end_ms } else { asked.now_ms - DAY_MS };
    Ok(match first {
        None => Reading::NoSource,
        Some(_) if read.is_empty() => Reading::Never,
        Some(Some(at_ms)) if at_ms >= due_ms => Reading::UpToDate(at_ms),
        Some(at_ms) => Reading::Behind(at_ms),
    })
}
