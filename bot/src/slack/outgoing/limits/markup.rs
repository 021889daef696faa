//! What is live in a message: links and mentions, in Slack's markup and in rich text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What may stand in angle brackets: a user's mention, a link.
static KNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<(?:@[UW][A-Z0-9]+|(https?://[^\s<>|]+)(?:\|[^<>|]+)?)>").ok());

/// Elements that call people or lead elsewhere, which we never send.
const NEVER: [&str; 4] = ["broadcast", "usergroup", "channel", "team"];

/// What is live in markup and should not be.
pub(super) fn violations(text: &str) -> Vec<String> {
    let Some(known) = KNOWN.as_ref() else { return vec!["the markup cannot be checked".to_owned()] };
    let plain = known.replace_all(text, "");
    let entities = plain.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
    let checks = [
        (plain.contains('<') || plain.contains('>'), "an angle bracket is not escaped"),
        (entities.contains('&'), "an ampersand is not escaped"),
        (plain.contains("://"), "an address would become a link"),
    ];
    checks.iter().filter(|(broken, _)| *broken).map(|(_, sentence)| format!("{sentence} in {:?}", head(text))).collect()
}

/// The addresses of the links in markup.
pub(super) fn links(text: &str) -> Vec<String> {
    let Some(known) = KNOWN.as_ref() else { return Vec::new() };
    known.captures_iter(text).filter_map(|found| found.get(1)).map(|url| url.as_str().to_owned()).collect()
}

/// What is live in one object of a block and should not be.
pub(super) fn violations_of(object: &Value) -> Vec<String> {
    let kind = object["type"].as_str().unwrap_or_default();
    match kind {
        "mrkdwn" => violations(object["text"].as_str().unwrap_or_default()),
        "link" if !is_http(object["url"].as_str().unwrap_or_default()) => vec![format!("a link leads to {}", object["url"])],
        kind if NEVER.contains(&kind) => vec![format!("an element of type {kind:?} is live")],
        _ => Vec::new(),
    }
}

/// The addresses that one object of a block leads to.
pub(super) fn links_of(object: &Value) -> Vec<String> {
    let marked = object["text"].as_str().filter(|_| object["type"] == "mrkdwn").map(links).unwrap_or_default();
    let direct = ["url", "image_url"].iter().filter_map(|key| object[*key].as_str()).map(str::to_owned);
    direct.chain(marked).collect()
}

fn is_http(url: &str) -> bool {
    let known = url.starts_with("https://") || url.starts_with("http://");
    known && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '|'))
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}
