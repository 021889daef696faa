//! One bad case for each limit must be found, and its good neighbour pass.

use serde_json::{Value, json};

use super::super::limits::LIMITS;
use super::*;

fn with(content: &str) -> Message {
    Message { content: content.to_owned(), components: Vec::new(), flags: 4, mentions: Vec::new() }
}

fn found(content: &str) -> Vec<String> {
    violations(&with(content))
}

/// The bad content is reported with these words; the good one is not reported.
fn check(bad: &str, words: &str, good: &str) {
    let reported = found(bad);
    assert!(reported.iter().any(|sentence| sentence.contains(words)), "{bad}: {reported:?}");
    assert_eq!(found(good), Vec::<String>::new(), "{good}");
}

fn button(id: &str) -> Value {
    json!({"type": 2, "style": 2, "label": "b", "custom_id": id})
}

fn row(components: Vec<Value>) -> Value {
    json!({"type": 1, "components": components})
}

/// A value of this size at a path; these keys are lists, and the one a number.
fn nested(path: &str, n: usize) -> Value {
    match path.split_once('/') {
        None if path == "max_length" => json!({ path: n }),
        None if matches!(path, "components" | "choices" | "users") => json!({ path: vec![json!({}); n] }),
        None => json!({ path: "x".repeat(n) }),
        Some((key, rest)) => match rest.strip_prefix("*/") {
            Some(inner) => json!({ key: [nested(inner, n)] }),
            None => json!({ key: nested(rest, n) }),
        },
    }
}

/// An object of a kind, with what makes it one.
fn object(of: &str, path: &str, n: usize) -> Value {
    let mut object = nested(path, n);
    let (key, value) = match of {
        "row" => ("type", json!(1)),
        "button" => ("type", json!(2)),
        "input" => ("type", json!(4)),
        "message" if path != "content" => ("content", json!("x")),
        "window" if path != "title" => ("title", json!("x")),
        _ => return object,
    };
    object[key] = value;
    object
}

#[test]
fn each_row_of_the_table() {
    for limit in LIMITS {
        let sentences = |n: usize| {
            let all = window_violations(&object(limit.of, limit.at, n));
            all.into_iter().filter(|sentence| !sentence.contains("none of ours")).collect::<Vec<_>>()
        };
        let name = format!("{} {}", limit.of, limit.at);
        assert_eq!(sentences(limit.most + 1), [format!("{name}: {} where {} are allowed", limit.most + 1, limit.most)]);
        assert_eq!(sentences(limit.most), Vec::<String>::new(), "{name}");
        assert_eq!(sentences(0).is_empty(), limit.least == 0, "{name}");
    }
}

#[test]
fn content() {
    assert_eq!(found(&"x".repeat(2_001)), ["message content: 2001 where 2000 are allowed"]);
    assert_eq!(found(&"👍".repeat(1_001)), ["message content: 2002 where 2000 are allowed"]);
    assert_eq!(found(&"👍".repeat(1_000)), Vec::<String>::new());
    check(" \n", "shows nothing", "x");
    assert_eq!(violations(&Message { flags: 64, ..with("x") }), ["links are previewed"]);
    assert_eq!(violations(&Message { flags: 68, ..with("x") }), Vec::<String>::new());
}

#[test]
fn components() {
    let found = |components: Vec<Value>| violations(&Message { components, ..with("x") });
    let ids = |n: usize| (0..n).map(|n| button(&n.to_string())).collect::<Vec<_>>();
    assert_eq!(found(vec![row(ids(6))]), ["row components: 6 where 5 are allowed"]);
    assert_eq!(found(vec![row(ids(5))]), Vec::<String>::new());
    let rows = |n: usize| (0..n).map(|n| row(vec![button(&n.to_string())])).collect::<Vec<_>>();
    assert_eq!(found(rows(6)), ["message components: 6 where 5 are allowed"]);
    assert_eq!(found(rows(5)), Vec::<String>::new());
    assert_eq!(found(vec![row(Vec::new())]), ["row components: empty"]);
    assert_eq!(found(vec![row(vec![button("a"), button("a")])]), ["the action \"a\" is there twice"]);
    assert_eq!(found(vec![row(vec![button(&"x".repeat(101))])]), ["button custom_id: 101 where 100 are allowed"]);
    assert_eq!(found(vec![button("a")]), ["a component of type 2 stands where none of ours does"]);
    assert_eq!(found(vec![row(vec![json!({"type": 4})])]), ["a component of type 4 stands where none of ours does"]);
}

#[test]
fn windows() {
    let window = |title: &str, inner: Value| json!({"title": title, "custom_id": "w", "components": [row(vec![inner])]});
    let input = json!({"type": 4, "custom_id": "i", "label": "l"});
    assert_eq!(window_violations(&window("t", input.clone())), Vec::<String>::new());
    assert_eq!(window_violations(&window(&"x".repeat(46), input)), ["window title: 46 where 45 are allowed"]);
    assert_eq!(window_violations(&window("t", button("b"))), ["a component of type 2 stands where none of ours does"]);
}

#[test]
fn calls() {
    for bad in ["<@1>", "<@!1>", "<@&1>", "<#1>", "</a b:1>", "<:e:1>", "<a:e:1>", "<t:1:R>", "<id:guide>", "<sound:1:2>", "<+15551234567>"]
    {
        check(bad, "is live", &format!("`{bad}` \\<@1>"));
    }
    check("@everyone", "\"@everyone\" is live", "\\@everyone");
    check("a@HERE", "is live", "a\\@HERE");
    check(":+1:", "is live", "\\:+1: 12:30");
    let called = |content: &str, users: &[&str]| {
        violations(&Message { mentions: users.iter().map(|&user| user.to_owned()).collect(), ..with(content) })
    };
    assert_eq!(called("<@1> x", &["1"]), Vec::<String>::new());
    assert_eq!(called("<@1> x <@1>", &["1"]), ["<@1> is live"]);
    assert_eq!(called("<@2>", &["1"]), ["<@2> is live", "<@1> may be called and is not"]);
    assert_eq!(called("x", &["1"]), ["<@1> may be called and is not"]);
}

#[test]
fn the_server_is_told_whom_not_to_call() {
    use super::super::limits::of_server;
    assert_eq!(of_server(&json!({"parse": []})), Vec::<String>::new());
    assert_eq!(of_server(&json!({"parse": ["users"]})).len(), 1);
    assert_eq!(of_server(&Value::Null).len(), 1);
    assert_eq!(of_server(&json!({"parse": [], "replied_user": true})).len(), 1);
    assert_eq!(of_server(&json!({"parse": [], "roles": ["1"]})).len(), 1);
}

#[test]
fn addresses() {
    check("see https://a.test", "is live", "see https\\://a.test `https://a.test`");
    check("> STEAM://a", "is live", "> `STEAM://a`");
    check("www.a.test", "is live", "www\\.a.test");
    check("discord.gg/x", "is live", "discord\\.gg/x");
    check("<https://a.test>", "is live", "\\<https\\://a.test>");
    check("<a@b.test>", "is live", "\\<a\\@b.test>");
    check("<a:/b\nc>", "is live", "\\<a:b\nc> < d");
    check("```x``` https://a.test", "is live", "```\nhttps://a.test\n```");
}

#[test]
fn links() {
    check("[a](https://a.test)", "is previewed", "[a](<https://a.test>)");
    check("[a\\](https://a.test)", "is previewed", "\\[a](<x)");
    check("[a](<javascript:x>)", "no web address", "[a](<http://a.test>)");
    check("[a\\_b](<https://a.test>)", "shows a backslash", "[a_b](<https://a.test>)");
    check("[https://b.test](<https://a.test>)", "an address as its words", "[b.test](<https://a.test>)");
    check("[ ](<https://a.test>)", "has no words", "[`a*`](<https://a.test>)");
    check("[a](<https://a.test> \"t\")", "is previewed", "[a](<https://a.test>)");
    let message = with("[a](<https://a.test/%28>)");
    assert_eq!(violations_with_links(&message, &["https://b.test".to_owned()]).len(), 1);
    assert_eq!(violations_with_links(&message, &["https://a.test/(".to_owned()]), Vec::<String>::new());
}

#[test]
fn code() {
    check("```\na", "has no end", "```\na\n```");
    check("```\na\n``` x ```", "has no end", "```\na\n``` x \\`\\`\\`");
    check("```\n\n```", "has no end", "```\n \n```");
    check("a ` b", "is not escaped", "a \\` b `c` ``d`e``");
}

#[test]
fn format() {
    for bad in ["a *b", "_a_", "~~a~~", "||a||", "# a", "## a", "- a", "* a", "  1. a", "+ a", ">>> a", "[a", "> # a"] {
        check(bad, "is not escaped", "\\*a \\_ ~ | #a -a 1.5 >a\n> quoted\n-# small");
    }
    check("*a*", "in italics", "*The model's reading:* a");
}
