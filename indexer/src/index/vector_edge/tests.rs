//! The files of a shard: what a crash leaves, what a reader in another process sees, and what a broken folder says.
//! (What every vector index must do is tested for both in tests/tests/e2e/qdrant.rs.)

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::record::{Body, Record, RecordKind};

const DIMENSIONS: usize = 8;

fn record(number: u64) -> RecordId {
    let record = Record {
        native_id: number.to_string(),
        key: String::new(),
        title: String::new(),
        project: None,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: String::new(),
        body: Body::Note(String::new()),
    };
    RecordId::of("test", &Space::new("team").unwrap(), &record)
}

fn chunk(number: u64, position: u32, text: &str) -> EmbeddedChunk {
    let record = record(number);
    let mut vector = vec![0.1; DIMENSIONS];
    vector[(number as usize + text.len()) % DIMENSIONS] = 1.0;
    let length = vector.iter().map(|x: &f32| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    EmbeddedChunk {
        id: record.chunk(position),
        record,
        position,
        text_hash: text.to_owned(),
        kind: RecordKind::Note,
        project: None,
        created_ms: Some(number as i64),
        vector,
    }
}

fn space() -> Space {
    Space::new("team").unwrap()
}

fn open(folder: &Path) -> EdgeVectors {
    EdgeVectors::open(folder, DIMENSIONS).unwrap()
}

fn texts(index: &EdgeVectors) -> Vec<String> {
    index.contents(&space()).unwrap().into_iter().map(|(_, _, text)| text).collect()
}

/// Copies what is on the disk while the index is open, as a machine that was stopped there would find it.
fn as_found_after_a_crash(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("cp").arg("-a").arg(folder.join(".")).arg(copy.path()).status().unwrap().success());
    copy
}

#[test]
fn a_writer_that_dies_leaves_what_was_published_and_the_same_changes_go_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    index.apply(&space(), &[], &[chunk(1, 0, "old"), chunk(2, 0, "stays")]).unwrap();
    index.mark_applied(&space(), 7).unwrap();
    let changes = |index: &EdgeVectors| index.apply(&space(), &[record(1)], &[chunk(1, 0, "new"), chunk(1, 1, "second")]);
    changes(&index).unwrap();

    let found = as_found_after_a_crash(folder.path());
    let after = open(found.path());
    assert_eq!((after.applied(&space()).unwrap(), texts(&after).len()), (7, 2), "nothing of the unfinished change shows");
    changes(&after).unwrap();
    after.mark_applied(&space(), 9).unwrap();
    index.mark_applied(&space(), 9).unwrap();
    assert_eq!(after.contents(&space()).unwrap(), index.contents(&space()).unwrap());
    assert_eq!(after.applied(&space()).unwrap(), 9);
}

#[test]
fn a_reader_beside_a_writer_sees_each_generation_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = (open(folder.path()), open(folder.path()));
    assert!(texts(&reader).is_empty());
    for round in 1..=4_i64 {
        writer.apply(&space(), &[record(1)], &[chunk(1, 0, &format!("round {round}"))]).unwrap();
        let before = if round == 1 { vec![] } else { vec![format!("round {}", round - 1)] };
        assert_eq!(texts(&reader), before);
        writer.mark_applied(&space(), round).unwrap();
        assert_eq!(texts(&reader), [format!("round {round}")]);
    }
    let generations = std::fs::read_dir(folder.path().join("team")).unwrap();
    let n_shards = generations.filter(|entry| entry.as_ref().unwrap().path().join(SEGMENTS_FOLDER).is_dir()).count();
    assert!(n_shards <= 2, "{n_shards} generations are kept");
}

const SEGMENTS_FOLDER: &str = "segments";

#[test]
fn a_second_writer_is_refused_while_the_first_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()), open(folder.path()));
    first.apply(&space(), &[], &[chunk(1, 0, "a")]).unwrap();
    let error = second.apply(&space(), &[], &[chunk(2, 0, "b")]).unwrap_err().to_string();
    assert!(error.contains("another process is writing"), "{error}");
    first.mark_applied(&space(), 1).unwrap();
    second.apply(&space(), &[], &[chunk(2, 0, "b")]).unwrap();
    second.mark_applied(&space(), 2).unwrap();
    assert_eq!(texts(&first).len(), 2);
}

#[test]
fn a_broken_folder_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    index.apply(&space(), &[], &[chunk(1, 0, "a")]).unwrap();
    index.mark_applied(&space(), 1).unwrap();
    drop(index);
    let shard = folder.path().join("team/g1");
    for broken in files(&shard) {
        let copy = as_found_after_a_crash(folder.path());
        let path = copy.path().join("team/g1").join(broken.strip_prefix(&shard).unwrap());
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
        if length == 0 {
            std::fs::remove_file(&path).unwrap();
        }
        let error = open(copy.path()).search(&space(), &[1.0; DIMENSIONS], &Filter::default(), 1).unwrap_err().to_string();
        assert!(error.contains("team") && error.contains("remove this folder"), "`{}` cut: {error}", path.display());
    }
    std::fs::write(folder.path().join("team/current.json"), "{").unwrap();
    assert!(open(folder.path()).applied(&space()).unwrap_err().to_string().contains("current.json"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_was_deleted_is_cleared_away_and_the_log_stays_short() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    for round in 0..6 {
        let chunks: Vec<EmbeddedChunk> = (0..1_500).map(|number| chunk(number, 0, &format!("{round}"))).collect();
        let records: Vec<RecordId> = chunks.iter().map(|chunk| chunk.record).collect();
        index.apply(&space(), &records, &chunks).unwrap();
        index.mark_applied(&space(), round).unwrap();
    }
    assert_eq!(texts(&index), vec!["5"; 1_500]);
    let current = index.space(&space()).generations.current().unwrap();
    let log = folder.path().join(format!("team/g{}/wal", current.generation));
    assert!(files(&log).len() <= 5, "{:?}", files(&log));
    let reading = index.space(&space()).reading(&index.config).unwrap().unwrap();
    let stored = reading.shard.open().unwrap().info();
    assert!(stored.segments_count <= 3, "{stored:?}");
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, u32),
    Remove(u64),
    Publish,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u64, 0..4_u32).prop_map(|(number, n_chunks)| Step::Put(number, n_chunks)),
        2 => (0..6_u64).prop_map(Step::Remove),
        2 => Just(Step::Publish),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    /// Reopening forgets what was not published; everything else equals a map.
    #[test]
    fn random_changes_equal_a_map(steps in proptest::collection::vec(step(), 1..16)) {
        let folder = tempfile::tempdir().unwrap();
        let mut index = open(folder.path());
        let mut draft: BTreeMap<(RecordId, u32), String> = BTreeMap::new();
        let mut published = draft.clone();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put(of, n_chunks) => {
                    let chunks: Vec<EmbeddedChunk> = (0..n_chunks).map(|position| chunk(of, position, &format!("{number}-{position}"))).collect();
                    index.apply(&space(), &[record(of)], &chunks).unwrap();
                    draft.retain(|(id, _), _| *id != record(of));
                    draft.extend(chunks.into_iter().map(|chunk| ((chunk.record, chunk.position), chunk.text_hash)));
                }
                Step::Remove(of) => {
                    index.apply(&space(), &[record(of)], &[]).unwrap();
                    draft.retain(|(id, _), _| *id != record(of));
                }
                Step::Publish => {
                    index.mark_applied(&space(), number as i64).unwrap();
                    published = draft.clone();
                }
                Step::Reopen => {
                    drop(index);
                    index = open(folder.path());
                    draft = published.clone();
                }
            }
            let contents: BTreeMap<_, _> = index.contents(&space()).unwrap().into_iter().map(|(id, at, text)| ((id, at), text)).collect();
            prop_assert_eq!(&contents, &published);
        }
    }
}
