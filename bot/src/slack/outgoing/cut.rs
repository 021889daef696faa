//! Lengths as Slack counts them, and texts cut to them.

use crate::chat::cut;

/// The length that Slack may count at most: UTF-16 units as if the text were escaped.
pub(super) fn units(text: &str) -> usize {
    cut::units(text, width)
}

/// The same of a character.
pub(super) fn width(c: char) -> usize {
    match c {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        other => other.len_utf16(),
    }
}

/// The text, or its beginning with an ellipsis.
pub(super) fn shortened(text: &str, most: usize) -> String {
    cut::shortened(text, most, width)
}
