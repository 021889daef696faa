//! The files of one space's shard: generations side by side, and one pointer that says which holds.
//!
//! A writer works on a draft, a copy of the generation that holds, and publishes it by renaming one small file. A writer
//! that dies leaves a draft that nobody reads; a reader, also in another process, sees one generation whole or the next.
//! A generation that somebody reads is locked (shared) and stays until they let go; the last of them removes it.
//!
//! ```text
//! <space>/current.json   which generation holds, and the number of the last change in it
//! <space>/writer.lock    locked while somebody writes
//! <space>/g7/            the shard, its empty write-ahead log among it; files.json says how long each file must be
//! <space>/g7.lock        locked (shared) while somebody reads g7
//! <space>/g7.readers/    a folder a reader: its own write-ahead log, and a link to the segments of g7
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::index::stamp::Stamp;

const CURRENT: &str = "current.json";
const FILES: &str = "files.json";
const SEGMENTS: &str = "segments";
const WAL: &str = "wal";

/// A file of the log without an entry: its mark, version 0, and a seed.
const EMPTY_LOG: &[u8; 8] = b"wal\0\x2a\0\0\0";

static N_VIEWS: AtomicU64 = AtomicU64::new(0);

/// Which generation holds; both numbers are 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    /// Number of the generation; 0 means that there is none, so that there are no vectors.
    pub(super) generation: u64,
    /// The last change that it holds.
    pub(super) applied: i64,
}

/// The folder of one space.
#[derive(Debug)]
pub(super) struct Generations {
    folder: PathBuf,
}

/// A generation that is being written; nobody else writes while this lives.
pub(super) struct Draft {
    pub(super) folder: PathBuf,
    pub(super) is_new: bool,
    pub(super) generation: u64,
    _writer: File,
}

/// A generation that is being read; it stays as long as this lives.
pub(super) struct View {
    pub(super) folder: PathBuf,
    pub(super) generation: u64,
    lock: File,
    space: PathBuf,
}

impl Drop for View {
    /// The last reader of a generation that does not hold any more takes it along. What cannot be removed now goes with the next draft.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let _ = self.lock.unlock();
        let generations = Generations::of(self.space.clone());
        if generations.current().is_ok_and(|current| current.generation != self.generation) {
            let _ = generations.remove(self.generation);
        }
    }
}

impl Generations {
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What holds now.
    pub(super) fn current(&self) -> io::Result<Current> {
        match fs::read(self.folder.join(CURRENT)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| broken(&self.folder.join(CURRENT), &error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Current::default()),
            Err(error) => Err(error),
        }
    }

    /// The stamp of what says which generation holds.
    pub(super) fn stamp(&self) -> io::Result<Option<Stamp>> {
        Stamp::of(&self.folder.join(CURRENT))
    }

    /// Opens the generation that holds for reading; `None` before the first.
    pub(super) fn view(&self) -> io::Result<Option<View>> {
        loop {
            let current = self.current()?;
            if current.generation == 0 {
                return Ok(None);
            }
            let lock = lock_file(&self.lock_path(current.generation))?;
            lock.lock_shared()?;
            // A writer may have published the next and removed this one between the look and the lock.
            if self.current()?.generation == current.generation {
                return self.view_of(current.generation, lock).map(Some);
            }
        }
    }

    fn view_of(&self, generation: u64, lock: File) -> io::Result<View> {
        let shard = self.path(generation);
        check_lengths(&shard)?;
        let number = N_VIEWS.fetch_add(1, Ordering::Relaxed);
        let folder = self.readers_path(generation).join(format!("{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let segments = fs::canonicalize(shard.join(SEGMENTS))?;
        std::os::unix::fs::symlink(segments, folder.join(SEGMENTS))?;
        Ok(View { folder, generation, lock, space: self.folder.clone() })
    }

    /// Begins the next generation as a copy of the one that holds, and clears away what is left of others.
    pub(super) fn draft(&self) -> io::Result<Draft> {
        let writer = self.lock_writer()?;
        let current = self.current()?;
        self.remove_others(current.generation)?;
        let generation = self.highest()?.max(current.generation) + 1;
        let folder = self.path(generation);
        if current.generation == 0 {
            fs::create_dir_all(&folder)?;
        } else {
            check_lengths(&self.path(current.generation))?;
            copy_folder(&self.path(current.generation), &folder)?;
        }
        Ok(Draft { folder, is_new: current.generation == 0, generation, _writer: writer })
    }

    /// Makes the draft, which must be closed, the generation that holds. The one before it goes, unless somebody reads it.
    pub(super) fn publish(&self, draft: &Draft, applied: i64) -> io::Result<()> {
        empty_log(&draft.folder.join(WAL), draft.generation)?;
        let mut lengths = BTreeMap::new();
        sync_folder(&draft.folder, &draft.folder, &mut lengths)?;
        replace(&draft.folder, FILES, &serde_json::to_vec(&lengths)?)?;
        self.point_at(Current { generation: draft.generation, applied })?;
        // It holds now, whatever becomes of the others: what cannot be removed goes with the next draft.
        let _ = self.remove_others(draft.generation);
        Ok(())
    }

    /// Notes a later change that altered nothing here.
    pub(super) fn note_applied(&self, applied: i64) -> io::Result<()> {
        let _writer = self.lock_writer()?;
        let current = self.current()?;
        self.point_at(Current { applied, ..current })
    }

    fn point_at(&self, current: Current) -> io::Result<()> {
        replace(&self.folder, CURRENT, &serde_json::to_vec(&current)?)
    }

    fn lock_writer(&self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let file = lock_file(&self.folder.join("writer.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(io::Error::other("another process is writing to it")),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes generations that do not hold and that nobody reads.
    pub(super) fn remove_others(&self, held: u64) -> io::Result<()> {
        self.present()?.into_iter().filter(|generation| *generation != held).try_for_each(|generation| self.remove(generation))
    }

    /// Removes a generation, if nobody reads it.
    fn remove(&self, generation: u64) -> io::Result<()> {
        let lock = lock_file(&self.lock_path(generation))?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        for folder in [self.path(generation), self.readers_path(generation)] {
            is_gone(fs::remove_dir_all(folder))?;
        }
        is_gone(fs::remove_file(self.lock_path(generation)))
    }

    fn highest(&self) -> io::Result<u64> {
        Ok(self.present()?.into_iter().max().unwrap_or(0))
    }

    /// Numbers of the generations of which any file is there.
    fn present(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix('g')).and_then(|rest| rest.split('.').next());
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    fn path(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("g{generation}"))
    }

    fn lock_path(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("g{generation}.lock"))
    }

    fn readers_path(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("g{generation}.readers"))
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

/// Writes a small file beside and renames it into place, durably.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("{name}.new"));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Somebody else may have removed it.
fn is_gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The log is never replayed here, since a draft that was not published is thrown away; but it holds the vectors of every chunk that was
/// put in or taken out. In its place stands one of its files without an entry, which says from which number operations count on: above
/// all of this generation's.
fn empty_log(wal: &Path, generation: u64) -> io::Result<()> {
    for entry in fs::read_dir(wal)? {
        fs::remove_file(entry?.path())?;
    }
    fs::write(wal.join(format!("closed-{}", generation << 32)), EMPTY_LOG)
}

/// Brings a folder to the disk and lists the lengths of its files, by path relative to `root`.
fn sync_folder(root: &Path, folder: &Path, lengths: &mut BTreeMap<PathBuf, u64>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            sync_folder(root, &path, lengths)?;
            continue;
        }
        let file = File::open(&path)?;
        file.sync_all()?;
        let relative = path.strip_prefix(root).map_err(io::Error::other)?;
        if relative != Path::new(FILES) {
            lengths.insert(relative.to_owned(), file.metadata()?.len());
        }
    }
    File::open(folder)?.sync_all()
}

/// A mapped file that was cut short ends the process when it is read, so lengths are checked before anything is mapped.
fn check_lengths(shard: &Path) -> io::Result<()> {
    let list = shard.join(FILES);
    let bytes = fs::read(&list).map_err(|error| broken(&list, &error.to_string()))?;
    let lengths: BTreeMap<PathBuf, u64> = serde_json::from_slice(&bytes).map_err(|error| broken(&list, &error.to_string()))?;
    for (relative, length) in lengths {
        let path = shard.join(relative);
        match fs::metadata(&path) {
            Ok(found) if found.len() >= length => {}
            Ok(found) => return Err(broken(&path, &format!("cut short: {} of {length} bytes", found.len()))),
            Err(error) => return Err(broken(&path, &error.to_string())),
        }
    }
    Ok(())
}

fn broken(path: &Path, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {reason}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            copy_sparse(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Copies a file without its holes: a small shard is 100 MB long, nearly all of it empty.
fn copy_sparse(from: &Path, to: &Path) -> io::Result<()> {
    const BLOCK: usize = 1 << 16;
    let mut source = File::open(from)?;
    let mut target = File::create(to)?;
    let length = source.metadata()?.len();
    target.set_len(length)?;
    let mut block = vec![0_u8; BLOCK];
    let (mut at, mut written_to) = (0_u64, 0_u64);
    while at < length {
        let n_bytes = source.read(&mut block)?;
        if n_bytes == 0 {
            break;
        }
        if block[..n_bytes].iter().any(|byte| *byte != 0) {
            if written_to != at {
                target.seek(SeekFrom::Start(at))?;
            }
            target.write_all(&block[..n_bytes])?;
            written_to = at + n_bytes as u64;
        }
        at += n_bytes as u64;
    }
    Ok(())
}
