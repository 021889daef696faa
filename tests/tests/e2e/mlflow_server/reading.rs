//! Reads a server as the pipeline does, keeps what it would keep, and compares that with what the server says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use runlore_indexer::record::{Body, Record};
use runlore_indexer::run::{DatasetUse, Point, Run, RunStatus, Series};
use runlore_indexer::source::{Item, Known, Listing, MlflowServer, Outlet, Place, Source, SourceError};
use serde::Deserialize;
use tokio::sync::mpsc;

/// One reading of a source: what came, and how it ended.
pub struct Reading {
    pub items: Vec<Item>,
    pub end: Result<Listing, SourceError>,
}

/// Reads the server to the end.
pub async fn read(server: &MlflowServer, known: Known) -> Reading {
    // Several tests of one process install it; the first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let source = Source { name: "tracker".to_owned(), place: Place::MlflowRest(server.clone()) };
    let (sender, mut receiver) = mpsc::channel(8);
    let reader = tokio::spawn(async move { source.read(known, Outlet::new(sender)).await });
    let mut items = Vec::new();
    while let Some(item) = receiver.recv().await {
        items.push(item);
    }
    Reading { items, end: reader.await.expect("the reader does not panic") }
}

/// What is held after some readings.
#[derive(Default)]
pub struct Held {
    records: HashMap<String, Record>,
    cursor: Option<String>,
    /// Of the last reading: place, message and id.
    pub complaints: Vec<(String, Option<String>)>,
    /// Records of the last reading.
    pub n_read: usize,
}

impl Held {
    /// Applies a reading that went well.
    pub fn take(&mut self, reading: Reading) {
        let listing = reading.end.expect("the server can be read");
        assert!(!listing.is_complete, "nothing may be deleted because it was not listed");
        self.cursor = listing.cursor;
        self.complaints.clear();
        self.n_read = 0;
        for item in reading.items {
            self.apply(item);
        }
    }

    fn apply(&mut self, item: Item) {
        match item {
            Item::Record(record) => {
                self.n_read += 1;
                self.records.insert(record.native_id.clone(), *record);
            }
            Item::Gone(id) => {
                self.records.remove(&id).expect("only what is held can go");
            }
            Item::Unchanged(id) => assert!(self.records.contains_key(&id), "`{id}` is held"),
            Item::Complaint(complaint) => self.complaints.push((complaint.message, complaint.native_id)),
            Item::Withheld(id) => assert!(self.records.contains_key(&id), "`{id}` is held"),
            Item::Expect(_) => {}
        }
    }

    /// What the pipeline would tell the reader next time.
    pub fn known(&self) -> Known {
        let fingerprints = self.records.iter().map(|(id, record)| (id.clone(), record.fingerprint.clone())).collect();
        Known { fingerprints, cursor: self.cursor.clone() }
    }

    pub fn has(&self, id: &str) -> bool {
        self.records.contains_key(id)
    }

    pub fn record(&self, id: &str) -> &Record {
        &self.records[id]
    }

    pub fn run(&self, id: &str) -> &Run {
        match &self.records[id].body {
            Body::Run(run) => run,
            other => panic!("`{id}` is {other:?}"),
        }
    }

    /// Everything held is what the server shows, but for the runs that we lost access to: those are held still, and complained about.
    pub fn assert_equals(&self, truth: &[Shown], lost: &BTreeSet<String>) {
        let held: BTreeSet<&str> = self.records.keys().map(String::as_str).filter(|id| !lost.contains(*id)).collect();
        let shown: BTreeSet<&str> = truth.iter().map(|run| run.id.as_str()).collect();
        let unshown: Vec<&str> = held.difference(&shown).map(|id| self.record(id).key.as_str()).collect();
        assert_eq!(held, shown, "held and not shown: {unshown:?}; complaints: {:?}", self.complaints);
        for run in truth {
            run.assert_same(self.record(&run.id), self.run(&run.id));
        }
        for id in lost {
            assert!(self.has(id), "`{id}` is kept");
            let is_told = self.complaints.iter().any(|(message, about)| about.as_ref() == Some(id) && message.contains("access lost"));
            assert!(is_told, "{:?}", self.complaints);
        }
        let keys: BTreeSet<&str> = self.records.values().map(|record| record.key.as_str()).collect();
        assert_eq!(keys.len(), self.records.len(), "keys are unique");
    }
}

/// A run as MLflow's client shows it.
#[derive(Debug, Deserialize)]
pub struct Shown {
    pub id: String,
    experiment: String,
    experiment_id: String,
    name: String,
    status: String,
    start: i64,
    end: Option<i64>,
    user: String,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    datasets: Vec<(String, String, String)>,
    /// Step, time and value as Python writes it.
    metrics: BTreeMap<String, Vec<(i64, i64, String)>>,
    texts: BTreeMap<String, ShownText>,
}

#[derive(Debug, Deserialize)]
struct ShownText {
    tail: String,
    size: u64,
}

/// Reads what the scenario's script wrote.
pub fn shown(text: &str) -> Vec<Shown> {
    serde_json::from_str(text).expect("runs as JSON")
}

impl Shown {
    fn assert_same(&self, record: &Record, run: &Run) {
        assert_eq!(record.project.as_deref(), Some(self.experiment.as_str()));
        assert_eq!((&run.name, &record.title), (&self.name, &self.name));
        assert!(record.key.starts_with(&format!("{}/{}", self.experiment, self.name)), "{}", record.key);
        let url = record.url.as_deref().unwrap_or_default();
        assert!(url.ends_with(&format!("/#/experiments/{}/runs/{}", self.experiment_id, self.id)), "{url}");
        assert_eq!((run.status, &run.status_raw), (status(&self.status), &self.status));
        assert_eq!((run.started_ms, run.ended_ms), (Some(self.start), self.end));
        assert_eq!(run.user.as_deref(), Some(self.user.as_str()));
        assert_eq!(run.params, pairs(&self.params, |_| true));
        assert_eq!(run.tags, pairs(&self.tags, is_kept));
        let datasets: Vec<DatasetUse> = self.datasets.iter().map(dataset).collect();
        assert_eq!(run.datasets, datasets);
        self.assert_same_series(run);
        self.assert_same_texts(run);
    }

    fn assert_same_series(&self, run: &Run) {
        let keys: Vec<&String> = run.series.iter().map(|series| &series.key).collect();
        assert_eq!(keys, self.metrics.keys().collect::<Vec<_>>(), "{}", self.name);
        for Series { key, points } in &run.series {
            let shown = &self.metrics[key];
            assert_eq!(points.len(), shown.len(), "{} {key}", self.name);
            for (point, (step, at_ms, value)) in points.iter().zip(shown) {
                let value: f64 = value.parse().expect("a number");
                assert!(is_same(*point, Point { step: *step, value, at_ms: *at_ms }), "{} {key}: {point:?}, not {value}", self.name);
            }
        }
    }

    fn assert_same_texts(&self, run: &Run) {
        let paths: BTreeSet<&String> = run.texts.iter().map(|text| &text.path).collect();
        assert_eq!(paths, self.texts.keys().collect(), "{}", self.name);
        for text in &run.texts {
            let shown = &self.texts[&text.path];
            assert!(shown.tail.ends_with(&text.text) && text.cut == (shown.size > shown.tail.len() as u64), "{}", text.path);
        }
    }
}

/// The same to the last bit, with one NaN as good as another.
fn is_same(a: Point, b: Point) -> bool {
    let is_same_value = a.value.to_bits() == b.value.to_bits() || a.value.is_nan() && b.value.is_nan();
    (a.step, a.at_ms) == (b.step, b.at_ms) && is_same_value
}

fn status(raw: &str) -> RunStatus {
    match raw {
        "RUNNING" => RunStatus::Running,
        "FINISHED" => RunStatus::Finished,
        "FAILED" => RunStatus::Failed,
        "KILLED" => RunStatus::Killed,
        other => panic!("the scenario has no `{other}`"),
    }
}

/// Tags that are not lifted into fields.
fn is_kept(tag: &str) -> bool {
    !["mlflow.note.content", "mlflow.user", "mlflow.parentRunId", "mlflow.source.git.commit", "mlflow.runName"].contains(&tag)
}

fn pairs(map: &BTreeMap<String, String>, keep: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    map.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn dataset((name, digest, context): &(String, String, String)) -> DatasetUse {
    DatasetUse { name: name.clone(), digest: digest.clone(), context: Some(context.clone()) }
}
