//! Tests of fitting text to a shape.

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn check(text: &str, expected: Expect) {
    let schema = json!({
        "type": "object",
        "properties": {
            "tool": {"enum": ["best", "compare"]},
            "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}, "maxItems": 2},
            "step": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["tool"],
        "additionalProperties": false,
        "$defs": {"run": {"type": "string"}},
    });
    let fitted = fit(&Shape::Json(schema), text).unwrap_or_else(|wrong| format!("error: {wrong}"));
    expected.assert_eq(&fitted);
}

#[test]
fn plain_json_is_kept_without_spaces() {
    check(r#"{ "tool": "best", "runs": ["a"] }"#, expect![[r#"{"tool":"best","runs":["a"]}"#]]);
}

#[test]
fn fences_words_and_rests_are_cut_off() {
    check("Sure:\n```json\n{\"tool\": \"best\"}\n```\nDone {x}.", expect![[r#"{"tool":"best"}"#]]);
    check(r#"{"tool":"best"}}}"#, expect![[r#"{"tool":"best"}"#]]);
    check("I use {tool} here: {\"tool\":\"compare\",\"runs\":[\"}{\"]}", expect![[r#"{"tool":"compare","runs":["}{"]}"#]]);
    check("As in [1]: {\"tool\":\"best\"}", expect![[r#"{"tool":"best"}"#]]);
    check("<think>{\"tool\":\"compare\"}</think>{\"tool\":\"best\"}", expect![[r#"{"tool":"best"}"#]]);
}

#[test]
fn what_does_not_fit_is_named() {
    check("best", expect!["error: it holds no JSON"]);
    check(r#"{"tool":"be"#, expect!["error: it holds no JSON"]);
    check(r#"{"runs":[]}"#, expect!["error: the key `tool` is missing"]);
    check(r#"{"tool":"drop"}"#, expect![[r#"error: `tool`: `"drop"` is not allowed"#]]);
    check(r#"{"tool":"best","runs":[1]}"#, expect![[r#"error: `runs`: `1` is not of type "string""#]]);
    check(r#"{"tool":"best","runs":["a","b","c"]}"#, expect!["error: `runs`: it has 3 items"]);
    check(r#"{"tool":"best","step":1.5}"#, expect!["error: `step`: `1.5` is none of the choices"]);
    check(r#"{"tool":"drop","then":{"tool":"best"}}"#, expect![[r#"error: `tool`: `"drop"` is not allowed"#]]);
    check(r#"{"tool":"best","other":1}"#, expect!["error: the key `other` is not known"]);
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let schema = json!({"$ref": "#"});
    assert_eq!(fit(&Shape::Json(schema), "{}"), Err("it is nested too deep".to_owned()));
}

#[test]
fn a_text_of_the_grammar_is_kept() {
    let shape = Shape::Lark("start: \"The best is \" MARK \".\"\nMARK: /\\{[a-c]\\}/".to_owned());
    assert_eq!(fit(&shape, "```\nThe best is {a}.\n```"), Ok("The best is {a}.".to_owned()));
    assert!(fit(&shape, "The best is {d}.").is_err(), "an unknown mark");
    assert!(fit(&shape, "The best is {a}").is_err(), "cut short");
    assert!(fit(&shape, "The best is {a}. More").is_err(), "too much");
    assert!(fit(&Shape::Lark("start: (".to_owned()), "x").is_err(), "no grammar");
}
