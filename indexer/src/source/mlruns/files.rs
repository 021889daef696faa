//! The files of an `mlruns` folder, each as MLflow writes it.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ignore::WalkBuilder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::run::{DatasetUse, Point, Series};
use crate::source::Complaint;
use crate::source::folder::read_text;
use crate::source::mlflow::{self, Experiment, Pairs, RunData, RunInfo};

/// Where an experiment or run is described.
pub(super) const META: &str = "meta.yaml";
/// Longest param or tag that is read, in bytes; MLflow itself writes at most 8,000 characters.
const MAX_VALUE: u64 = 1 << 20;
/// Longest metric file that is read, in bytes: some ten million points.
const MAX_METRIC: u64 = 512 << 20;

/// Complaints about one run.
pub(super) struct Complaints {
    run_id: String,
    list: Vec<Complaint>,
}

impl Complaints {
    pub(super) fn about(run_id: &str) -> Self {
        Self { run_id: run_id.to_owned(), list: Vec::new() }
    }

    pub(super) fn into_inner(self) -> Vec<Complaint> {
        self.list
    }

    fn add(&mut self, place: impl Display, message: impl Display) {
        let native_id = Some(self.run_id.clone());
        self.list.push(Complaint { place: place.to_string(), message: message.to_string(), native_id });
    }
}

/// A run's `meta.yaml`.
pub(super) struct RunMeta {
    pub(super) info: RunInfo,
}

#[derive(Debug, Deserialize)]
struct ExperimentYaml {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RunYaml {
    #[serde(default)]
    run_id: Option<String>,
    /// The name of `run_id` in old folders.
    #[serde(default)]
    run_uuid: Option<String>,
    #[serde(default)]
    run_name: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    status: Option<i64>,
    #[serde(default)]
    start_time: Option<i64>,
    #[serde(default)]
    end_time: Option<i64>,
    #[serde(default)]
    artifact_uri: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
}

#[derive(Debug, Deserialize)]
struct InputYaml {
    #[serde(default)]
    source_type: Option<String>,
    #[serde(default)]
    source_id: Option<String>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct DatasetYaml {
    name: String,
    #[serde(default)]
    digest: Option<String>,
}

/// A complaint about a whole folder or file.
pub(super) fn complaint(path: &Path, message: &dyn Display) -> Complaint {
    Complaint { place: path.display().to_string(), message: message.to_string(), native_id: None }
}

/// An experiment, from its folder.
pub(super) fn experiment(folder: &Path) -> Result<Experiment, Complaint> {
    let yaml: ExperimentYaml = yaml(&folder.join(META))?;
    let id = name_of(folder);
    let mut ignored = Complaints::about(&id);
    let tags = pairs(&folder.join("tags"), &mut ignored);
    let name = yaml.name.unwrap_or_else(|| id.clone());
    Ok(Experiment { id, name, is_deleted: is_deleted(yaml.lifecycle_stage.as_deref()), tags })
}

/// A run, from its folder. A complaint names it, so that it counts as present.
pub(super) fn run(folder: &Path) -> Result<RunMeta, Complaint> {
    let folder_name = name_of(folder);
    let yaml: RunYaml = yaml(&folder.join(META)).map_err(|c| Complaint { native_id: Some(folder_name.clone()), ..c })?;
    let name = yaml.run_name.filter(|name| !name.is_empty());
    let tagged = || fs::read_to_string(folder.join("tags").join(mlflow::NAME)).ok();
    Ok(RunMeta {
        info: RunInfo {
            id: yaml.run_id.or(yaml.run_uuid).unwrap_or(folder_name),
            name: name.or_else(tagged).unwrap_or_default(),
            user: yaml.user_id.unwrap_or_default(),
            status: status(yaml.status).to_owned(),
            started_ms: yaml.start_time,
            ended_ms: yaml.end_time,
            artifact_uri: yaml.artifact_uri.unwrap_or_default(),
            is_deleted: is_deleted(yaml.lifecycle_stage.as_deref()),
        },
    })
}

/// The word for MLflow's number.
fn status(number: Option<i64>) -> &'static str {
    match number {
        Some(1) => "RUNNING",
        Some(2) => "SCHEDULED",
        Some(3) => "FINISHED",
        Some(4) => "FAILED",
        Some(5) => "KILLED",
        _ => "",
    }
}

fn is_deleted(stage: Option<&str>) -> bool {
    stage == Some("deleted")
}

/// Params, tags and datasets of a run.
pub(super) fn data(folder: &Path, complaints: &mut Complaints) -> RunData {
    RunData {
        params: pairs(&folder.join("params"), complaints),
        tags: pairs(&folder.join("tags"), complaints),
        datasets: datasets(folder, complaints),
    }
}

fn pairs(folder: &Path, complaints: &mut Complaints) -> Pairs {
    let mut pairs = Vec::new();
    for (key, path) in below(folder) {
        match text(&path, MAX_VALUE) {
            Ok(value) => pairs.push((key, value)),
            Err(e) => complaints.add(path.display(), e),
        }
    }
    pairs
}

fn datasets(folder: &Path, complaints: &mut Complaints) -> Vec<DatasetUse> {
    let mut found = Vec::new();
    let all = folder.parent().unwrap_or(folder).join("datasets");
    for (_, path) in below(&folder.join("inputs")).into_iter().filter(|(key, _)| key.ends_with(META)) {
        match dataset(&path, &all) {
            Ok(dataset) => found.extend(dataset),
            Err(complaint) => complaints.add(complaint.place, complaint.message),
        }
    }
    found.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
    found
}

fn dataset(input: &Path, all: &Path) -> Result<Option<DatasetUse>, Complaint> {
    let input: InputYaml = yaml(input)?;
    let Some(id) = input.source_id.filter(|id| input.source_type.as_deref() == Some("DATASET") && !id.contains(['/', '\\'])) else {
        return Ok(None);
    };
    let dataset: DatasetYaml = yaml(&all.join(id).join(META))?;
    let context = input.tags.unwrap_or_default().remove(mlflow::CONTEXT);
    Ok(Some(DatasetUse { name: dataset.name, digest: dataset.digest.unwrap_or_default(), context }))
}

/// Every metric of a run, with every point that can be read.
pub(super) fn series(folder: &Path, complaints: &mut Complaints) -> Vec<Series> {
    let mut all = Vec::new();
    for (key, path) in below(&folder.join("metrics")) {
        let points = match text(&path, MAX_METRIC) {
            Ok(text) => points(&text, &path, complaints),
            Err(e) => {
                complaints.add(path.display(), e);
                continue;
            }
        };
        let mut series = Series { key, points };
        series.sort();
        all.push(series);
    }
    all
}

fn points(text: &str, path: &Path, complaints: &mut Complaints) -> Vec<Point> {
    let mut points = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let parsed = if line.ends_with('\n') { point(line) } else { Err("half-written: it has no line end".to_owned()) };
        match parsed {
            Ok(point) => points.extend(point),
            Err(message) => complaints.add(format!("{}:{number}", path.display()), message),
        }
    }
    points
}

/// `TIME VALUE [STEP [DATASET DIGEST]]`; nothing for an empty line.
fn point(line: &str) -> Result<Option<Point>, String> {
    let mut parts = line.split_whitespace();
    let Some(at) = parts.next() else { return Ok(None) };
    let at_ms = at.parse().map_err(|_| format!("`{at}` is not a time in milliseconds"))?;
    let value = parts.next().ok_or("the value is missing")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
    let step = parts.next().map_or(Ok(0), |step| step.parse().map_err(|_| format!("`{step}` is not a step")))?;
    Ok(Some(Point { step, value, at_ms }))
}

/// Size and time of every file that describes a run, as text for its fingerprint.
pub(super) fn stamps(folder: &Path) -> String {
    let mut stamps = String::new();
    let files = ["params", "tags", "metrics", "inputs"].iter().flat_map(|part| below(&folder.join(part)));
    for (_, path) in files.chain([(String::new(), folder.join(META))]) {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        // Writing to a text in memory does not fail.
        let _ = writeln!(stamps, "{}\0{}\0{}", path.display(), metadata.len(), age.as_nanos());
    }
    stamps
}

/// The files below a folder with their keys: the path from there, with `/` between the parts. None where there is no folder.
fn below(folder: &Path) -> Vec<(String, PathBuf)> {
    let walk = WalkBuilder::new(folder).standard_filters(false).follow_links(false).sort_by_file_path(Ord::cmp).build();
    let files = walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.filter_map(|entry| Some((key_of(entry.path().strip_prefix(folder).ok()?), entry.into_path()))).collect()
}

fn key_of(relative: &Path) -> String {
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn yaml<T: DeserializeOwned>(path: &Path) -> Result<T, Complaint> {
    let text = text(path, MAX_VALUE).map_err(|e| complaint(path, &e))?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let message = error.without_snippet().to_string();
        Complaint { place: format!("{}:{line}", path.display()), message, native_id: None }
    })
}

fn text(path: &Path, max_bytes: u64) -> Result<String, String> {
    read_text(path, max_bytes).map(|file| file.text)
}
