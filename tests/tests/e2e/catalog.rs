//! What goes into the catalog comes out under the scope that may read it, whatever was added, changed, moved and withheld before;
//! on SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use proptest::prelude::*;
use runlore_indexer::catalog::{Catalog, Placed, RunFilter, SyncEnd, Whole};
use runlore_indexer::chunk::chunk;
use runlore_indexer::record::{Body, Record, RecordId};
use runlore_indexer::redact::Taken;
use runlore_indexer::run::{Point, Run, RunStatus, RunText, Series};
use runlore_indexer::space::{Hit, ReadScope, Space};
use runlore_tests::not_run::not_run;
use runlore_tests::postgres::Postgres;
use tempfile::TempDir;

/// A place for empty catalogs.
enum Database {
    Sqlite(TempDir),
    Postgres(Arc<Postgres>),
}

impl Database {
    fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    fn postgres() -> Result<Option<Self>> {
        Ok(Postgres::shared()?.inspect_err(|reason| not_run("the catalog's tests on PostgreSQL", reason)).ok().map(Self::Postgres))
    }

    async fn empty_catalog(&self) -> Catalog {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let url = match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join(format!("{number}.db")).display()),
            Self::Postgres(server) => server.fresh_database().unwrap(),
        };
        Catalog::open(&url).await.unwrap()
    }
}

fn scope(labels: &[&str]) -> ReadScope {
    ReadScope::for_maintenance(labels.iter().map(|label| Space::new(label).unwrap()).collect::<BTreeSet<_>>())
}

fn placed(native_id: &str, space: &str, body: Body) -> Placed {
    let project = matches!(body, Body::Run(_)).then(|| "p".to_owned());
    let record = Record {
        native_id: native_id.to_owned(),
        key: native_id.to_owned(),
        title: native_id.to_owned(),
        project,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: "f".to_owned(),
        body,
    };
    let space = Space::new(space).unwrap();
    Placed { id: RecordId::of("s", &space, &record), space, chunks: chunk(&record), taken: Taken::default(), record }
}

fn run(values: &[f64]) -> Body {
    let points = values.iter().enumerate().map(|(i, &value)| Point { step: i as i64, value, at_ms: i as i64 }).collect();
    let series = vec![Series { key: "loss".to_owned(), points }];
    Body::Run(Box::new(Run { name: "r".to_owned(), status: RunStatus::Failed, series, ..Run::default() }))
}

#[tokio::test]
async fn values_that_are_no_numbers_come_back_as_they_were() -> Result<()> {
    for database in [Some(Database::sqlite()), Database::postgres()?].into_iter().flatten() {
        let catalog = database.empty_catalog().await;
        let body = run(&[f64::NAN, 2.0, f64::INFINITY, 1.0, f64::NEG_INFINITY, f64::NAN]);
        catalog.begin("s", "notes", "h").await?;
        catalog.store("s", &[placed("r1", "team", body)]).await?;
        catalog.finish("s", &SyncEnd::default()).await?;
        let row = catalog.runs(&scope(&["team"]), &RunFilter::default()).await?.remove(0);
        assert_eq!((row.number, row.status), (Some(1), RunStatus::Failed));
        let summary = catalog.series(&scope(&["team"]), "loss", &[row.record]).await?[0].summary;
        assert!(summary.first.unwrap().value.is_nan() && summary.last.unwrap().value.is_nan());
        assert_eq!((summary.min.unwrap().value, summary.max.unwrap().value, summary.last_finite.unwrap().step), (1.0, 2.0, 3));
        assert_eq!((summary.n_nan, summary.n_pos_inf, summary.n_neg_inf, summary.first_non_finite), (2, 1, 1, Some(0)));
        let curve = catalog.curve(&scope(&["team"]), row.record, "loss").await?.unwrap();
        assert!(curve.is_whole() && curve.points[2].value == f64::INFINITY);
        assert!(catalog.runs(&scope(&["other"]), &RunFilter::default()).await?.is_empty());
    }
    Ok(())
}

/// A run with this tag, these points and this log.
fn logged(tag: &str, values: &[f64], log: &str) -> Body {
    let Body::Run(run) = run(values) else { panic!("a run") };
    let texts = vec![RunText { path: "out.log".to_owned(), text: log.to_owned(), cut: false }];
    Body::Run(Box::new(Run { tags: vec![("state".to_owned(), tag.to_owned())], texts, ..*run }))
}

/// What was made of a record stands while the record is in the scope and says no less than it did.
#[tokio::test]
async fn what_grows_stands_and_what_is_edited_does_not() -> Result<()> {
    for database in [Some(Database::sqlite()), Database::postgres()?].into_iter().flatten() {
        let catalog = database.empty_catalog().await;
        catalog.begin("s", "notes", "h").await?;
        let put = async |id: &str, space: &str, body: Body| {
            let placed = placed(id, space, body);
            let record = placed.id;
            catalog.store("s", &[placed]).await?;
            let standing = async |label: &str| anyhow::Ok(catalog.standing(&scope(&[label]), &[record]).await?.get(&record).copied());
            anyhow::Ok((catalog.last_change().await?, standing("a").await?, standing("b").await?))
        };
        let note = |text: &str| Body::Note(text.to_owned());
        let (first, ..) = put("n.md", "a", note("One entry.\n")).await?;
        assert_eq!(put("n.md", "a", note("One entry.\n\nAnother entry.\n")).await?.1, Some(0), "it says more");
        assert_eq!(catalog.last_loss(&scope(&["a"])).await?, 0);
        assert!(catalog.unpurged(5).await?.is_empty());
        let (change, edited, _) = put("n.md", "a", note("One entry.\n")).await?;
        assert!(change > first && edited == Some(change), "an entry is gone");
        assert_eq!(catalog.last_loss(&scope(&["a"])).await?, 0, "what is counted is there yet");

        put("r", "a", logged("new", &[1.0], "step 1\n")).await?;
        assert_eq!(put("r", "a", logged("new", &[1.0, 2.0], "step 1\nstep 2\n")).await?.1, Some(0), "it went on");
        let (change, edited, _) = put("r", "a", logged("old", &[1.0, 2.0], "step 1\nstep 2\n")).await?;
        assert!(edited == Some(change) && catalog.last_loss(&scope(&["a"])).await? == change, "a tag is gone");
        let (change, edited, _) = put("r", "a", logged("old", &[1.0, 2.0], "step 2\n")).await?;
        assert_eq!(edited, Some(change), "a line of the log is gone");
        let Body::Run(bare) = logged("old", &[], "step 2\n") else { panic!("a run") };
        let (change, edited, _) = put("r", "a", Body::Run(Box::new(Run { series: Vec::new(), ..*bare }))).await?;
        assert_eq!(edited, Some(change), "a metric is gone");
        assert_eq!(put("r", "a", logged("old", &[1.0, 2.0], "step 2\n")).await?.1, Some(change), "it is logged again");
        assert!(catalog.has_less_since(&scope(&["a"]), change - 1).await? && !catalog.has_less_since(&scope(&["a"]), change).await?);
        assert!(!catalog.has_less_since(&scope(&["b"]), 0).await?, "of another space");

        let (change, in_a, in_b) = put("r", "b", logged("old", &[1.0, 2.0], "step 2\n")).await?;
        assert_eq!((in_a, in_b), (None, Some(0)), "it moved");
        assert_eq!((catalog.last_loss(&scope(&["a"])).await?, catalog.last_loss(&scope(&["b"])).await?), (change - 1, 0));
        let unpurged = catalog.unpurged(5).await?;
        let of: Vec<Whole> = unpurged.iter().map(|unpurged| unpurged.of.clone()).collect();
        assert_eq!(of, [Whole::Space(Space::new("a").unwrap()), Whole::Catalog]);
        assert_eq!(catalog.unpurged(9).await?, unpurged, "since when is kept");
        for unpurged in &unpurged {
            catalog.note_purged(unpurged).await?;
        }
        assert!(catalog.unpurged(9).await?.is_empty());
        assert_eq!(put("r", "a", logged("old", &[1.0, 2.0], "step 2\n")).await?.1, Some(change + 2), "it came back");
    }
    Ok(())
}

/// Runs are numbered by project and space, for good; of a project that is gone only a hash stays, by which its numbers go on.
#[tokio::test]
async fn numbers_tell_of_no_other_space_and_go_on_after_a_project_came_back() -> Result<()> {
    for database in [Some(Database::sqlite()), Database::postgres()?].into_iter().flatten() {
        let catalog = database.empty_catalog().await;
        catalog.begin("s", "mlruns", "h").await?;
        let numbers = async |label: &str| {
            let runs = catalog.runs(&scope(&[label]), &RunFilter::default()).await?;
            anyhow::Ok(runs.into_iter().map(|run| (run.native_id, run.number)).collect::<Vec<_>>())
        };
        let of = |id: &str, number: i64| (id.to_owned(), Some(number));
        catalog.store("s", &[placed("r1", "a", run(&[1.0])), placed("r2", "b", run(&[1.0])), placed("r3", "a", run(&[1.0]))]).await?;
        catalog.finish("s", &SyncEnd::default()).await?;
        assert_eq!((numbers("a").await?, numbers("b").await?), (vec![of("r1", 1), of("r3", 2)], vec![of("r2", 1)]));
        let gone = ["r1", "r2", "r3"].map(str::to_owned).to_vec();
        catalog.finish("s", &SyncEnd { gone, ..SyncEnd::default() }).await?;
        catalog.clear(&Default::default()).await?;
        catalog.store("s", &[placed("r4", "a", run(&[1.0])), placed("r3", "a", run(&[1.0]))]).await?;
        catalog.finish("s", &SyncEnd::default()).await?;
        assert_eq!(numbers("a").await?, [of("r3", 2), of("r4", 3)]);
    }
    Ok(())
}

#[derive(Debug, Clone)]
enum Act {
    Put(u8, u8, u8),
    Forget(u8),
    Withhold(u8),
    ShowAgain(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..6u8, 0..4u8, 0..3u8).prop_map(|(id, text, space)| Act::Put(id, text, space)),
        1 => (0..6u8).prop_map(Act::Forget),
        1 => (0..6u8).prop_map(Act::Withhold),
        1 => (0..6u8).prop_map(Act::ShowAgain),
    ]
}

#[test]
fn adding_changing_moving_and_withholding_equals_a_plain_map() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (database, n_cases) in [(Some(Database::sqlite()), 48), (Database::postgres()?, 12)] {
        let Some(database) = database else { continue };
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(n_cases));
        let acts = proptest::collection::vec(act(), 1..30);
        runner.run(&acts, |acts| runtime.block_on(follow(acts, &database)))?;
    }
    Ok(())
}

const SPACES: [&str; 3] = ["a", "b", "c"];

/// A note as a plain map holds it.
struct Plain {
    text: u8,
    space: u8,
    is_withheld: bool,
}

/// What an index that follows the change feed holds: by record and space, the hash of the text.
#[derive(Default)]
struct Indexed {
    hashes: BTreeMap<(RecordId, usize), String>,
    applied: [i64; 3],
}

impl Indexed {
    async fn follow(&mut self, catalog: &Catalog) {
        for (which, label) in SPACES.iter().enumerate() {
            let space = Space::new(label).unwrap();
            for change in catalog.changes(&space, self.applied[which], 100).await.unwrap() {
                self.applied[which] = change.number;
                self.hashes.remove(&(change.record, which));
                for chunk in catalog.chunks(&space, &[change.record]).await.unwrap() {
                    self.hashes.insert((change.record, which), chunk.text_hash);
                }
            }
        }
    }

    fn hits(&self) -> Vec<Hit> {
        let hit = |((record, space), hash): (&(RecordId, usize), &String)| Hit {
            space: Space::new(SPACES[*space]).unwrap(),
            record: *record,
            position: 0,
            text_hash: hash.clone(),
            score: 1.0,
        };
        self.hashes.iter().map(hit).collect()
    }
}

async fn take(act: Act, catalog: &Catalog, plain: &mut BTreeMap<u8, Plain>) {
    let name = |id: u8| BTreeSet::from([format!("{id}.md")]);
    match act {
        Act::Put(id, text, space) => {
            plain.insert(id, Plain { text, space, is_withheld: false });
            let body = Body::Note(format!("text {text}"));
            catalog.store("s", &[placed(&format!("{id}.md"), SPACES[space as usize], body)]).await.unwrap();
        }
        Act::Forget(id) => {
            plain.remove(&id);
            catalog.finish("s", &SyncEnd { gone: vec![format!("{id}.md")], ..SyncEnd::default() }).await.unwrap();
        }
        Act::Withhold(id) => {
            plain.get_mut(&id).into_iter().for_each(|note| note.is_withheld = true);
            catalog.finish("s", &SyncEnd { withheld: name(id), ..SyncEnd::default() }).await.unwrap();
        }
        Act::ShowAgain(id) => {
            plain.get_mut(&id).into_iter().for_each(|note| note.is_withheld = false);
            catalog.finish("s", &SyncEnd { shown: name(id), ..SyncEnd::default() }).await.unwrap();
        }
    }
}

/// Follows the acts in the catalog, through the change feed, and in a map; all three must agree.
async fn follow(acts: Vec<Act>, database: &Database) -> Result<(), TestCaseError> {
    let catalog = database.empty_catalog().await;
    catalog.begin("s", "notes", "h").await.unwrap();
    let mut plain: BTreeMap<u8, Plain> = BTreeMap::new();
    let mut indexed = Indexed::default();
    for act in acts {
        take(act, &catalog, &mut plain).await;
        indexed.follow(&catalog).await;
    }
    let shown: Vec<(&u8, &Plain)> = plain.iter().filter(|(_, note)| !note.is_withheld).collect();
    prop_assert_eq!(indexed.hashes.len(), shown.len());
    for (which, label) in SPACES.iter().enumerate() {
        let admitted = catalog.admit(&scope(&[label]), &indexed.hits()).await.unwrap();
        let of_space = shown.iter().filter(|(_, note)| note.space as usize == which);
        let expected: BTreeSet<(String, String)> = of_space.map(|(id, note)| (format!("{id}.md"), format!("text {}", note.text))).collect();
        let seen: BTreeSet<(String, String)> = admitted.iter().map(|p| (p.key().to_owned(), p.text().to_owned())).collect();
        prop_assert_eq!(seen, expected);
    }
    Ok(())
}
