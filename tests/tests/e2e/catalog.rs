//! What goes into the catalog comes out under the scope that may read it, whatever was added, changed, moved and withheld before;
//! on SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use proptest::prelude::*;
use runlore_indexer::catalog::{Catalog, Placed, RunFilter, SyncEnd};
use runlore_indexer::chunk::chunk;
use runlore_indexer::record::{Body, Record, RecordId};
use runlore_indexer::redact::Taken;
use runlore_indexer::run::{Point, Run, RunStatus, Series};
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
