//! What goes into the catalog comes out under the scope that may read it, whatever was added, changed and moved before.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::chunk::chunk;
use crate::record::{Body, Record, RecordId};
use crate::run::{Point, Run, RunStatus, Series};
use crate::space::{Hit, ReadScope, Space};

async fn catalog() -> (tempfile::TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&format!("sqlite://{}", folder.path().join("c.db").display())).await.unwrap();
    (folder, catalog)
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
    Placed { id: RecordId::of("s", &record), space: Space::new(space).unwrap(), chunks: chunk(&record), record }
}

fn run(values: &[f64]) -> Body {
    let points = values.iter().enumerate().map(|(i, &value)| Point { step: i as i64, value, at_ms: i as i64 }).collect();
    let series = vec![Series { key: "loss".to_owned(), points }];
    Body::Run(Box::new(Run { name: "r".to_owned(), status: RunStatus::Failed, series, ..Run::default() }))
}

#[tokio::test]
async fn values_that_are_no_numbers_come_back_as_they_were() {
    let (_folder, catalog) = catalog().await;
    let body = run(&[f64::NAN, 2.0, f64::INFINITY, 1.0, f64::NEG_INFINITY, f64::NAN]);
    catalog.begin("s", "notes", "h").await.unwrap();
    catalog.store("s", &[placed("r1", "team", body)]).await.unwrap();
    catalog.finish("s", &SyncEnd::default()).await.unwrap();
    let row = catalog.runs(&scope(&["team"]), &RunFilter::default()).await.unwrap().remove(0);
    assert_eq!((row.number, row.status), (Some(1), RunStatus::Failed));
    let summary = catalog.series(&scope(&["team"]), "loss", &[row.record]).await.unwrap()[0].summary;
    assert!(summary.first.unwrap().value.is_nan() && summary.last.unwrap().value.is_nan());
    assert_eq!((summary.min.unwrap().value, summary.max.unwrap().value, summary.last_finite.unwrap().step), (1.0, 2.0, 3));
    assert_eq!((summary.n_nan, summary.n_pos_inf, summary.n_neg_inf, summary.first_non_finite), (2, 1, 1, Some(0)));
    let curve = catalog.curve(&scope(&["team"]), row.record, "loss").await.unwrap().unwrap();
    assert!(curve.is_whole() && curve.points[2].value == f64::INFINITY);
    assert!(catalog.runs(&scope(&["other"]), &RunFilter::default()).await.unwrap().is_empty());
}

#[test]
fn a_long_curve_keeps_its_ends_extremes_and_what_is_not_finite() {
    let mut points: Vec<Point> = (0..30_000).map(|i| Point { step: i, value: (i as f64 * 0.01).sin(), at_ms: i }).collect();
    points[12_345].value = -7.0;
    points[23_456].value = f64::NAN;
    let kept = curve::decode(&curve::encode(&points).unwrap()).unwrap();
    assert!(kept.len() <= 10_000);
    assert_eq!((kept[0].step, kept[kept.len() - 1].step), (0, 29_999));
    assert!(kept.iter().any(|point| point.step == 12_345 && point.value == -7.0));
    assert!(kept.iter().any(|point| point.step == 23_456 && point.value.is_nan()));
}

#[derive(Debug, Clone)]
enum Act {
    Put(u8, u8, u8),
    Forget(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![4 => (0..6u8, 0..4u8, 0..3u8).prop_map(|(id, text, space)| Act::Put(id, text, space)), 1 => (0..6u8).prop_map(Act::Forget)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn adding_changing_moving_and_removing_equals_a_plain_map(acts in proptest::collection::vec(act(), 1..30)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(follow(acts))?;
    }
}

/// Follows the acts in the catalog, through the change feed, and in a map; all three must agree.
async fn follow(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let spaces = ["a", "b", "c"];
    let (_folder, catalog) = catalog().await;
    catalog.begin("s", "notes", "h").await.unwrap();
    let mut plain: BTreeMap<u8, (u8, u8)> = BTreeMap::new();
    let mut indexed: BTreeMap<(RecordId, usize), String> = BTreeMap::new();
    let mut applied = [0; 3];
    for act in acts {
        match act {
            Act::Put(id, text, space) => {
                plain.insert(id, (text, space));
                let body = Body::Note(format!("text {text}"));
                catalog.store("s", &[placed(&format!("{id}.md"), spaces[space as usize], body)]).await.unwrap();
            }
            Act::Forget(id) => {
                plain.remove(&id);
                catalog.finish("s", &SyncEnd { gone: vec![format!("{id}.md")], ..SyncEnd::default() }).await.unwrap();
            }
        }
        for (which, label) in spaces.iter().enumerate() {
            let space = Space::new(label).unwrap();
            for change in catalog.changes(&space, applied[which], 100).await.unwrap() {
                applied[which] = change.number;
                indexed.remove(&(change.record, which));
                for chunk in catalog.chunks(&space, &[change.record]).await.unwrap() {
                    indexed.insert((change.record, which), chunk.text_hash);
                }
            }
        }
    }
    prop_assert_eq!(indexed.len(), plain.len());
    for (which, label) in spaces.iter().enumerate() {
        let hits: Vec<Hit> = indexed
            .iter()
            .map(|((record, space), hash)| Hit {
                space: Space::new(spaces[*space]).unwrap(),
                record: *record,
                position: 0,
                text_hash: hash.clone(),
                score: 1.0,
            })
            .collect();
        let admitted = catalog.admit(&scope(&[label]), &hits).await.unwrap();
        let expected: BTreeSet<(String, String)> = plain
            .iter()
            .filter(|(_, (_, space))| *space as usize == which)
            .map(|(id, (text, _))| (format!("{id}.md"), format!("text {text}")))
            .collect();
        let seen: BTreeSet<(String, String)> = admitted.iter().map(|p| (p.key().to_owned(), p.text().to_owned())).collect();
        prop_assert_eq!(seen, expected);
    }
    Ok(())
}
