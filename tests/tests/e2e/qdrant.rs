//! What every vector index must do, on the edge shard and on a real Qdrant server alike; and a cluster that loses a node.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use runlore_indexer::index::vector::{EmbeddedChunk, Filter, VectorIndex};
use runlore_indexer::index::vector_edge::EdgeVectors;
use runlore_indexer::index::vector_qdrant::QdrantVectors;
use runlore_indexer::record::{RecordId, RecordKind};
use runlore_indexer::space::{Hit, Space};
use runlore_tests::qdrant::{Cluster, Node, program};
use runlore_tests::team::Team;

const DIMENSIONS: usize = 16;

type Made = Box<dyn VectorIndex>;

/// The server's program, or a line that says why the test did not run.
fn server() -> Option<std::path::PathBuf> {
    program().map_err(|error| runlore_tests::not_run::not_run("qdrant", &error.to_string())).ok()
}

/// Makes empty indexes on one server, each under a prefix of its own.
fn on_server(node: &Node) -> impl Fn() -> Made {
    let (url, n_made) = (node.url(), AtomicUsize::new(0));
    move || {
        let prefix = format!("test{}", n_made.fetch_add(1, Ordering::Relaxed));
        Box::new(QdrantVectors::connect(&url, None, &prefix, DIMENSIONS, 1, 1).unwrap())
    }
}

/// Makes empty indexes under one folder.
fn on_edge(folder: &tempfile::TempDir) -> impl Fn() -> Made {
    let (folder, n_made) = (folder.path().to_owned(), AtomicUsize::new(0));
    move || {
        let folder = folder.join(n_made.fetch_add(1, Ordering::Relaxed).to_string());
        Box::new(EdgeVectors::open(&folder, DIMENSIONS).unwrap())
    }
}

fn space(label: &str) -> Space {
    Space::new(label).unwrap()
}

fn record(number: u64) -> RecordId {
    format!("{:032x}", u128::from(number) + 1).parse().unwrap()
}

/// A unit vector that a number says, the same for the same number.
fn unit(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    let vector: Vec<f32> = (0..DIMENSIONS).map(|_| next()).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

fn chunk(number: u64, position: u32, text: &str) -> EmbeddedChunk {
    let record = record(number);
    let seed = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    EmbeddedChunk {
        id: record.chunk(position),
        record,
        position,
        text_hash: text.to_owned(),
        kind: RecordKind::ALL[number as usize % 3],
        project: (number % 2 == 1).then(|| format!("project {}", number % 4)),
        created_ms: (number % 5 != 4).then_some(1_760_000_000_000 + number as i64),
        vector: unit(seed),
    }
}

fn names(hits: &[Hit]) -> Vec<(RecordId, u32)> {
    hits.iter().map(|hit| (hit.record, hit.position)).collect()
}

fn put(index: &dyn VectorIndex, space: &Space, chunks: &[EmbeddedChunk], change: i64) {
    let records: Vec<RecordId> = chunks.iter().map(|chunk| chunk.record).collect();
    index.apply(space, &records, chunks).unwrap();
    index.mark_applied(space, change).unwrap();
}

fn contents(index: &dyn VectorIndex, space: &Space) -> BTreeMap<(RecordId, u32), String> {
    index.contents(space).unwrap().into_iter().map(|(record, position, text)| ((record, position), text)).collect()
}

/// The promises of the trait.
fn suite(make: impl Fn() -> Made) {
    empty_answers_empty(&*make());
    a_record_that_shrinks_loses_its_old_chunks(&*make());
    applying_twice_changes_nothing(&*make());
    spaces_are_apart(&*make());
    ties_are_in_order_and_cut_in_order(&*make());
    filters_narrow(&*make());
    many_chunks_at_once(&*make());
}

fn empty_answers_empty(index: &dyn VectorIndex) {
    let team = space("team");
    assert_eq!(index.applied(&team).unwrap(), 0);
    assert!(index.contents(&team).unwrap().is_empty());
    assert!(index.search(&team, &unit(1), &Filter::default(), 10).unwrap().is_empty());
    index.apply(&team, &[record(1)], &[]).unwrap();
    index.mark_applied(&team, 3).unwrap();
    assert_eq!(index.applied(&team).unwrap(), 3);
    index.mark_applied(&team, 4).unwrap();
    assert_eq!(index.applied(&team).unwrap(), 4);
    assert!(index.search(&team, &unit(1), &Filter::default(), 10).unwrap().is_empty());
    assert!(index.search(&team, &unit(1), &Filter::default(), 0).unwrap().is_empty());
}

fn a_record_that_shrinks_loses_its_old_chunks(index: &dyn VectorIndex) {
    let team = space("team");
    let long: Vec<EmbeddedChunk> = (0..5).map(|position| chunk(1, position, &format!("long {position}"))).collect();
    put(index, &team, &long, 1);
    put(index, &team, &[chunk(2, 0, "other")], 2);
    put(index, &team, &[chunk(1, 0, "short")], 3);
    let expected = BTreeMap::from([((record(1), 0), "short".to_owned()), ((record(2), 0), "other".to_owned())]);
    assert_eq!(contents(index, &team), expected);
    let best = index.search(&team, &chunk(1, 0, "short").vector, &Filter::default(), 1).unwrap();
    assert_eq!((names(&best), best[0].text_hash.as_str()), (vec![(record(1), 0)], "short"));
    assert!((best[0].score - 1.0).abs() < 1e-3, "{}", best[0].score);
    index.apply(&team, &[record(1), record(2), record(99)], &[]).unwrap();
    index.mark_applied(&team, 4).unwrap();
    assert!(contents(index, &team).is_empty());
}

fn applying_twice_changes_nothing(index: &dyn VectorIndex) {
    let team = space("team");
    let chunks = [chunk(1, 0, "a"), chunk(1, 1, "b"), chunk(2, 0, "c")];
    put(index, &team, &chunks, 5);
    let (before, hits) = (contents(index, &team), index.search(&team, &unit(3), &Filter::default(), 10).unwrap());
    put(index, &team, &chunks, 5);
    assert_eq!(contents(index, &team), before);
    assert_eq!(index.search(&team, &unit(3), &Filter::default(), 10).unwrap(), hits);
}

fn spaces_are_apart(index: &dyn VectorIndex) {
    let (team, board) = (space("team"), space("board"));
    put(index, &team, &[chunk(1, 0, "for all")], 1);
    put(index, &board, &[chunk(2, 0, "for few")], 2);
    let hits = index.search(&team, &chunk(2, 0, "for few").vector, &Filter::default(), 10).unwrap();
    assert_eq!(names(&hits), [(record(1), 0)]);
    assert_eq!(hits[0].space, team);
    assert_eq!((index.applied(&team).unwrap(), index.applied(&board).unwrap()), (1, 2));
}

fn ties_are_in_order_and_cut_in_order(index: &dyn VectorIndex) {
    let team = space("team");
    let mut chunks = vec![chunk(500, 0, "best")];
    for number in [7, 3, 90, 41, 12] {
        chunks.extend((0..8).map(|position| EmbeddedChunk { vector: unit(1), ..chunk(number, position, "same") }));
    }
    chunks[0].vector = unit(2);
    put(index, &team, &chunks, 1);
    let query: Vec<f32> = unit(1).iter().zip(unit(2)).map(|(near, best)| near * 0.1 + best).collect();
    let mut expected: Vec<(RecordId, u32)> = chunks[1..].iter().map(|chunk| (chunk.record, chunk.position)).collect();
    expected.sort();
    expected.insert(0, (record(500), 0));
    for limit in [1, 2, 5, 17, 41, 100] {
        let hits = index.search(&team, &query, &Filter::default(), limit).unwrap();
        assert_eq!(names(&hits), expected[..limit.min(41)], "limit {limit}");
    }
}

fn filters_narrow(index: &dyn VectorIndex) {
    let team = space("team");
    let chunks: Vec<EmbeddedChunk> = (0..40).map(|number| chunk(number, 0, &format!("text {number}"))).collect();
    put(index, &team, &chunks, 1);
    let filters = [
        Filter { kinds: vec![RecordKind::ALL[1]], ..Filter::default() },
        Filter { kinds: vec![RecordKind::ALL[0], RecordKind::ALL[2]], ..Filter::default() },
        Filter { kinds: vec![RecordKind::Commit], ..Filter::default() },
        Filter { project: Some("project 3".to_owned()), ..Filter::default() },
        Filter { since_ms: Some(1_760_000_000_010), ..Filter::default() },
        Filter { since_ms: Some(1_760_000_000_010), until_ms: Some(1_760_000_000_011), ..Filter::default() },
        Filter {
            project: Some("project 1".to_owned()),
            until_ms: Some(1_760_000_000_020),
            kinds: vec![RecordKind::ALL[2]],
            ..Filter::default()
        },
    ];
    for filter in filters {
        let mut found = names(&index.search(&team, &unit(9), &filter, 100).unwrap());
        found.sort();
        let expected: Vec<(RecordId, u32)> = chunks.iter().filter(|chunk| passes(chunk, &filter)).map(|chunk| (chunk.record, 0)).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

fn passes(chunk: &EmbeddedChunk, filter: &Filter) -> bool {
    (filter.kinds.is_empty() || filter.kinds.contains(&chunk.kind))
        && (filter.project.is_none() || filter.project == chunk.project)
        && filter.since_ms.is_none_or(|since| chunk.created_ms.is_some_and(|at| at >= since))
        && filter.until_ms.is_none_or(|until| chunk.created_ms.is_some_and(|at| at < until))
}

fn many_chunks_at_once(index: &dyn VectorIndex) {
    let team = space("team");
    let chunks: Vec<EmbeddedChunk> = (0..2_300).map(|number| chunk(number / 2, (number % 2) as u32, &format!("{number}"))).collect();
    put(index, &team, &chunks, 1);
    assert_eq!(index.contents(&team).unwrap().len(), 2_300);
    put(index, &team, &chunks[..2_100], 2);
    assert_eq!(contents(index, &team).len(), 2_300);
}

#[test]
fn the_edge_shard_keeps_the_promises() {
    suite(on_edge(&tempfile::tempdir().unwrap()));
}

#[test]
fn the_server_keeps_the_promises_and_gives_the_same_hits() {
    let Some(program) = server() else { return };
    let (served, edged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Node::start(&program, served.path()).unwrap();
    let (make_served, make_edged) = (on_server(&node), on_edge(&edged));
    suite(&make_served);
    same_hits(&*make_served(), &*make_edged());
    random_changes_equal_a_map(&make_served, &make_edged);
}

fn same_hits(served: &dyn VectorIndex, edged: &dyn VectorIndex) {
    let team = space("team");
    // Every tenth text is there several times, so that scores are equal.
    let chunks: Vec<EmbeddedChunk> =
        (0..900).map(|number| chunk(number, 0, &format!("text {}", if number % 10 == 0 { 0 } else { number }))).collect();
    put(served, &team, &chunks, 1);
    put(edged, &team, &chunks, 1);
    let filters = [Filter::default(), Filter { kinds: vec![RecordKind::Run], since_ms: Some(1_760_000_000_300), ..Filter::default() }];
    for (seed, filter) in (0..60).flat_map(|seed| filters.iter().map(move |filter| (seed, filter))) {
        let query = if seed == 0 { chunk(0, 0, "text 0").vector } else { unit(1_000 + seed) };
        let (left, right) = (served.search(&team, &query, filter, 50).unwrap(), edged.search(&team, &query, filter, 50).unwrap());
        assert_eq!(names(&left), names(&right), "query {seed}, {filter:?}");
        assert!(left.iter().zip(&right).all(|(a, b)| a.text_hash == b.text_hash && (a.score - b.score).abs() < 1e-5));
    }
}

/// Records 0 to 7 get some chunks anew, or none; every index holds what a map holds after each step.
fn random_changes_equal_a_map(make_served: &dyn Fn() -> Made, make_edged: &dyn Fn() -> Made) {
    let steps = proptest::collection::vec(proptest::collection::vec((0..8_u64, 0..4_u32), 1..4), 1..7);
    let mut runner = TestRunner::new(Config::with_cases(6));
    let held = runner.run(&steps, |steps| {
        let (indexes, team) = ([make_served(), make_edged()], space("team"));
        let mut map = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            let puts: BTreeMap<u64, u32> = step.iter().copied().collect();
            let removed: Vec<RecordId> = puts.keys().map(|number| record(*number)).collect();
            let one = |(of, n_chunks): (&u64, &u32)| {
                let of = *of;
                (0..*n_chunks).map(move |position| chunk(of, position, &format!("{number} {of} {position}"))).collect::<Vec<_>>()
            };
            let added: Vec<EmbeddedChunk> = puts.iter().flat_map(one).collect();
            map.retain(|(record, _), _| !removed.contains(record));
            map.extend(added.iter().map(|chunk| ((chunk.record, chunk.position), chunk.text_hash.clone())));
            for index in &indexes {
                index.apply(&team, &removed, &added).unwrap();
                index.mark_applied(&team, number as i64 + 1).unwrap();
                prop_assert_eq!(&contents(&**index, &team), &map);
                prop_assert_eq!(index.applied(&team).unwrap(), number as i64 + 1);
                let found = index.search(&team, &unit(5), &Filter::default(), 100).unwrap();
                prop_assert_eq!(names(&found).into_iter().collect::<std::collections::BTreeSet<_>>(), map.keys().copied().collect());
            }
        }
        Ok(())
    });
    held.unwrap();
}

#[test]
fn a_server_that_is_not_there_is_named_within_seconds() {
    let index = QdrantVectors::connect("http://127.0.0.1:9", None, "test", DIMENSIONS, 1, 1).unwrap();
    let begin = std::time::Instant::now();
    let error = index.search(&space("team"), &unit(1), &Filter::default(), 1).unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:9"), "{error}");
    assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn a_cluster_answers_while_a_node_is_down_and_misses_nothing_after() {
    let Some(program) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(&program, folder.path()).unwrap();
    let index = QdrantVectors::connect(&cluster.urls(), None, "test", DIMENSIONS, 2, 3).unwrap();
    let team = space("team");
    let some = |from: u64, to: u64| (from..to).map(|number| chunk(number, 0, &format!("text {number}"))).collect::<Vec<_>>();
    put(&index, &team, &some(0, 500), 1);
    let before = index.search(&team, &unit(1), &Filter::default(), 500).unwrap();
    assert_eq!(before.len(), 500);

    let (is_over, n_searches) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // What was there stays found through everything; what is written meanwhile may come on top.
        let searcher = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let hits = index.search(&team, &unit(1), &Filter { until_ms: Some(1_760_000_000_500), ..Filter::default() }, 600).unwrap();
                let dated = (0..500).filter(|number| number % 5 != 4).count();
                assert_eq!(hits.len(), dated, "after {} searches", n_searches.load(Ordering::Relaxed));
                n_searches.fetch_add(1, Ordering::Relaxed);
            }
        });
        put(&index, &team, &some(500, 700), 2);
        cluster.nodes[0].kill();
        for part in 0..4 {
            put(&index, &team, &some(700 + part * 50, 750 + part * 50), 3 + part as i64);
        }
        index.apply(&team, &[record(600)], &[]).unwrap();
        index.mark_applied(&team, 9).unwrap();
        cluster.nodes[0].restart().unwrap();
        is_over.store(true, Ordering::Relaxed);
        searcher.join().unwrap();
    });
    assert!(n_searches.load(Ordering::Relaxed) > 5, "{n_searches:?} searches");

    let all_active = |node: &Node| node.get("/collections/test-team/cluster").is_ok_and(|text| is_whole(&text));
    cluster.nodes[0].wait_until("its copies are whole", all_active).unwrap();
    let expected: BTreeMap<(RecordId, u32), String> =
        some(0, 900).into_iter().filter(|chunk| chunk.record != record(600)).map(|chunk| ((chunk.record, 0), chunk.text_hash)).collect();
    assert_eq!(contents(&index, &team), expected);
    // With another node gone the one that came back must give its part.
    cluster.nodes[1].kill();
    assert_eq!(contents(&index, &team), expected);
    assert_eq!(index.applied(&team).unwrap(), 9);
    put(&index, &team, &some(900, 910), 10);
    assert_eq!(index.contents(&team).unwrap().len(), expected.len() + 10);
}

/// Three shards twice, all copies active, none on its way.
fn is_whole(cluster_info: &str) -> bool {
    let n_active = cluster_info.matches("\"Active\"").count();
    n_active == 6 && cluster_info.contains("\"shard_transfers\":[]")
}

/// Questions go on being answered from words and vectors alike, with the same quotes.
#[test]
fn answers_go_on_while_a_node_is_down() -> anyhow::Result<()> {
    let Some(program) = server() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let mut cluster = Cluster::start(&program, folder.path())?;
    let settings = format!("[index]\nvectors = \"qdrant\"\nurl = \"{}\"\nreplicas = 2\nshards = 3\n", cluster.urls());
    let team = Team::new(&settings)?;
    team.json(&["index", "--json"], &[0, 1])?;
    let questions = ["What did we decide about gauge 17?", "best val/map in vessel-detect", "Why did the river runs go wrong?"];
    let ask_all = || -> anyhow::Result<Vec<serde_json::Value>> {
        questions.iter().map(|question| Ok(team.json(&["ask", "--json", "--no-model", question], &[0])?["answer"].clone())).collect()
    };
    let before = ask_all()?;
    cluster.nodes[0].kill();
    assert_eq!(ask_all()?, before);
    assert!(before.iter().all(|answer| !answer.to_string().contains("words alone")), "{before:?}");
    cluster.nodes[1].kill();
    // Now whole shards are gone: words alone, and said so.
    let search = team.run(&["search", "gauge 17"])?;
    let said = String::from_utf8_lossy(&search.stdout).into_owned() + &String::from_utf8_lossy(&search.stderr);
    assert!(search.status.success() && said.contains("gauge"), "{said}");
    Ok(())
}
