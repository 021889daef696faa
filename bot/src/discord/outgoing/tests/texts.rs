//! Texts in which nothing is live, links, and what is asked and offered.

use super::*;
use crate::chat::cut::{pieces, shortened};

#[test]
fn bad_addresses_are_no_links() {
    let bad =
        ["javascript:alert(1)", "https://", "https://user@evil.test/", "https://a.test/<x>", "https://a.test/|x", "https://a.test/ x"];
    let more = ["ftp://a.test", "https://a.test:99999/", "https://exämple.test", "https://a.test/\u{200b}x", "//a.test", "discord://a", ""];
    let long = format!("https://a.test/{}", "x".repeat(400));
    for url in bad.iter().chain(&more).chain([&long.as_str()]) {
        let reply = Reply { headline: "h".to_owned(), citations: vec![citation("1", "key", Some(url))], ..Reply::default() };
        assert_eq!(message(&reply, &Setting { asker: None, ..setting() }).content, "h\nSources: \\[1\\] key", "{url}");
    }
}

#[test]
fn sources_are_links_without_preview() {
    let told = |record: &str, url: &str| {
        let reply = Reply { citations: vec![citation("1", record, Some(url))], ..Reply::default() };
        let message = message(&reply, &Setting { asker: None, ..setting() });
        assert_eq!(violations_with_links(&message, &[url.to_owned()]), Vec::<String>::new());
        message.content
    };
    expect![[r#"Sources: \[1\] [tide/run_7](<https://a.test/x_%28y%29?q=a*b>)"#]]
        .assert_eq(&told("tide/run_7", "https://a.test/x_(y)?q=a*b"));
    expect![[r#"Sources: \[1\] [#12](<https://github.test/o/r/pull/12>)"#]].assert_eq(&told("#12", "https://github.test/o/r/pull/12"));
    expect![[r#"Sources: \[1\] [`sweep__lr_`](<https://a.test>)"#]].assert_eq(&told("sweep__lr_", "https://a.test"));
    expect![[r#"Sources: \[1\] [`a］(https［:］//evil［.］com) ‹＠1› ˋbˋ`](<https://a.test>)"#]]
        .assert_eq(&told("a](https://evil.com) <@1> `b`", "https://a.test"));
}

#[test]
fn only_a_user_id_is_greeted() {
    for asker in ["1> <@&2", "here", "", "123456789012345678901", "١٢٣", "U123"] {
        let message = message(&reply(), &Setting { asker: Some(asker), ..setting() });
        assert!(message.content.starts_with("tide/run"), "{}", message.content);
        assert!(message.mentions.is_empty());
    }
}

#[test]
fn fences_in_lines_end_nothing() {
    let lines: Vec<String> = ["```", "@everyone ```` x", "``", "https://a.test <@1> *x* \\"].map(str::to_owned).to_vec();
    check(
        &Reply { lines, ..Reply::default() },
        &Setting { asker: None, ..setting() },
        expect![[r#"
        ```
        ˋˋˋ
        @everyone ˋˋˋ` x
        ``
        https://a.test <@1> *x* \
        ```
        --
    "#]],
    );
}

#[test]
fn quotes_show_their_addresses_as_code() {
    let told = |text: &str| {
        let reply = Reply { quotes: vec![quote(text, "")], ..Reply::default() };
        let message = message(&reply, &Setting { asker: None, ..setting() });
        assert_eq!(violations_with_links(&message, &[]), Vec::<String>::new());
        message.content
    };
    expect!["> (`https://a.test/x_y`), `HTTP://B.TEST`."].assert_eq(&told("(https://a.test/x_y), HTTP://B.TEST."));
    expect![[r#"> \``https://a.test`\` `s3://bucket/key_1`"#]].assert_eq(&told("`https://a.test` s3://bucket/key_1"));
    expect![[r#"> https\://discord\.gg/abc discord\.gg/abc www\.a.test a\://"#]]
        .assert_eq(&told("https://discord.gg/abc discord.gg/abc www.a.test a://"));
}

#[test]
fn sentences_are_inert() {
    let check = |text: &str, expected: Expect| {
        let message = sentence(text);
        assert_eq!(violations_with_links(&message, &[]), Vec::<String>::new());
        expected.assert_eq(&message.content);
    };
    check("There is no run `a_b` in *tide*.", expect![[r#"There is no run \`a\_b\` in \*tide\*."#]]);
    check(
        "@everyone <@1> <@&2> <#3> </cmd:4> <:e:5> <t:6> <id:guide> :smile: ||x|| ~~y~~",
        expect![[r#"\@everyone \<\@1> \<\@&2> \<#3> \</cmd\:4> \<\:e\:5> \<t\:6> \<id\:guide> \:smile: \|\|x\|\| \~\~y\~\~"#]],
    );
    check(
        "# a\n-# b\n> c\n>>> d\n- e\n1. f\n  * g\n  - h\n-\n2.",
        expect![[r#"
            \# a
            \-# b
            \> c
            \>>> d
            \- e
            1\. f
              \* g
              \- h
            \-
            2\."#]],
    );
    check(
        "[a](https://evil.com/?q=a.b) www.evil.com discord.gg/x 12:30 a-b #12 (c) 0.5",
        expect![[r#"\[a\]\(https\[:\]//evil\[.\]com/?q=a.b) www\[.\]evil.com discord\.gg/x 12\:30 a-b #12 (c) 0.5"#]],
    );
    check(" \u{202e}\u{200b}\0 ", expect!["There is nothing to show."]);
}

#[test]
fn escape_keeps_only_what_is_seen() {
    assert_eq!(escape("a*b_c\u{202e}\u{200b}\0\r\n\té👍\u{fe0f}"), "a\\*b\\_c\n\té👍");
    assert_eq!(escape("\\*"), "\\\\\\*");
    assert_eq!(escape("¯\\_(ツ)_/¯"), "¯\\\\\\_(ツ)\\_/¯");
}

#[test]
fn cuts_are_sensible() {
    assert_eq!(pieces("One sentence. Another one here", 20, escape::width), ["One sentence. ", "Another one here"]);
    assert_eq!(pieces("aaaa\u{301}b", 4, escape::width), ["aaa", "a\u{301}b"]);
    assert_eq!(pieces("***", 4, escape::width), ["**", "*"]);
    assert_eq!(shortened("a word and another", 12, escape::width), "a word and…");
}

#[test]
fn the_window_asks_for_the_reason() {
    let window = reason_modal(QUESTION);
    assert_eq!(window_violations(&window), Vec::<String>::new());
    expect![[r#"
        {
          "custom_id": "not_useful:0190a7c2-6c5e-7d3a-9a43-6f2f0c0f5a11",
          "title": "Not useful",
          "components": [
            {
              "type": 1,
              "components": [
                {
                  "type": 4,
                  "custom_id": "reason",
                  "style": 1,
                  "label": "What was wrong?",
                  "placeholder": "a number, the run, out of date…",
                  "required": false,
                  "max_length": 500
                }
              ]
            },
            {
              "type": 1,
              "components": [
                {
                  "type": 4,
                  "custom_id": "remark",
                  "style": 2,
                  "label": "What should it have said?",
                  "placeholder": "in your own words",
                  "required": false,
                  "max_length": 500
                }
              ]
            }
          ]
        }"#]]
    .assert_eq(&format!("{window:#}"));
}

#[test]
fn only_whole_names_are_offered() {
    let names: Vec<String> = ["tide/run_7", "", " ", &"x".repeat(101), "tide/run_7"].map(str::to_owned).to_vec();
    expect![[r#"{"choices":[{"name":"tide/run_7","value":"tide/run_7"}]}"#]].assert_eq(&choices(&names).to_string());
    let hidden = "a\u{202e}b";
    assert_eq!(choices(&[hidden.to_owned()]), json!({"choices": [{"name": "ab", "value": hidden}]}));
    let many: Vec<String> = (0..40).map(|n| format!("{n:0>100}")).collect();
    let offered = choices(&many);
    assert_eq!(window_violations(&offered), Vec::<String>::new());
    assert_eq!(offered["choices"].as_array().unwrap().len(), 25);
}
