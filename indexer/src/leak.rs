//! Leaks that a test seeds, to show that the proof of non-interference sees them. Without the feature `seeded-leaks`, which the tests
//! alone switch on, there are none: every question for one is answered `false` at compile time.
//!
//! A leak is either one of the catalog's scoped reads, named by where it stands (`catalog/runs.rs:123`) and then read over all spaces, or
//! has a name here and the one place in the code that asks for it.

use std::panic::Location;

use crate::space::Space;

/// The leaks that have a name, in both packages.
pub const NAMES: [&str; 34] = [
    "keyword.spaces",
    "keyword.statistics",
    "keyword.deleted",
    "vector.spaces",
    "search.unchecked",
    "numbers.across_spaces",
    "names.one_for_all",
    "names.of_all",
    "access.channel_as_asker",
    "access.private_as_direct",
    "access.direct_reads_all",
    "thread.any_channel",
    "details.unchecked",
    "press.of_any_channel",
    "completion.of_all",
    "home.of_all",
    "greeting.counts_all",
    "explain.of_all",
    "facts.count_all",
    "prompt.counts_all",
    "refusal.exists_elsewhere",
    "waiting.names_others",
    "answer.counts_all",
    "answer.as_terminal",
    "search.as_terminal",
    "details.counts_all",
    "note.counts_all",
    "refusal.counts_all",
    "plan.counts_all",
    "pick.counts_all",
    "chart.counts_all",
    "thread.adopts_any",
    "directions.of_all",
    "brief.as_terminal",
];

#[cfg(feature = "seeded-leaks")]
mod seeded {
    use std::collections::BTreeSet;
    use std::panic::Location;
    use std::sync::{Mutex, PoisonError, RwLock};

    static SEEDED: RwLock<Option<String>> = RwLock::new(None);
    static READS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    /// From now on this one leaks, and no other.
    pub fn seed(name: Option<&str>) {
        *SEEDED.write().unwrap_or_else(PoisonError::into_inner) = name.map(str::to_owned);
    }

    /// The catalog's scoped reads that were made so far, by where they stand.
    pub fn reads() -> BTreeSet<String> {
        READS.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is(name: &str) -> bool {
        SEEDED.read().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(name)
    }

    pub(super) fn is_read(place: &Location<'_>) -> bool {
        let file = place.file().rsplit_once("src/").map_or(place.file(), |(_, file)| file);
        let name = format!("{file}:{}", place.line());
        let seeded = is(&name);
        READS.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        seeded
    }
}

#[cfg(feature = "seeded-leaks")]
pub use seeded::{reads, seed};

/// Whether this one leaks now.
#[cfg(feature = "seeded-leaks")]
pub fn is_seeded(name: &str) -> bool {
    debug_assert!(NAMES.contains(&name), "the leak {name} is not listed");
    seeded::is(name)
}

/// Whether this one leaks now: never.
#[cfg(not(feature = "seeded-leaks"))]
pub const fn is_seeded(_name: &str) -> bool {
    false
}

/// Whether the scoped read that stands here leaks now.
#[cfg(feature = "seeded-leaks")]
pub(crate) fn is_read_seeded(place: &Location<'_>) -> bool {
    seeded::is_read(place)
}

/// Whether the scoped read that stands here leaks now: never.
#[cfg(not(feature = "seeded-leaks"))]
pub(crate) const fn is_read_seeded(_place: &Location<'_>) -> bool {
    false
}

/// The spaces that are searched: those in scope, or all that there are where one of these leaks.
pub(crate) fn widened(names: &[&str], in_scope: Vec<Space>, every: impl FnOnce() -> Vec<Space>) -> Vec<Space> {
    if names.iter().any(|name| is_seeded(name)) { every() } else { in_scope }
}
