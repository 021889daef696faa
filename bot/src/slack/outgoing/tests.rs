//! Replies as blocks, one bad case for each limit, and what must hold for every reply.

#![expect(clippy::unwrap_used, reason = "tests")]

mod limits;
mod properties;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::*;
use crate::chat::cut::pieces;
use crate::chat::text::visible;
use crate::chat::{Button, Citation, Form, Quote};

pub(super) const QUESTION: &str = "0190a7c2-6c5e-7d3a-9a43-6f2f0c0f5a11";

pub(super) fn setting() -> Setting<'static> {
    Setting { asker: Some("U0123ABC"), question: QUESTION, form: Form::Whole }
}

fn citation(mark: &str, record: &str, url: Option<&str>) -> Citation {
    Citation { mark: mark.to_owned(), record: record.to_owned(), title: "A title".to_owned(), url: url.map(str::to_owned) }
}

fn reply() -> Reply {
    Reply {
        headline: "tide/run_7 has the lowest val/rmse: 0.31".to_owned(),
        lines: vec!["run    val/rmse".to_owned(), "run_7  0.31".to_owned()],
        quotes: vec![Quote { text: "lr < 0.1 *diverged*, see https://wiki.test/a".to_owned(), record: "tide/notes".to_owned() }],
        narration: Some("It won by a margin; see https://evil.com/x".to_owned()),
        notices: vec!["Two runs have no val/rmse.".to_owned()],
        citations: vec![citation("1", "tide/run_7", Some("https://mlflow.test/#/runs/7")), citation("2", "tide/notes", None)],
        buttons: vec![Button::Useful, Button::Delete],
        picture: None,
    }
}

/// One line a block: its type, then its texts.
fn outline(blocks: &[Value]) -> String {
    let lines: Vec<String> =
        blocks.iter().map(|block| format!("{}: {}", block["type"].as_str().unwrap(), texts(block).join("|"))).collect();
    lines.join("\n")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) if object.contains_key("url") => vec![format!("<{}|{}>", object["url"], object["text"])],
        Value::Object(object) if object.contains_key("user_id") => vec![format!("@{}", object["user_id"])],
        Value::Object(object) => match &object.get("text") {
            Some(Value::String(text)) => vec![text.clone()],
            _ => object.values().flat_map(texts).collect(),
        },
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn check(reply: &Reply, setting: &Setting, expected: Expect) {
    let message = message(reply, setting);
    let allowed: Vec<String> = reply.citations.iter().filter_map(|citation| citation.url.clone()).collect();
    assert_eq!(violations_with_links(&message, &allowed), Vec::<String>::new());
    expected.assert_eq(&format!("{}\n--\n{}", message.text, outline(&message.blocks)));
}

#[test]
fn whole_reply() {
    check(
        &reply(),
        &setting(),
        expect![[r#"
        <@U0123ABC> tide/run_7 has the lowest val/rmse: 0.31
        run    val/rmse
        run_7  0.31
        lr &lt; 0.1 ∗diverged∗, see https[:]//wiki[.]test/a
        The model's reading: It won by a margin; see https[:]//evil[.]com/x
        --
        rich_text: @"U0123ABC"| tide/run_7 has the lowest val/rmse: 0.31
        rich_text: run    val/rmse
        run_7  0.31
        rich_text: lr < 0.1 *diverged*, see https://wiki.test/a| [2]
        rich_text: The model's reading: |It won by a margin; see https[:]//evil[.]com/x
        context: Two runs have no val/rmse.
        rich_text: Sources: |[1] |<"https://mlflow.test/#/runs/7"|"tide/run_7">|   [2] |tide/notes
        actions: 👍 Useful|Delete"#]],
    );
}

#[test]
fn facts_while_the_sentence_is_made() {
    let facts =
        Reply { narration: None, quotes: Vec::new(), citations: Vec::new(), notices: Vec::new(), buttons: vec![Button::Stop], ..reply() };
    check(
        &facts,
        &Setting { asker: None, form: Form::Facts, ..setting() },
        expect![[r#"
        tide/run_7 has the lowest val/rmse: 0.31
        run    val/rmse
        run_7  0.31
        --
        rich_text: tide/run_7 has the lowest val/rmse: 0.31
        rich_text: run    val/rmse
        run_7  0.31
        context: …reading it over
        actions: Stop"#]],
    );
}

#[test]
fn empty_reply() {
    check(
        &Reply::default(),
        &setting(),
        expect![[r#"
        <@U0123ABC> There is nothing to show.
        --
        rich_text: @"U0123ABC"| There is nothing to show."#]],
    );
}

#[test]
fn long_table_has_a_more_button() {
    let lines: Vec<String> = (0..125).map(|n| format!("run_{n}")).collect();
    let message = message(&Reply { headline: "125 runs".to_owned(), lines, ..Reply::default() }, &setting());
    expect!["… 5 more lines"].assert_eq(&texts(message.blocks.last().unwrap()).join("|"));
}

#[test]
fn the_fullest_parts_are_within_limits() {
    let url = format!("https://mlflow.test/{}", "x".repeat(60));
    let quote = |n: usize| Quote { text: "q ".repeat(n), record: "tide/notes".repeat(12) };
    let full = Reply {
        headline: "word ".repeat(1_000),
        lines: (0..300).map(|n| format!("{n} {}", "<&>".repeat(8))).chain((0..20).map(|_| "x".repeat(40_000))).collect(),
        quotes: (0..40).map(|n| quote(n * n)).collect(),
        narration: Some("word. ".repeat(1_000)),
        notices: (0..30).map(|n| "notice ".repeat(n * 3)).collect(),
        citations: (0..60).map(|n| citation(&n.to_string(), &format!("tide/run_{n}"), Some(&url))).collect(),
        buttons: vec![Button::Useful, Button::NotUseful, Button::Details, Button::Share, Button::Delete, Button::Stop],
        picture: None,
    };
    let parts = parts(&full);
    assert!(parts.len() > 10);
    for part in parts {
        let message = message(&part, &Setting { form: Form::Facts, ..setting() });
        assert_eq!(violations_with_links(&message, std::slice::from_ref(&url)), Vec::<String>::new());
    }
}

#[test]
fn bad_addresses_are_no_links() {
    let bad =
        ["javascript:alert(1)", "https://", "https://user@evil.test/", "https://a.test/<x>", "https://a.test/|x", "https://a.test/ x"];
    let more = ["ftp://a.test", "https://a.test:99999/", "https://exämple.test", "https://a.test/\u{200b}x", "//a.test", ""];
    for url in bad.iter().chain(&more) {
        let reply = Reply { headline: "h".to_owned(), citations: vec![citation("1", "key", Some(url))], ..Reply::default() };
        assert_eq!(outline(&message(&reply, &setting()).blocks[1..]), "rich_text: Sources: |[1] |key", "{url}");
    }
}

#[test]
fn only_a_user_id_is_greeted() {
    for asker in ["U1> <!channel", "here", "", "u123", "B1"] {
        let message = message(&reply(), &Setting { asker: Some(asker), ..setting() });
        assert!(message.text.starts_with("tide/run"), "{}", message.text);
    }
}

#[test]
fn sentences_are_inert() {
    let check = |text: &str, expected: Expect| {
        let message = sentence(text);
        assert_eq!(violations_with_links(&message, &[]), Vec::<String>::new());
        expected.assert_eq(&format!("{}\n--\n{}", message.text, outline(&message.blocks)));
    };
    check(
        "There is no run `a_b` in *tide*.",
        expect![[r#"
        There is no run 'a_b' in ∗tide∗.
        --
        rich_text: There is no run `a_b` in *tide*."#]],
    );
    check(
        "<!channel> @here <@U1> & http://evil.com/?q=a.b www.evil.com",
        expect![[r#"
        &lt;!channel&gt; @ here &lt;@U1&gt; &amp; http[:]//evil[.]com/?q=a.b www[.]evil.com
        --
        rich_text: <!channel> @here <@U1> & http[:]//evil[.]com/?q=a.b www[.]evil.com"#]],
    );
    check(
        " \u{202e}\u{200b}\0 ",
        expect![[r#"
        There is nothing to show.
        --
        rich_text: There is nothing to show."#]],
    );
}

#[test]
fn escape_keeps_only_what_is_seen() {
    assert_eq!(escape("a<b>&c\u{202e}\u{200b}\0\r\n\té👍\u{fe0f}"), "a&lt;b&gt;&amp;c\n\té👍");
    assert_eq!(escape("&lt;"), "&amp;lt;");
}

#[test]
fn cuts_are_sensible() {
    assert_eq!(pieces("One sentence. Another one here", 20, cut::width), ["One sentence. ", "Another one here"]);
    assert_eq!(pieces("aaaa\u{301}b", 4, cut::width), ["aaa", "a\u{301}b"]);
    assert_eq!(pieces("<<<", 4, cut::width), ["<", "<", "<"]);
    assert_eq!(cut::shortened("a word and another", 12), "a word and…");
}

#[test]
fn views_are_within_limits() {
    let lines: Vec<String> = (0..500).map(|n| format!("<!channel> https://a.test {n} {}", "x".repeat(5_000))).collect();
    let examples: Vec<&str> = lines.iter().map(String::as_str).collect();
    for view in [reason_modal(QUESTION), home(&lines, &examples), home(&[], &[])] {
        assert_eq!(view_violations(&view), Vec::<String>::new());
    }
    let view = home(&["Index of today".to_owned()], &["best val/rmse in tide"]);
    let blocks = view["blocks"].as_array().unwrap();
    let shown = outline(blocks);
    let short: Vec<&str> = shown.lines().filter(|line| line.len() < 60).collect();
    expect![[r#"
        header: Runlore
        header: How to ask
        header: Examples
        rich_text: best val/rmse in tide
        header: Status
        rich_text: Index of today"#]]
    .assert_eq(&short.join("\n"));
}
