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

/// A vector that no other chunk has, and its bytes in a file: half-precision numbers of a unit vector.
fn marked(number: u64) -> (EmbeddedChunk, Vec<u8>) {
    let numbers: Vec<f32> = (0..DIMENSIONS as u64).map(|i| (((number * 37 + i * 101) % 61) as f32 - 30.0) / 64.0 + 0.007).collect();
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    let vector: Vec<f32> = numbers.iter().map(|x| x / length).collect();
    let bytes = vector.iter().flat_map(|x| half(*x).to_le_bytes()).collect();
    (EmbeddedChunk { vector, ..chunk(number, 0, &format!("hash-of-{number:04}")) }, bytes)
}

/// The nearest half-precision number, of two equally near ones the even: right for numbers between 2^-14 and 1.
fn half(number: f32) -> u16 {
    let bits = number.to_bits();
    let (sign, rest) = (bits >> 16 & 0x8000, bits & 0x7fff_ffff);
    let rounded = rest + 0xfff + (rest >> 13 & 1);
    (sign | ((rounded >> 13) - (112 << 10))) as u16
}

/// The files of a folder without their empty blocks, which are nearly all.
fn stored(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let without_holes =
        |bytes: Vec<u8>| bytes.chunks(4_096).filter(|block| block.iter().any(|byte| *byte != 0)).flatten().copied().collect();
    files(folder).into_iter().map(|path| (path.clone(), without_holes(std::fs::read(path).unwrap()))).collect()
}

/// In which files of a folder these bytes stand.
fn holding(stored: &[(PathBuf, Vec<u8>)], bytes: &[u8]) -> Vec<PathBuf> {
    let holds = |file: &&(PathBuf, Vec<u8>)| file.1.windows(bytes.len()).any(|window| window == bytes);
    stored.iter().filter(holds).map(|(path, _)| path.clone()).collect()
}

#[test]
fn what_was_deleted_leaves_the_files_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let (chunks, bytes): (Vec<EmbeddedChunk>, Vec<Vec<u8>>) = (0..40).map(marked).unzip();
    index.apply(&space(), &[], &chunks[..30]).unwrap();
    index.mark_applied(&space(), 1).unwrap();
    index.apply(&space(), &[], &chunks[30..]).unwrap();
    index.mark_applied(&space(), 2).unwrap();
    let gone = [3_usize, 35];
    let ids: Vec<RecordId> = gone.iter().map(|i| chunks[*i].record).collect();
    index.apply(&space(), &ids, &[]).unwrap();
    index.mark_applied(&space(), 3).unwrap();
    let still = stored(folder.path());
    assert!(bytes.iter().all(|bytes| !holding(&still, bytes).is_empty()), "the test does not know how a vector is stored");
    let search = |index: &EdgeVectors| index.search(&space(), &chunks[0].vector, &Filter::default(), 50).unwrap();
    let before = (search(&index), index.contents(&space()).unwrap());
    assert_eq!(before.0.len(), 38);
    index.purge(&space()).unwrap();
    assert_eq!((search(&index), index.contents(&space()).unwrap()), before);
    assert_eq!(index.applied(&space()).unwrap(), 3);
    let still = stored(folder.path());
    for (i, chunk) in chunks.iter().enumerate() {
        let id = chunk.record.to_string();
        for what in [bytes[i].as_slice(), id.as_bytes(), chunk.text_hash.as_bytes()] {
            assert_eq!(holding(&still, what).is_empty(), gone.contains(&i), "of chunk {i}: {:?}", holding(&still, what));
        }
    }

    index.apply(&space(), &chunks.iter().map(|chunk| chunk.record).collect::<Vec<_>>(), &[]).unwrap();
    index.mark_applied(&space(), 4).unwrap();
    index.purge(&space()).unwrap();
    assert!(index.contents(&space()).unwrap().is_empty());
    let still = stored(folder.path());
    assert!(bytes.iter().all(|bytes| holding(&still, bytes).is_empty()));
    index.apply(&space(), &[], &chunks[..2]).unwrap();
    index.mark_applied(&space(), 5).unwrap();
    assert_eq!(search(&index).len(), 2);
}

#[test]
fn the_last_reader_of_a_generation_takes_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, reader) = (open(folder.path()), open(folder.path()));
    let shards = || (1..9).filter(|n| folder.path().join(format!("team/g{n}")).exists()).collect::<Vec<_>>();
    writer.apply(&space(), &[], &[chunk(1, 0, "a")]).unwrap();
    writer.mark_applied(&space(), 1).unwrap();
    assert_eq!(texts(&reader), ["a"]);
    writer.apply(&space(), &[record(1)], &[chunk(1, 0, "b")]).unwrap();
    writer.mark_applied(&space(), 2).unwrap();
    writer.purge(&space()).unwrap();
    assert_eq!(shards(), [1, 3], "what is read stays");
    reader.let_go();
    assert_eq!(shards(), [3]);
    assert_eq!(texts(&reader), ["b"]);
    reader.let_go();
    assert_eq!(shards(), [3], "what holds stays");
}

#[test]
fn several_spaces_are_searched_as_one() {
    // Many equal vectors, so that the cut falls between equal scores.
    let chunks: Vec<EmbeddedChunk> = (0..120).map(|n| chunk(n, 0, &"x".repeat((n % 3) as usize))).collect();
    let spaces: Vec<Space> = (0..9).map(|n| Space::new(&format!("s{n}")).unwrap()).collect();
    // Dealt out evenly; and so that one space has all that is near.
    let evenly: Vec<usize> = (0..chunks.len()).map(|n| n % 9).collect();
    let is_near = |n: usize| chunks[n].vector == chunks[5].vector;
    let by_nearness: Vec<usize> = (0..chunks.len()).map(|n| if is_near(n) { 0 } else { 1 + n % 8 }).collect();
    for dealt in [evenly, by_nearness] {
        let folder = tempfile::tempdir().unwrap();
        let index = open(folder.path());
        index.apply(&space(), &[], &chunks).unwrap();
        index.mark_applied(&space(), 1).unwrap();
        for (at, space) in spaces.iter().enumerate() {
            let own: Vec<EmbeddedChunk> = chunks.iter().zip(&dealt).filter(|(_, to)| **to == at).map(|(chunk, _)| chunk.clone()).collect();
            index.apply(space, &[], &own).unwrap();
            index.mark_applied(space, 1).unwrap();
        }
        for limit in [0, 1, 7, 14, 20, 60, 120, 190] {
            let bare = |hits: Vec<Hit>| hits.into_iter().map(|hit| (hit.record, hit.text_hash, hit.score)).collect::<Vec<_>>();
            let alone = index.search(&space(), &chunks[5].vector, &Filter::default(), limit).unwrap();
            let apart = index.search_all(&spaces, &chunks[5].vector, &Filter::default(), limit).unwrap();
            assert_eq!(bare(apart), bare(alone), "{limit}");
        }
    }
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
