//! Reads the push format: JSON lines that say what a tracker holds, so that any tracker can be mapped with a script.
//!
//! docs/push-format.md describes it. The lines may come from files, from standard input or over HTTP: all go through
//! `Batch`. A bad line costs a complaint with its place, and then nothing is concluded from what the listing lacks.

mod extend;
mod fields;
mod line;
mod lines;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use self::line::Line;
use self::lines::RawLine;
use super::folder::{self, FoundFile, Hidden};
use super::{Complaint, Item, Known, Listing, Outlet, SourceError};
use crate::record::{Record, RecordKind};

const EXTENSIONS: [&str; 2] = ["jsonl", "ndjson"];

/// Reads a file, or every file of a folder in the order of their names.
///
/// # Errors
/// Where the file or folder is missing or unreadable, or nobody listens any more.
pub fn read(root: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let (files, mut complaints) = files(root)?;
    let cursor = hash_of(&files).map_err(|(place, e)| SourceError::Unreadable { place, reason: e.to_string() })?;
    if known.cursor.as_ref() == Some(&cursor) {
        for native_id in known.fingerprints.keys() {
            outlet.send_blocking(Item::Unchanged(native_id.clone()))?;
        }
        return Ok(Listing { is_complete: true, cursor: Some(cursor) });
    }
    let mut batch = Batch::default();
    for file in &files {
        let place = file.path.display().to_string();
        let opened = File::open(&file.path).map(BufReader::new);
        if let Err(e) = opened.and_then(|reader| batch.read(&place, reader)) {
            complaints.push(Complaint { place, message: e.to_string(), native_id: None });
        }
    }
    let mut pushed = batch.finish();
    pushed.complaints.splice(0..0, complaints);
    let is_complete = pushed.complaints.iter().all(|complaint| complaint.native_id.is_some());
    let cursor = pushed.complaints.is_empty().then_some(cursor);
    send(pushed, known, outlet)?;
    Ok(Listing { is_complete, cursor })
}

fn send(pushed: Pushed, known: &Known, outlet: &Outlet) -> Result<(), SourceError> {
    outlet.send_blocking(Item::Expect(pushed.records.len()))?;
    for complaint in pushed.complaints {
        outlet.send_blocking(Item::Complaint(complaint))?;
    }
    for native_id in pushed.gone.into_iter().filter(|id| known.fingerprints.contains_key(id)) {
        outlet.send_blocking(Item::Gone(native_id))?;
    }
    for record in pushed.records {
        if known.is_same(&record.native_id, &record.fingerprint) {
            outlet.send_blocking(Item::Unchanged(record.native_id))?;
        } else {
            outlet.send_blocking(Item::Record(Box::new(record)))?;
        }
    }
    Ok(())
}

fn files(root: &Path) -> Result<(Vec<FoundFile>, Vec<Complaint>), SourceError> {
    if root.is_file() {
        return Ok((vec![FoundFile { path: root.to_owned(), name: String::new() }], Vec::new()));
    }
    let found = folder::list(root, &EXTENSIONS, Hidden::Skip)?;
    Ok((found.files, found.complaints))
}

/// Hash of all names and contents.
fn hash_of(files: &[FoundFile]) -> Result<String, (String, io::Error)> {
    let mut parts = Vec::new();
    for file in files {
        let hash = hash_of_file(&file.path).map_err(|e| (file.path.display().to_string(), e))?;
        parts.extend([file.name.clone().into_bytes(), hash]);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(folder::sha256(&parts))
}

fn hash_of_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// What a batch of lines says.
#[derive(Debug, Default)]
pub struct Pushed {
    /// In the order in which they were first named.
    pub records: Vec<Record>,
    /// Native ids of what was deleted by a line, and not given again after it.
    pub gone: Vec<String>,
    /// What could not be read, with `place:line`.
    pub complaints: Vec<Complaint>,
}

/// Collects lines, from one reader or several; a later line extends what an earlier one said of the same thing.
#[derive(Debug, Default)]
pub struct Batch {
    records: Vec<Option<Record>>,
    /// Native id -> place in `records`.
    places: HashMap<String, usize>,
    gone: BTreeSet<String>,
    complaints: Vec<Complaint>,
}

impl Batch {
    /// Reads the lines of one file or stream; `place` stands before the line number in complaints.
    ///
    /// # Errors
    /// Where reading fails; what was read before stays.
    pub fn read(&mut self, place: &str, mut reader: impl BufRead) -> io::Result<()> {
        let mut unknown_keys: HashSet<String> = HashSet::new();
        let mut number = 0;
        while let Some(raw) = lines::next(&mut reader)? {
            number += 1;
            let place = format!("{place}:{number}");
            match raw {
                RawLine::Text(text) if text.trim().is_empty() => {}
                RawLine::Text(text) => self.take(&place, &text, &mut unknown_keys),
                RawLine::Bad(why) => self.complain(&place, why, None),
            }
        }
        Ok(())
    }

    /// Everything that the lines said.
    pub fn finish(self) -> Pushed {
        let mut records: Vec<Record> = self.records.into_iter().flatten().collect();
        for record in &mut records {
            extend::complete(record);
        }
        Pushed { records, gone: self.gone.into_iter().collect(), complaints: self.complaints }
    }

    fn take(&mut self, place: &str, text: &str, unknown_keys: &mut HashSet<String>) {
        let parsed = match line::parse(text) {
            Ok(parsed) => parsed,
            Err(bad) => return self.complain(place, bad.message, bad.native_id),
        };
        for key in parsed.unknown_keys.into_iter().filter(|key| unknown_keys.insert(key.clone())) {
            let message = format!("key `{key}` is not known and not read; it is said once a file");
            self.complain(place, message, Some(parsed.line.native_id().to_owned()));
        }
        for message in parsed.warnings {
            self.complain(place, message, Some(parsed.line.native_id().to_owned()));
        }
        match parsed.line {
            Line::Record(record) => self.put(place, *record, text),
            Line::Delete { kind, native_id } => self.delete(place, kind, native_id),
        }
    }

    fn put(&mut self, place: &str, mut record: Record, text: &str) {
        let native_id = record.native_id.clone();
        let known = self.places.get(&native_id).copied();
        let earlier = known.and_then(|at| self.records[at].as_mut());
        let said_before = earlier.as_ref().map(|record| record.fingerprint.clone()).unwrap_or_default();
        record.fingerprint = folder::sha256(&[said_before.as_bytes(), text.as_bytes()]);
        self.gone.remove(&native_id);
        match (earlier, known) {
            (Some(earlier), _) if earlier.body.kind() == record.body.kind() => extend::extend(earlier, record),
            (Some(earlier), _) => {
                let message = format!("`{native_id}` is already the id of a {}; the line is not read", earlier.body.kind());
                self.complain(place, message, Some(native_id));
            }
            (None, Some(at)) => self.records[at] = Some(record),
            (None, None) => {
                self.places.insert(native_id, self.records.len());
                self.records.push(Some(record));
            }
        }
    }

    fn delete(&mut self, place: &str, kind: RecordKind, native_id: String) {
        let slot = self.places.get(&native_id).and_then(|&at| self.records.get_mut(at));
        match slot.as_ref().and_then(|slot| slot.as_ref()).map(|record| record.body.kind()) {
            Some(other) if other != kind => {
                let message = format!("`{native_id}` is the id of a {other}, not of a {kind}; nothing is deleted");
                self.complain(place, message, Some(native_id));
            }
            _ => {
                if let Some(slot) = slot {
                    *slot = None;
                }
                self.gone.insert(native_id);
            }
        }
    }

    fn complain(&mut self, place: &str, message: String, native_id: Option<String>) {
        self.complaints.push(Complaint { place: place.to_owned(), message, native_id });
    }
}
