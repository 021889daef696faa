//! What the readers of folders share: which files there are, and their text within a limit.

#[cfg(test)]
pub(super) mod testing;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use sha2::{Digest as _, Sha256};

use super::{Complaint, Item, Outlet, SourceError};

/// Whether hidden folders are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// None is.
    Skip,
    /// Only those with this name are.
    Only(&'static str),
}

/// A file below a root.
#[derive(Debug, Clone)]
pub(super) struct FoundFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path relative to the root, with `/` between the parts.
    pub(super) name: String,
}

/// The files below a root, by name, and the folders that could not be listed.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of their names.
    pub(super) files: Vec<FoundFile>,
    /// One for each folder or entry that could not be read.
    pub(super) complaints: Vec<Complaint>,
}

/// Lists the files below `root` whose extension is one of `extensions`. Symbolic links are not followed.
///
/// # Errors
/// Where the root is missing, is no folder, or cannot be listed.
pub(super) fn list(root: &Path, extensions: &[&str], hidden: Hidden) -> Result<Found, SourceError> {
    let place = root.display().to_string();
    let unreadable = |e: std::io::Error| SourceError::Unreadable { place: place.clone(), reason: e.to_string() };
    let real_root = fs::canonicalize(root).map_err(unreadable)?;
    if !real_root.is_dir() {
        return Err(SourceError::NotWhatItShouldBe { place, expected: "a folder", reason: "it is a file".to_owned() });
    }
    fs::read_dir(&real_root).map_err(unreadable)?;
    let mut found = Found::default();
    let walk = WalkBuilder::new(&real_root)
        .standard_filters(false)
        .follow_links(false)
        .filter_entry(move |entry| is_entered(entry, hidden))
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk {
        match entry {
            Ok(entry) if is_wanted(&entry, extensions) => found.files.push(named(entry.into_path(), &real_root)),
            Ok(_) => {}
            Err(e) => found.complaints.push(Complaint { place: place.clone(), message: e.to_string(), native_id: None }),
        }
    }
    Ok(found)
}

fn is_entered(entry: &DirEntry, hidden: Hidden) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_open = !name.starts_with('.') || matches!(hidden, Hidden::Only(only) if only == name);
    entry.depth() == 0 || is_open
}

fn is_wanted(entry: &DirEntry, extensions: &[&str]) -> bool {
    let extension = entry.path().extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    entry.file_type().is_some_and(|kind| kind.is_file()) && extensions.contains(&extension.as_str())
}

fn named(path: PathBuf, root: &Path) -> FoundFile {
    let relative = path.strip_prefix(root).unwrap_or(&path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    FoundFile { name: parts.join("/"), path }
}

/// The text of a file, and whether something in it was not UTF-8.
#[derive(Debug)]
pub(super) struct FileText {
    /// The text; what was not UTF-8 stands as U+FFFD.
    pub(super) text: String,
    /// Whether bytes had to be replaced.
    pub(super) is_lossy: bool,
    /// Hash of the bytes in the file.
    pub(super) hash: String,
}

/// Reads a text file of at most `max_bytes`.
///
/// # Errors
/// Why there is no text to be had: it cannot be opened, is too large, or is binary.
pub(super) fn read_text(path: &Path, max_bytes: u64) -> Result<FileText, String> {
    let bytes = read_bytes(path, max_bytes)?;
    if bytes.contains(&0) {
        return Err("binary, not text".to_owned());
    }
    let hash = sha256(&[&bytes]);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(FileText { text, is_lossy: false, hash }),
        Err(e) => Ok(FileText { text: String::from_utf8_lossy(e.as_bytes()).into_owned(), is_lossy: true, hash }),
    }
}

fn read_bytes(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("larger than {} MiB, not read", max_bytes >> 20));
    }
    Ok(bytes)
}

/// SHA-256 of the parts, each with its length before it, in hex digits.
pub(super) fn sha256(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a complaint about the thing `native_id` that lies at `place`.
pub(super) fn complain(outlet: &Outlet, place: &Path, message: String, native_id: &str) -> Result<(), SourceError> {
    let complaint = Complaint { place: place.display().to_string(), message, native_id: Some(native_id.to_owned()) };
    outlet.send_blocking(Item::Complaint(complaint))
}
