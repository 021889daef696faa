//! Characters that nobody sees.

use std::borrow::Cow;

/// The text without invisible, control and bidirectional control characters, and how many they were; and without terminal colours,
/// which are not counted.
///
/// Joiners stay between characters that are not ASCII, where scripts and emoji need them.
pub(super) fn remove(text: &str) -> (Cow<'_, str>, u64) {
    if is_plain(text) || !text.chars().any(is_suspect) {
        return (Cow::Borrowed(text), 0);
    }
    let mut kept = String::with_capacity(text.len());
    let mut n_hidden = 0;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest = after_escape(rest.as_str()).chars();
        } else if !is_suspect(c) || is_needed_joiner(c, kept.chars().next_back(), rest.clone().next()) {
            kept.push(c);
        } else {
            n_hidden += 1;
        }
    }
    (Cow::Owned(kept), n_hidden)
}

/// Whether it is of ASCII characters that are seen.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

fn is_suspect(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        _ if c.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' => true,
        '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

fn is_needed_joiner(c: char, before: Option<char>, after: Option<char>) -> bool {
    let is_foreign = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_suspect(c));
    matches!(c, '\u{200c}' | '\u{200d}') && is_foreign(before) && is_foreign(after)
}

/// What follows a terminal's escape sequence, whose first character is gone already.
fn after_escape(text: &str) -> &str {
    let Some(parameters) = text.strip_prefix('[') else { return text };
    let end = parameters.find(|c: char| ('@'..='~').contains(&c));
    end.map_or(text, |end| &parameters[end + 1..])
}
