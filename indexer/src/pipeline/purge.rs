//! What was deleted or edited away leaves the disk: the files of the indexes, the kept vectors, the catalog's own file.
//!
//! Answers are without it from the moment that the catalog is; this is about the bytes. Where there is little to write anew it is done
//! at the end of the run that deleted something, else once a day: writing a space of a hundred thousand chunks anew takes some seconds,
//! and a run of the indexer every minute must not cost them every time.

use std::collections::HashSet;

use super::apply::{blocking, vector_hash};
use super::{PipelineError, now_ms};
use crate::catalog::{Unpurged, Whole};
use crate::failpoint;
use crate::report::Report;
use crate::search::Corpus;
use crate::space::Space;

/// What is not larger is cleared at once.
const SMALL_CHUNKS: i64 = 20_000;
const SMALL_BYTES: i64 = 64 << 20;

/// What is larger is cleared so long after the first deletion, in milliseconds: well within a day, for runs that come every few hours.
const LONGEST_MS: i64 = 18 * 60 * 60 * 1_000;

/// Clears what is due.
pub(super) async fn purge(corpus: &Corpus, report: &mut Report) -> Result<(), PipelineError> {
    failpoint::reach("purge.before");
    for unpurged in corpus.catalog.unpurged(now_ms()).await? {
        if !is_due(corpus, &unpurged).await? {
            continue;
        }
        let is_cleared = match &unpurged.of {
            Whole::Space(space) => clear_space(corpus, space, report).await?,
            Whole::Catalog => {
                clear_catalog(corpus).await?;
                true
            }
        };
        if is_cleared {
            corpus.catalog.note_purged(&unpurged).await?;
        }
    }
    Ok(())
}

async fn is_due(corpus: &Corpus, unpurged: &Unpurged) -> Result<bool, PipelineError> {
    if now_ms() - unpurged.since_ms >= LONGEST_MS {
        return Ok(true);
    }
    Ok(match &unpurged.of {
        Whole::Space(space) => corpus.catalog.n_chunks(space).await? <= SMALL_CHUNKS,
        Whole::Catalog => corpus.catalog.file_bytes().await? <= SMALL_BYTES,
    })
}

/// Both indexes of a space; whether that is done. Where vectors are away it is done when they are back.
async fn clear_space(corpus: &Corpus, space: &Space, report: &mut Report) -> Result<bool, PipelineError> {
    blocking(corpus, space, |corpus, space| Ok(corpus.keyword.purge(&space)?)).await?;
    if report.vectors_failure.is_some() {
        return Ok(false);
    }
    match blocking(corpus, space, |corpus, space| Ok(corpus.vectors.purge(&space)?)).await {
        Ok(()) => Ok(true),
        Err(PipelineError::Vector(e)) => {
            report.vectors_failure = Some(e.to_string());
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// Vectors are kept by a hash of their text, so that those of texts that are gone are known by being nobody's.
async fn clear_catalog(corpus: &Corpus) -> Result<(), PipelineError> {
    let (mut kept, model) = (HashSet::new(), corpus.embedder.name());
    corpus.catalog.each_embedded(|text| _ = kept.insert(vector_hash(model, &text))).await?;
    Ok(corpus.catalog.clear(&kept).await?)
}
