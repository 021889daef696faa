//! Deleted chunks leave the files: Tantivy only marks them, and their terms stay in a segment until it is merged.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use tantivy::directory::MmapDirectory;
use tantivy::indexer::NoMergePolicy;
use tantivy::schema::Field;
use tantivy::{IndexWriter, Searcher};

use super::{KeywordError, KeywordIndex, WRITER_BYTES, explained};
use crate::leak;
use crate::space::Space;

impl KeywordIndex {
    /// Writes every segment that holds something deleted anew without it, and removes the files that are not needed any more. Nothing
    /// that a search sees changes. Where nothing is deleted this costs a look.
    ///
    /// # Errors
    /// Where the files cannot be written, or another process writes.
    pub fn purge(&self, space: &Space) -> Result<(), KeywordError> {
        let folder = self.space_folder(space);
        if self.stamp(space)?.is_none() || leak::is_seeded("keyword.deleted") {
            return Ok(());
        }
        self.rewrite(&folder).map_err(|error| explained(&folder, error))
    }

    /// Every word that the files of a space hold, those of deleted chunks among them: for verification.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn every_word(&self, space: &Space) -> Result<BTreeSet<String>, KeywordError> {
        let Some(index) = self.opened(space)? else { return Ok(BTreeSet::new()) };
        let fields = [self.layout.prose, self.layout.exact];
        words_of(&index.searcher, fields).map_err(|error| explained(&self.space_folder(space), error))
    }

    fn rewrite(&self, folder: &Path) -> tantivy::Result<()> {
        let index = self.index_builder().open_or_create(MmapDirectory::open(folder)?)?;
        let mut writer: IndexWriter = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let metas = index.searchable_segment_metas()?;
        let littered: Vec<_> = metas.iter().filter(|meta| meta.num_deleted_docs() > 0).map(|meta| meta.id()).collect();
        // What is kept of the segments keeps their files.
        drop(metas);
        if !littered.is_empty() {
            writer.merge(&littered).wait()?;
        }
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()
    }

    /// Closes what is open of earlier commits, so that a process that reads nothing for a while holds no files that were removed.
    pub fn let_go(&self) {
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: Vec<_> = opened().iter().map(|(space, open)| (space.clone(), Arc::clone(open))).collect();
        for (space, open) in kept {
            let is_current = self.stamp(&space).is_ok_and(|stamp| stamp == Some(open.stamp));
            if !is_current && opened().get(&space).is_some_and(|now| Arc::ptr_eq(now, &open)) {
                opened().remove(&space);
            }
        }
    }
}

fn words_of(searcher: &Searcher, fields: [Field; 2]) -> tantivy::Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    for segment in searcher.segment_readers() {
        for field in fields {
            let index = segment.inverted_index(field)?;
            let mut terms = index.terms().stream()?;
            while terms.advance() {
                words.insert(String::from_utf8_lossy(terms.key()).into_owned());
            }
        }
    }
    Ok(words)
}
