//! JSON, with the bare `NaN` and `Infinity` that Python writes, and numbers kept as they are written.

use std::borrow::Cow;

use serde_json::Value;

use super::values::{Flat, Problem, Values, dotted};

/// Parses JSON in which every number, and every other bare word but `true`, `false` and `null`, comes as a string of its text.
///
/// # Errors
/// Where the text is not JSON; the line is that of the text.
pub(in crate::source) fn parse(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(&quote_bare_words(text)).map_err(|e| Problem::at(e.line(), said(&e)))
}

/// What serde_json says, without its position, which is not that of the text.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text).to_lowercase();
    if error.is_eof() { format!("not valid JSON, cut short: {what}") } else { format!("not valid JSON: {what}") }
}

/// Puts quotes around bare words, so that `1e-5` stays `1e-5` and `NaN` is no error.
fn quote_bare_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' => rest.split_at(string_len(rest)),
            '{' | '}' | '[' | ']' | ',' | ':' => rest.split_at(1),
            c if c.is_whitespace() => rest.split_at(c.len_utf8()),
            _ => rest.split_at(word_len(rest)),
        };
        let is_word = !matches!(first, '"' | '{' | '}' | '[' | ']' | ',' | ':') && !first.is_whitespace();
        if is_word && !matches!(token, "true" | "false" | "null") {
            quoted.push('"');
            quoted.push_str(&escaped(token));
            quoted.push('"');
        } else {
            quoted.push_str(token);
        }
        rest = after;
    }
    quoted
}

fn escaped(word: &str) -> Cow<'_, str> {
    if word.contains('\\') { Cow::Owned(word.replace('\\', "\\\\")) } else { Cow::Borrowed(word) }
}

/// Length of the string that `text` begins with, quotes included.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || "{}[],:\"".contains(c)).unwrap_or(text.len())
}

/// Dotted keys and raw texts of a JSON file.
pub(in crate::source) fn flatten(text: &str) -> Flat {
    let value = match parse(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(value) => value,
        Err(problem) => return problem.into(),
    };
    match flatten_value(&value) {
        Ok(values) => Flat { values, problem: None },
        Err(problem) => problem.into(),
    }
}

/// Dotted keys and raw texts of a value that `parse` gave.
///
/// # Errors
/// Where they are too many.
pub(in crate::source) fn flatten_value(value: &Value) -> Result<Vec<(String, String)>, Problem> {
    let mut values = Values::default();
    add(value, "", &mut values).map(|()| values.into_list())
}

fn add(value: &Value, key: &str, values: &mut Values) -> Result<(), Problem> {
    match value {
        Value::Object(fields) if fields.is_empty() => values.push(key, "{}"),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| add(field, &dotted(key, name), values)),
        Value::Array(items) if items.is_empty() => values.push(key, "[]"),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(i, item)| add(item, &dotted(key, &i.to_string()), values)),
        Value::String(text) => values.push(key, text),
        other => values.push(key, &other.to_string()),
    }
}
