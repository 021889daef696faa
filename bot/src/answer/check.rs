//! Reads a rendered text again, independently of how it was made: every number in it must be a fact's, a record's, a quote's or the question's.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::facts::Fact;

/// What a text may take its numbers from.
pub struct Sources<'a> {
    /// The facts of the turn.
    pub facts: &'a [Fact],
    /// Keys, titles and addresses of records.
    pub records: &'a [String],
    /// Verbatim text.
    pub quotes: &'a [&'a str],
    /// The question.
    pub question: &'a str,
}

#[expect(clippy::expect_used, reason = "a constant pattern")]
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[-+\u{2212}]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?").expect("the pattern is right"));

#[expect(clippy::expect_used, reason = "a constant pattern")]
static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[\d{1,2}\]").expect("the pattern is right"));

/// The numbers of a text that come from nowhere.
pub fn strays(text: &str, sources: &Sources<'_>) -> Vec<String> {
    let mut text = MARK.replace_all(text, " ").into_owned();
    let mut names: Vec<&str> = sources.records.iter().flat_map(|key| [key.as_str(), key.rsplit('/').next().unwrap_or(key)]).collect();
    names.extend(sources.facts.iter().filter_map(|fact| fact.label.as_deref()));
    names.extend(sources.facts.iter().map(|fact| fact.name.as_str()));
    // Bare numbers are compared as facts, not taken out as names; days such as `2026-05-04` are names.
    let is_name = |name: &str| {
        name.chars().any(|c| c.is_ascii_digit()) && (name.chars().any(|c| c.is_alphabetic() || c == '#') || name.matches('-').count() > 1)
    };
    names.retain(|name| is_name(name));
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        text = replace_whole(&text, name);
    }
    let known: HashSet<String> = sources.quotes.iter().copied().chain([sources.question]).flat_map(numbers).collect();
    let is_fact = |number: &str| {
        sources
            .facts
            .iter()
            .any(|fact| fact.shown() == number || fact.shown().trim_start_matches('-') == number.trim_start_matches(['-', '\u{2212}']))
    };
    numbers(&text).filter(|number| !known.contains(number) && !is_fact(number)).collect()
}

fn numbers(text: &str) -> impl Iterator<Item = String> + '_ {
    NUMBER.find_iter(text).map(|found| found.as_str().trim_start_matches('+').to_owned())
}

/// Takes a name out of a text, where it stands by itself.
fn replace_whole(text: &str, name: &str) -> String {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back().or_else(|| out.chars().next_back());
        let after = rest[at + name.len()..].chars().next();
        // `2e-5` is no name in `1.2e-5`.
        let goes_before = before == Some('.') && name.starts_with(|c: char| c.is_ascii_digit());
        out.push_str(&rest[..at]);
        out.push_str(if is_inside(before) || is_inside(after) || goes_before { name } else { " " });
        rest = &rest[at + name.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
