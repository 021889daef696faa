//! Reads commits, and the pulls that merged them, from a local git repository.
//!
//! Everything that the branch reaches is listed, so that what a force push left behind is gone here too. The cursor is the
//! tip: while it stays, nothing is read.

mod history;
mod pulls;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::history::{Entry, History};
use self::pulls::MergedPull;
use super::{Complaint, GitRepository, Item, Known, Listing, Outlet, SourceError};
use crate::record::{Body, Commit, Pull, Record};

/// Most messages that a pull keeps of its commits.
const MAX_MESSAGES: usize = 200;

/// Changes when the same history would give other records, so that the old ones are read again.
const READER: &str = "1";

/// Reads every commit that the branch reaches, and every pull that they tell of.
///
/// # Errors
/// Where there is no repository or branch, an object is missing or damaged, or nobody listens any more.
pub fn read(place: &GitRepository, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let (repository, tip) = history::open(place)?;
    let shown = place.path.display().to_string();
    let Some(tip) = tip else {
        let message = "a repository without commits, at least on the branch to be read".to_owned();
        outlet.send_blocking(Item::Complaint(Complaint { place: shown, message, native_id: None }))?;
        return Ok(Listing { is_complete: true, cursor: None });
    };
    let cursor = format!("{READER} {} {tip}", place.repository);
    let listing = Listing { is_complete: true, cursor: Some(cursor.clone()) };
    if known.cursor.as_ref() == Some(&cursor) {
        for native_id in known.fingerprints.keys() {
            outlet.send_blocking(Item::Unchanged(native_id.clone()))?;
        }
        return Ok(listing);
    }
    let history = History::load(&repository, tip).map_err(|reason| SourceError::Unreadable { place: shown, reason })?;
    let merged = Merged::find(&history);
    outlet.send_blocking(Item::Expect(history.commits.len() + merged.pulls.len()))?;
    for (place_in_history, found) in &merged.pulls {
        send(pull_record(&history, *place_in_history, found, &place.repository), known, outlet)?;
    }
    for (commit, pull) in history.commits.iter().zip(&merged.pull_of) {
        send(commit_record(commit, *pull, &place.repository), known, outlet)?;
    }
    Ok(listing)
}

fn send(record: Record, known: &Known, outlet: &Outlet) -> Result<(), SourceError> {
    if known.is_same(&record.native_id, &record.fingerprint) {
        return outlet.send_blocking(Item::Unchanged(record.native_id));
    }
    outlet.send_blocking(Item::Record(Box::new(record)))
}

/// A pull, and the commits that its merge brought.
struct FoundPull {
    pull: MergedPull,
    brought: Vec<usize>,
}

/// The pulls that a history tells of.
struct Merged {
    /// By the place of the commit that merged them, oldest first.
    pulls: Vec<(usize, FoundPull)>,
    /// For each commit the innermost pull that brought it.
    pull_of: Vec<Option<u64>>,
}

impl Merged {
    fn find(history: &History) -> Self {
        let mut by_number: HashMap<u64, usize> = HashMap::new();
        let mut found: Vec<(usize, MergedPull)> = Vec::new();
        for place in history.oldest_first() {
            let Some(pull) = pulls::recognise(&history.commits[place].message) else { continue };
            // One number may stand in two commits: a fork's own pull, or a title copied. A merge counts more than a title, then the older.
            let is_merge = |place: usize| history.commits[place].n_parents > 1;
            match by_number.get(&pull.number).copied() {
                Some(earlier) if is_merge(place) && !is_merge(found[earlier].0) => found[earlier] = (place, pull),
                Some(_) => {}
                None => {
                    by_number.insert(pull.number, found.len());
                    found.push((place, pull));
                }
            }
        }
        found.sort_by_key(|(place, _)| history.age(*place));
        let mut pull_of = vec![None; history.commits.len()];
        let mut pulls = Vec::with_capacity(found.len());
        for (place, pull) in found {
            let brought = history.brought_by(place);
            for &commit in brought.iter().chain([&place]) {
                pull_of[commit].get_or_insert(pull.number);
            }
            pulls.push((place, FoundPull { pull, brought }));
        }
        Self { pulls, pull_of }
    }
}

fn pull_record(history: &History, place: usize, found: &FoundPull, repository: &str) -> Record {
    let merge = &history.commits[place];
    let messages = found.brought.iter().take(MAX_MESSAGES).map(|&commit| history.commits[commit].message.trim().to_owned());
    let pull = Pull {
        repository: repository.to_owned(),
        number: found.pull.number,
        description: found.pull.description.clone(),
        head: found.pull.head.clone(),
        merge_commit: Some(merge.hash.clone()),
        merged_ms: Some(merge.committed_ms),
        commits: messages.collect(),
        files: Vec::new(),
    };
    Record {
        native_id: format!("pull/{}", pull.number),
        key: format!("#{}", pull.number),
        title: found.pull.title.clone(),
        project: None,
        author: Some(author(history, merge, &found.brought)),
        url: None,
        created_ms: Some(merge.committed_ms),
        updated_ms: Some(merge.committed_ms),
        fingerprint: format!("{READER} {}", merge.hash),
        body: Body::Pull(pull),
    }
}

/// Who wrote most of what was merged, since a merge is often pressed by somebody else.
fn author(history: &History, merge: &Entry, brought: &[usize]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for commit in brought.iter().map(|&place| &history.commits[place]).filter(|commit| commit.n_parents < 2) {
        match counts.iter_mut().find(|(name, _)| *name == commit.author) {
            Some((_, count)) => *count += 1,
            None => counts.push((&commit.author, 1)),
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or_else(|| merge.author.clone(), |(name, _)| (*name).to_owned())
}

fn commit_record(commit: &Entry, pull: Option<u64>, repository: &str) -> Record {
    let title = commit.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("a commit without a message");
    Record {
        native_id: commit.hash.clone(),
        key: commit.hash.chars().take(10).collect(),
        title: title.to_owned(),
        project: None,
        author: Some(commit.author.clone()),
        url: None,
        created_ms: Some(commit.authored_ms),
        updated_ms: Some(commit.committed_ms),
        fingerprint: format!("{READER} {} {}", commit.hash, pull.map(|number| format!("#{number}")).unwrap_or_default()),
        body: Body::Commit(Commit { repository: repository.to_owned(), hash: commit.hash.clone(), message: commit.message.clone(), pull }),
    }
}
