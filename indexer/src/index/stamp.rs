//! Whether a small file that is only ever replaced as a whole is still the one that was read: told without reading it again.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What another file at the same place differs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

impl Stamp {
    /// That of the file at a place; `None` where there is none.
    pub(super) fn of(file: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(file) {
            Ok(found) => {
                let modified = (found.mtime(), found.mtime_nsec());
                Ok(Some(Self { inode: found.ino(), modified, length: found.len() }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
