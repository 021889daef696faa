//! From a question to the best chunks of the opened indexes.
//!
//! Each clause is scored by Tantivy's BM25; the sums are made here, clause by clause in the question's order and in double precision,
//! and nothing is skipped. So a score does not depend on how chunks lie in segments, and equal chunks score equally to the last bit.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::query::{BooleanQuery, EnableScoring, Occur, PhraseQuery, Query, RangeQuery, TermQuery, Weight};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, DocId, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};
use uuid::Uuid;

use super::Opened;
use super::statistics::Statistics;
use crate::index::schema::{Layout, POSITION, RECORD_HIGH, RECORD_LOW};
use crate::index::vector::Filter;
use crate::record::{RecordId, RecordKind};
use crate::search::query::{Asked, exact_words};
use crate::space::{Hit, Space};

/// Most stemmed words of one question.
const MAX_WORDS: usize = 64;

/// An identifier found as it is written counts this much more than a stemmed word.
const EXACT_BOOST: f32 = 1.5;

/// So does a quoted phrase, whose words count as one.
const PHRASE_BOOST: f32 = 2.0;

/// One thing that a chunk can have, and what having it is worth.
pub(super) struct Clause {
    /// One term, or several that follow each other.
    terms: Vec<Term>,
    boost: f32,
}

/// The clauses of a question. A question of stop words alone is taken at its exact words.
pub(super) fn clauses(layout: &Layout, asked: &Asked) -> Vec<Clause> {
    let one = |boost| move |term| Clause { terms: vec![term], boost };
    let mut clauses: Vec<Clause> = layout.prose_terms(&asked.text).into_iter().take(MAX_WORDS).map(one(1.0)).collect();
    clauses.extend(asked.identifiers.iter().map(|word| layout.exact_term(word)).map(one(EXACT_BOOST)));
    for phrase in &asked.phrases {
        clauses.push(Clause { terms: phrase.iter().map(|word| layout.exact_term(word)).collect(), boost: PHRASE_BOOST });
    }
    if clauses.is_empty() {
        let words = exact_words(&asked.text).take(MAX_WORDS).map(|word| layout.exact_term(&word.to_lowercase()));
        clauses.extend(words.map(one(1.0)));
    }
    clauses
}

impl Clause {
    fn query(&self) -> Box<dyn Query> {
        match self.terms.as_slice() {
            [term] => Box::new(TermQuery::new(term.clone(), IndexRecordOption::WithFreqs)),
            terms => Box::new(PhraseQuery::new(terms.to_vec())),
        }
    }
}

/// Which chunk each document of a segment is.
pub(super) struct Places {
    record_high: Column<u64>,
    record_low: Column<u64>,
    position: Column<u64>,
}

impl Places {
    pub fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let column = |name| segment.fast_fields().u64(name);
        Ok(Self { record_high: column(RECORD_HIGH)?, record_low: column(RECORD_LOW)?, position: column(POSITION)? })
    }

    /// The record and the chunk's position in it.
    fn at(&self, document: DocId) -> (RecordId, u32) {
        let number = |column: &Column<u64>| column.first(document).unwrap_or_default();
        let record = Uuid::from_u64_pair(number(&self.record_high), number(&self.record_low));
        (RecordId::from(record), number(&self.position) as u32)
    }
}

/// A chunk that fits the question.
struct Candidate<'a> {
    score: f64,
    record: RecordId,
    position: u32,
    space: &'a Space,
    searcher: &'a Searcher,
    address: DocAddress,
}

impl<'a> Candidate<'a> {
    fn of(fitting: Fitting, (space, opened): &'a (&'a Space, Arc<Opened>)) -> Self {
        let Fitting { score, address, .. } = fitting;
        let (record, position) = opened.places[address.segment_ord as usize].at(address.doc_id);
        Self { score, record, position, space, searcher: &opened.searcher, address }
    }

    fn best_first(&self, other: &Self) -> Ordering {
        let by_place = || (self.record, self.position, self.space).cmp(&(other.record, other.position, other.space));
        other.score.total_cmp(&self.score).then_with(by_place)
    }

    fn into_hit(self, layout: &Layout) -> tantivy::Result<Hit> {
        let text_hash = text_hash(layout, self.searcher, self.address)?;
        Ok(Hit { space: self.space.clone(), record: self.record, position: self.position, text_hash, score: self.score })
    }
}

/// The best hits of all these indexes together.
pub(super) fn best_hits(
    layout: &Layout,
    opened: &[(&Space, Arc<Opened>)],
    clauses: &[Clause],
    filter: &Filter,
    limit: usize,
) -> tantivy::Result<Vec<Hit>> {
    let totals = opened.iter().map(|(_, index)| index.totals).sum();
    let searchers: Vec<&Searcher> = opened.iter().map(|(_, index)| &index.searcher).collect();
    let statistics = Statistics::new(layout, totals, &searchers, clauses.iter().flat_map(|clause| &clause.terms))?;
    let Some((_, first)) = opened.iter().find(|(_, index)| index.totals.n_chunks > 0) else { return Ok(Vec::new()) };
    let prepared = Prepared::new(&first.searcher, &statistics, clauses, filter_query(layout, filter).as_deref())?;
    let mut found = Vec::new();
    for (at, (_, index)) in opened.iter().enumerate() {
        prepared.add_fitting(index, at, &mut found)?;
    }
    keep_best(&mut found, limit);
    let mut candidates: Vec<Candidate> = found.into_iter().map(|fitting| Candidate::of(fitting, &opened[fitting.index])).collect();
    candidates.sort_by(Candidate::best_first);
    candidates.truncate(limit);
    candidates.into_iter().map(|candidate| candidate.into_hit(layout)).collect()
}

/// A document that fits: how well, and in which of the opened indexes it is.
#[derive(Clone, Copy)]
struct Fitting {
    score: f64,
    index: usize,
    address: DocAddress,
}

/// A question made ready, once for all indexes: what it knows of them are the statistics, which are those of all together.
struct Prepared {
    clauses: Vec<(Box<dyn Weight>, f32)>,
    wanted: Option<Box<dyn Weight>>,
}

impl Prepared {
    fn new(searcher: &Searcher, statistics: &Statistics, clauses: &[Clause], wanted: Option<&dyn Query>) -> tantivy::Result<Self> {
        let scoring = EnableScoring::enabled_from_statistics_provider(statistics, searcher);
        let weights = clauses.iter().map(|clause| Ok((clause.query().weight(scoring)?, clause.boost)));
        let clauses = weights.collect::<tantivy::Result<_>>()?;
        let wanted = wanted.map(|query| query.weight(EnableScoring::disabled_from_searcher(searcher))).transpose()?;
        Ok(Self { clauses, wanted })
    }

    /// Adds every chunk of an index that fits.
    fn add_fitting(&self, opened: &Opened, index: usize, found: &mut Vec<Fitting>) -> tantivy::Result<()> {
        for (segment_ord, segment) in (0u32..).zip(opened.searcher.segment_readers()) {
            let scores = self.scores(segment)?;
            let live = segment.doc_ids_alive().map(|chunk| (scores[chunk as usize], DocAddress::new(segment_ord, chunk)));
            found.extend(live.filter(|(score, _)| *score > 0.0).map(|(score, address)| Fitting { score, index, address }));
        }
        Ok(())
    }

    /// The score of every chunk of a segment, deleted ones too; 0 where the question or the filter does not fit.
    fn scores(&self, segment: &SegmentReader) -> tantivy::Result<Vec<f64>> {
        let mut scores = vec![0.0; segment.max_doc() as usize];
        for (weight, boost) in &self.clauses {
            let mut scorer = weight.scorer(segment, *boost)?;
            let mut chunk = scorer.doc();
            while chunk != TERMINATED {
                scores[chunk as usize] += f64::from(scorer.score());
                chunk = scorer.advance();
            }
        }
        let Some(wanted) = &self.wanted else { return Ok(scores) };
        let mut wanted_scores = vec![0.0; scores.len()];
        wanted.for_each_no_score(segment, &mut |chunks: &[DocId]| {
            chunks.iter().for_each(|chunk| wanted_scores[*chunk as usize] = scores[*chunk as usize]);
        })?;
        Ok(wanted_scores)
    }
}

/// The best `limit`, and those that score the same as the last of them.
fn keep_best(found: &mut Vec<Fitting>, limit: usize) {
    if limit == 0 {
        found.clear();
    } else if found.len() > limit {
        let (_, last, _) = found.select_nth_unstable_by(limit - 1, |a, b| b.score.total_cmp(&a.score));
        let last = last.score;
        found.retain(|fitting| fitting.score >= last);
    }
}

/// What a chunk must have to be looked at, as a query; `None` where everything may be.
fn filter_query(layout: &Layout, filter: &Filter) -> Option<Box<dyn Query>> {
    let term = |term: Term| -> Box<dyn Query> { Box::new(TermQuery::new(term, IndexRecordOption::Basic)) };
    let mut musts: Vec<Box<dyn Query>> = Vec::new();
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind: &RecordKind| term(layout.kind_term(*kind))).collect();
        musts.push(Box::new(BooleanQuery::union(kinds)));
    }
    if let Some(project) = &filter.project {
        musts.push(term(layout.project_term(project)));
    }
    if filter.since_ms.is_some() || filter.until_ms.is_some() {
        let at = |ms| Term::from_field_i64(layout.created_ms, ms);
        let since = filter.since_ms.map_or(Bound::Unbounded, |ms| Bound::Included(at(ms)));
        let until = filter.until_ms.map_or(Bound::Unbounded, |ms| Bound::Excluded(at(ms)));
        musts.push(Box::new(RangeQuery::new(since, until)));
    }
    let is_narrow = !musts.is_empty();
    let all = BooleanQuery::new(musts.into_iter().map(|query| (Occur::Must, query)).collect());
    is_narrow.then(|| -> Box<dyn Query> { Box::new(all) })
}

/// Every chunk of an index: its record, position and text hash.
pub(super) fn every_chunk(layout: &Layout, index: &Opened) -> tantivy::Result<Vec<(RecordId, u32, String)>> {
    let mut rows = Vec::new();
    for ((segment_ord, segment), places) in (0u32..).zip(index.searcher.segment_readers()).zip(&index.places) {
        for document in segment.doc_ids_alive() {
            let (record, position) = places.at(document);
            rows.push((record, position, text_hash(layout, &index.searcher, DocAddress::new(segment_ord, document))?));
        }
    }
    Ok(rows)
}

fn text_hash(layout: &Layout, searcher: &Searcher, address: DocAddress) -> tantivy::Result<String> {
    let document: TantivyDocument = searcher.doc(address)?;
    Ok(document.get_first(layout.text_hash).and_then(|value| value.as_str()).unwrap_or_default().to_owned())
}
