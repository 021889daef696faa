//! The keyword index against small made-up teams: exact names, filters, live statistics, scope, replay and crashes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn space(label: &str) -> Space {
    Space::new(label).unwrap()
}

fn record(n: u128) -> RecordId {
    RecordId::from(Uuid::from_u128(n))
}

fn number(record: RecordId) -> u128 {
    record.uuid().as_u128()
}

/// Chunk 0 of record `n`.
fn chunk(n: u128, text: &str) -> KeywordChunk {
    KeywordChunk {
        record: record(n),
        position: 0,
        text_hash: format!("hash of {text}"),
        kind: RecordKind::Note,
        project: None,
        created_ms: None,
        title: String::new(),
        heading: String::new(),
        text: text.to_owned(),
    }
}

struct Bench {
    _folder: TempDir,
    index: KeywordIndex,
}

fn empty() -> Bench {
    let folder = TempDir::new().unwrap();
    Bench { index: KeywordIndex::open(folder.path()).unwrap(), _folder: folder }
}

fn with(chunks: &[KeywordChunk]) -> Bench {
    let bench = empty();
    bench.index.apply(&space("team"), &[], chunks, 1).unwrap();
    bench
}

impl Bench {
    fn find(&self, query: &str) -> Vec<u128> {
        self.find_filtered(query, &Filter::default())
    }

    fn find_filtered(&self, query: &str, filter: &Filter) -> Vec<u128> {
        let hits = self.index.search(&[space("team")], query, filter, 10).unwrap();
        hits.into_iter().map(|hit| number(hit.record)).collect()
    }
}

#[test]
fn identifiers_are_found_as_they_are_written() {
    let bench = with(&[
        chunk(1, "the optimizer needs a lower lr, then the lr of the optimizer was lowered: optimizer, lr, lr"),
        chunk(2, "train:\n  optimizer.lr: 0.0003\n  epochs: 90"),
        chunk(3, "model.optimizer.lr = 0.001"),
        chunk(4, "a timeout of the store, and a longer timeout after it: timeout, timeout"),
        chunk(5, "rank 3 ended with NCCL timeout after 1800 s while the others waited at a barrier"),
        chunk(6, "tr11 was followed by a model of 176B parameters; tr11 used 176B tokens"),
        chunk(7, "see runs/tr11-176B.yaml for the settings"),
        chunk(8, "prod, v3 of prod, prod and v3"),
        chunk(9, "promoted as prod-v3 (val/acc 0.91)"),
    ]);
    assert_eq!(&bench.find("optimizer.lr")[..2], [3, 2], "both have it, as a whole or as the end of a key; the shorter one first");
    assert_eq!(bench.find("what happened with the NCCL timeout?")[0], 5);
    assert_eq!(bench.find("tr11-176B")[0], 7);
    assert_eq!(bench.find("which run became prod-v3")[0], 9);
    assert_eq!(bench.find("val/acc")[0], 9);
}

#[test]
fn a_quoted_phrase_comes_first() {
    let bench = with(&[
        chunk(1, "memory of the run out, out of reach of memory: out of of memory memory"),
        chunk(2, "torch says out of memory on device 0, which is a long sentence about something else entirely, unlike the others"),
    ]);
    assert_eq!(bench.find("\"out of memory\" device")[0], 2);
    assert_eq!(bench.find("\"out of memory\""), [2, 1]);
}

#[test]
fn words_are_found_in_other_forms() {
    let bench = with(&[chunk(1, "Naïve schedules diverged"), chunk(2, "nothing of that")]);
    assert_eq!(bench.find("naive scheduling diverges"), [1]);
    assert_eq!(bench.find("of that"), [2], "stop words alone are taken as they are");
    assert!(bench.find("").is_empty());
}

#[test]
fn titles_and_headings_count() {
    let titled = KeywordChunk { title: "Tokenizer decision".into(), heading: "2026 > May".into(), ..chunk(1, "we keep it") };
    let bench = with(&[titled, chunk(2, "we keep something else")]);
    assert_eq!(bench.find("tokenizer"), [1]);
    assert_eq!(bench.find("May"), [1]);
}

#[test]
fn filters_narrow() {
    let made = |n, kind, project: Option<&str>, created_ms| KeywordChunk {
        kind,
        project: project.map(str::to_owned),
        created_ms,
        ..chunk(n, "loss spike")
    };
    let bench = with(&[
        made(1, RecordKind::Run, Some("vision"), Some(100)),
        made(2, RecordKind::Note, None, Some(200)),
        made(3, RecordKind::Pull, Some("speech"), None),
    ]);
    let find = |filter: Filter| bench.find_filtered("spike", &filter);
    assert_eq!(find(Filter::default()), [1, 2, 3]);
    assert_eq!(find(Filter { kinds: vec![RecordKind::Run, RecordKind::Pull], ..Filter::default() }), [1, 3]);
    assert_eq!(find(Filter { project: Some("vision".into()), ..Filter::default() }), [1]);
    assert_eq!(find(Filter { project: Some("Vision".into()), ..Filter::default() }), [0; 0]);
    assert_eq!(find(Filter { since_ms: Some(100), until_ms: Some(200), ..Filter::default() }), [1]);
    assert_eq!(find(Filter { since_ms: Some(101), ..Filter::default() }), [2]);
    assert_eq!(find(Filter { until_ms: Some(i64::MAX), kinds: vec![RecordKind::Pull], ..Filter::default() }), [0; 0]);
}

#[test]
fn a_limit_cuts_ties_by_record_id() {
    let chunks: Vec<KeywordChunk> = (0..50).rev().map(|n| chunk(n, "the same loss spike")).collect();
    let bench = with(&chunks);
    let hits = bench.index.search(&[space("team")], "spike", &Filter::default(), 3).unwrap();
    assert_eq!(hits.iter().map(|hit| number(hit.record)).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(bench.index.search(&[space("team")], "spike", &Filter::default(), 0).unwrap().is_empty());
}

#[test]
fn applying_again_changes_nothing() {
    let bench = empty();
    let team = space("team");
    assert_eq!(bench.index.applied(&team).unwrap(), 0);
    assert!(bench.index.contents(&team).unwrap().is_empty());
    let second = KeywordChunk { position: 1, ..chunk(1, "second part") };
    bench.index.apply(&team, &[], &[chunk(1, "first part"), second, chunk(2, "other")], 7).unwrap();
    let before = bench.index.contents(&team).unwrap();
    let change = |number| bench.index.apply(&team, &[record(2)], &[chunk(1, "first part changed"), chunk(3, "new")], number);
    change(8).unwrap();
    let after = bench.index.contents(&team).unwrap();
    change(8).unwrap();
    assert_eq!(bench.index.contents(&team).unwrap(), after);
    assert_eq!(bench.index.applied(&team).unwrap(), 8);
    let expected = [(record(1), 0, "hash of first part changed"), (record(1), 1, "hash of second part"), (record(3), 0, "hash of new")];
    assert_eq!(after, expected.map(|(record, position, hash)| (record, position, hash.to_owned())));
    assert_ne!(before, after);
}

#[test]
fn another_handle_sees_each_commit() {
    let folder = TempDir::new().unwrap();
    let (writer, reader) = (KeywordIndex::open(folder.path()).unwrap(), KeywordIndex::open(folder.path()).unwrap());
    let find = || reader.search(&[space("team")], "spike", &Filter::default(), 20).unwrap().len();
    assert_eq!(find(), 0);
    assert!(!folder.path().join("team").exists(), "reading makes no index");
    for n in 1..=12 {
        writer.apply(&space("team"), &[], &[chunk(n, "loss spike")], n as i64).unwrap();
        assert_eq!(find(), n as usize);
        assert_eq!(reader.applied(&space("team")).unwrap(), n as i64);
    }
    writer.apply(&space("team"), &[record(1)], &[], 13).unwrap();
    assert_eq!(find(), 11);
}

#[test]
fn what_was_deleted_leaves_the_files_and_nothing_else_changes() {
    let folder = TempDir::new().unwrap();
    let (index, reader) = (KeywordIndex::open(folder.path()).unwrap(), KeywordIndex::open(folder.path()).unwrap());
    let team = space("team");
    let chunks: Vec<KeywordChunk> = (1..=12).map(|n| chunk(n, &format!("loss spike of canary{n}"))).collect();
    index.apply(&team, &[], &chunks, 6).unwrap();
    let held = |index: &KeywordIndex, n: u128| index.every_word(&team).unwrap().contains(&format!("canary{n}"));
    assert!((1..=12).all(|n| held(&index, n) && held(&reader, n)));
    index.apply(&team, &[record(2)], &[chunk(3, "loss spike of nothing")], 7).unwrap();
    assert!(held(&index, 2) && held(&index, 3), "what is deleted goes without being cleared away");
    let before = (seen(&index, std::slice::from_ref(&team)), index.contents(&team).unwrap());
    index.purge(&team).unwrap();
    assert!(!held(&index, 2) && !held(&index, 3) && held(&index, 1) && held(&index, 12));
    assert_eq!((seen(&index, std::slice::from_ref(&team)), index.contents(&team).unwrap()), before);
    assert_eq!(index.applied(&team).unwrap(), 7);
    // No file of an earlier segment is left, and who reads in another process lets go of them.
    let metas = Index::open_in_dir(index.space_folder(&team)).unwrap().searchable_segment_metas().unwrap();
    let ids: Vec<String> = metas.iter().map(|meta| meta.id().uuid_string()).collect();
    for entry in fs::read_dir(index.space_folder(&team)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_of_segment = name.len() > 32 && name.chars().take(32).all(|c| c.is_ascii_hexdigit());
        assert!(!is_of_segment || ids.iter().any(|id| name.starts_with(id)), "{name} is of none of {ids:?}");
    }
    reader.let_go();
    assert!(reader.opened.lock().unwrap().is_empty());
    index.purge(&team).unwrap();
    index.apply(&team, &(1..=12).map(record).collect::<Vec<_>>(), &[], 8).unwrap();
    index.purge(&team).unwrap();
    assert!(index.every_word(&team).unwrap().is_empty() && index.contents(&team).unwrap().is_empty());
    index.purge(&space("none")).unwrap();
    assert!(!folder.path().join("none").exists(), "clearing makes no index");
}

#[test]
fn a_second_writer_is_refused() {
    let bench = with(&[chunk(1, "one")]);
    let index = Index::open_in_dir(bench.index.space_folder(&space("team"))).unwrap();
    let held: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES).unwrap();
    let refused = bench.index.apply(&space("team"), &[], &[chunk(2, "two")], 2);
    assert!(matches!(refused, Err(KeywordError::Busy { .. })), "{refused:?}");
    drop(held);
    bench.index.apply(&space("team"), &[], &[chunk(2, "two")], 2).unwrap();
}

#[test]
fn an_index_of_another_layout_is_named() {
    let folder = TempDir::new().unwrap();
    let team = folder.path().join("team");
    fs::create_dir(&team).unwrap();
    Index::create_in_dir(&team, tantivy::schema::Schema::builder().build()).unwrap();
    let index = KeywordIndex::open(folder.path()).unwrap();
    let error = index.search(&[space("team")], "x", &Filter::default(), 1).unwrap_err();
    assert!(matches!(error, KeywordError::OtherLayout { .. }), "{error}");
    assert!(matches!(index.apply(&space("team"), &[], &[], 1), Err(KeywordError::OtherLayout { .. })));
    fs::write(team.join("meta.json"), "{ half").unwrap();
    let error = index.search(&[space("team")], "x", &Filter::default(), 1).unwrap_err();
    assert!(matches!(error, KeywordError::Unavailable { .. }), "{error}");
}

/// Not a test of its own: the process that `a_killed_writer_leaves_no_lock` kills.
#[test]
fn killed_writer() {
    let Ok(folder) = std::env::var("RUNLORE_TEST_KILLED_WRITER") else { return };
    let index = KeywordIndex::open(Path::new(&folder)).unwrap();
    index.apply(&space("team"), &[record(1)], &[chunk(2, "two")], 2).unwrap();
}

#[test]
fn a_killed_writer_leaves_no_lock() {
    for (failpoint, applied, left) in [("keyword.before_commit", 1, 1), ("keyword.after_commit", 2, 2)] {
        let folder = TempDir::new().unwrap();
        let index = KeywordIndex::open(folder.path()).unwrap();
        index.apply(&space("team"), &[], &[chunk(1, "one")], 1).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "index::keyword::tests::killed_writer"])
            .env("RUNLORE_TEST_KILLED_WRITER", folder.path())
            .env("RUNLORE_FAILPOINT", failpoint)
            .output()
            .unwrap();
        assert!(!child.status.success(), "the writer was not killed at {failpoint}");
        assert_eq!(index.applied(&space("team")).unwrap(), applied, "{failpoint}");
        let contents = index.contents(&space("team")).unwrap();
        assert_eq!(contents.iter().map(|row| number(row.0)).collect::<Vec<_>>(), [left], "{failpoint}");
        index.apply(&space("team"), &[record(1)], &[chunk(2, "two")], 2).unwrap();
        assert_eq!(index.applied(&space("team")).unwrap(), 2);
        assert_eq!(index.contents(&space("team")).unwrap().len(), 1);
    }
}

/// One step of a history: records out, then chunks in.
type Step = (Vec<u128>, Vec<KeywordChunk>);

fn texts() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["loss", "spike", "NCCL", "optimizer.lr", "the", "warmup", "tr11-176B", "accuracy"]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

fn histories() -> impl Strategy<Value = Vec<Step>> {
    let chunks = (0u128..8, 0u32..2, texts()).prop_map(|(n, position, text)| KeywordChunk { position, ..chunk(n, &text) });
    prop::collection::vec((prop::collection::vec(0u128..8, 0..3), prop::collection::vec(chunks, 0..6)), 1..6)
}

const QUERIES: [&str; 4] = ["loss spike", "NCCL accuracy", "optimizer.lr \"loss spike\"", "tr11-176B the warmup"];

/// Everything that a searcher can see of these spaces, but for the name of the space.
fn seen(index: &KeywordIndex, spaces: &[Space]) -> Vec<Vec<(RecordId, u32, String, f64)>> {
    let search = |query| index.search(spaces, query, &Filter::default(), 7).unwrap();
    let bare = |hit: Hit| (hit.record, hit.position, hit.text_hash, hit.score);
    QUERIES.iter().map(|query| search(query).into_iter().map(bare).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// After any history an index holds, scores and orders as one that was built at once from what is left; chunks in two spaces score
    /// as in one; and a space out of scope changes nothing.
    #[test]
    fn history_and_other_spaces_leave_no_trace(steps in histories()) {
        let bench = empty();
        let (team, left_half, right_half) = (space("team"), space("left"), space("right"));
        let mut left: BTreeMap<(u128, u32), KeywordChunk> = BTreeMap::new();
        for (change, (removed, added)) in (1..).zip(&steps) {
            let removed_ids: Vec<RecordId> = removed.iter().copied().map(record).collect();
            bench.index.apply(&team, &removed_ids, added, change).unwrap();
            left.retain(|(n, _), _| !removed.contains(n));
            left.extend(added.iter().map(|chunk| ((number(chunk.record), chunk.position), chunk.clone())));
        }
        let chunks: Vec<KeywordChunk> = left.into_values().collect();
        let fresh = with(&chunks);
        prop_assert_eq!(bench.index.contents(&team).unwrap(), fresh.index.contents(&team).unwrap());
        let alone = seen(&fresh.index, std::slice::from_ref(&team));
        prop_assert_eq!(&seen(&bench.index, std::slice::from_ref(&team)), &alone);

        let (even, odd): (Vec<_>, Vec<_>) = chunks.into_iter().partition(|chunk| number(chunk.record).is_multiple_of(2));
        bench.index.apply(&left_half, &[], &even, 1).unwrap();
        bench.index.apply(&right_half, &[], &odd, 1).unwrap();
        prop_assert_eq!(&seen(&bench.index, std::slice::from_ref(&team)), &alone);
        prop_assert_eq!(&seen(&bench.index, &[left_half, right_half]), &alone);
    }

    #[test]
    fn any_text_can_be_asked(query in ".{0,80}") {
        let bench = with(&[chunk(1, "loss spike"), chunk(2, &query)]);
        prop_assert!(bench.index.search(&[space("team")], &query, &Filter::default(), 10).is_ok());
    }
}
