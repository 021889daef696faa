//! Of the secrets that the rules describe, drawn from every rule and put where secrets stand, how many are taken out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::test_runner::TestRunner;
use regex::Regex;

use super::contexts::{KINDS, around};
use super::drawn::Source;
use crate::redact::{redact, rules};

/// How many secrets are drawn, and how many of them must be gone.
const N_SECRETS: usize = 10_000;
const LEAST: f64 = 0.995;

/// Bytes of a secret of which none may stay beside each other.
const PIECE: usize = 8;

#[derive(Default)]
struct Count {
    n_drawn: usize,
    n_gone: usize,
    left: Vec<(String, String)>,
}

impl Count {
    fn share(&self) -> f64 {
        self.n_gone as f64 / self.n_drawn.max(1) as f64
    }

    fn note(&mut self, is_gone: bool, text: &str, redacted: &str) {
        self.n_drawn += 1;
        self.n_gone += usize::from(is_gone);
        if !is_gone && self.left.len() < 3 {
            self.left.push((text.to_owned(), redacted.to_owned()));
        }
    }
}

/// Whether nothing of a secret is left, not even a piece of it that does not stand around it anyway.
fn is_gone(secret: &str, text: &str, redacted: &str) -> bool {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[redacted:[\w-]+\]").unwrap());
    let (left, around) = (MARK.replace_all(redacted, "\n"), text.replace(secret, "\n"));
    if left == around {
        return true;
    }
    let secret = secret.trim();
    let is_left = |piece: &str| left.contains(piece) && !around.contains(piece);
    match secret.len() {
        ..=PIECE => !is_left(secret),
        _ => !secret.as_bytes().windows(PIECE).any(|piece| std::str::from_utf8(piece).is_ok_and(is_left)),
    }
}

#[test]
fn of_ten_thousand_secrets_of_every_rule_nearly_all_are_gone() {
    let mut runner = TestRunner::deterministic();
    let sources: Vec<Source> = rules::all().into_iter().map(Source::new).collect();
    let (mut by_rule, mut by_kind, mut all) = (BTreeMap::<String, Count>::new(), BTreeMap::<&str, Count>::new(), Count::default());
    let mut turn = 0;
    while all.n_drawn < N_SECRETS {
        for (i, source) in sources.iter().enumerate().take(N_SECRETS - all.n_drawn) {
            let drawn = source.draw(&mut runner);
            let places = around(&drawn);
            let (kind, text) = &places[(turn + i) % places.len()];
            let redacted = redact(text).0;
            let is_gone = is_gone(&drawn.secret, text, &redacted);
            by_rule.entry(drawn.rule).or_default().note(is_gone, text, &redacted);
            by_kind.entry(kind).or_default().note(is_gone, text, &redacted);
            all.note(is_gone, text, &redacted);
        }
        turn += 1;
    }
    for (rule, count) in by_rule.iter().filter(|(_, count)| count.n_gone < count.n_drawn) {
        println!("{rule}: {} of {}", count.n_gone, count.n_drawn);
        count.left.iter().for_each(|(text, redacted)| println!("    {text:?} became {redacted:?}"));
    }
    for kind in KINDS {
        println!("{kind}: {} of {}", by_kind[kind].n_gone, by_kind[kind].n_drawn);
    }
    println!("{} of {} secrets of {} rules are gone: {:.2} %", all.n_gone, all.n_drawn, sources.len(), 100.0 * all.share());
    assert!(all.share() >= LEAST, "{:.4}", all.share());
}
