//! What is live in a message: calls, links and format, in the content as it is read and in what the server is told.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::markdown::{Piece, read};

/// What stands in a letter's place that was escaped, or where something else than letters stands: part of no word.
const NO_LETTER: char = '\u{fffc}';

/// The only words in italics.
const LEAD: &str = "The model's reading:";

/// What does something though it is only letters: a call, an address, an invitation, the name of an emoji.
static LIVE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)@(?:everyone|here|clyde|silent)|[a-z]://|\bwww\.|\bdiscord(?:app)?\.[a-z]|:[a-z0-9_+-]+(?:::skin-tone-\d)?:").ok()
});

/// What the server is told of who may be called, where it is too much.
pub(in super::super) fn of_server(allowed: &Value) -> Vec<String> {
    let checks = [
        (allowed["parse"] != json!([]), "the server may call whom it finds in the content"),
        (allowed["replied_user"] == json!(true), "who is answered is called"),
        (allowed.get("roles").is_some(), "roles may be called"),
    ];
    checks.iter().filter(|(broken, _)| *broken).map(|(_, sentence)| (*sentence).to_owned()).collect()
}

/// What is live in the content and should not be; these users may be called, once.
pub(super) fn of_content(content: &str, users: &[&str]) -> Vec<String> {
    let reading = read(content);
    let mut found: Vec<String> = Vec::new();
    let mut callable: Vec<String> = users.iter().map(|user| format!("@{user}")).collect();
    for piece in &reading {
        match piece {
            Piece::OpenFence => found.push("a code block has no end".to_owned()),
            Piece::Angled(inner) => match callable.iter().position(|user| user == inner) {
                Some(at) => drop(callable.remove(at)),
                None => found.push(format!("<{inner}> is live")),
            },
            Piece::Link { words, target } => found.extend(of_link(words, target)),
            Piece::Italic(words) if *words == LEAD => {}
            Piece::Italic(words) => found.push(format!("{words:?} is in italics")),
            Piece::Marker(marker) => found.push(format!("{marker:?} is not escaped")),
            Piece::Text(_) | Piece::Escaped(_) | Piece::Code(_) | Piece::Block(_) | Piece::Quote | Piece::Small => {}
        }
    }
    found.extend(callable.iter().map(|user| format!("<{user}> may be called and is not")));
    found.extend(live_letters(&reading));
    found
}

/// The addresses of the links.
pub(super) fn links(content: &str) -> Vec<String> {
    let target = |piece: &Piece| match piece {
        Piece::Link { target, .. } => Some(target.trim_start_matches('<').trim_end_matches('>').to_owned()),
        _ => None,
    };
    read(content).iter().filter_map(target).collect()
}

fn of_link(words: &str, target: &str) -> Vec<String> {
    let bare = target.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_web = bare.is_some_and(|url| url.starts_with("https://") || url.starts_with("http://"));
    let checks = [
        (bare.is_none(), "is previewed"),
        (bare.is_some() && !is_web, "leads to no web address"),
        (words.trim().is_empty(), "has no words"),
        (words.contains('\\'), "shows a backslash"),
        (words.contains("://"), "has an address as its words"),
        (target.contains(char::is_whitespace), "has a space in its address"),
    ];
    checks.iter().filter(|(broken, _)| *broken).map(|(_, what)| format!("the link [{words}]({target}) {what}")).collect()
}

/// What is live among the letters alone, with what is escaped or in code taken out.
fn live_letters(reading: &[Piece]) -> Vec<String> {
    let letters: String = reading
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => (*text).to_owned(),
            _ => NO_LETTER.to_string(),
        })
        .collect();
    let Some(live) = LIVE.as_ref() else { return vec!["the content cannot be checked".to_owned()] };
    live.find_iter(&letters).map(|found| format!("{:?} is live", found.as_str())).collect()
}
