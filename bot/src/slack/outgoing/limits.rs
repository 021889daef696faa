//! Slack's limits as one table, and what breaks them: our own, because the checks of Slack's libraries pass over some.
//!
//! Sources: Slack's reference of Block Kit; for the total slackapi/bolt-js#2509 and #2867. Texts are counted in UTF-16 units.

mod markup;

use serde_json::Value;

use super::{Message, cut};

/// Blocks in a message, and in a view.
const MAX_BLOCKS: usize = 50;
const MAX_VIEW_BLOCKS: usize = 100;

/// Units of the fallback text; an edit fails above.
const MAX_TEXT: usize = 4_000;

/// Units of everything in the blocks, counting `PER_BLOCK` for each container.
const MAX_TOTAL: usize = 12_000;
const PER_BLOCK: usize = 50;

/// The blocks that we know the limits of. Slack's `markdown` is not among them: it has another escape and links by itself.
const BLOCKS: [&str; 9] = ["section", "header", "context", "actions", "divider", "rich_text", "input", "image", "table"];

/// Keys whose texts count for the total.
const COUNTED: [&str; 8] = ["text", "url", "value", "alt_text", "image_url", "accessibility_label", "user_id", "title"];

/// How much may stand at a path of an object of this type: units of a text, items of a list. `*` stands for each item, the empty type
/// for any type.
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
    limit("", "block_id", 1, 255),
    limit("", "action_id", 1, 255),
    limit("section", "text/text", 1, 3_000),
    limit("section", "fields", 1, 10),
    limit("section", "fields/*/text", 1, 2_000),
    limit("header", "text/text", 1, 150),
    limit("context", "elements", 1, 10),
    limit("actions", "elements", 1, 25),
    limit("button", "text/text", 1, 75),
    limit("button", "value", 1, 2_000),
    limit("button", "url", 1, 3_000),
    limit("button", "accessibility_label", 1, 75),
    limit("static_select", "options", 1, 100),
    limit("static_select", "options/*/text/text", 1, 75),
    limit("static_select", "options/*/value", 1, 150),
    limit("static_select", "placeholder/text", 1, 150),
    limit("plain_text_input", "placeholder/text", 1, 150),
    limit("input", "label/text", 1, 2_000),
    limit("input", "hint/text", 1, 2_000),
    limit("image", "alt_text", 1, 2_000),
    limit("image", "image_url", 1, 3_000),
    limit("image", "title/text", 1, 2_000),
    limit("table", "rows", 1, 100),
    limit("table", "rows/*", 1, 20),
    limit("rich_text", "elements", 1, 50),
    limit("rich_text_section", "elements", 1, 100),
    limit("rich_text_preformatted", "elements", 1, 100),
    limit("rich_text_quote", "elements", 1, 100),
    limit("rich_text_list", "elements", 1, 100),
    limit("text", "text", 1, 3_000),
    limit("raw_text", "text", 1, 3_000),
    limit("link", "url", 1, 3_000),
    limit("link", "text", 1, 3_000),
    limit("plain_text", "text", 1, 3_000),
    limit("mrkdwn", "text", 1, 3_000),
    limit("modal", "title/text", 1, 24),
    limit("modal", "submit/text", 1, 24),
    limit("modal", "close/text", 1, 24),
    limit("modal", "callback_id", 1, 255),
    limit("modal", "private_metadata", 0, 3_000),
    limit("home", "private_metadata", 0, 3_000),
];

/// What Slack would refuse, cut or make live in a message, one sentence each; links may lead anywhere.
pub fn violations(message: &Message) -> Vec<String> {
    let mut found = of_blocks(&message.blocks, MAX_BLOCKS);
    found.extend(of_length("the fallback text", n_utf16(&message.text), 1, MAX_TEXT));
    if message.text.trim().is_empty() {
        found.push("the fallback text is empty".to_owned());
    }
    found.extend(markup::violations(&message.text));
    let total: usize = message.blocks.iter().map(|block| n_units(block) + PER_BLOCK).sum();
    found.extend(of_length("all blocks together", total, 1, MAX_TOTAL));
    found
}

/// The same, and links that are not among the allowed addresses.
pub fn violations_with_links(message: &Message, allowed: &[String]) -> Vec<String> {
    let mut found = violations(message);
    let mut links: Vec<String> = markup::links(&message.text);
    message.blocks.iter().for_each(|block| visit(block, &mut |object| links.extend(markup::links_of(object))));
    let strange = links.iter().filter(|link| !allowed.contains(link));
    found.extend(strange.map(|link| format!("a link leads to {link:?}, which is not allowed")));
    found
}

/// What Slack would refuse in a view.
pub fn view_violations(view: &Value) -> Vec<String> {
    let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = of_blocks(blocks, MAX_VIEW_BLOCKS);
    found.extend(of_limits(view));
    found
}

fn of_blocks(blocks: &[Value], most: usize) -> Vec<String> {
    let mut found = of_length("blocks", blocks.len(), 1, most);
    let mut actions: Vec<String> = Vec::new();
    for block in blocks {
        found.extend(of_block(block));
        visit(block, &mut |object| {
            found.extend(of_limits(object));
            found.extend(markup::violations_of(object));
            actions.extend(object["action_id"].as_str().map(str::to_owned));
        });
    }
    actions.sort();
    let twice = actions.windows(2).filter(|pair| pair[0] == pair[1]);
    found.extend(twice.map(|pair| format!("the action {:?} is there twice", pair[0])));
    found
}

fn of_block(block: &Value) -> Vec<String> {
    let kind = block["type"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    if !BLOCKS.contains(&kind) {
        found.push(format!("a block of type {kind:?} is not one of ours"));
    }
    if kind == "section" && block["text"].is_null() && block["fields"].is_null() {
        found.push("a section has neither text nor fields".to_owned());
    }
    if !matches!(kind, "divider" | "image" | "actions" | "table") && is_blank(block) {
        found.push(format!("a block of type {kind:?} shows nothing"));
    }
    found
}

fn is_blank(block: &Value) -> bool {
    let mut seen = false;
    visit(block, &mut |object| {
        seen |= object["text"].as_str().is_some_and(|text| !text.trim().is_empty());
        seen |= matches!(object["type"].as_str(), Some("user" | "image"));
    });
    !seen
}

fn of_limits(object: &Value) -> Vec<String> {
    let kind = object["type"].as_str().unwrap_or_default();
    let ours = LIMITS.iter().filter(|limit| limit.of.is_empty() || limit.of == kind);
    ours.flat_map(|limit| {
        let name = format!("{kind} {}", limit.at);
        at(object, limit.at).into_iter().filter_map(length).flat_map(move |n| of_length(&name, n, limit.least, limit.most))
    })
    .collect()
}

fn of_length(name: &str, n: usize, least: usize, most: usize) -> Vec<String> {
    let broken = match n {
        n if n < least => Some(format!("{name}: empty")),
        n if n > most => Some(format!("{name}: {n} where {most} are allowed")),
        _ => None,
    };
    broken.into_iter().collect()
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

fn length(value: &Value) -> Option<usize> {
    value.as_str().map(n_utf16).or_else(|| value.as_array().map(Vec::len))
}

fn n_utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Calls with every object of the tree.
fn visit(value: &Value, call: &mut impl FnMut(&Value)) {
    if value.is_object() {
        call(value);
    }
    let inner = value.as_object().into_iter().flat_map(|object| object.values());
    inner.chain(value.as_array().into_iter().flatten()).for_each(|value| visit(value, call));
}

/// Units of all texts as if escaped.
fn n_units(block: &Value) -> usize {
    let mut n = 0;
    visit(block, &mut |object| {
        n += COUNTED.iter().filter_map(|key| object[*key].as_str()).map(cut::units).sum::<usize>();
    });
    n
}
