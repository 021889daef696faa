//! Discord's limits as one table, and what breaks them, read from the rendered body alone.
//!
//! Sources: Discord's reference of messages, components, interactions and allowed mentions. A text is as long as the larger of its code
//! points and its UTF-16 units, because the reference says "characters" and means one or the other.

mod live;
pub(super) mod markdown;

use serde_json::Value;

pub(super) use self::live::of_server;
use super::Message;

/// The bit of the flags that keeps links from being previewed.
const SUPPRESS_EMBEDS: u64 = 4;

/// Types of components in Discord's numbers.
const ROW: u64 = 1;
const BUTTON: u64 = 2;
const TEXT_INPUT: u64 = 4;

/// How much may stand at a path of an object of this kind: characters of a text, items of a list, the worth of a number. `*` stands for
/// each item.
pub(super) struct Limit {
    pub(super) of: &'static str,
    pub(super) at: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
}

const fn limit(of: &'static str, at: &'static str, least: usize, most: usize) -> Limit {
    Limit { of, at, least, most }
}

pub(super) const LIMITS: &[Limit] = &[
    limit("message", "content", 1, 2_000),
    limit("message", "components", 0, 5),
    limit("message", "allowed_mentions/users", 0, 100),
    limit("row", "components", 1, 5),
    limit("button", "label", 1, 80),
    limit("button", "custom_id", 1, 100),
    limit("window", "title", 1, 45),
    limit("window", "custom_id", 1, 100),
    limit("window", "components", 1, 5),
    limit("input", "custom_id", 1, 100),
    limit("input", "label", 1, 45),
    limit("input", "placeholder", 1, 100),
    limit("input", "max_length", 1, 4_000),
    limit("choices", "choices", 0, 25),
    limit("choices", "choices/*/name", 1, 100),
    limit("choices", "choices/*/value", 1, 100),
];

/// What Discord would refuse, preview or make live in a message, one sentence each; links may lead anywhere.
pub fn violations(message: &Message) -> Vec<String> {
    let body = message.body();
    let mut found = of_tree(&body, &[BUTTON]);
    if body["content"].as_str().is_none_or(|content| content.trim().is_empty()) {
        found.push("the content shows nothing".to_owned());
    }
    if body["flags"].as_u64().unwrap_or_default() & SUPPRESS_EMBEDS == 0 {
        found.push("links are previewed".to_owned());
    }
    found.extend(of_server(&body["allowed_mentions"]));
    found.extend(live::of_content(body["content"].as_str().unwrap_or_default(), &users(&body)));
    found
}

/// The same, and links that are not among the allowed addresses.
pub fn violations_with_links(message: &Message, allowed: &[String]) -> Vec<String> {
    let mut found = violations(message);
    let held = |url: &String| url.replace('(', "%28").replace(')', "%29");
    let links = live::links(&message.content);
    let strange = links.iter().filter(|link| !allowed.iter().any(|url| url == *link || held(url) == **link));
    found.extend(strange.map(|link| format!("a link leads to {link:?}, which is not allowed")));
    found
}

/// What Discord would refuse in a window, or in what it is to offer while somebody types.
pub fn window_violations(window: &Value) -> Vec<String> {
    of_tree(window, &[TEXT_INPUT])
}

/// The limits of every object, rows that hold something else than these, and actions that are there twice.
fn of_tree(body: &Value, held: &[u64]) -> Vec<String> {
    let mut found = Vec::new();
    let mut actions: Vec<String> = Vec::new();
    visit(body, &mut |object| {
        found.extend(of_limits(object));
        actions.extend(object["custom_id"].as_str().map(str::to_owned));
        for row in object["components"].as_array().into_iter().flatten() {
            let inner = if object["type"] == ROW { held } else { &[ROW] };
            if !row["type"].as_u64().is_some_and(|kind| inner.contains(&kind)) {
                found.push(format!("a component of type {} stands where none of ours does", row["type"]));
            }
        }
    });
    actions.sort();
    let twice = actions.windows(2).filter(|pair| pair[0] == pair[1]);
    found.extend(twice.map(|pair| format!("the action {:?} is there twice", pair[0])));
    found
}

fn users(body: &Value) -> Vec<&str> {
    body["allowed_mentions"]["users"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn kind(object: &Value) -> &'static str {
    match object["type"].as_u64() {
        Some(ROW) => "row",
        Some(BUTTON) => "button",
        Some(TEXT_INPUT) => "input",
        _ if object.get("content").is_some() => "message",
        _ if object.get("title").is_some() => "window",
        _ if object.get("choices").is_some() => "choices",
        _ => "",
    }
}

fn of_limits(object: &Value) -> Vec<String> {
    let kind = kind(object);
    let ours = LIMITS.iter().filter(|limit| limit.of == kind);
    ours.flat_map(|limit| {
        let sizes = at(object, limit.at).into_iter().filter_map(size);
        sizes.filter_map(|n| {
            let name = format!("{kind} {}", limit.at);
            match n {
                n if n < limit.least => Some(format!("{name}: empty")),
                n if n > limit.most => Some(format!("{name}: {n} where {} are allowed", limit.most)),
                _ => None,
            }
        })
    })
    .collect()
}

/// The values at a path with `*` for each item.
fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('/').fold(vec![value], |values, key| {
        let next = |value: &'a Value| match key {
            "*" => value.as_array().map(|items| items.iter().collect()).unwrap_or_default(),
            key => value.get(key).into_iter().collect::<Vec<_>>(),
        };
        values.into_iter().flat_map(next).collect()
    })
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.encode_utf16().count().max(text.chars().count())),
        Value::Array(items) => Some(items.len()),
        Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        _ => None,
    }
}

/// Calls with every object of the tree.
fn visit(value: &Value, call: &mut impl FnMut(&Value)) {
    if value.is_object() {
        call(value);
    }
    let inner = value.as_object().into_iter().flat_map(|object| object.values());
    inner.chain(value.as_array().into_iter().flatten()).for_each(|value| visit(value, call));
}
