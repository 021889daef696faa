//! Finds what the rules describe: words that a rule needs are looked for first, all at once, and only then its pattern.

use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::names;
use super::rules::{self, Check, Rule};

/// Largest compiled pattern; three of the vendored rules need more than the default.
const MAX_COMPILED: usize = 64 << 20;

/// The rules, and the words that call for them.
struct Engine {
    rules: Vec<CompiledRule>,
    words: Option<RegexSet>,
    /// For each word the rules that it calls for.
    rules_of_word: Vec<Vec<usize>>,
}

struct CompiledRule {
    rule: Rule,
    pattern: OnceLock<Option<Regex>>,
}

/// A secret: where it is, and the rule that found it.
#[derive(Debug, Clone, Copy)]
struct Found {
    start: usize,
    end: usize,
    rule: usize,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(rules::all()));

/// The text with its secrets replaced, and how many they were; none where there are none.
pub(super) fn take_out(text: &str) -> Option<(String, u64)> {
    let found = ENGINE.find(text);
    if found.is_empty() {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for secret in &found {
        kept.push_str(&text[at..secret.start]);
        kept.push_str("[redacted:");
        kept.push_str(&ENGINE.rules[secret.rule].rule.id);
        kept.push(']');
        at = secret.end;
    }
    kept.push_str(&text[at..]);
    Some((kept, found.len() as u64))
}

impl Engine {
    fn new(rules: Vec<Rule>) -> Self {
        let mut words: Vec<String> = rules.iter().flat_map(|rule| rule.keywords.iter().map(|word| word.to_lowercase())).collect();
        words.sort_unstable();
        words.dedup();
        let mut rules_of_word = vec![Vec::new(); words.len()];
        for (place, rule) in rules.iter().enumerate() {
            for word in &rule.keywords {
                if let Ok(word) = words.binary_search(&word.to_lowercase()) {
                    rules_of_word[word].push(place);
                }
            }
        }
        let escaped = words.iter().map(|word| regex::escape(word));
        let words = RegexSetBuilder::new(escaped).case_insensitive(true).unicode(false).build().ok();
        let rules = rules.into_iter().map(|rule| CompiledRule { rule, pattern: OnceLock::new() }).collect();
        Self { rules, words, rules_of_word }
    }

    /// Secrets in the order of the text, none within another.
    fn find(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for place in self.called_for(text) {
            let rule = &self.rules[place];
            let Some(pattern) = rule.pattern() else { continue };
            for captures in pattern.captures_iter(text) {
                let Some(secret) = rule.secret(&captures) else { continue };
                if rule.is_right(text, &captures, secret.as_str()) {
                    found.push(Found { start: secret.start(), end: secret.end(), rule: place });
                }
            }
        }
        without_overlaps(found)
    }

    fn called_for(&self, text: &str) -> Vec<usize> {
        let Some(words) = &self.words else { return (0..self.rules.len()).collect() };
        let mut called: Vec<usize> = words.matches(text).iter().flat_map(|word| self.rules_of_word[word].iter().copied()).collect();
        called.sort_unstable();
        called.dedup();
        called
    }
}

/// Joins what overlaps into one secret under the rule that stands first.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|secret| (secret.start, secret.rule));
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for secret in found {
        match kept.last_mut() {
            Some(last) if secret.start < last.end => {
                last.end = last.end.max(secret.end);
                last.rule = last.rule.min(secret.rule);
            }
            _ => kept.push(secret),
        }
    }
    kept
}

impl CompiledRule {
    fn pattern(&self) -> Option<&Regex> {
        self.pattern.get_or_init(|| compile(&self.rule.pattern)).as_ref()
    }

    /// The part of a match that is the secret: the group that the rule names, else the first that took part, else all of it.
    fn secret<'t>(&self, captures: &Captures<'t>) -> Option<regex::Match<'t>> {
        let found = match self.rule.group {
            Some(group) => captures.get(group),
            None => captures.iter().skip(1).flatten().find(|group| !group.is_empty()).or_else(|| captures.get(0)),
        };
        found.filter(|secret| !secret.is_empty())
    }

    fn is_right(&self, text: &str, captures: &Captures<'_>, secret: &str) -> bool {
        if secret.contains("[redacted:") || captures.get(0).is_some_and(|all| all.as_str().contains("[redacted:")) {
            return false;
        }
        if self.rule.entropy.is_some_and(|least| names::entropy(secret) < least) {
            return false;
        }
        let after = captures.iter().flatten().map(|group| group.end()).max().map_or("", |end| &text[end..]);
        match self.rule.check {
            Check::None => true,
            Check::NamedIfHash => !names::is_hash_shaped(secret) || captures.get(0).is_some_and(|all| is_named_secret(all.as_str())),
            Check::Password => !names::is_plainly_none(secret) && !is_prose(secret, after),
            Check::Random => names::looks_random(secret) && !names::is_plainly_none(secret),
        }
    }
}

/// Fast ASCII classes where the pattern allows them.
fn compile(pattern: &str) -> Option<Regex> {
    let build = |unicode: bool| RegexBuilder::new(pattern).unicode(unicode).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
    build(false).or_else(|_| build(true)).ok()
}

fn is_named_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["key", "token", "secret", "passw", "auth", "cred"].iter().any(|word| lower.contains(word))
}

/// `the secret: patience and time` is no secret; `password: hunter2` and `password: swordfish` at a line's end are.
fn is_prose(secret: &str, after: &str) -> bool {
    let is_word = secret.trim_end_matches(['.', '!', '?']).chars().all(|c| c.is_alphabetic());
    is_word && after.strip_prefix(' ').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
}
