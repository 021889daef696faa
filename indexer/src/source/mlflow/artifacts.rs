//! Logs and other text among a run's artifacts, bounded in number and size, where they lie on this machine's disk.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ignore::WalkBuilder;

use crate::run::RunText;

/// Most text artifacts that are kept of a run.
pub(in crate::source) const MAX_FILES: usize = 20;
/// Longest text that is kept of an artifact; of a longer one the end is kept.
pub(in crate::source) const MAX_BYTES: u64 = 64 << 10;
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 8;
/// Most files and folders of one run that are looked at.
const MAX_ENTRIES: usize = 5_000;

/// Endings of text files: the most telling first.
const ENDINGS: [&str; 10] = ["log", "err", "out", "txt", "md", "yaml", "yml", "json", "toml", "cfg"];

/// A text file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Listed {
    /// Path among the run's artifacts, with `/` between the parts.
    pub(in crate::source) path: String,
    /// In bytes.
    pub(in crate::source) size: u64,
    /// Milliseconds since 1970; 0 where not known.
    pub(in crate::source) modified_ms: u128,
}

/// Whether a path ends like a text file's, and how telling such a file is: less is more.
pub(in crate::source) fn rank(path: &str) -> Option<usize> {
    let (_, ending) = path.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    ENDINGS.iter().position(|known| *known == ending)
}

/// Keeps the most telling files: logs before notes before settings.
pub(in crate::source) fn choose(mut files: Vec<Listed>) -> Vec<Listed> {
    files.retain(|file| file.size > 0 && rank(&file.path).is_some());
    files.sort_by_cached_key(|file| (rank(&file.path), file.path.clone()));
    files.truncate(MAX_FILES);
    files
}

/// The text files of a run's artifact folder that are worth keeping. A folder that is not there holds none.
pub(in crate::source) fn list(folder: &Path) -> Vec<Listed> {
    let walk = WalkBuilder::new(folder).standard_filters(false).follow_links(false).max_depth(Some(MAX_DEPTH)).build();
    let entries = walk.take(MAX_ENTRIES).filter_map(Result::ok);
    choose(entries.filter_map(|entry| listed(folder, &entry)).collect())
}

fn listed(folder: &Path, entry: &ignore::DirEntry) -> Option<Listed> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    let metadata = entry.metadata().ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let relative = entry.path().strip_prefix(folder).ok()?;
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Some(Listed { path: parts.join("/"), size: metadata.len(), modified_ms: modified.map_or(0, |age| age.as_millis()) })
}

/// What of a list shows that a file changed, for fingerprints.
pub(in crate::source) fn fingerprint(files: &[Listed]) -> String {
    files.iter().map(|file| format!("{}\0{}\0{}\n", file.path, file.size, file.modified_ms)).collect()
}

/// Reads listed files; one that vanished since, or is not text, is left out.
pub(in crate::source) fn read(folder: &Path, files: &[Listed]) -> Vec<RunText> {
    files.iter().filter_map(|file| tail(&folder.join(&file.path)).ok().and_then(|tail| tail.text(&file.path))).collect()
}

fn tail(path: &Path) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut tail = Tail::new(size);
    file.seek(SeekFrom::Start(size.saturating_sub(MAX_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    tail.push(&bytes);
    Ok(tail)
}

/// The last bytes of something that comes in pieces.
#[derive(Debug)]
pub(in crate::source) struct Tail {
    bytes: VecDeque<u8>,
    is_cut: bool,
}

impl Tail {
    /// Of something that is said to be this many bytes long.
    pub(in crate::source) fn new(size: u64) -> Self {
        Self { bytes: VecDeque::new(), is_cut: size > MAX_BYTES }
    }

    /// Takes the next piece.
    pub(in crate::source) fn push(&mut self, piece: &[u8]) {
        self.bytes.extend(piece);
        let n_over = self.bytes.len().saturating_sub(MAX_BYTES as usize);
        self.bytes.drain(..n_over);
        self.is_cut |= n_over > 0;
    }

    /// The text, beginning with a whole line where something was cut off; nothing if it is empty or binary.
    pub(in crate::source) fn text(self, path: &str) -> Option<RunText> {
        let bytes = Vec::from(self.bytes);
        if bytes.contains(&0) {
            return None;
        }
        let whole = String::from_utf8_lossy(&bytes);
        let text = match whole.split_once('\n') {
            Some((_, rest)) if self.is_cut && !rest.is_empty() => rest,
            _ => &whole,
        };
        (!text.trim().is_empty()).then(|| RunText { path: path.to_owned(), text: text.to_owned(), cut: self.is_cut })
    }
}

/// The folder of a run's artifacts on this machine, if they lie on it. `store` is the folder of the tracker's own files, from
/// which relative addresses count, and the server's `mlartifacts` beside them. Only a folder named after the run is taken:
/// whoever makes an experiment chooses its artifact address freely, and must not make us read files of other kinds.
pub(in crate::source) fn folder(uri: &str, run_id: &str, store: &Path) -> Option<PathBuf> {
    let path = if uri.starts_with("file:") {
        file_path(uri)?
    } else if let Some(path) = uri.strip_prefix("mlflow-artifacts:") {
        store.join("mlartifacts").join(path.trim_start_matches('/'))
    } else if uri.is_empty() || uri.contains("://") {
        return None;
    } else {
        store.join(uri)
    };
    let is_of_run = path.components().any(|part| part.as_os_str() == run_id);
    let climbs = path.strip_prefix(store).unwrap_or(&path).components().any(|part| part.as_os_str() == "..");
    (is_of_run && !climbs && fs::metadata(&path).is_ok_and(|data| data.is_dir())).then_some(path)
}

/// The path of a `file:` address; `file:relative/path` is none.
fn file_path(uri: &str) -> Option<PathBuf> {
    reqwest::Url::parse(uri).ok()?.to_file_path().ok()
}
