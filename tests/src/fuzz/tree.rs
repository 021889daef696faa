//! Changes to what an input stands for: values are replaced, doubled, left out, renamed and moved, and it is written down again.

use serde_json::{Map, Value};

use super::Format;
use super::mutate::{NUMBERS, ODDITIES, place};
use super::random::Random;

/// Longest text that is put in, in repetitions of its piece.
const MAX_TIMES: usize = 600;

/// How deep a value may be wrapped at once; more than any parser takes.
const MAX_DEPTH: usize = 200;

/// The input with one value changed; none where it cannot be read as its format says, or not be written again.
pub(super) fn changed(random: &mut Random, format: Format, input: &[u8], words: &[&str]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(input).ok()?;
    match format {
        Format::Text => None,
        Format::Json => json(random, text, words).map(String::into_bytes),
        Format::JsonLines => {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let at = random.below(lines.len());
            let line = json(random, lines.get(at)?, words)?;
            lines[at] = line;
            Some(lines.join("\n").into_bytes())
        }
        Format::Toml => {
            let mut value = serde_json::to_value(toml::from_str::<toml::Table>(text).ok()?).ok()?;
            change(random, &mut value, words);
            toml::to_string(&value).ok().map(String::into_bytes)
        }
    }
}

fn json(random: &mut Random, text: &str, words: &[&str]) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    change(random, &mut value, words);
    serde_json::to_string(&value).ok()
}

/// One value of the tree, whichever.
fn change(random: &mut Random, value: &mut Value, words: &[&str]) {
    let at = random.below(n_values(value));
    let elsewhere = random.below(n_values(value));
    let other = nth(value, &mut { elsewhere }).cloned().unwrap_or_default();
    if let Some(found) = nth_mut(value, &mut { at }) {
        change_one(random, found, other, words);
    }
}

fn change_one(random: &mut Random, value: &mut Value, other: Value, words: &[&str]) {
    match (random.below(10), &mut *value) {
        (0 | 1, Value::Object(fields)) => change_fields(random, fields, words),
        (0 | 1, Value::Array(items)) => change_items(random, items),
        (0..=3, Value::String(text)) => change_text(random, text, words),
        (4, _) => *value = other,
        (5, _) => *value = wrapped(random, value.take()),
        (6, _) => *value = Value::String(word(random, words)),
        _ => *value = odd(random),
    }
}

fn change_fields(random: &mut Random, fields: &mut Map<String, Value>, words: &[&str]) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let Some(name) = names.get(random.below(names.len())) else { return };
    match random.below(3) {
        0 => drop(fields.remove(name)),
        1 => {
            let value = fields.remove(name).unwrap_or_default();
            fields.insert(word(random, words), value);
        }
        _ => {
            let value = fields.get(name).cloned().unwrap_or_default();
            fields.insert(word(random, words), value);
        }
    }
}

fn change_items(random: &mut Random, items: &mut Vec<Value>) {
    let at = random.below(items.len());
    let Some(item) = items.get(at).cloned() else { return items.push(odd(random)) };
    match random.below(3) {
        0 => drop(items.remove(at)),
        1 => items.insert(at, item),
        _ => (0..random.below(60)).for_each(|_| items.push(item.clone())),
    }
}

/// Something put into a text, or a part of it very often.
fn change_text(random: &mut Random, text: &mut String, words: &[&str]) {
    let at = text.floor_char_boundary(place(random, text.len()));
    match random.below(4) {
        0 => {
            let oddity = random.pick(&ODDITIES);
            text.insert_str(at, oddity);
        }
        1 => text.insert_str(at, &word(random, words)),
        2 => text.truncate(at),
        _ => {
            let piece: String = text[at..].chars().take(random.below(9) + 1).collect();
            text.insert_str(at, &piece.repeat(random.below(MAX_TIMES)));
        }
    }
}

fn word(random: &mut Random, words: &[&str]) -> String {
    match random.below(4) {
        0 => (*random.pick(&ODDITIES)).to_owned(),
        1 => (*random.pick(&NUMBERS)).to_owned(),
        _ if words.is_empty() => String::new(),
        _ => (*random.pick(words)).to_owned(),
    }
}

/// A value that nobody expects.
fn odd(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => Value::Bool(random.once_in(2)),
        2 => Value::from(random.draw() as i64),
        3 => Value::from(f64::from_bits(random.draw())),
        4 => Value::Array(Vec::new()),
        5 => Value::Object(Map::new()),
        6 => Value::String(String::new()),
        _ => {
            let number = random.pick(&NUMBERS);
            serde_json::from_str(number).unwrap_or_default()
        }
    }
}

/// The value inside of lists or tables, some or very many.
fn wrapped(random: &mut Random, value: Value) -> Value {
    let depth = if random.once_in(6) { random.below(MAX_DEPTH) } else { 1 };
    let in_lists = random.once_in(2);
    (0..=depth).fold(value, |inner, _| {
        if in_lists { Value::Array(vec![inner]) } else { Value::Object([("a".to_owned(), inner)].into_iter().collect()) }
    })
}

fn inner(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn n_values(value: &Value) -> usize {
    1 + inner(value).into_iter().map(n_values).sum::<usize>()
}

/// The value that stands behind so many others, in the order of the text.
fn nth<'a>(value: &'a Value, n_before: &mut usize) -> Option<&'a Value> {
    if *n_before == 0 {
        return Some(value);
    }
    *n_before -= 1;
    inner(value).into_iter().find_map(|inner| nth(inner, n_before))
}

fn nth_mut<'a>(value: &'a mut Value, n_before: &mut usize) -> Option<&'a mut Value> {
    if *n_before == 0 {
        return Some(value);
    }
    *n_before -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|inner| nth_mut(inner, n_before)),
        Value::Object(fields) => fields.values_mut().find_map(|inner| nth_mut(inner, n_before)),
        _ => None,
    }
}
