//! Fits a server's text to the asked shape: takes the JSON value out of what surrounds it, and checks it.
//!
//! A model in this process cannot leave its shape; a server may not know shapes at all.

use serde_json::Value;

use super::{Shape, mistral};

/// How deep a schema may nest or refer to itself.
const MAX_DEPTH: usize = 64;

/// How many braces and brackets are tried as the beginning of the JSON.
const MAX_STARTS: usize = 64;

/// The part of `text` that has the shape, JSON without spaces.
///
/// # Errors
/// What is wrong with it.
pub(super) fn fit(shape: &Shape, text: &str) -> Result<String, String> {
    let text = text.rsplit_once("</think>").map_or(text, |(_, rest)| rest);
    match shape {
        Shape::Json(schema) => fit_json(schema, text),
        Shape::Lark(grammar) => {
            let text = without_fences(text);
            mistral::obeys_lark(grammar, text)?;
            Ok(text.to_owned())
        }
    }
}

/// The shape in words, for a model whose server does not hold it to one.
pub(super) fn in_words(shape: &Shape) -> String {
    match shape {
        Shape::Json(schema) => format!("Reply with one JSON value of this JSON schema and nothing else: {schema}"),
        Shape::Lark(grammar) => format!("Reply with one text of this Lark grammar and nothing else:\n{grammar}"),
    }
}

fn without_fences(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inner.split_once('\n').map_or(inner, |(_language, rest)| rest).trim()
}

/// The first object or array in `text` that fits, whatever stands around it; else what is wrong with the first one.
fn fit_json(schema: &Value, text: &str) -> Result<String, String> {
    let mut wrong = None;
    let mut taken = 0;
    let starts = text.char_indices().filter(|&(_, c)| c == '{' || c == '[').map(|(at, _)| at);
    for start in starts.take(MAX_STARTS) {
        if start < taken {
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { continue };
        // What stands inside a value that does not fit is no answer.
        taken = start + values.byte_offset();
        match (Check { root: schema }).value(schema, &value, 0) {
            Ok(()) => return Ok(value.to_string()),
            Err(complaint) => wrong.get_or_insert(complaint),
        };
    }
    Err(wrong.unwrap_or_else(|| "it holds no JSON".to_owned()))
}

/// Checks values against the parts of JSON schema that the bot's prompts use.
struct Check<'a> {
    root: &'a Value,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        if let Some(path) = schema["$ref"].as_str() {
            let target = path.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return self.value(target.ok_or_else(|| format!("the schema has no `{path}`"))?, value, depth + 1);
        }
        check_literal(schema, value)?;
        for key in ["anyOf", "oneOf"] {
            let Some(choices) = schema[key].as_array() else { continue };
            if !choices.iter().any(|choice| self.value(choice, value, depth + 1).is_ok()) {
                return Err(format!("{} is none of the choices", excerpt(value)));
            }
        }
        if let Some(object) = value.as_object() {
            self.object(schema, object, depth)?;
        }
        if let Some(items) = value.as_array() {
            self.items(schema, items, depth)?;
        }
        Ok(())
    }

    fn object(&self, schema: &Value, object: &serde_json::Map<String, Value>, depth: usize) -> Result<(), String> {
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                return Err(format!("the key `{key}` is missing"));
            }
        }
        for (key, value) in object {
            match schema["properties"].get(key) {
                Some(property) => self.value(property, value, depth + 1).map_err(|wrong| format!("`{key}`: {wrong}"))?,
                None if schema["additionalProperties"] == Value::Bool(false) => return Err(format!("the key `{key}` is not known")),
                None => {}
            }
        }
        Ok(())
    }

    fn items(&self, schema: &Value, items: &[Value], depth: usize) -> Result<(), String> {
        let n_items = items.len() as u64;
        if schema["minItems"].as_u64().is_some_and(|min| n_items < min) || schema["maxItems"].as_u64().is_some_and(|max| n_items > max) {
            return Err(format!("it has {n_items} items"));
        }
        let Some(item_schema) = schema.get("items") else { return Ok(()) };
        items.iter().try_for_each(|item| self.value(item_schema, item, depth + 1))
    }
}

fn check_literal(schema: &Value, value: &Value) -> Result<(), String> {
    let has_type = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let has_a_type = match &schema["type"] {
        Value::Array(names) => names.iter().any(has_type),
        name => has_type(name),
    };
    if !has_a_type {
        return Err(format!("{} is not of type {}", excerpt(value), schema["type"]));
    }
    let is_listed = schema["enum"].as_array().is_none_or(|allowed| allowed.contains(value));
    if !is_listed || schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{} is not allowed", excerpt(value)));
    }
    Ok(())
}

fn excerpt(value: &Value) -> String {
    let text: String = value.to_string().chars().take(60).collect();
    format!("`{text}`")
}

#[cfg(test)]
mod tests;
