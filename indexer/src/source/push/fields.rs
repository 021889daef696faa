//! The fields of one line, taken out one by one, so that what is left over is what nobody knows.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::source::configs::json;

/// An object of the push format whose numbers came as text (see `json::parse`).
pub(super) struct Fields {
    map: Map<String, Value>,
    /// What was wrong with parts that could be left out.
    pub(super) warnings: Vec<String>,
}

impl Fields {
    pub(super) fn new(map: Map<String, Value>) -> Self {
        Self { map, warnings: Vec::new() }
    }

    /// Takes a field; `null` is the same as none.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// Keys that nobody took, and what was found wrong.
    pub(super) fn into_rest(self) -> (Vec<String>, Vec<String>) {
        (self.map.into_iter().map(|(key, _)| key).collect(), self.warnings)
    }

    /// A text, number or truth value as text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => {
                self.warnings.push(format!("`{key}` is not text; it is left out"));
                None
            }
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Where it is missing or empty.
    pub(super) fn needed(&mut self, key: &str) -> Result<String, String> {
        self.text(key).filter(|text| !text.trim().is_empty()).ok_or_else(|| format!("`{key}` is missing"))
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, key: &str) -> Option<u64> {
        let text = self.text(key)?;
        let count = text.parse().ok();
        if count.is_none() {
            self.warnings.push(format!("`{key}`: `{text}` is not a whole number; it is left out"));
        }
        count
    }

    /// Milliseconds since 1970, from a number or from RFC 3339.
    pub(super) fn moment(&mut self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        let ms = moment(&text);
        if ms.is_none() {
            self.warnings.push(format!("`{key}`: `{text}` is neither milliseconds since 1970 nor RFC 3339; it is left out"));
        }
        ms
    }

    /// An object's keys and texts; objects within it give dotted keys.
    pub(super) fn pairs(&mut self, key: &str) -> Vec<(String, String)> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Object(fields)) if fields.is_empty() => Vec::new(),
            Some(value @ Value::Object(_)) => json::flatten_value(&value).unwrap_or_else(|problem| {
                self.warnings.push(format!("`{key}` {}", problem.message));
                Vec::new()
            }),
            Some(_) => {
                self.warnings.push(format!("`{key}` is not an object; it is left out"));
                Vec::new()
            }
        }
    }

    /// The items of an array.
    pub(super) fn list(&mut self, key: &str) -> Vec<Value> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.warnings.push(format!("`{key}` is not an array; it is left out"));
                Vec::new()
            }
        }
    }

    /// The objects of an array, each as fields of its own.
    pub(super) fn objects(&mut self, key: &str) -> Vec<Fields> {
        let items = self.list(key);
        let n_items = items.len();
        let objects: Vec<Fields> =
            items.into_iter().filter_map(|item| if let Value::Object(map) = item { Some(Fields::new(map)) } else { None }).collect();
        if objects.len() < n_items {
            self.warnings.push(format!("`{key}` has an item that is not an object; it is left out"));
        }
        objects
    }
}

fn moment(text: &str) -> Option<i64> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    if let Ok(ms) = text.parse::<f64>() {
        return (ms.is_finite() && ms.abs() < 9e15).then_some(ms as i64);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}
