//! One bad case for each limit must be found, and its good neighbour pass.

use serde_json::{Value, json};

use super::super::limits::LIMITS;
use super::*;

fn found(blocks: &[Value]) -> Vec<String> {
    violations(&Message { text: "t".to_owned(), blocks: blocks.to_vec() })
}

/// The bad block is reported with these words; the good one is not reported.
fn check(bad: Value, words: &str, good: Value) {
    let reported = found(&[bad]);
    assert!(reported.iter().any(|sentence| sentence.contains(words)), "{words}: {reported:?}");
    assert_eq!(found(&[good]), Vec::<String>::new(), "{words}");
}

/// The same field too long by one and just short enough.
fn too_long(most: usize, words: &str, block: impl Fn(String) -> Value) {
    check(block("x".repeat(most + 1)), words, block("x".repeat(most)));
}

/// The same list too long by one and just short enough.
fn too_many(most: usize, words: &str, block: impl Fn(Vec<usize>) -> Value) {
    check(block((0..=most).collect()), words, block((0..most).collect()));
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn button(key: &str, value: Value) -> Value {
    let mut button = json!({"type": "button", "action_id": "a", "text": plain("b"), "value": "v"});
    button[key] = value;
    json!({"type": "actions", "elements": [button]})
}

fn select(text: &str, value: &str) -> Value {
    let option = json!({"text": plain(text), "value": value});
    json!({"type": "input", "label": plain("l"), "element": {"type": "static_select", "action_id": "a", "options": [option]}})
}

fn rich(element: Value) -> Value {
    json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "t"}, element]}]})
}

fn table(n_rows: usize, n_columns: usize) -> Value {
    let row: Vec<Value> = (0..n_columns).map(|_| json!({"type": "raw_text", "text": "x"})).collect();
    json!({"type": "table", "rows": vec![row; n_rows]})
}

/// A value of this length at a path; `*` and these keys are lists.
fn nested(path: &str, n: usize) -> Value {
    match path.split_once('/') {
        None if matches!(path, "elements" | "fields" | "options" | "rows" | "*") => json!({ path: vec![json!({}); n] }),
        None => json!({ path: "x".repeat(n) }),
        Some((key, rest)) => match nested(rest, n) {
            Value::Object(mut items) if rest.starts_with('*') => json!({ key: [items.remove("*").unwrap()] }),
            inner => json!({ key: inner }),
        },
    }
}

#[test]
fn each_row_of_the_table() {
    for limit in LIMITS {
        let sentences = |n: usize| {
            let mut object = nested(limit.at, n);
            object["type"] = json!(limit.of);
            object["blocks"] = json!([mrkdwn("x")]);
            view_violations(&object)
        };
        let name = format!("{} {}", limit.of, limit.at);
        assert_eq!(sentences(limit.most + 1), [format!("{name}: {} where {} are allowed", limit.most + 1, limit.most)]);
        assert_eq!(sentences(limit.most), Vec::<String>::new(), "{name}");
        assert_eq!(sentences(0).is_empty(), limit.least == 0, "{name}");
    }
}

#[test]
fn texts() {
    too_long(3_000, "section text/text", |text| mrkdwn(&text));
    too_long(2_000, "section fields/*/text", |text| json!({"type": "section", "fields": [plain(&text)]}));
    too_long(150, "header text/text", |text| json!({"type": "header", "text": plain(&text)}));
    too_long(3_000, "plain_text text", |text| json!({"type": "context", "elements": [plain(&text)]}));
    too_long(3_000, "text text", |text| rich(json!({"type": "text", "text": text})));
    too_long(2_000, "image alt_text", |text| json!({"type": "image", "image_url": "https://a.test/i.png", "alt_text": text}));
    too_long(255, " block_id", |text| json!({"type": "header", "block_id": text, "text": plain("h")}));
}

#[test]
fn buttons_and_options() {
    too_long(75, "button text/text", |text| button("text", plain(&text)));
    too_long(2_000, "button value", |text| button("value", json!(text)));
    too_long(75, "button accessibility_label", |text| button("accessibility_label", json!(text)));
    too_long(255, "action_id", |text| button("action_id", json!(text)));
    let url = |text: &str| button("url", json!(format!("https://a.test/{text}")));
    check(url(&"x".repeat(2_986)), "button url", url(&"x".repeat(2_985)));
    too_long(75, "options/*/text/text", |text| select(&text, "v"));
    too_long(150, "options/*/value", |text| select("t", &text));
}

#[test]
fn lists() {
    too_many(10, "section fields", |ns| json!({"type": "section", "fields": ns.iter().map(|_| plain("f")).collect::<Vec<_>>()}));
    too_many(10, "context elements", |ns| json!({"type": "context", "elements": ns.iter().map(|_| plain("f")).collect::<Vec<_>>()}));
    let action = |n: &usize| json!({"type": "button", "action_id": format!("a{n}"), "text": plain("b")});
    too_many(25, "actions elements", |ns| json!({"type": "actions", "elements": ns.iter().map(action).collect::<Vec<_>>()}));
    too_many(100, "table rows", |ns| table(ns.len(), 1));
    too_many(20, "table rows/*", |ns| table(1, ns.len()));
}

#[test]
fn empty_texts() {
    check(mrkdwn(""), "empty", mrkdwn("x"));
    check(mrkdwn(" \n"), "shows nothing", mrkdwn("x"));
    check(json!({"type": "section"}), "neither text nor fields", mrkdwn("x"));
    check(button("text", plain("")), "empty", button("text", plain("x")));
    check(button("value", json!("")), "empty", button("value", json!("x")));
    check(json!({"type": "actions", "elements": []}), "empty", button("value", json!("x")));
    let image = |alt: &str| json!({"type": "image", "image_url": "https://a.test/i.png", "alt_text": alt});
    check(image(""), "alt_text", image("a plot"));
    assert_eq!(violations(&Message { text: " ".to_owned(), blocks: vec![mrkdwn("x")] }), ["the fallback text is empty"]);
}

#[test]
fn whole_messages() {
    assert_eq!(found(&vec![mrkdwn("x"); 51]), ["blocks: 51 where 50 are allowed"]);
    assert_eq!(found(&[]).first().unwrap(), "blocks: empty");
    let long = vec![mrkdwn(&"x".repeat(2_951)); 4];
    assert_eq!(found(&long), ["all blocks together: 12004 where 12000 are allowed"]);
    assert_eq!(found(&vec![mrkdwn(&"x".repeat(2_950)); 4]), Vec::<String>::new());
    let long = Message { text: "x".repeat(4_001), blocks: vec![mrkdwn("x")] };
    assert_eq!(violations(&long), ["the fallback text: 4001 where 4000 are allowed"]);
    assert_eq!(found(&[button("value", json!("x")), button("value", json!("x"))]), ["the action \"a\" is there twice"]);
    check(json!({"type": "markdown", "text": "x"}), "\"markdown\" is not one of ours", mrkdwn("x"));
}

#[test]
fn live_things() {
    for bad in ["<!channel>", "<!here|here>", "<!subteam^S1>", "<#C1>", "<b>", "a < b", "a > b", "<javascript:x|y>"] {
        check(mrkdwn(bad), "not escaped", mrkdwn("a &lt; b <@U1> <https://a.test|label>"));
    }
    check(mrkdwn("a & b"), "ampersand", mrkdwn("a &amp; b"));
    check(mrkdwn("https://a.test"), "become a link", mrkdwn("https[:]//a[.]test"));
    for kind in ["broadcast", "usergroup", "channel"] {
        check(rich(json!({"type": kind})), "is live", rich(json!({"type": "user", "user_id": "U1"})));
    }
    let link = |url: &str| rich(json!({"type": "link", "url": url, "text": "t"}));
    check(link("javascript:x"), "a link leads to", link("https://a.test"));
    too_long(2_985, "link url", |text| link(&format!("https://a.test/{text}")));
}

#[test]
fn links_need_to_be_allowed() {
    let link = rich(json!({"type": "link", "url": "https://a.test", "text": "t"}));
    let url = button("url", json!("https://a.test"));
    for block in [link, url, mrkdwn("<https://a.test|t>")] {
        let message = Message { text: "t".to_owned(), blocks: vec![block] };
        assert_eq!(violations_with_links(&message, &["https://b.test".to_owned()]).len(), 1);
        assert!(violations_with_links(&message, &["https://a.test".to_owned()]).is_empty());
    }
}

#[test]
fn views() {
    let view = |title: &str, n_blocks: usize| json!({"type": "modal", "title": plain(title), "blocks": vec![mrkdwn("x"); n_blocks]});
    assert_eq!(view_violations(&view("t", 100)), Vec::<String>::new());
    assert_eq!(view_violations(&view("t", 101)), ["blocks: 101 where 100 are allowed"]);
    assert_eq!(view_violations(&view(&"x".repeat(25), 1)), ["modal title/text: 25 where 24 are allowed"]);
}
