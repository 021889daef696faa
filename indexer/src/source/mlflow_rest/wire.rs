//! The shapes on the wire, and what they mean. Numbers may come as numbers or as text; nothing is taken for certain to be there.

use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::run::{DatasetUse, Point};
use crate::source::folder::sha256;
use crate::source::mlflow::{self, Experiment, Pairs, RunData, RunInfo};

/// An answer of `experiments/search`.
#[derive(Debug, Deserialize)]
pub(super) struct ExperimentsPage {
    #[serde(default)]
    pub(super) experiments: Vec<WireExperiment>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// An answer of `runs/search`.
#[derive(Debug, Deserialize)]
pub(super) struct RunsPage {
    #[serde(default)]
    pub(super) runs: Vec<WireRun>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// An answer of `runs/get`.
#[derive(Debug, Deserialize)]
pub(super) struct RunAnswer {
    pub(super) run: WireRun,
}

/// An answer of `metrics/get-history`.
#[derive(Debug, Deserialize)]
pub(super) struct HistoryPage {
    #[serde(default)]
    pub(super) metrics: Vec<WireMetric>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// An answer of `artifacts/list`.
#[derive(Debug, Deserialize)]
pub(super) struct ArtifactsPage {
    #[serde(default)]
    pub(super) files: Vec<WireFile>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// What the server says when it refuses a call.
#[derive(Debug, Deserialize)]
pub(super) struct ApiError {
    pub(super) error_code: String,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireExperiment {
    #[serde(default, deserialize_with = "loose")]
    experiment_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
    #[serde(default)]
    tags: Vec<WirePair>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireRun {
    info: WireInfo,
    #[serde(default)]
    data: WireData,
    #[serde(default)]
    inputs: WireInputs,
}

#[derive(Debug, Deserialize)]
struct WireInfo {
    #[serde(default)]
    run_id: Option<String>,
    /// The name of `run_id` in old servers.
    #[serde(default)]
    run_uuid: Option<String>,
    #[serde(default)]
    run_name: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default, deserialize_with = "loose")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "loose")]
    end_time: Option<i64>,
    #[serde(default)]
    artifact_uri: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct WireData {
    #[serde(default)]
    metrics: Vec<WireMetric>,
    #[serde(default)]
    params: Vec<WirePair>,
    #[serde(default)]
    tags: Vec<WirePair>,
}

/// One point of a metric; in a listing the latest.
#[derive(Debug, Deserialize)]
pub(super) struct WireMetric {
    #[serde(default)]
    key: String,
    #[serde(default, deserialize_with = "loose")]
    value: Option<f64>,
    #[serde(default, deserialize_with = "loose")]
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "loose")]
    step: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct WirePair {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct WireInputs {
    #[serde(default)]
    dataset_inputs: Vec<WireDatasetInput>,
}

#[derive(Debug, Deserialize)]
struct WireDatasetInput {
    #[serde(default)]
    tags: Vec<WirePair>,
    dataset: WireDataset,
}

#[derive(Debug, Deserialize)]
struct WireDataset {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: String,
}

/// A file or folder among a run's artifacts.
#[derive(Debug, Deserialize)]
pub(super) struct WireFile {
    pub(super) path: String,
    #[serde(default)]
    pub(super) is_dir: bool,
    #[serde(default, deserialize_with = "loose")]
    pub(super) file_size: Option<u64>,
}

/// A run as a listing shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct ListedRun {
    pub(super) info: RunInfo,
    pub(super) data: RunData,
    /// Keys of its metrics, sorted.
    pub(super) metrics: Vec<String>,
    /// The latest values, as text, sorted by key.
    latest: String,
}

impl ListedRun {
    /// Shows every change that a listing shows.
    pub(super) fn fingerprint(&self, experiment: &Experiment, key: &str) -> String {
        let RunData { params, tags, datasets } = &self.data;
        let data = format!("{params:?}\n{tags:?}\n{datasets:?}");
        let parts = [&experiment.fingerprint(), &experiment.id, &self.info.fingerprint(), key, &data, &self.latest];
        sha256(&parts.map(str::as_bytes))
    }
}

impl From<WireExperiment> for Experiment {
    fn from(wire: WireExperiment) -> Self {
        Self {
            id: wire.experiment_id.unwrap_or_default(),
            name: wire.name.unwrap_or_default(),
            is_deleted: is_deleted(&wire.lifecycle_stage),
            tags: pairs(wire.tags),
        }
    }
}

impl From<WireRun> for ListedRun {
    fn from(wire: WireRun) -> Self {
        let WireRun { info, data, inputs } = wire;
        let tags = pairs(data.tags);
        let name = info.run_name.filter(|name| !name.is_empty());
        let mut metrics = data.metrics;
        metrics.sort_by(|a, b| a.key.cmp(&b.key));
        let mut datasets: Vec<DatasetUse> = inputs.dataset_inputs.into_iter().map(DatasetUse::from).collect();
        datasets.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        Self {
            info: RunInfo {
                id: info.run_id.or(info.run_uuid).unwrap_or_default(),
                name: name.or(mlflow::value_of(&tags, mlflow::NAME).map(str::to_owned)).unwrap_or_default(),
                user: info.user_id.unwrap_or_default(),
                status: info.status.unwrap_or_default(),
                started_ms: info.start_time,
                ended_ms: info.end_time.filter(|end| *end > 0),
                artifact_uri: info.artifact_uri.unwrap_or_default(),
                is_deleted: is_deleted(&info.lifecycle_stage),
            },
            data: RunData { params: pairs(data.params), tags, datasets },
            latest: format!("{metrics:?}"),
            metrics: metrics.into_iter().map(|metric| metric.key).collect(),
        }
    }
}

impl From<WireDatasetInput> for DatasetUse {
    fn from(wire: WireDatasetInput) -> Self {
        let tags = pairs(wire.tags);
        let context = mlflow::value_of(&tags, mlflow::CONTEXT).map(str::to_owned);
        Self { name: wire.dataset.name, digest: wire.dataset.digest, context }
    }
}

impl From<&WireMetric> for Point {
    fn from(wire: &WireMetric) -> Self {
        let value = mlflow::value(wire.value.unwrap_or_default(), false);
        Self { step: wire.step.unwrap_or_default(), value, at_ms: wire.timestamp.unwrap_or_default() }
    }
}

fn is_deleted(stage: &Option<String>) -> bool {
    stage.as_deref() == Some("deleted")
}

/// Sorted by key, so that a fingerprint does not depend on the server's order.
fn pairs(wire: Vec<WirePair>) -> Pairs {
    let mut pairs: Pairs = wire.into_iter().map(|pair| (pair.key, pair.value.unwrap_or_default())).collect();
    pairs.sort();
    pairs
}

/// A number that stands as a number or as text, `NaN` and `Infinity` included; absent where it is null. The digits are read by
/// the standard library, which is right to the last one; serde_json's own reading of fractions is not.
fn loose<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let text = raw.get().trim_matches('"');
    if text == "null" || text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("`{text}` is not a number")))
}
