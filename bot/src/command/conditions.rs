//! What follows `where`: `KEY=VALUE`, joined with `and` or commas.

use runlore_indexer::catalog::RunFilter;
use runlore_indexer::run::RunStatus;

use super::Stop;
use super::names::{Key, Names};
use super::words::Word;
use crate::refusal::Refusal;

/// One `KEY=VALUE`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    key: String,
    value: String,
}

/// Cuts the words behind `where` into conditions; spaces around `=` and `,` do not matter.
pub(super) fn split(words: &[Word]) -> Result<Vec<Condition>, Stop> {
    let mut groups = vec![String::new()];
    let mut was_name = false;
    for word in words {
        let is_and = word.keyword().is_some_and(|text| text == "and");
        if is_and {
            groups.push(String::new());
            was_name = false;
            continue;
        }
        let pieces: Vec<&str> = if word.is_quoted { vec![&word.text] } else { word.text.split(',').collect() };
        for (i, piece) in pieces.into_iter().enumerate() {
            if i > 0 {
                groups.push(String::new());
                was_name = false;
            }
            let Some(group) = groups.last_mut().filter(|_| !piece.is_empty()) else { continue };
            // Two words side by side that no `=` joins are not a condition.
            if was_name && !piece.starts_with('=') && !group.ends_with('=') {
                return Err(Stop::Question);
            }
            group.push_str(piece);
            was_name = true;
        }
    }
    groups.iter().filter(|group| !group.is_empty()).map(|group| condition(group)).collect()
}

fn condition(text: &str) -> Result<Condition, Stop> {
    let (key, value) = text.split_once('=').ok_or(Stop::Question)?;
    let (key, value) = (key.trim_end_matches('='), value.trim_start_matches('='));
    if key.is_empty() || value.is_empty() {
        let refusal = Refusal::new(format!("`{text}` is no condition."));
        return Err(Stop::Refused(refusal.with_hint("Write `where KEY=VALUE`.")));
    }
    Ok(Condition { key: key.to_owned(), value: value.to_owned() })
}

/// Narrows the filter by one condition.
pub(super) fn apply(condition: &Condition, names: &Names<'_>, filter: &mut RunFilter) -> Result<(), Stop> {
    let value = condition.value.clone();
    match condition.key.to_lowercase().as_str() {
        "status" => filter.status = Some(status(&value)?),
        "name" => filter.name = Some(value),
        _ => match names.key(&condition.key, &value)? {
            Key::Param(name) => filter.params.push((name, value)),
            Key::Tag(name) => filter.tags.push((name, value)),
        },
    }
    Ok(())
}

fn status(word: &str) -> Result<RunStatus, Stop> {
    let lower = word.to_lowercase();
    RunStatus::ALL.into_iter().find(|status| status.as_str() == lower).ok_or_else(|| {
        let known: Vec<String> = RunStatus::ALL.iter().map(|status| format!("`{}`", status.as_str())).collect();
        Stop::Refused(Refusal::new(format!("`{word}` is no status.")).with_hint(format!("There are {}.", known.join(", "))))
    })
}
