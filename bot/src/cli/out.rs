//! Prints to standard output, without secrets; a reader that went away is an error, not a panic.

use std::io::{self, Write};

use jiff::Timestamp;
use runlore_indexer::redact::redact;
use serde::Serialize;

use crate::chat::clean::clean_json;

/// Prints text without the secrets in it, and ends the line.
pub(super) fn line(text: &str) -> io::Result<()> {
    print(&redact(text).0)
}

/// Prints one value as JSON on one line, without the secrets in its texts.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut value = serde_json::to_value(value)?;
    clean_json(&mut value);
    print(&value.to_string())
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Lines up rows of words: each column as wide as its widest cell, the last one free.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let text = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// `3 minutes ago`; `in the future` where clocks disagree.
pub(super) fn age(at_ms: i64, now: Timestamp) -> String {
    let seconds = (now.as_millisecond() - at_ms) / 1000;
    let (n, unit) = match seconds {
        ..-5 => return "in the future".to_owned(),
        -5..10 => return "just now".to_owned(),
        10..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{n} {unit} ago")
}

/// `1 record`, `2 records`.
pub(super) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        assert_eq!(table(&[row(["a", "bbb", "c"]), row(["aa", "b", ""])]), "a   bbb  c\naa  b");
    }

    #[test]
    fn ages_are_rounded_down() {
        let now = Timestamp::from_millisecond(1_000_000_000).unwrap_or_default();
        let ages: Vec<String> = [0, 11, 119, 125, 7_199, 86_400, 200_000].iter().map(|s| age(1_000_000_000 - s * 1000, now)).collect();
        assert_eq!(
            ages,
            ["just now", "11 seconds ago", "119 seconds ago", "2 minutes ago", "119 minutes ago", "24 hours ago", "2 days ago"]
        );
    }
}
