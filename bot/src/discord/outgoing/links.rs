//! What may be live: links to cited records and the asker's mention; and the words that stand for a record.

use super::escape::{escape, width};
use crate::chat::{Citation, address, cut, text};

/// Units of an address; a longer one is no link.
const MAX_ADDRESS: usize = 400;

/// Units of a record's key where it is shown, and of a mark, as if everything in them had to be escaped.
const MAX_LABEL: usize = 100;
const MAX_MARK: usize = 8;

/// Units of a mark with the space before it.
pub(super) const MAX_MARK_SHOWN: usize = r" \[\]".len() + MAX_MARK;

/// Digits of an id.
const MAX_DIGITS: usize = 20;

/// The address of a cited record as a link can hold it. For Discord a parenthesis ends a link, so that it is written in percents.
pub(super) fn address(citation: &Citation) -> Option<String> {
    let url = citation.url.as_deref().filter(|url| address::is_plain(url))?;
    let held = url.replace('(', "%28").replace(')', "%29");
    (held.encode_utf16().count() <= MAX_ADDRESS).then_some(held)
}

/// A user's id, where it is one.
pub(super) fn user(id: &str) -> Option<&str> {
    let known = (1..=MAX_DIGITS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    known.then_some(id)
}

/// `\[1\]`, or nothing where there is no mark.
pub(super) fn mark(citation: &Citation) -> String {
    let mark = text::inert(&citation.mark).replace('\n', " ");
    if mark.is_empty() { mark } else { escape(&format!("[{}]", cut::shortened(&mark, MAX_MARK, width))) }
}

/// A record's key as it is shown, before it is escaped: one line, inert, not long.
pub(super) fn label(record: &str) -> String {
    cut::shortened(&text::inert(record).replace(['\n', '\t'], " "), MAX_LABEL, width)
}
