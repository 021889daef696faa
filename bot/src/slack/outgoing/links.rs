//! What may be live: links to cited records and the asker's mention; and the words that stand for a record.

use super::cut;
use crate::chat::{Citation, address, text};

/// Units of an address; a longer one is no link.
const MAX_ADDRESS: usize = 1_000;

/// Units of a record's key where it is shown.
const MAX_LABEL: usize = 120;

/// Units of a mark.
const MAX_MARK: usize = 8;

/// The address of a cited record, as it is: absolute, http or https, a plain host, and nothing that could end the link or hide in it.
pub(super) fn address(citation: &Citation) -> Option<&str> {
    let url = citation.url.as_deref().filter(|url| address::is_plain(url))?;
    (cut::units(url) <= MAX_ADDRESS).then_some(url)
}

/// A user's id, where it is one.
pub(super) fn user(id: &str) -> Option<&str> {
    let rest = id.strip_prefix(['U', 'W'])?;
    let known = !rest.is_empty() && rest.len() <= 30 && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    known.then_some(id)
}

/// `[1]`, or nothing where there is no mark.
pub(super) fn mark(citation: &Citation) -> String {
    let mark = text::inert(&citation.mark).replace('\n', " ");
    if mark.is_empty() { mark } else { format!("[{}]", cut::shortened(&mark, MAX_MARK)) }
}

/// A record's key as it is shown: one line, inert, not long.
pub(super) fn label(record: &str) -> String {
    cut::shortened(&text::inert(record).replace(['\n', '\t'], " "), MAX_LABEL)
}
