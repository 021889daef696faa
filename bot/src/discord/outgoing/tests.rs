//! Replies as Discord's content, one bad case for each limit, and what must hold for every reply.

#![expect(clippy::unwrap_used, reason = "tests")]

mod limits;
mod properties;
mod texts;

use expect_test::{Expect, expect};

use super::limits::markdown::{Piece, read};
use super::*;
use crate::chat::{Button, Citation, Form, Quote};

pub(super) const QUESTION: &str = "0190a7c2-6c5e-7d3a-9a43-6f2f0c0f5a11";
pub(super) const ASKER: &str = "80351110224678912";

pub(super) fn setting() -> Setting<'static> {
    Setting { asker: Some(ASKER), question: QUESTION, form: Form::Whole }
}

pub(super) fn citation(mark: &str, record: &str, url: Option<&str>) -> Citation {
    Citation { mark: mark.to_owned(), record: record.to_owned(), title: "A title".to_owned(), url: url.map(str::to_owned) }
}

pub(super) fn quote(text: &str, record: &str) -> Quote {
    Quote { text: text.to_owned(), record: record.to_owned() }
}

fn reply() -> Reply {
    Reply {
        headline: "tide/run_7 has the lowest val/rmse: 0.31".to_owned(),
        lines: vec!["run    val/rmse".to_owned(), "run_7  0.31".to_owned()],
        quotes: vec![
            quote("lr < 0.1 *diverged*, see https://wiki.test/a_b.\n- and again", "tide/notes"),
            quote("Warm-up: 500 steps", "tide/other"),
        ],
        narration: Some("It won by a margin; see https://evil.com/x".to_owned()),
        notices: vec!["Two runs have no val/rmse.".to_owned()],
        citations: vec![citation("1", "tide/run_7", Some("https://mlflow.test/#/runs/7")), citation("2", "tide/notes", None)],
        buttons: vec![Button::Useful, Button::Delete],
        picture: None,
    }
}

/// What a reader sees of a content, or copies out of it: markers and backslashes are gone.
pub(super) fn shown(content: &str) -> String {
    let seen = |piece: &Piece| match piece {
        Piece::Text(text) | Piece::Escaped(text) | Piece::Code(text) | Piece::Block(text) | Piece::Italic(text) => (*text).to_owned(),
        Piece::Link { words, .. } => shown(words),
        Piece::Angled(inner) => format!("<{inner}>"),
        Piece::Marker(marker) => (*marker).to_owned(),
        Piece::Quote | Piece::Small | Piece::OpenFence => String::new(),
    };
    read(content).iter().map(seen).collect()
}

/// The labels of the buttons, a row a line.
fn labels(components: &[Value]) -> String {
    let label = |button: &Value| button["label"].as_str().unwrap().to_owned();
    let row = |row: &Value| row["components"].as_array().unwrap().iter().map(label).collect::<Vec<_>>().join("|");
    components.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn check(reply: &Reply, setting: &Setting, expected: Expect) {
    let message = message(reply, setting);
    let allowed: Vec<String> = reply.citations.iter().filter_map(|citation| citation.url.clone()).collect();
    assert_eq!(violations_with_links(&message, &allowed), Vec::<String>::new());
    expected.assert_eq(&format!("{}\n--\n{}", message.content, labels(&message.components)));
}

#[test]
fn whole_reply() {
    check(
        &reply(),
        &setting(),
        expect![[r#"
        <@80351110224678912> tide/run\_7 has the lowest val/rmse: 0.31
        ```
        run    val/rmse
        run_7  0.31
        ```
        > lr \< 0.1 \*diverged\*, see `https://wiki.test/a_b`.
        > \- and again \[2\]
        > Warm-up: 500 steps (tide/other)
        *The model's reading:* It won by a margin; see https\[:\]//evil\[.\]com/x
        -# Two runs have no val/rmse.
        Sources: \[1\] [tide/run_7](<https://mlflow.test/#/runs/7>)   \[2\] tide/notes
        --
        👍 Useful|Delete"#]],
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
        tide/run\_7 has the lowest val/rmse: 0.31
        ```
        run    val/rmse
        run_7  0.31
        ```
        -# …reading it over
        --
        Stop"#]],
    );
}

#[test]
fn empty_reply() {
    check(
        &Reply::default(),
        &setting(),
        expect![[r#"
        <@80351110224678912> There is nothing to show.
        --
    "#]],
    );
    check(
        &Reply { lines: vec![String::new(); 3], ..Reply::default() },
        &Setting { asker: None, ..setting() },
        expect![[r#"
        There is nothing to show.
        --
    "#]],
    );
}

#[test]
fn the_body_calls_the_asker_alone() {
    let body = message(&reply(), &setting()).body();
    expect![[r#"{"parse":[],"users":["80351110224678912"]}"#]].assert_eq(&body["allowed_mentions"].to_string());
    expect!["4"].assert_eq(&body["flags"].to_string());
    expect![[r#"[{"type":1,"components":[{"type":2,"style":2,"label":"👍 Useful","custom_id":"runlore_useful:0190a7c2-6c5e-7d3a-9a43-6f2f0c0f5a11"},{"type":2,"style":2,"label":"Delete","custom_id":"runlore_delete:0190a7c2-6c5e-7d3a-9a43-6f2f0c0f5a11"}]}]"#]].assert_eq(&body["components"].to_string());
    let body = message(&Reply::default(), &Setting { asker: None, ..setting() }).body();
    expect![[r#"{"content":"There is nothing to show.","components":[],"flags":4,"allowed_mentions":{"parse":[]}}"#]]
        .assert_eq(&body.to_string());
}

#[test]
fn long_table_has_a_more_button() {
    let lines: Vec<String> = (0..45).map(|n| format!("run_{n}")).collect();
    let long = Reply { headline: "45 runs".to_owned(), lines, ..Reply::default() };
    expect!["… 5 more lines"].assert_eq(&labels(&message(&long, &setting()).components));
    let one_more = Reply { lines: long.lines[..41].to_vec(), ..long };
    expect!["… 1 more line"].assert_eq(&labels(&message(&one_more, &setting()).components));
}

#[test]
fn long_reply() {
    let long = Reply {
        headline: "All that was written about it.".to_owned(),
        quotes: (1..4).map(|n| quote(&format!("Sentence {n} of the note. ").repeat(30), "tide/notes")).collect(),
        ..Reply::default()
    };
    let later = Setting { asker: None, ..setting() };
    let heads: Vec<String> = parts(&long)
        .iter()
        .map(|part| {
            let told = message(part, &later).content;
            let line = |line: &str| format!("{}…{}", &line[..20], &line[line.len() - 20..]);
            told.lines().map(line).collect::<Vec<_>>().join("\n")
        })
        .collect();
    expect![[r#"
        All that was written…as written about it.
        > Sentence 1 of the …e note. (tide/notes)
        > Sentence 2 of the …e note. (tide/notes)
        --
        > Sentence 3 of the …e note. (tide/notes)"#]]
    .assert_eq(&heads.join("\n--\n"));
}

#[test]
fn seven_buttons_take_two_rows() {
    let all = [Button::Useful, Button::NotUseful, Button::Details, Button::More, Button::Share, Button::Delete, Button::Stop];
    let twice: Vec<Button> = all.iter().chain(&all).copied().collect();
    let message = message(&Reply { buttons: twice, ..reply() }, &setting());
    assert_eq!(violations(&message), Vec::<String>::new());
    expect![[r#"
        👍 Useful|Not useful|Details|More|Share to channel
        Delete|Stop"#]]
    .assert_eq(&labels(&message.components));
}

#[test]
fn the_fullest_parts_are_within_limits() {
    let url = format!("https://mlflow.test/{}", "x".repeat(380));
    let full = Reply {
        headline: "*word ".repeat(1_000),
        lines: (0..300).map(|n| format!("{n} {}", "`".repeat(8))).chain((0..20).map(|_| "x".repeat(40_000))).collect(),
        quotes: (0..40).map(|n| quote(&"*q ".repeat(n * n), &"tide_notes".repeat(12))).collect(),
        narration: Some("_word. ".repeat(1_000)),
        notices: (0..30).map(|n| "\n*".repeat(n * 9)).collect(),
        citations: (0..60).map(|n| citation(&"*".repeat(n), &"[run_]".repeat(n), Some(&url))).collect(),
        buttons: vec![Button::Useful, Button::NotUseful, Button::Details, Button::Share, Button::Delete, Button::Stop],
        picture: None,
    };
    let parts = parts(&full);
    assert!(parts.len() > 10);
    for part in parts {
        let message = message(&part, &Setting { form: Form::Facts, asker: Some("12345678901234567890"), ..setting() });
        assert_eq!(violations_with_links(&message, std::slice::from_ref(&url)), Vec::<String>::new());
    }
}

#[test]
fn a_part_is_full_to_the_brim_and_no_fuller() {
    let told = Reply {
        narration: Some("x".repeat(400)),
        notices: vec!["n".repeat(240)],
        citations: (1..9).map(|n| citation(&n.to_string(), &"k".repeat(66), None)).collect(),
        ..Reply::default()
    };
    let full = Setting { form: Form::Facts, asker: Some("12345678901234567890"), ..setting() };
    let check = |reply: Reply| {
        let message = message(&reply, &full);
        assert_eq!(violations(&message), Vec::<String>::new());
        assert!(message.content.len() > 1_840, "{}", message.content.len());
    };
    check(Reply { lines: vec!["l".repeat(16); 100], ..told.clone() });
    check(Reply { quotes: vec![quote(&"q".repeat(130), "tide/notes"); 20], ..told.clone() });
    check(Reply { quotes: vec![quote(&"*\n".repeat(26), "tide/notes"); 20], ..told.clone() });
    check(Reply { headline: "*".repeat(200), lines: vec!["l".repeat(16); 100], ..told });
}

#[test]
fn quotes_wait_for_the_lines() {
    let long = Reply { lines: vec!["l".to_owned(); 45], quotes: vec![quote("q", "tide/notes")], ..reply() };
    let n_quotes: Vec<usize> = parts(&long).iter().map(|part| part.quotes.len()).collect();
    assert_eq!(n_quotes, [0, 1]);
}
