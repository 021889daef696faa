//! One line of the push format.

use serde_json::Value;

use super::fields::Fields;
use crate::record::{Body, Commit, Config, Pull, Record, RecordKind, TouchedFile};
use crate::run::{DatasetUse, Direction, Lifecycle, Point, Run, RunStatus, RunText, Series};
use crate::source::configs;

/// The version of the format that this reads.
const VERSION: &str = "1";

/// Longest text of a log that is kept, from its end, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// What a line says.
pub(super) enum Line {
    /// A thing, or more of it.
    Record(Box<Record>),
    /// The thing is gone.
    Delete { kind: RecordKind, native_id: String },
}

impl Line {
    pub(super) fn native_id(&self) -> &str {
        match self {
            Self::Record(record) => &record.native_id,
            Self::Delete { native_id, .. } => native_id,
        }
    }
}

/// A line that was read, and what was wrong with parts of it.
pub(super) struct ParsedLine {
    pub(super) line: Line,
    pub(super) unknown_keys: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Why a line was not read, and what it was about where that is known.
pub(super) struct BadLine {
    pub(super) message: String,
    pub(super) native_id: Option<String>,
}

impl From<String> for BadLine {
    fn from(message: String) -> Self {
        Self { message, native_id: None }
    }
}

/// Parses one line.
///
/// # Errors
/// Where it is no JSON object, of another version or type, or lacks what names it.
pub(super) fn parse(text: &str) -> Result<ParsedLine, BadLine> {
    let value = configs::json::parse(text).map_err(|problem| problem.message)?;
    let Value::Object(map) = value else { return Err("not a JSON object".to_owned().into()) };
    let mut fields = Fields::new(map);
    if let Some(version) = fields.text("v").filter(|v| v != VERSION) {
        return Err(format!("version `{version}` of the push format is not known; this reads version {VERSION}").into());
    }
    let line = match fields.needed("type")?.as_str() {
        "run" => Line::Record(Box::new(run(&mut fields)?)),
        "note" => Line::Record(Box::new(note(&mut fields)?)),
        "config" => Line::Record(Box::new(config(&mut fields)?)),
        "pull" => Line::Record(Box::new(pull(&mut fields)?)),
        "commit" => Line::Record(Box::new(commit(&mut fields)?)),
        "delete" => Line::Delete { kind: fields.needed("kind")?.parse()?, native_id: fields.needed("id")? },
        other => {
            let message = format!("type `{other}` is not known; there are run, note, config, pull, commit, delete");
            return Err(BadLine { message, native_id: fields.text("id") });
        }
    };
    let (unknown_keys, warnings) = fields.into_rest();
    Ok(ParsedLine { line, unknown_keys, warnings })
}

/// The record around a body, with the fields that all types have.
fn record(fields: &mut Fields, native_id: String, key: String, body: Body) -> Record {
    Record {
        native_id,
        key,
        title: fields.text("title").unwrap_or_default(),
        project: fields.text("project"),
        author: fields.text("author"),
        url: fields.text("url"),
        created_ms: fields.moment("created"),
        updated_ms: fields.moment("updated"),
        fingerprint: String::new(),
        body,
    }
}

fn run(fields: &mut Fields) -> Result<Record, BadLine> {
    let id = fields.needed("id")?;
    let status_raw = fields.text("status").unwrap_or_default();
    let status = RunStatus::from_word(&status_raw.to_lowercase());
    if status == RunStatus::Unknown && !matches!(status_raw.as_str(), "" | "unknown") {
        fields.warnings.push(format!("status `{status_raw}` is not known; it is kept as `unknown`"));
    }
    let run = Run {
        name: fields.text("name").unwrap_or_default(),
        status,
        status_raw,
        lifecycle: Lifecycle::Active,
        started_ms: fields.moment("started"),
        ended_ms: fields.moment("ended"),
        user: fields.text("user"),
        notes: fields.text("notes"),
        commit: fields.text("commit"),
        parent: fields.text("parent"),
        params: fields.pairs("params"),
        tags: fields.pairs("tags"),
        datasets: datasets(fields),
        series: series(fields),
        directions: directions(fields),
        texts: texts(fields),
    };
    Ok(record(fields, id, String::new(), Body::Run(Box::new(run))))
}

fn datasets(fields: &mut Fields) -> Vec<DatasetUse> {
    let used = fields.objects("datasets").into_iter().filter_map(|mut item| {
        let name = item.text("name")?;
        Some(DatasetUse { name, digest: item.text("digest").unwrap_or_default(), context: item.text("context") })
    });
    used.collect()
}

fn texts(fields: &mut Fields) -> Vec<RunText> {
    let texts = fields.objects("texts").into_iter().filter_map(|mut item| Some(bounded(item.text("path")?, item.text("text")?)));
    texts.collect()
}

/// The end of a text, from a whole line on where there is one: half of a secret would not be known as one.
fn bounded(path: String, text: String) -> RunText {
    if text.len() <= MAX_TEXT {
        return RunText { path, text, cut: false };
    }
    let tail = &text[text.ceil_char_boundary(text.len() - MAX_TEXT)..];
    let lines = tail.split_once('\n').map_or("", |(_, lines)| lines);
    RunText { path, text: if lines.is_empty() { tail } else { lines }.to_owned(), cut: true }
}

fn directions(fields: &mut Fields) -> Vec<(String, Direction)> {
    let mut directions = Vec::new();
    for (key, word) in fields.pairs("directions") {
        match word.as_str() {
            "min" => directions.push((key, Direction::Min)),
            "max" => directions.push((key, Direction::Max)),
            _ => fields.warnings.push(format!("direction `{word}` of `{key}` is neither `min` nor `max`; it is left out")),
        }
    }
    directions
}

fn series(fields: &mut Fields) -> Vec<Series> {
    let metrics = match fields.take("metrics") {
        None => return Vec::new(),
        Some(Value::Object(metrics)) => metrics,
        Some(_) => {
            fields.warnings.push("`metrics` is not an object; it is left out".to_owned());
            return Vec::new();
        }
    };
    let mut series = Vec::with_capacity(metrics.len());
    for (key, value) in metrics {
        let given = match value {
            Value::Array(given) => given,
            single => vec![Value::Array(vec![Value::from("0"), single])],
        };
        let points: Vec<Option<Point>> = given.iter().map(point).collect();
        if points.contains(&None) {
            let n_bad = points.iter().filter(|point| point.is_none()).count();
            fields
                .warnings
                .push(format!("metric `{key}`: {n_bad} points are not `[step, value]` or `[step, value, ms]`; they are left out"));
        }
        series.push(Series { key, points: points.into_iter().flatten().collect() });
    }
    series
}

fn point(value: &Value) -> Option<Point> {
    let parts = value.as_array().filter(|parts| (2..=3).contains(&parts.len()))?;
    let at_ms = match parts.get(2) {
        Some(ms) => whole(ms)?,
        None => 0,
    };
    Some(Point { step: whole(&parts[0])?, value: number(&parts[1])?, at_ms })
}

/// `null` is how many exporters write what is not a number.
fn number(value: &Value) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_str()?.parse().ok() }
}

fn whole(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64))
}

fn note(fields: &mut Fields) -> Result<Record, BadLine> {
    let id = fields.needed("id")?;
    let text = fields.text("text").unwrap_or_default();
    Ok(record(fields, id.clone(), id, Body::Note(text)))
}

fn config(fields: &mut Fields) -> Result<Record, BadLine> {
    let id = fields.needed("id")?;
    let text = fields.text("text").unwrap_or_default();
    let mut values = fields.pairs("values");
    if values.is_empty() && !text.is_empty() {
        let flat = configs::flatten(&id, &text);
        values = flat.values;
        fields.warnings.extend(flat.problem.map(|problem| format!("`text`: {problem}")));
    }
    Ok(record(fields, id.clone(), id, Body::Config(Config { text, values })))
}

fn pull(fields: &mut Fields) -> Result<Record, BadLine> {
    let repository = fields.needed("repository")?;
    let number = fields.needed("number")?;
    let number: u64 = number.parse().map_err(|_| format!("`number`: `{number}` is not a whole number"))?;
    let merged_ms = fields.moment("merged");
    let pull = Pull {
        number,
        description: fields.text("description").unwrap_or_default(),
        head: fields.text("head"),
        merge_commit: fields.text("merge_commit"),
        merged_ms,
        commits: fields.list("commits").into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        files: files(fields),
        repository,
    };
    let native_id = format!("{}#{number}", pull.repository);
    let mut record = record(fields, native_id, format!("#{number}"), Body::Pull(pull));
    record.created_ms = record.created_ms.or(merged_ms);
    record.updated_ms = record.updated_ms.or(merged_ms);
    Ok(record)
}

fn files(fields: &mut Fields) -> Vec<TouchedFile> {
    let files = fields.objects("files").into_iter().filter_map(|mut item| {
        let path = item.text("path")?;
        Some(TouchedFile { path, added: item.count("added").unwrap_or(0), deleted: item.count("deleted").unwrap_or(0) })
    });
    files.collect()
}

fn commit(fields: &mut Fields) -> Result<Record, BadLine> {
    let repository = fields.needed("repository")?;
    let hash = fields.needed("hash")?;
    let message = fields.text("message").unwrap_or_default();
    let commit = Commit { repository, hash: hash.clone(), message, pull: fields.count("pull") };
    let key = hash.chars().take(10).collect();
    Ok(record(fields, hash, key, Body::Commit(commit)))
}
