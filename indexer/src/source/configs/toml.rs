//! TOML, with its scalars as they are written.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::values::{Flat, Problem, Values, dotted};

/// Dotted keys and raw texts of a TOML file. What is well-formed around an error is kept.
pub(super) fn flatten(text: &str) -> Flat {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut leaves = Leaves { text, found: Vec::new() };
    leaves.add_table(table.get_ref(), "");
    leaves.found.sort_by_key(|(at, _, _)| *at);
    let mut values = Values::default();
    let added = leaves.found.iter().try_for_each(|(_, key, text)| values.push(key, text));
    if let Err(problem) = added {
        return problem.into();
    }
    Flat { values: values.into_list(), problem: errors.first().map(|e| problem_of(e, text)) }
}

fn problem_of(error: &::toml::de::Error, text: &str) -> Problem {
    let message = format!("not valid TOML: {}", error.message());
    match error.span() {
        Some(span) => Problem::at(1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count(), message),
        None => Problem::of_file(message),
    }
}

/// Scalars with their place in the text, since tables come sorted by name.
struct Leaves<'t> {
    text: &'t str,
    found: Vec<(usize, String, String)>,
}

impl Leaves<'_> {
    fn add_table(&mut self, table: &DeTable<'_>, key: &str) {
        for (name, value) in table {
            self.add(value, &dotted(key, name.get_ref()));
        }
    }

    fn add(&mut self, value: &Spanned<DeValue<'_>>, key: &str) {
        let span = value.span();
        let at = span.start;
        let raw = self.text.get(span).unwrap_or_default();
        match value.get_ref() {
            DeValue::Table(table) if table.is_empty() => self.found.push((at, key.to_owned(), "{}".to_owned())),
            DeValue::Table(table) => self.add_table(table, key),
            DeValue::Array(items) if items.is_empty() => self.found.push((at, key.to_owned(), "[]".to_owned())),
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.add(item, &dotted(key, &i.to_string()));
                }
            }
            DeValue::String(text) => self.found.push((at, key.to_owned(), text.to_string())),
            _ => self.found.push((at, key.to_owned(), raw.to_owned())),
        }
    }
}
