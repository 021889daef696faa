//! Named places at which a test can end the process, to show that a crash there loses nothing.
//!
//! `RUNLORE_FAILPOINT=NAME` or `NAME:N` (the Nth passing) ends the process as `kill -9` would; without it this costs one look-up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every name that `reach` is called with while indexing, so that a test can try them all.
pub const NAMES: [&str; 8] = [
    "catalog.before_commit",
    "catalog.after_commit",
    "sync.before_deletions",
    "keyword.before_commit",
    "keyword.after_commit",
    "vector.before_flush",
    "vector.before_mark",
    "purge.before",
];

/// Every name that it is called with between a brief that is due and its message, likewise.
pub const OF_BRIEFS: [&str; 5] = ["brief.noted", "brief.claimed", "brief.made", "brief.stored", "post.sent"];

static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Ends the process here if this failpoint is armed.
pub fn reach(name: &'static str) {
    debug_assert!(NAMES.iter().chain(&OF_BRIEFS).any(|known| *known == name), "failpoint {name} is not listed");
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("RUNLORE_FAILPOINT").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), nth.parse().unwrap_or(1)))
    });
    let Some((armed_name, nth)) = armed else { return };
    if armed_name == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *nth {
        std::process::abort();
    }
}
