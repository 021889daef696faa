//! What MLflow says of a run, put into Runlore's words: shared by the readers of its server, its SQLite store and its folders.

pub(super) mod artifacts;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::folder::sha256;
use crate::record::{Body, Record};
use crate::run::{DatasetUse, Direction, Lifecycle, Point, Run, RunStatus, RunText, Series};

/// Tags that have a field of their own in `Run`.
const LIFTED: [&str; 5] = [NOTE, USER, PARENT, COMMIT, NAME];
/// Tags that hold machine text, nothing that a person would ask for.
const NOISE: [&str; 3] = ["mlflow.log-model.history", "mlflow.source.git.diff", "mlflow.loggedArtifacts"];

const NOTE: &str = "mlflow.note.content";
const USER: &str = "mlflow.user";
const PARENT: &str = "mlflow.parentRunId";
const COMMIT: &str = "mlflow.source.git.commit";
pub(super) const NAME: &str = "mlflow.runName";
/// The tag of a dataset's use that says what it was for.
pub(super) const CONTEXT: &str = "mlflow.data.context";
const PRIMARY_METRIC: &str = "mlflow.experiment.primaryMetric.name";
const GREATER_IS_BETTER: &str = "mlflow.experiment.primaryMetric.greaterIsBetter";

/// Key and text, as MLflow keeps params and tags.
pub(super) type Pairs = Vec<(String, String)>;

/// An MLflow experiment.
#[derive(Debug, Clone, Default)]
pub(super) struct Experiment {
    /// A number written as text.
    pub(super) id: String,
    /// What people call it; the project of its runs.
    pub(super) name: String,
    /// Whether it lies in the bin.
    pub(super) is_deleted: bool,
    /// Key and text.
    pub(super) tags: Pairs,
}

/// What a listing says of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct RunInfo {
    /// Thirty-two hex digits.
    pub(super) id: String,
    /// As shown; may be empty.
    pub(super) name: String,
    /// Who started it; may be empty.
    pub(super) user: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub(super) status: String,
    /// Milliseconds since 1970, UTC.
    pub(super) started_ms: Option<i64>,
    /// Milliseconds since 1970, UTC.
    pub(super) ended_ms: Option<i64>,
    /// Where its artifacts lie; may be empty.
    pub(super) artifact_uri: String,
    /// Whether it lies in the bin.
    pub(super) is_deleted: bool,
}

/// What belongs to a run besides its series and texts.
#[derive(Debug, Clone, Default)]
pub(super) struct RunData {
    /// Key and raw text.
    pub(super) params: Pairs,
    /// Key and text.
    pub(super) tags: Pairs,
    /// Data that it used.
    pub(super) datasets: Vec<DatasetUse>,
}

/// What the reader decided about a run's record.
#[derive(Debug, Clone, Default)]
pub(super) struct Placing {
    /// `EXPERIMENT/RUN`, unique within the source.
    pub(super) key: String,
    /// Where a person can look at it.
    pub(super) url: Option<String>,
    /// See `Record::fingerprint`.
    pub(super) fingerprint: String,
}

/// Everything read of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct ToldRun {
    pub(super) info: RunInfo,
    pub(super) data: RunData,
    pub(super) series: Vec<Series>,
    pub(super) texts: Vec<RunText>,
}

impl Experiment {
    /// The direction that the experiment declares for its primary metric.
    fn directions(&self) -> Vec<(String, Direction)> {
        let Some(metric) = value_of(&self.tags, PRIMARY_METRIC) else { return Vec::new() };
        let direction = match value_of(&self.tags, GREATER_IS_BETTER).map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "1") => Direction::Max,
            Some("false" | "0") => Direction::Min,
            _ => return Vec::new(),
        };
        vec![(metric.to_owned(), direction)]
    }

    /// What of the experiment shows in its runs' records, for their fingerprints.
    pub(super) fn fingerprint(&self) -> String {
        let directions = format!("{:?}", self.directions());
        sha256(&[self.name.as_bytes(), directions.as_bytes()])
    }
}

impl RunInfo {
    /// Its name, or its id where it has none.
    pub(super) fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Every field as text, for fingerprints.
    pub(super) fn fingerprint(&self) -> String {
        let times = format!("{:?} {:?}", self.started_ms, self.ended_ms);
        let parts = [&self.id, &self.name, &self.user, &self.status, &times, &self.artifact_uri];
        sha256(&parts.map(|part| part.as_bytes()))
    }
}

/// Gives each run of a source a key of its own. Runs must come by start time, then id, for the keys to be stable.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<String>);

impl Keys {
    /// `EXPERIMENT/RUN`, with the first eight digits of the id behind it (or the whole id) where that is taken.
    pub(super) fn claim(&mut self, experiment: &Experiment, run: &RunInfo) -> String {
        let plain = format!("{}/{}", experiment.name, run.shown_name());
        let short: String = run.id.chars().take(8).collect();
        let candidates = [plain.clone(), format!("{plain} ({short})")];
        let free = candidates.into_iter().find(|key| !self.0.contains(key));
        let key = free.unwrap_or_else(|| format!("{plain} ({})", run.id));
        self.0.insert(key.clone());
        key
    }
}

/// Puts runs into the order in which keys are given.
pub(super) fn sort_for_keys<T>(runs: &mut [T], info: impl Fn(&T) -> &RunInfo) {
    runs.sort_by(|a, b| {
        let (a, b) = (info(a), info(b));
        (a.started_ms, &a.id).cmp(&(b.started_ms, &b.id))
    });
}

/// The value as logged, told from what the SQL store and the server make of it: infinities stand there as the largest finite numbers.
pub(super) fn value(stored: f64, is_nan: bool) -> f64 {
    match stored {
        _ if is_nan => f64::NAN,
        stored if stored.abs() >= f64::MAX => f64::INFINITY.copysign(stored),
        stored => stored,
    }
}

/// Groups points that come with their keys, and puts each series in order.
pub(super) fn group(points: impl IntoIterator<Item = (String, Point)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (key, point) in points {
        match series.last_mut() {
            Some(last) if last.key == key => last.points.push(point),
            _ => series.push(Series { key, points: vec![point] }),
        }
    }
    series.iter_mut().for_each(Series::sort);
    series
}

/// The record of a run.
pub(super) fn record(experiment: &Experiment, told: ToldRun, placing: Placing) -> Record {
    let ToldRun { info, data, series, texts } = told;
    let last_point_ms = series.iter().flat_map(|one| &one.points).map(|point| point.at_ms).max();
    let name = info.shown_name().to_owned();
    let user = value_of(&data.tags, USER).map(str::to_owned).or(filled(&info.user));
    let run = Run {
        name: name.clone(),
        status: status(&info.status),
        status_raw: info.status.clone(),
        lifecycle: if info.is_deleted { Lifecycle::Deleted } else { Lifecycle::Active },
        started_ms: info.started_ms,
        ended_ms: info.ended_ms,
        user: user.clone(),
        notes: value_of(&data.tags, NOTE).map(str::to_owned),
        commit: value_of(&data.tags, COMMIT).map(str::to_owned),
        parent: value_of(&data.tags, PARENT).map(str::to_owned),
        params: data.params,
        tags: data.tags.into_iter().filter(|(key, _)| !is_dropped(key)).collect(),
        datasets: data.datasets,
        series,
        directions: experiment.directions(),
        texts,
    };
    Record {
        native_id: info.id,
        key: placing.key,
        title: name,
        project: Some(experiment.name.clone()),
        author: user,
        url: placing.url,
        created_ms: info.started_ms,
        updated_ms: info.ended_ms.max(last_point_ms).or(info.started_ms),
        fingerprint: placing.fingerprint,
        body: Body::Run(Box::new(run)),
    }
}

/// The status in Runlore's words (shared sources.md 5.4).
fn status(raw: &str) -> RunStatus {
    match raw {
        "SCHEDULED" => RunStatus::Queued,
        "RUNNING" => RunStatus::Running,
        "FINISHED" => RunStatus::Finished,
        "FAILED" => RunStatus::Failed,
        "KILLED" => RunStatus::Killed,
        _ => RunStatus::Unknown,
    }
}

fn is_dropped(tag: &str) -> bool {
    LIFTED.contains(&tag) || NOISE.contains(&tag)
}

/// The text under a key, unless it is empty.
pub(super) fn value_of<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a str> {
    pairs.iter().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v.as_str())
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
