//! The canonical run: one shape for every tracker's runs (reference: shared sources.md 5.2), and the summary of a series.

use serde::{Deserialize, Serialize};

/// One run as its tracker holds it. Its project and times of creation stand in the `Record` around it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// As people call it; not unique.
    pub name: String,
    /// The status in Runlore's words.
    pub status: RunStatus,
    /// The status in the tracker's words.
    pub status_raw: String,
    /// Whether the tracker still shows it.
    pub lifecycle: Lifecycle,
    /// Milliseconds since 1970, UTC.
    pub started_ms: Option<i64>,
    /// Milliseconds since 1970, UTC; chosen by the client, so it may lie before the last point.
    pub ended_ms: Option<i64>,
    /// Who started it, as the tracker names them.
    pub user: Option<String>,
    /// The note written on the run, Markdown.
    pub notes: Option<String>,
    /// The commit that it ran, as logged.
    pub commit: Option<String>,
    /// Native id of the run that this one is nested under.
    pub parent: Option<String>,
    /// Key and raw text; typed only when compared.
    pub params: Vec<(String, String)>,
    /// Key and text.
    pub tags: Vec<(String, String)>,
    /// Data that it used.
    pub datasets: Vec<DatasetUse>,
    /// One entry a metric.
    pub series: Vec<Series>,
    /// Directions that the tracker itself declares, by metric key.
    pub directions: Vec<(String, Direction)>,
    /// Bounded text of logs and text artifacts.
    pub texts: Vec<RunText>,
}

/// A dataset that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatasetUse {
    /// Its name.
    pub name: String,
    /// Digest or version.
    pub digest: String,
    /// What for: `train`, `eval`...
    pub context: Option<String>,
}

/// A log or text artifact of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunText {
    /// Path among the run's artifacts.
    pub path: String,
    /// Its text, or the tail of it.
    pub text: String,
    /// Whether the beginning was cut off.
    pub cut: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Waiting to start.
    Queued,
    /// Running, as far as the tracker knows.
    Running,
    /// Ended by itself.
    Finished,
    /// Ended with an error.
    Failed,
    /// Vanished without an end.
    Crashed,
    /// Stopped from outside.
    Killed,
    /// Stopped early by a search.
    Pruned,
    /// The source has no status.
    #[default]
    Unknown,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [RunStatus; 8] =
        [Self::Queued, Self::Running, Self::Finished, Self::Failed, Self::Crashed, Self::Killed, Self::Pruned, Self::Unknown];

    /// The word in stores, filters and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Killed => "killed",
            Self::Pruned => "pruned",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word of `as_str`; anything else is `Unknown`.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or_default()
    }
}

/// Whether a tracker still shows a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lifecycle {
    /// Shown.
    #[default]
    Active,
    /// Put in the bin by a person: removed from catalog and indexes here.
    Deleted,
}

/// Which way a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

impl Direction {
    /// The word in stores and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// One metric of one run over steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The metric's key as logged.
    pub key: String,
    /// Every point, by step, then time.
    pub points: Vec<Point>,
}

/// One logged value. Not a number and the infinities are kept as such.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// As logged; 0 where the client gave none.
    pub step: i64,
    /// The value.
    pub value: f64,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
}

/// A value and the step at which it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtStep {
    /// The value.
    pub value: f64,
    /// Its step.
    pub step: i64,
}

/// What is kept of a series besides its curve: always computed over every point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Points in all, non-finite ones included.
    pub n: u64,
    /// The first point by step and time, whatever its value.
    pub first: Option<AtStep>,
    /// The last point by step and time, whatever its value.
    pub last: Option<AtStep>,
    /// The last finite point.
    pub last_finite: Option<AtStep>,
    /// The least finite value, at its first step.
    pub min: Option<AtStep>,
    /// The greatest finite value, at its first step.
    pub max: Option<AtStep>,
    /// Mean of the finite values.
    pub mean: Option<f64>,
    /// Points that are not a number.
    pub n_nan: u64,
    /// Points that are plus infinity.
    pub n_pos_inf: u64,
    /// Points that are minus infinity.
    pub n_neg_inf: u64,
    /// Step of the first point that is not finite.
    pub first_non_finite: Option<i64>,
}

impl Series {
    /// Puts the points in order: by step, then time; equal ones stay as they came.
    pub fn sort(&mut self) {
        self.points.sort_by_key(|point| (point.step, point.at_ms));
    }
}

impl Summary {
    /// Summarises points that are in order.
    pub fn of(points: &[Point]) -> Self {
        let mut summary = Self { n: points.len() as u64, ..Self::default() };
        let mut sum = 0.0;
        for point in points {
            let here = AtStep { value: point.value, step: point.step };
            summary.first.get_or_insert(here);
            summary.last = Some(here);
            if point.value.is_finite() {
                sum += point.value;
                summary.take_finite(here);
            } else {
                summary.count_non_finite(here);
            }
        }
        let n_finite = summary.n - summary.n_nan - summary.n_pos_inf - summary.n_neg_inf;
        summary.mean = (n_finite > 0).then(|| sum / n_finite as f64);
        summary
    }

    /// The best finite value in this direction.
    pub fn best(&self, direction: Direction) -> Option<AtStep> {
        match direction {
            Direction::Min => self.min,
            Direction::Max => self.max,
        }
    }

    /// Points that are not finite.
    pub fn n_non_finite(&self) -> u64 {
        self.n_nan + self.n_pos_inf + self.n_neg_inf
    }

    fn take_finite(&mut self, here: AtStep) {
        self.last_finite = Some(here);
        if self.min.is_none_or(|min| here.value < min.value) {
            self.min = Some(here);
        }
        if self.max.is_none_or(|max| here.value > max.value) {
            self.max = Some(here);
        }
    }

    fn count_non_finite(&mut self, here: AtStep) {
        self.first_non_finite.get_or_insert(here.step);
        match here.value {
            value if value.is_nan() => self.n_nan += 1,
            value if value > 0.0 => self.n_pos_inf += 1,
            _ => self.n_neg_inf += 1,
        }
    }
}
