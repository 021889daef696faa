//! Runs a blocking reader in a test and sorts what it sent.

use std::fs;
use std::path::Path;

use tokio::sync::mpsc;

use crate::record::{Body, Config, Record};
use crate::source::{Complaint, Item, Known, Listing, Outlet, SourceError};

/// What a reader sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) records: Vec<Record>,
    pub(crate) unchanged: Vec<String>,
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) gone: Vec<String>,
    pub(crate) listing: Listing,
}

/// Reads a place to its end.
pub(crate) fn read<P: ?Sized>(
    reader: fn(&P, &Known, &Outlet) -> Result<Listing, SourceError>,
    place: &P,
    known: &Known,
) -> Result<Sent, SourceError> {
    let (sender, mut receiver) = mpsc::channel(100_000);
    let mut sent = Sent { listing: reader(place, known, &Outlet::new(sender))?, ..Sent::default() };
    while let Ok(item) = receiver.try_recv() {
        match item {
            Item::Expect(_) => {}
            Item::Record(record) => sent.records.push(*record),
            Item::Unchanged(native_id) => sent.unchanged.push(native_id),
            Item::Complaint(complaint) => sent.complaints.push(complaint),
            Item::Gone(native_id) | Item::Withheld(native_id) => sent.gone.push(native_id),
        }
    }
    Ok(sent)
}

impl Sent {
    /// What the pipeline would hand back at the next reading.
    pub(crate) fn as_known(&self) -> Known {
        let fingerprints = self.records.iter().map(|record| (record.native_id.clone(), record.fingerprint.clone()));
        Known { fingerprints: fingerprints.collect(), cursor: self.listing.cursor.clone() }
    }

    /// The record with this native id.
    #[track_caller]
    pub(crate) fn record(&self, native_id: &str) -> &Record {
        match self.records.iter().find(|record| record.native_id == native_id) {
            Some(record) => record,
            None => panic!("no record `{native_id}` among {:?}", self.records.iter().map(|r| &r.native_id).collect::<Vec<_>>()),
        }
    }

    /// The values of the configuration with this native id, one `key=text` a line.
    #[track_caller]
    pub(crate) fn values(&self, native_id: &str) -> String {
        let Body::Config(Config { values, .. }) = &self.record(native_id).body else { panic!("`{native_id}` is no configuration") };
        values.iter().map(|(key, text)| format!("{key}={text}\n")).collect()
    }

    /// Every complaint as `FILE: message (native id)`, with the folder left out.
    pub(crate) fn complaints_in(&self, root: &Path) -> String {
        let shown = |complaint: &Complaint| {
            let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
            let place = complaint.place.trim_start_matches(&root.display().to_string()).trim_start_matches('/').to_owned();
            format!("{place}: {} ({})\n", complaint.message, complaint.native_id.as_deref().unwrap_or("-"))
        };
        self.complaints.iter().map(shown).collect()
    }
}

/// Writes a file below a folder, with the folders above it.
#[track_caller]
pub(crate) fn write(root: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = root.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    }
    fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// A folder of ../shared/data, or why the test is not run.
pub(crate) fn shared(name: &str) -> Option<std::path::PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("RUNLORE_SHARED").map_or_else(beside, Into::into).join("data").join(name);
    if !path.exists() {
        println!("not run: `{}` is not there", path.display());
        return None;
    }
    Some(path)
}
