//! Reads one source into the catalog, a batch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Deletions, PipelineError, Progress, now_ms};
use crate::catalog::{Catalog, Placed, SyncEnd};
use crate::chunk::chunk;
use crate::config::PlacedSource;
use crate::failpoint;
use crate::record::{Record, RecordId};
use crate::redact::{Taken, redact, redact_record};
use crate::report::{PlacedComplaint, SourceReport};
use crate::source::{Complaint, Item, Listing, Outlet, SourceError};

/// Records stored in one transaction.
const BATCH: usize = 200;

/// Points of all series that one batch may hold; a batch ends early where its runs are long.
const BATCH_POINTS: usize = 400_000;

/// So few deletions go through without a question.
const SMALL_DELETION: usize = 5;

/// Complaints of one source that are kept; the rest is counted.
const MAX_COMPLAINTS: usize = 500;

/// What was seen while a source was read.
#[derive(Default)]
struct Seen {
    present: BTreeSet<String>,
    gone: Vec<String>,
    withheld: BTreeSet<String>,
    complaints: Vec<Complaint>,
    n_complaints: usize,
    n_expected: Option<u64>,
}

/// Reads one source and ends its sync. What went wrong with the source stands in the report.
pub(super) async fn sync(
    catalog: &Catalog,
    source: &PlacedSource,
    deletions: Deletions,
    on_progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<SourceReport, PipelineError> {
    let name = source.source.name.as_str();
    let known = catalog.known(name, &source.placement).await?;
    catalog.begin(name, source.source.kind(), &source.placement).await?;
    let (sender, mut receiver) = mpsc::channel(64);
    let reader = {
        let source = source.source.clone();
        tokio::spawn(async move { source.read(known, Outlet::new(sender)).await })
    };
    let mut report = SourceReport { source: name.to_owned(), ..SourceReport::default() };
    let mut seen = Seen::default();
    let (mut batch, mut n_points) = (Vec::new(), 0);
    while let Some(item) = receiver.recv().await {
        if let Some(record) = take(item, &mut seen, &mut report) {
            n_points += points_of(&record);
            batch.push(record);
        }
        if batch.len() >= BATCH || n_points >= BATCH_POINTS {
            store(catalog, source, std::mem::take(&mut batch), &mut report).await?;
            n_points = 0;
        }
        on_progress(Progress::Records { n_seen: seen.present.len() as u64, n_expected: seen.n_expected });
    }
    store(catalog, source, batch, &mut report).await?;
    let outcome = reader.await.map_err(|e| PipelineError::Task(e.to_string()))?;
    end(catalog, source, deletions, outcome, seen, report).await
}

/// Notes what an item says; gives the record where there is one.
fn take(item: Item, seen: &mut Seen, report: &mut SourceReport) -> Option<Record> {
    match item {
        Item::Expect(n) => seen.n_expected = Some(n as u64),
        Item::Record(record) => {
            seen.present.insert(record.native_id.clone());
            return Some(*record);
        }
        Item::Unchanged(native_id) => {
            seen.present.insert(native_id);
            report.n_unchanged += 1;
        }
        Item::Complaint(complaint) => {
            seen.present.extend(complaint.native_id.clone());
            seen.n_complaints += 1;
            if seen.complaints.len() < MAX_COMPLAINTS {
                // What is wrong with a text may be told in its own words.
                let message = redact(&complaint.message).0.into_owned();
                seen.complaints.push(Complaint { message, ..complaint });
            }
        }
        Item::Gone(native_id) => seen.gone.push(native_id),
        Item::Withheld(native_id) => {
            seen.present.insert(native_id.clone());
            seen.withheld.insert(native_id);
        }
    }
    None
}

fn points_of(record: &Record) -> usize {
    match &record.body {
        crate::record::Body::Run(run) => run.series.iter().map(|series| series.points.len()).sum(),
        _ => 0,
    }
}

/// Redacts, places, cuts and stores a batch. A record that came twice counts as it came last.
async fn store(catalog: &Catalog, source: &PlacedSource, batch: Vec<Record>, report: &mut SourceReport) -> Result<(), PipelineError> {
    if batch.is_empty() {
        return Ok(());
    }
    let source = Arc::new(source.clone());
    let prepare = {
        let source = Arc::clone(&source);
        move || {
            let mut taken = Taken::default();
            let mut placed: BTreeMap<RecordId, (usize, Placed)> = BTreeMap::new();
            for (i, mut record) in batch.into_iter().enumerate() {
                let taken_here = redact_record(&mut record);
                taken += taken_here;
                let (space, chunks) = (source.space_of(&record).clone(), chunk(&record));
                let id = RecordId::of(&source.source.name, &space, &record);
                placed.insert(id, (i, Placed { id, record, taken: taken_here, space, chunks }));
            }
            let mut placed: Vec<(usize, Placed)> = placed.into_values().collect();
            placed.sort_by_key(|(i, _)| *i);
            (placed.into_iter().map(|(_, placed)| placed).collect::<Vec<_>>(), taken)
        }
    };
    let (placed, taken) = tokio::task::spawn_blocking(prepare).await.map_err(|e| PipelineError::Task(e.to_string()))?;
    let stored = catalog.store(&source.source.name, &placed).await?;
    report.n_redacted += taken.n_secrets;
    report.n_hidden += taken.n_hidden;
    report.n_added += stored.n_added;
    report.n_changed += stored.n_changed;
    report.n_unchanged += stored.n_same;
    Ok(())
}

/// Decides what is gone, and ends the sync.
async fn end(
    catalog: &Catalog,
    source: &PlacedSource,
    deletions: Deletions,
    outcome: Result<Listing, SourceError>,
    mut seen: Seen,
    mut report: SourceReport,
) -> Result<SourceReport, PipelineError> {
    let name = &source.source.name;
    let mut end = SyncEnd { now_ms: now_ms(), ..SyncEnd::default() };
    match outcome {
        Ok(listing) => {
            end.cursor = listing.cursor;
            if listing.is_complete {
                let known = catalog.sighted(name).await?;
                let missing: Vec<String> = known.difference(&seen.present).cloned().collect();
                if missing.len() > SMALL_DELETION && missing.len() * 5 > known.len() && deletions == Deletions::Ask {
                    report.question = Some(format!(
                        "{} of {} records of `{name}` are no longer there; if that is right, run `runlore index --accept-deletions`",
                        missing.len(),
                        known.len()
                    ));
                } else {
                    seen.gone.extend(missing);
                }
            }
        }
        Err(error) => {
            if matches!(error, SourceError::AccessLost { .. }) {
                seen.withheld = catalog.sighted(name).await?;
            }
            end.failure = Some(redact(&error.to_string()).0.into_owned());
        }
    }
    if seen.n_complaints > seen.complaints.len() {
        let message = format!("{} more complaints of this source are not listed", seen.n_complaints - seen.complaints.len());
        seen.complaints.push(Complaint { place: name.clone(), message, native_id: None });
    }
    report.complaints = seen.complaints.iter().map(|c| PlacedComplaint { place: c.place.clone(), message: c.message.clone() }).collect();
    report.failure = end.failure.clone();
    end.gone = seen.gone;
    end.shown = &seen.present - &seen.withheld;
    end.withheld = seen.withheld;
    end.complaints = seen.complaints;
    failpoint::reach("sync.before_deletions");
    report.n_deleted = catalog.finish(name, &end).await?;
    Ok(report)
}
