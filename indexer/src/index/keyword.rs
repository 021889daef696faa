//! The keyword index: one Tantivy index a space, so that a record out of scope cannot touch scores, counts or order.

mod purge;
mod scoring;
mod statistics;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::LogMergePolicy;
use tantivy::{Index, IndexWriter, ReloadPolicy, Searcher, TantivyError};
use thiserror::Error;

use self::scoring::Places;
use self::statistics::Totals;
use crate::failpoint;
use crate::index::schema::{Layout, tokenizers};
use crate::index::stamp::Stamp;
use crate::index::vector::Filter;
use crate::record::{RecordId, RecordKind};
use crate::search::query::Asked;
use crate::space::{Hit, Space};

/// Memory of the writer, in bytes; what does not fit goes to disk as a segment of its own.
const WRITER_BYTES: usize = 40_000_000;

/// A segment is merged once this share of it is deleted.
const MOST_DELETED: f32 = 0.3;

/// A chunk, ready to be indexed by its words.
#[derive(Debug, Clone, PartialEq)]
pub struct KeywordChunk {
    /// The record that it is of.
    pub record: RecordId,
    /// Which chunk of it.
    pub position: u32,
    /// Hash of the chunk's text.
    pub text_hash: String,
    /// Kind of the record.
    pub kind: RecordKind,
    /// Project of the record.
    pub project: Option<String>,
    /// When the record was made, milliseconds since 1970, UTC.
    pub created_ms: Option<i64>,
    /// Title of the record.
    pub title: String,
    /// The headings that the text stands under.
    pub heading: String,
    /// The text.
    pub text: String,
}

/// Why the keyword index did not serve.
#[derive(Debug, Error)]
pub enum KeywordError {
    /// The files are missing, broken or not writable.
    #[error("the keyword index `{place}` does not serve: {reason}")]
    Unavailable { place: String, reason: String },
    /// Another process writes to it.
    #[error("the keyword index `{place}` is being written by another process")]
    Busy { place: String },
    /// It was made under other rules.
    #[error("the keyword index `{place}` was made by another version and has to be built anew")]
    OtherLayout { place: String },
}

/// The keyword indexes of all spaces. Blocking: call it on a blocking thread. One writer at a time.
pub struct KeywordIndex {
    folder: PathBuf,
    layout: Layout,
    opened: Mutex<HashMap<Space, Arc<Opened>>>,
}

/// One space's index as of one commit.
struct Opened {
    /// Of the file that each commit replaces: another one means that there was a commit since, maybe of another process.
    stamp: Stamp,
    searcher: Searcher,
    totals: Totals,
    /// One a segment, in the searcher's order.
    places: Vec<Places>,
}

impl KeywordIndex {
    /// The indexes that lie in `folder`, one folder a space. The folder is made if it is not there.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, KeywordError> {
        fs::create_dir_all(folder).map_err(|error| unavailable(folder, error))?;
        Ok(Self { folder: folder.to_owned(), layout: Layout::new(), opened: Mutex::default() })
    }

    /// Takes out every chunk of `removed`, puts in `added` (each in place of the one at its position), and notes that the change feed
    /// is applied up to `change`: all in one commit, so that a crash leaves all of it or none. Applying it again changes nothing.
    ///
    /// # Errors
    /// Where the files cannot be written, or another process writes.
    pub fn apply(&self, space: &Space, removed: &[RecordId], added: &[KeywordChunk], change: i64) -> Result<(), KeywordError> {
        let folder = self.space_folder(space);
        fs::create_dir_all(&folder).map_err(|error| unavailable(&folder, error))?;
        self.write(&folder, removed, added, change).map_err(|error| explained(&folder, error))
    }

    fn write(&self, folder: &Path, removed: &[RecordId], added: &[KeywordChunk], change: i64) -> tantivy::Result<()> {
        // A new handle each time: one that is kept does not learn which files other processes made, and would never clear them away.
        let index = self.index_builder().open_or_create(MmapDirectory::open(folder)?)?;
        let mut writer: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES)?;
        let mut merging = LogMergePolicy::default();
        merging.set_del_docs_ratio_before_merge(MOST_DELETED);
        writer.set_merge_policy(Box::new(merging));
        for record in removed {
            writer.delete_term(self.layout.record_term(*record));
        }
        for chunk in added {
            writer.delete_term(self.layout.chunk_term(chunk.record, chunk.position));
            writer.add_document(self.layout.document(chunk))?;
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&change.to_string());
        failpoint::reach("keyword.before_commit");
        commit.commit()?;
        failpoint::reach("keyword.after_commit");
        writer.wait_merging_threads()
    }

    /// The number last given to `apply`, 0 where there is no index.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn applied(&self, space: &Space) -> Result<i64, KeywordError> {
        let folder = self.space_folder(space);
        if self.stamp(space)?.is_none() {
            return Ok(0);
        }
        let metas = Index::open_in_dir(&folder).and_then(|index| index.load_metas()).map_err(|error| explained(&folder, error))?;
        let Some(payload) = metas.payload else { return Ok(0) };
        payload.parse().map_err(|_| unavailable(&folder, format!("its change number is `{payload}`")))
    }

    /// The best chunks of these spaces by BM25, best first, at most `limit`; equal scores by record id, then position.
    /// The statistics are those of the live chunks of these spaces. A space that has no index yet has no hits.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn search(&self, spaces: &[Space], query: &str, filter: &Filter, limit: usize) -> Result<Vec<Hit>, KeywordError> {
        let mut opened = Vec::new();
        for space in spaces {
            if let Some(index) = self.opened(space)? {
                opened.push((space, index));
            }
        }
        let clauses = scoring::clauses(&self.layout, &Asked::read(query));
        scoring::best_hits(&self.layout, &opened, &clauses, filter, limit).map_err(|error| explained(&self.folder, error))
    }

    /// Every (record, position, text hash) of one space, in order: for verification.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn contents(&self, space: &Space) -> Result<Vec<(RecordId, u32, String)>, KeywordError> {
        let Some(index) = self.opened(space)? else { return Ok(Vec::new()) };
        let mut rows = scoring::every_chunk(&self.layout, &index).map_err(|error| explained(&self.space_folder(space), error))?;
        rows.sort();
        Ok(rows)
    }

    /// Every space that has an index.
    pub(crate) fn every_space(&self) -> Vec<Space> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        folders.filter_map(|folder| Space::new(&folder.file_name().to_string_lossy()).ok()).collect()
    }

    fn space_folder(&self, space: &Space) -> PathBuf {
        self.folder.join(space.as_str())
    }

    fn index_builder(&self) -> tantivy::IndexBuilder {
        Index::builder().schema(self.layout.schema.clone()).tokenizers(tokenizers())
    }

    /// The stamp of the file that each commit replaces; `None` where there is no index.
    fn stamp(&self, space: &Space) -> Result<Option<Stamp>, KeywordError> {
        let file = self.space_folder(space).join("meta.json");
        Stamp::of(&file).map_err(|error| unavailable(&file, error))
    }

    /// The index of a space as of its last commit.
    fn opened(&self, space: &Space) -> Result<Option<Arc<Opened>>, KeywordError> {
        let Some(stamp) = self.stamp(space)? else { return Ok(None) };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = opened.get(space).filter(|kept| kept.stamp == stamp) {
            return Ok(Some(Arc::clone(kept)));
        }
        let fresh = Arc::new(self.read(space, stamp).map_err(|error| explained(&self.space_folder(space), error))?);
        opened.insert(space.clone(), Arc::clone(&fresh));
        Ok(Some(fresh))
    }

    fn read(&self, space: &Space, stamp: Stamp) -> tantivy::Result<Opened> {
        let index = self.index_builder().open_or_create(MmapDirectory::open(self.space_folder(space))?)?;
        let searcher = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?.searcher();
        let totals = Totals::of(&searcher, &self.layout)?;
        let places = searcher.segment_readers().iter().map(Places::of).collect::<tantivy::Result<_>>()?;
        Ok(Opened { stamp, searcher, totals, places })
    }
}

fn unavailable(place: &Path, reason: impl ToString) -> KeywordError {
    KeywordError::Unavailable { place: place.display().to_string(), reason: reason.to_string() }
}

fn explained(place: &Path, error: TantivyError) -> KeywordError {
    match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => KeywordError::Busy { place: place.display().to_string() },
        TantivyError::SchemaError(_) => KeywordError::OtherLayout { place: place.display().to_string() },
        error => unavailable(place, error),
    }
}
