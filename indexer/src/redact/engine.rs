//! Finds what the rules describe: words that a rule needs are looked for first, all at once, and only around them its pattern.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex, RegexBuilder};

use super::gaps::{self, Lead};
use super::rules::{self, Check, Rule};
use super::{MARK, manifest, names};

/// Largest compiled pattern; three of the vendored rules need more than the default.
const MAX_COMPILED: usize = 64 << 20;

/// How far from a word of its rule a secret may begin or end: on its line or near it, and further where `reach_of` says so.
const NEAR: usize = 512;
const FAR: usize = 64 << 10;

/// Longest line that is looked at as a whole.
const MAX_LINE: usize = 4 << 10;

/// The rule of gitleaks that knows one entry of a manifest; we take all.
const MANIFEST: &str = "kubernetes-secret-yaml";

/// The rules, and the words that call for them.
struct Engine {
    rules: Vec<CompiledRule>,
    words: Option<AhoCorasick>,
    /// For each word the rules that it calls for.
    rules_of_word: Vec<Vec<usize>>,
}

struct CompiledRule {
    rule: Rule,
    lead: Lead,
    reach: usize,
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
    replaced(text, &ENGINE.find(text))
}

/// The same, each with all that stands behind it on its line.
pub(super) fn take_out_lines(text: &str) -> Option<(String, u64)> {
    let to_end_of_line = |secret: Found| Found { end: text[secret.end..].find('\n').map_or(text.len(), |at| secret.end + at), ..secret };
    replaced(text, &without_overlaps(ENGINE.find(text).into_iter().map(to_end_of_line).collect()))
}

/// The first, with all that stands behind it.
pub(super) fn take_out_rest(text: &str) -> Option<(String, u64)> {
    let first = ENGINE.find(text).into_iter().next()?;
    replaced(text, &[Found { end: text.len(), ..first }])
}

fn replaced(text: &str, found: &[Found]) -> Option<(String, u64)> {
    if found.is_empty() {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for secret in found {
        kept.push_str(&text[at..secret.start]);
        kept.push_str(MARK);
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
        let words = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).ascii_case_insensitive(true).build(&words).ok();
        Self { rules: rules.into_iter().map(CompiledRule::new).collect(), words, rules_of_word }
    }

    /// Secrets in the order of the text, none within another.
    fn find(&self, text: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (place, windows) in self.windows(text).into_iter().enumerate() {
            if windows.is_empty() {
                continue;
            }
            let rule = &self.rules[place];
            for window in windows {
                found.extend(rule.find_in(text, window).map(|secret| Found { start: secret.start, end: secret.end, rule: place }));
            }
            if rule.rule.id == MANIFEST {
                found.extend(manifest::entries(text).into_iter().map(|entry| Found { start: entry.start, end: entry.end, rule: place }));
            }
        }
        without_overlaps(found)
    }

    /// For each rule what stands around its words.
    fn windows(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        // Without the words all of the text is looked at by every rule.
        let Some(words) = &self.words else { return vec![vec![0..text.len()]; self.rules.len()] };
        let mut windows: Vec<Vec<Range<usize>>> = Vec::new();
        for word in words.find_overlapping_iter(text) {
            if windows.is_empty() {
                windows.resize_with(self.rules.len(), Vec::new);
            }
            for &place in &self.rules_of_word[word.pattern().as_usize()] {
                add_window(&mut windows[place], text, word.range(), self.rules[place].reach);
            }
        }
        windows
    }
}

/// Adds what stands around a word, or widens the last window by it.
fn add_window(windows: &mut Vec<Range<usize>>, text: &str, word: Range<usize>, reach: usize) {
    if windows.last().is_some_and(|last| word.end + reach <= last.end) {
        return;
    }
    let start = start_of_line(text, word.start.saturating_sub(reach));
    let end = end_of_line(text, (word.end + reach).min(text.len()));
    match windows.last_mut() {
        Some(last) if start <= last.end => last.end = last.end.max(end),
        _ => windows.push(start..end),
    }
}

/// The beginning of the line, or where the line is long that of a word in it.
fn start_of_line(text: &str, at: usize) -> usize {
    let from = at.saturating_sub(MAX_LINE);
    let before = &text.as_bytes()[from..at];
    match before.iter().rposition(|byte| *byte == b'\n') {
        Some(line_feed) => from + line_feed + 1,
        None if from == 0 => 0,
        None => before.iter().position(u8::is_ascii_whitespace).map_or_else(|| text.floor_char_boundary(from), |blank| from + blank + 1),
    }
}

/// The end of the line, or where the line is long that of a word in it.
fn end_of_line(text: &str, at: usize) -> usize {
    let to = (at + MAX_LINE).min(text.len());
    let behind = &text.as_bytes()[at..to];
    match behind.iter().position(|byte| *byte == b'\n') {
        Some(line_feed) => at + line_feed,
        None if to == text.len() => to,
        None => behind.iter().rposition(u8::is_ascii_whitespace).map_or_else(|| text.ceil_char_boundary(to), |blank| at + blank),
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
    fn new(rule: Rule) -> Self {
        Self { lead: Lead::of(&rule.pattern), reach: reach_of(&rule), rule, pattern: OnceLock::new() }
    }

    fn pattern(&self) -> Option<&Regex> {
        self.pattern.get_or_init(|| compile(&gaps::widened(&self.rule.pattern))).as_ref()
    }

    /// The secrets in a part of the text.
    fn find_in<'t>(&'t self, text: &'t str, window: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let part = &text[window.clone()];
        let matches = self.pattern().into_iter().flat_map(move |pattern| pattern.captures_iter(part));
        matches.filter_map(move |captures| {
            let secret = self.secret(&captures)?;
            self.is_right(part, &captures, secret.as_str(), secret.start())
                .then(|| window.start + secret.start()..window.start + secret.end())
        })
    }

    /// The part of a match that is the secret: the group that the rule names, else the first that took part, else all of it.
    fn secret<'t>(&self, captures: &Captures<'t>) -> Option<regex::Match<'t>> {
        let found = match self.rule.group {
            Some(group) => captures.get(group),
            None => captures.iter().skip(1).flatten().find(|group| !group.is_empty()).or_else(|| captures.get(0)),
        };
        found.filter(|secret| !secret.is_empty())
    }

    fn is_right(&self, text: &str, captures: &Captures<'_>, secret: &str, at: usize) -> bool {
        let Some(all) = captures.get(0).filter(|all| !all.as_str().contains(MARK)) else { return false };
        if self.rule.entropy.is_some_and(|least| names::entropy(secret) < least) {
            return false;
        }
        let named = &text[gaps::name_start(text, all.start())..];
        if !self.lead.holds(&named[..at - (text.len() - named.len())]) {
            return false;
        }
        let after = &text[at + secret.len()..];
        match self.rule.check {
            Check::None => true,
            Check::NamedIfHash if names::is_hash_shaped(secret) => is_named_secret(&named[..named.len() - (text.len() - all.end())]),
            Check::NamedIfHash => self.lead == Lead::Any || !names::is_wordy(secret),
            Check::Password => !names::is_plainly_none(secret) && !is_prose(secret, after) && !is_call(secret, after),
            Check::Random => names::looks_random(secret) && !names::is_plainly_none(secret),
            Check::Mixed => names::is_mixed(secret) && !names::is_plainly_none(secret),
        }
    }
}

/// Far where the rule spans lines, or where its word is not of its pattern and stands anywhere about.
fn reach_of(rule: &Rule) -> usize {
    let spans_lines = rule.pattern.contains("(?s") || rule.pattern.contains(r"\r\n") || rule.id == "private-key";
    let plain = gaps::widened(&rule.pattern).to_lowercase().replace('\\', "");
    if spans_lines || rule.keywords.iter().any(|word| !plain.contains(word.as_str())) { FAR } else { NEAR }
}

/// Fast ASCII classes where the pattern allows them.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let build = |unicode: bool| RegexBuilder::new(pattern).unicode(unicode).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
    build(false).or_else(|_| build(true)).ok()
}

fn is_named_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["key", "token", "secret", "passw", "auth", "cred", "access", "client", "login"].iter().any(|word| lower.contains(word))
}

/// `the secret: patience and time` is no secret; `password: hunter2` and `password: swordfish` at a line's end are.
fn is_prose(secret: &str, after: &str) -> bool {
    let is_word = secret.trim_end_matches(['.', '!', '?']).chars().all(|c| c.is_alphabetic());
    is_word && after.strip_prefix(' ').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
}

/// `getpass()` and `config.get("x")` are no secrets.
fn is_call(secret: &str, after: &str) -> bool {
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    after.starts_with('(') && is_name(secret) || secret.split_once('(').is_some_and(|(name, rest)| is_name(name) && rest.ends_with(')'))
}
