//! Secrets of Kubernetes: every entry of their data is one, whatever its name.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::MARK;

static KIND: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)^[ \t]*(?:-[ \t]+)?["']?kind["']?[ \t]*:[ \t]*["']?Secret["']?[ \t]*,?[ \t\r]*(?:#.*)?$"#).ok());
static DATA: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)^[ \t]*["']?(?:stringData|data)["']?[ \t]*:[ \t]*\{?[ \t\r]*$"#).ok());
static ENTRY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^[ \t]*["']?[\w.-]+["']?[ \t]*:(?:[ \t]+(?:[|>][+-]?|["']?([^"'\r\n]*?)["']?)[ \t,]*)?\r?$"#).ok());

/// Where the values stand, in the order of the text.
pub(super) fn entries(text: &str) -> Vec<Range<usize>> {
    let (Some(kind), Some(data)) = (KIND.as_ref(), DATA.as_ref()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    for document in text.split_inclusive("\n---") {
        if kind.is_match(document) {
            data.find_iter(document).for_each(|head| found.extend(entries_below(text, at + head.start(), at + head.end())));
        }
        at += document.len();
    }
    found
}

/// The values in the lines that stand further in than the head above them.
fn entries_below(text: &str, head: usize, end: usize) -> Vec<Range<usize>> {
    let Some(entry) = ENTRY.as_ref() else { return Vec::new() };
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let least = indent(&text[head..end]);
    let mut found = Vec::new();
    let mut at = end + 1;
    for line in text.get(at..).unwrap_or_default().split('\n') {
        let is_blank = line.trim().is_empty();
        if !is_blank && indent(line) <= least {
            break;
        }
        let value = match entry.captures(line) {
            Some(captures) => captures.get(1).map(|value| value.range()),
            // A line of a block.
            None => Some(indent(line)..line.trim_end().len()),
        };
        let value = value.filter(|value| !is_blank && !value.is_empty() && !line[value.clone()].starts_with(MARK));
        found.extend(value.map(|value| at + value.start..at + value.end));
        at += line.len() + 1;
    }
    found
}
