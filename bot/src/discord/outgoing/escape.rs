//! Text that means nothing to Discord's Markdown: escaped, in code, or as the words of a link.
//!
//! Discord reads Markdown in its own way: a backslash before anything but letters, digits and spaces shows that character and nothing
//! more, but in code and in the words of a link it is a backslash. No more is escaped than could ever be live, because a phone's *Copy
//! Text* shows the backslashes.

use std::sync::LazyLock;

use regex::Regex;

use crate::chat::text::visible;

/// An address with a scheme, without the punctuation behind it. It holds no backtick, so that it can stand in code.
static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r##"(?i)[a-z][a-z0-9+.-]*://[^\s`]*[^\s`.,;:!?"'()\[\]{}<>*_~|\\]"##).ok());

/// What makes an address of Discord's own, or one that a reader may take for one, of the dot behind it.
const BEFORE_DOT: [&str; 3] = ["www", "discord", "discordapp"];

/// The longest that a character can become when it is shown, in UTF-16 units: with its backslash, and a line feed with the marker of the
/// next line.
pub(super) fn width(c: char) -> usize {
    match c {
        '\n' => 4,
        c if c.is_ascii_punctuation() => 2,
        c => c.len_utf16(),
    }
}

/// For Discord's Markdown: a backslash before what could be live, and nothing that cannot be seen. Backslashes taken away again, it is
/// the text.
pub fn escape(text: &str) -> String {
    visible(text).split('\n').map(escaped_line).collect::<Vec<_>>().join("\n")
}

fn escaped_line(line: &str) -> String {
    let mut told = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        if is_live(&line[..at], c, line[at + c.len_utf8()..].chars().next()) {
            told.push('\\');
        }
        told.push(c);
    }
    told
}

/// Whether a character between others could mean something.
fn is_live(before: &str, c: char, next: Option<char>) -> bool {
    match c {
        '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '@' => true,
        // A link of ours would go on to here: Discord takes the first `](` that fits, escaped or not.
        '(' => before.ends_with(']'),
        // Names of emoji, and addresses.
        ':' => next.is_some_and(|next| next.is_ascii_alphanumeric() || "_+-/".contains(next)),
        // Headings, quotes, lists and small lines.
        '#' | '>' | '-' | '+' => before.trim().is_empty() && next.is_none_or(|next| next.is_whitespace() || "#>".contains(next)),
        '.' => {
            is_number(before.trim_start()) && next.is_none_or(char::is_whitespace) || BEFORE_DOT.iter().any(|name| ends_with(before, name))
        }
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without regard to case.
fn ends_with(text: &str, name: &str) -> bool {
    let end = text.len().checked_sub(name.len()).and_then(|from| text.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(name))
}

/// A line of evidence outside of a code block: escaped, but its addresses as code. One of Discord's own is escaped too, because
/// invitations are looked for in code as well by some clients.
pub(super) fn word_for_word(line: &str) -> String {
    let seen = visible(line);
    let Some(address) = ADDRESS.as_ref() else { return escape(&seen) };
    let mut told = String::with_capacity(seen.len() + 8);
    let mut done = 0;
    for found in address.find_iter(&seen).filter(|found| !is_of_discord(found.as_str())) {
        told.push_str(&escape(&seen[done..found.start()]));
        told.push_str(&format!("`{}`", found.as_str()));
        done = found.end();
    }
    told.push_str(&escape(&seen[done..]));
    told
}

fn is_of_discord(address: &str) -> bool {
    address.to_ascii_lowercase().contains("discord")
}

/// A line inside of a code block, where nothing is live but what ends it: three backticks become their look-alikes.
pub(super) fn fenced(line: &str) -> String {
    visible(line).replace("```", "ˋˋˋ")
}

/// The words of a link. Discord shows backslashes in them (discord/discord-api-docs#6185), so that words with anything that could be
/// live stand as code, with look-alikes of what could end code or link, or call somebody.
pub(super) fn link_label(words: &str) -> String {
    if is_unmarked(words) {
        return words.to_owned();
    }
    let look_alike = |c: char| match c {
        '`' => 'ˋ',
        '[' => '［',
        ']' => '］',
        '<' => '‹',
        '>' => '›',
        '@' => '＠',
        '\\' => '＼',
        other => other,
    };
    format!("`{}`", words.chars().map(look_alike).collect::<String>())
}

/// Nothing in it would be escaped but underscores between two letters or digits, which mark nothing where all are of this kind.
fn is_unmarked(words: &str) -> bool {
    let pieces: Vec<&str> = words.split('_').collect();
    let inner = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    let all_inner = pieces.windows(2).all(|pair| inner(pair[0].as_bytes().last()) && inner(pair[1].as_bytes().first()));
    all_inner && escape(words).replace("\\_", "_") == words
}
