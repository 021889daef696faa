//! Text that can do nothing: without invisible characters, without live addresses, escaped.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// An address with its host, or the beginning of a bare one.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)://([^\s/?#:|<>]*)|www\.").ok());

/// Words that call everybody.
static BROADCAST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)@(here|channel|everyone)").ok());

/// For Slack's markup: `&`, `<` and `>` as entities, and nothing that cannot be seen (`visible`).
pub fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Without control characters but line feed and tab, and without characters that show nothing or turn the direction of writing.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|&c| is_seen(c)).collect()
}

fn is_seen(c: char) -> bool {
    if c.is_control() {
        return matches!(c, '\n' | '\t');
    }
    !matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Visible, trimmed and defanged: for all that is neither evidence nor ours.
pub(super) fn inert(text: &str) -> String {
    defanged(visible(text).trim())
}

/// Every address with a visible change that keeps it from being one: `https[:]//evil[.]com/x`, `www[.]evil.com`.
pub(super) fn defanged(text: &str) -> String {
    let Some(address) = ADDRESS.as_ref() else { return text.replace("://", "[:]//") };
    let change = |found: &Captures| match found.get(1) {
        Some(host) => format!("[:]//{}", host.as_str().replace('.', "[.]")),
        None => found[0].replace('.', "[.]"),
    };
    address.replace_all(text, change).into_owned()
}

/// Escaped text in which nothing is markup: look-alikes stand for what Slack takes as format. For the fallback text, from which nobody
/// copies.
pub(super) fn markup_free(text: &str) -> String {
    escape(&markup_free_source(text))
}

/// The same before it is escaped, so that it can be cut.
pub(super) fn markup_free_source(text: &str) -> String {
    let plain = defanged(&visible(text));
    let quiet = match BROADCAST.as_ref() {
        Some(broadcast) => broadcast.replace_all(&plain, "@ $1").into_owned(),
        None => plain.replace('@', "@ "),
    };
    let lines: Vec<String> = quiet.split('\n').map(without_format).collect();
    lines.join("\n")
}

fn without_format(line: &str) -> String {
    let mut told = String::with_capacity(line.len());
    let mut before = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        told.push(match c {
            '*' => '∗',
            '~' => '∼',
            '`' => '\'',
            '>' if told.trim().is_empty() => '›',
            '_' if !(inside(before.as_ref()) && inside(rest.peek())) => 'ˍ',
            other => other,
        });
        before = Some(c);
    }
    told
}
