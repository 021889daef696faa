//! Looks for texts among bytes: as they are, backwards, in hexadecimal, in base64 wherever it began, and in rot13.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::bytes::{Regex, RegexBuilder};

/// What is looked for, all at once.
pub struct Scan {
    names: Vec<String>,
    spellings: Regex,
}

impl Scan {
    /// Looks for these, by name.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for (name, text) in texts {
            for (how, spelling) in spellings(text) {
                names.push(format!("{name}, {how}"));
                patterns.push(format!("({})", regex::escape(&spelling)));
            }
        }
        let spellings = RegexBuilder::new(&patterns.join("|")).unicode(false).size_limit(64 << 20).build().unwrap();
        Self { names, spellings }
    }

    /// What stands there, each with the place.
    pub fn find(&self, bytes: &[u8], place: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for captures in self.spellings.captures_iter(bytes) {
            let which = captures.iter().skip(1).position(|group| group.is_some()).unwrap_or_default();
            let line = format!("{place}: {}", self.names[which]);
            if !found.contains(&line) {
                found.push(line);
            }
        }
        found
    }
}

fn spellings(text: &str) -> Vec<(&'static str, String)> {
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![
        ("plain", text.to_owned()),
        ("backwards", text.chars().rev().collect()),
        ("hexadecimal", hexadecimal.to_uppercase()),
        ("hexadecimal", hexadecimal),
        ("rot13", text.chars().map(rot13).collect()),
    ];
    spellings.extend((0..3).map(|n_before| ("base64", inner_base64(text, n_before, &STANDARD_NO_PAD))));
    spellings.extend((0..3).map(|n_before| ("base64 for addresses", inner_base64(text, n_before, &URL_SAFE_NO_PAD))));
    spellings
}

/// What does not depend on what stands before and behind a text, where so many bytes of its first three were others.
fn inner_base64(text: &str, n_before: usize, engine: &impl Engine) -> String {
    let bytes: Vec<u8> = vec![0; n_before].into_iter().chain(text.bytes()).collect();
    let encoded = engine.encode(&bytes);
    // A byte has one letter and a part of the next, or the other way round.
    let first = [0, 2, 3][n_before];
    let last = bytes.len() * 8 / 6;
    encoded[first..last].to_owned()
}

fn rot13(c: char) -> char {
    let turned = |first: u8| char::from(first + (c as u8 - first + 13) % 26);
    match c {
        'a'..='z' => turned(b'a'),
        'A'..='Z' => turned(b'A'),
        _ => c,
    }
}

#[test]
fn every_spelling_is_found() {
    let scan = Scan::of([("word", "zanzibarquokka")]);
    for (what, text) in [
        ("plain", "a zanzibarquokka b".to_owned()),
        ("backwards", "x akkouqrabiznaz".to_owned()),
        ("hexadecimal", "7a616e7a6962617271756f6b6b61".to_owned()),
        ("rot13", "mnamvonedhbxxn".to_owned()),
        ("base64", STANDARD_NO_PAD.encode("zanzibarquokka!")),
        ("base64", STANDARD_NO_PAD.encode("1zanzibarquokka!")),
        ("base64", STANDARD_NO_PAD.encode("12zanzibarquokka!")),
        ("base64", STANDARD_NO_PAD.encode("123zanzibarquokka")),
    ] {
        assert_eq!(scan.find(text.as_bytes(), "here"), [format!("here: word, {what}")], "{text}");
    }
    assert!(scan.find(b"zanzibar quokka", "here").is_empty());
}
