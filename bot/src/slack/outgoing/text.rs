//! Text for Slack's markup, in which nothing is live.

use std::sync::LazyLock;

use regex::Regex;

use crate::chat::text::{defanged, visible};

/// Words that call everybody.
static BROADCAST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)@(here|channel|everyone)").ok());

/// For Slack's markup: `&`, `<` and `>` as entities, and nothing that cannot be seen (`visible`).
pub fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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
