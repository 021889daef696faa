//! The model's sentence: free words without digits, in which values and names stand only as marks of this turn's facts.

use minijinja::context;
use serde::Deserialize;
use serde_json::json;

use super::plan::Asking;
use crate::chat::Quote;
use crate::facts::{Fact, FactKind};
use crate::model::{ModelError, Request, Shape};
use crate::tools::Finding;

/// Marks that one sentence may use.
const MAX_MARKS: usize = 5;

/// Longest sentence, in tokens.
const MAX_TOKENS: usize = 56;

/// How much of a passage the model reads when it picks, in characters.
const READ_OF_PASSAGE: usize = 170;

/// A value or name that the sentence may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `a`, `b`...
    pub letter: char,
    /// What it stands for, in words.
    pub role: String,
    /// What is put in its place.
    pub shown: String,
    /// Which places in a sentence fit it.
    pub fits: Fits,
}

/// Where in a sentence a mark may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// A measured or computed value.
    Value,
    /// A number of things.
    Count,
    /// A step.
    Step,
    /// A run.
    Run,
}

/// The facts that the headline shows, and the runs that it names, as marks.
pub fn marks(finding: &Finding, facts: &[Fact]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut add = |role: String, shown: String, fits: Fits| {
        if marks.len() < MAX_MARKS && marks.iter().all(|mark| mark.shown != shown || mark.fits != fits) {
            let letter = (b'a' + marks.len() as u8) as char;
            marks.push(Mark { letter, role, shown, fits });
        }
    };
    for fact in facts.iter().filter(|fact| stands_in(&finding.headline, &fact.shown())) {
        let of = fact.record.as_deref().map(|record| format!(" of {}", short(record))).unwrap_or_default();
        match fact.kind {
            FactKind::Metric | FactKind::Mean | FactKind::Sd | FactKind::Difference => {
                add(format!("value of {}{of}", what(fact)), fact.shown(), Fits::Value)
            }
            FactKind::Param => add(format!("value of the param {}{of}", fact.name), fact.shown(), Fits::Value),
            FactKind::Count => add(format!("count of {}", fact.name), fact.shown(), Fits::Count),
            FactKind::Step => add("step".to_owned(), fact.shown(), Fits::Step),
            FactKind::Time | FactKind::Text => {}
        }
    }
    for source in finding.records.iter().filter(|source| stands_in(&finding.headline, short(&source.key))) {
        let role = if finding.best_record.as_ref() == Some(&source.key) { "the best run" } else { "a run" };
        add(role.to_owned(), short(&source.key).to_owned(), Fits::Run);
    }
    marks
}

/// Whether a value or name stands in a text by itself.
fn stands_in(text: &str, what: &str) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-".contains(c));
    let alone = |at: usize| {
        let after = &text[at + what.len()..];
        let goes_on = after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit());
        !is_inside(text[..at].chars().next_back()) && !text[..at].ends_with('.') && !is_inside(after.chars().next()) && !goes_on
    };
    !what.is_empty() && text.match_indices(what).any(|(at, _)| alone(at))
}

fn what(fact: &Fact) -> String {
    let kind = match fact.kind {
        FactKind::Mean => "mean ",
        FactKind::Sd => "standard deviation of ",
        FactKind::Difference => "difference in ",
        _ => "",
    };
    format!("{kind}{}", fact.name)
}

fn short(record: &str) -> &str {
    record.rsplit('/').next().unwrap_or(record)
}

/// A grammar whose free text has no digits and whose marks are these.
fn grammar(marks: &[Mark]) -> String {
    let letters: Vec<String> = marks.iter().map(|mark| format!("\"{{{}}}\"", mark.letter)).collect();
    format!(
        "start: WORDS (mark WORDS){{1,2}} \".\" | WORDS (mark WORDS){{0,2}} mark \".\"\nmark: {}\nWORDS: /[A-Za-z ,'-]{{1,48}}/\n",
        letters.join(" | ")
    )
}

/// Asks for a sentence and checks it; once more where it does not pass, then none.
///
/// # Errors
/// Where the model does not serve or was stopped.
pub async fn narrate(question: &str, finding: &Finding, facts: &[Fact], asking: &Asking<'_>) -> Result<Option<String>, ModelError> {
    let marks = marks(finding, facts);
    if marks.is_empty() {
        return Ok(None);
    }
    let told: Vec<String> = marks.iter().map(|mark| format!("{{{}}} {}", mark.letter, mark.role)).collect();
    let mut answer = finding.headline.clone();
    for mark in &marks {
        answer = answer.replacen(&mark.shown, &format!("{{{}}}", mark.letter), 1);
    }
    let values = context! { question, answer, marks => told.join(", ") };
    let prompt = asking.prompts.render("narrate", asking.scope_id, values).map_err(|e| ModelError::OutOfShape(e.to_string()))?;
    let request = Request { prompt, shape: Shape::Lark(grammar(&marks)), max_tokens: MAX_TOKENS };
    let text = asking.ask(&request).await?;
    Ok(fill(text.trim(), &marks))
}

/// Puts the values in place of the marks, where every mark stands in a place that fits it.
pub fn fill(text: &str, marks: &[Mark]) -> Option<String> {
    let is_sentence = text.len() >= 12 && text.ends_with('.') && !text.contains("  ") && !text.contains(" .");
    if !is_sentence || text.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut filled = String::new();
    let mut rest = text;
    let mut n_used = 0;
    while let Some(open) = rest.find('{') {
        let letter = rest[open + 1..].chars().next()?;
        let mark = marks.iter().find(|mark| mark.letter == letter)?;
        let after = rest[open + 2..].strip_prefix('}')?;
        if !is_fitting(mark.fits, &rest[..open], after) {
            return None;
        }
        filled.push_str(&rest[..open]);
        filled.push_str(&mark.shown);
        rest = after;
        n_used += 1;
    }
    filled.push_str(rest);
    (n_used > 0 && n_used <= marks.len()).then_some(filled)
}

/// Whether the words around a mark speak of what it stands for.
fn is_fitting(fits: Fits, before: &str, after: &str) -> bool {
    let last = before.split_whitespace().last().unwrap_or_default().trim_matches(',').to_lowercase();
    let next = after.split_whitespace().next().unwrap_or_default().trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    let speaks_of_step = matches!(last.as_str(), "step" | "steps");
    let counts = next.starts_with("run")
        || next.starts_with("project")
        || next.starts_with("trial")
        || next.starts_with("point")
        || next.starts_with("file");
    let stands_free = before.ends_with(' ') && after.starts_with([' ', ',', '.']);
    let names_a_run =
        matches!(last.as_str(), "run" | "by" | "is" | "was" | "that" | "with" | "in" | "from" | "of" | "and" | "than" | "the" | "");
    if !stands_free && !before.is_empty() {
        return false;
    }
    match fits {
        Fits::Step => speaks_of_step,
        Fits::Count => counts || matches!(last.as_str(), "total" | "is" | "are" | "of" | "over"),
        Fits::Value => !speaks_of_step && !counts && last != "run",
        Fits::Run => names_a_run && !counts,
    }
}

#[derive(Deserialize)]
struct Picked {
    passages: Vec<String>,
}

/// Asks which quotes answer the question; gives their places, best first.
///
/// # Errors
/// Where the model does not serve or was stopped.
pub async fn pick(question: &str, quotes: &[Quote], asking: &Asking<'_>) -> Result<Vec<usize>, ModelError> {
    let letters: Vec<String> = (0..quotes.len().min(8)).map(|i| ((b'a' + i as u8) as char).to_string()).collect();
    let cut = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(READ_OF_PASSAGE).collect::<String>();
    let passages: Vec<_> = letters.iter().zip(quotes).map(|(mark, quote)| context! { mark, text => cut(&quote.text) }).collect();
    let prompt = asking
        .prompts
        .render("pick", asking.scope_id, context! { question, passages })
        .map_err(|e| ModelError::OutOfShape(e.to_string()))?;
    let schema = json!({
        "type": "object",
        "properties": {"passages": {"type": "array", "items": {"enum": letters}, "minItems": 1, "maxItems": 2}},
        "required": ["passages"],
        "additionalProperties": false,
    });
    let request = Request { prompt, shape: Shape::Json(schema), max_tokens: 24 };
    let text = asking.ask(&request).await?;
    let picked: Picked = serde_json::from_str(&text).map_err(|e| ModelError::OutOfShape(e.to_string()))?;
    let mut places: Vec<usize> = picked.passages.iter().filter_map(|letter| letters.iter().position(|other| other == letter)).collect();
    let mut seen = std::collections::BTreeSet::new();
    places.retain(|place| seen.insert(*place));
    Ok(places)
}

#[cfg(test)]
mod tests;
