//! The commits that a branch reaches, and which of them a merge brought. The only file that knows gix.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use gix::bstr::ByteSlice as _;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use gix::{ObjectId, Repository};

use crate::source::{GitRepository, SourceError};

/// One commit.
pub(super) struct Entry {
    /// Forty hex digits.
    pub(super) hash: String,
    /// Places of its parents in the history; those beyond a shallow clone's edge are missing.
    pub(super) parents: Vec<usize>,
    /// How many parents it names.
    pub(super) n_parents: usize,
    /// Name of who wrote it, without the address.
    pub(super) author: String,
    /// Milliseconds since 1970, UTC.
    pub(super) authored_ms: i64,
    /// Milliseconds since 1970, UTC.
    pub(super) committed_ms: i64,
    /// The whole message.
    pub(super) message: String,
    /// One more than the highest of its parents.
    generation: u32,
}

/// Every commit that the branch reaches, newest first.
pub(super) struct History {
    /// Newest first by commit time.
    pub(super) commits: Vec<Entry>,
}

/// Opens the repository and finds the tip of the branch; no tip where there is no commit yet.
///
/// # Errors
/// Where there is no repository, or no such branch in it.
pub(super) fn open(place: &GitRepository) -> Result<(Repository, Option<ObjectId>), SourceError> {
    let shown = place.path.display().to_string();
    if let Err(e) = std::fs::metadata(&place.path) {
        return Err(SourceError::Unreadable { place: shown, reason: e.to_string() });
    }
    let mut repository = gix::open_opts(&place.path, gix::open::Options::isolated()).map_err(|e| SourceError::NotWhatItShouldBe {
        place: shown.clone(),
        expected: "a git repository",
        reason: first_line(&e.to_string()),
    })?;
    repository.object_cache_size(Some(16 << 20));
    let tip = match &place.branch {
        None => head(&repository),
        Some(branch) => tip_of(&repository, branch),
    };
    match tip {
        Ok(tip) => Ok((repository, tip)),
        Err(reason) => Err(SourceError::Unreadable { place: shown, reason }),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_lowercase()
}

fn head(repository: &Repository) -> Result<Option<ObjectId>, String> {
    let head = repository.head().map_err(|e| e.to_string())?;
    let tip = head.try_into_peeled_id().map_err(|e| e.to_string())?;
    Ok(tip.map(gix::Id::detach))
}

fn tip_of(repository: &Repository, branch: &str) -> Result<Option<ObjectId>, String> {
    for name in [format!("refs/heads/{branch}"), format!("refs/remotes/{branch}"), format!("refs/remotes/origin/{branch}")] {
        if let Some(reference) = repository.try_find_reference(name.as_str()).map_err(|e| e.to_string())? {
            return reference.into_fully_peeled_id().map(|id| Some(id.detach())).map_err(|e| e.to_string());
        }
    }
    match head(repository)? {
        None => Ok(None),
        Some(_) => Err(format!("there is no branch `{branch}`")),
    }
}

impl History {
    /// Reads every commit reachable from `tip`.
    ///
    /// # Errors
    /// Where an object is missing or damaged.
    pub(super) fn load(repository: &Repository, tip: ObjectId) -> Result<Self, String> {
        let order = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        let walk = repository.rev_walk([tip]).sorting(order).all().map_err(|e| e.to_string())?;
        let mut commits = Vec::new();
        let mut named: Vec<Vec<ObjectId>> = Vec::new();
        let mut places: HashMap<ObjectId, usize> = HashMap::new();
        for info in walk {
            let info = info.map_err(|e| e.to_string())?;
            let commit = info.object().map_err(|e| e.to_string())?;
            places.insert(info.id, commits.len());
            commits.push(entry(&commit).map_err(|e| format!("commit `{}`: {e}", info.id))?);
            named.push(commit.parent_ids().map(gix::Id::detach).collect());
        }
        for (entry, parents) in commits.iter_mut().zip(named) {
            entry.n_parents = parents.len();
            entry.parents = parents.iter().filter_map(|id| places.get(id).copied()).collect();
        }
        let mut history = Self { commits };
        history.number_generations();
        Ok(history)
    }

    /// Parents before children: a child is numbered when its last parent was.
    fn number_generations(&mut self) {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.commits.len()];
        let mut n_waiting: Vec<usize> = Vec::with_capacity(self.commits.len());
        for (place, commit) in self.commits.iter().enumerate() {
            n_waiting.push(commit.parents.len());
            for &parent in &commit.parents {
                children[parent].push(place);
            }
        }
        let mut ready: Vec<usize> = (0..n_waiting.len()).filter(|&place| n_waiting[place] == 0).collect();
        while let Some(place) = ready.pop() {
            let next = self.commits[place].generation + 1;
            for &child in &children[place] {
                self.commits[child].generation = self.commits[child].generation.max(next);
                n_waiting[child] -= 1;
                if n_waiting[child] == 0 {
                    ready.push(child);
                }
            }
        }
    }

    /// Places of all commits, parents before children, older before newer.
    pub(super) fn oldest_first(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.commits.len()).collect();
        places.sort_by_key(|&place| self.age(place));
        places
    }

    /// Orders parents before children, then older before newer.
    pub(super) fn age(&self, place: usize) -> (u32, Reverse<usize>) {
        (self.commits[place].generation, Reverse(place))
    }

    /// The commits that a merge brought: reached by its further parents and not by its first; newest first.
    pub(super) fn brought_by(&self, merge: usize) -> Vec<usize> {
        let mut frontier = Frontier::default();
        for (i, &parent) in self.commits[merge].parents.iter().enumerate() {
            let side = if i == 0 { Side::Main } else { Side::Brought };
            frontier.reach(parent, self.commits[parent].generation, side);
        }
        let mut brought = Vec::new();
        while let Some((place, side)) = frontier.pop() {
            if side == Side::Brought {
                brought.push(place);
            }
            for &parent in &self.commits[place].parents {
                frontier.reach(parent, self.commits[parent].generation, side);
            }
        }
        brought.sort_unstable();
        brought
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Main,
    Brought,
}

/// Commits still to be visited, children before parents, so that a commit's side is final when its turn comes.
#[derive(Default)]
struct Frontier {
    queue: BinaryHeap<(u32, usize)>,
    sides: HashMap<usize, Side>,
    n_brought: usize,
}

impl Frontier {
    fn reach(&mut self, place: usize, generation: u32, side: Side) {
        match self.sides.insert(place, side) {
            None => {
                self.queue.push((generation, place));
                self.n_brought += usize::from(side == Side::Brought);
            }
            Some(Side::Main) => {
                self.sides.insert(place, Side::Main);
            }
            Some(Side::Brought) => self.n_brought -= usize::from(side == Side::Main),
        }
    }

    /// The next commit; none once all that is left belongs to the main side.
    fn pop(&mut self) -> Option<(usize, Side)> {
        if self.n_brought == 0 {
            return None;
        }
        let (_, place) = self.queue.pop()?;
        let side = self.sides.get(&place).copied()?;
        self.n_brought -= usize::from(side == Side::Brought);
        Some((place, side))
    }
}

fn entry(commit: &gix::Commit<'_>) -> Result<Entry, String> {
    let author = commit.author().map_err(|e| e.to_string())?;
    let committer = commit.committer().map_err(|e| e.to_string())?;
    let message = commit.message_raw().map_err(|e| e.to_string())?;
    Ok(Entry {
        hash: commit.id.to_string(),
        parents: Vec::new(),
        n_parents: 0,
        author: author.name.to_str_lossy().into_owned(),
        authored_ms: author.seconds().saturating_mul(1000),
        committed_ms: committer.seconds().saturating_mul(1000),
        message: message.to_str_lossy().into_owned(),
        generation: 0,
    })
}
