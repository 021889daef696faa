//! Characters that nobody sees.

use std::borrow::Cow;

/// The text without invisible, control and bidirectional control characters, and without terminal colours.
///
/// Joiners stay between characters that are not ASCII, where scripts and emoji need them.
pub(super) fn remove(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_suspect) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest = after_escape(rest.as_str()).chars();
        } else if !is_suspect(c) || is_needed_joiner(c, kept.chars().next_back(), rest.clone().next()) {
            kept.push(c);
        }
    }
    Cow::Owned(kept)
}

fn is_suspect(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        _ if c.is_control() => true,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fe00}'..='\u{fe0d}' | '\u{e0000}'..='\u{e0fff}' => true,
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
