//! The blocks of one part of a reply. Texts stand in rich text and plain text elements alone.

use serde_json::{Value, json};

use super::{buttons, cut, links};
use crate::chat::{Citation, Form, Quote, Reply, Setting};

/// Units of one preformatted element.
const MAX_PREFORMATTED: usize = 3_000;

/// Shown while the model's sentence is still being made.
const READING: &str = "…reading it over";

/// The blocks in reading order; `n_more` lines are in the parts that follow.
pub(super) fn of(part: &Reply, setting: &Setting, n_more: usize) -> Vec<Value> {
    let mut blocks: Vec<Value> = headline(part, setting).into_iter().collect();
    blocks.extend(preformatted(&part.lines));
    blocks.extend(part.quotes.iter().filter_map(|quote| quoted(quote, &part.citations)));
    blocks.extend(part.narration.as_deref().filter(|told| !told.is_empty()).map(narration));
    blocks.extend((setting.form == Form::Facts).then(|| context(READING)));
    blocks.extend(part.notices.iter().map(|notice| context(notice)));
    blocks.extend(sources(&part.citations));
    blocks.extend(buttons::row(&part.buttons, setting, n_more));
    blocks
}

/// A paragraph of plain words.
pub(super) fn paragraph(words: &str) -> Value {
    section(vec![text(words)])
}

/// Rich text with one section.
pub(super) fn section(elements: Vec<Value>) -> Value {
    rich_text(json!({"type": "rich_text_section", "elements": elements}))
}

/// A list with a point for each.
pub(super) fn list(points: &[String]) -> Value {
    let sections: Vec<Value> = points.iter().map(|point| json!({"type": "rich_text_section", "elements": [text(point)]})).collect();
    rich_text(json!({"type": "rich_text_list", "style": "bullet", "elements": sections}))
}

fn rich_text(element: Value) -> Value {
    json!({"type": "rich_text", "elements": [element]})
}

/// Words as they are.
pub(super) fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

fn context(words: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "plain_text", "text": words, "emoji": false}]})
}

fn headline(part: &Reply, setting: &Setting) -> Option<Value> {
    let user = setting.asker.and_then(links::user).map(|user| json!({"type": "user", "user_id": user}));
    let words = match (&user, part.headline.is_empty()) {
        (_, true) => None,
        (Some(_), false) => Some(text(&format!(" {}", part.headline))),
        (None, false) => Some(text(&part.headline)),
    };
    let elements: Vec<Value> = user.into_iter().chain(words).collect();
    (!elements.is_empty()).then(|| section(elements))
}

/// The lines as text of equal widths, split at line borders where they are long.
fn preformatted(lines: &[String]) -> Vec<Value> {
    let mut texts = vec![String::new()];
    for (i, line) in lines.iter().enumerate() {
        let full = texts.last().is_some_and(|told| !told.is_empty() && cut::units(told) + 1 + cut::units(line) > MAX_PREFORMATTED);
        match texts.last_mut() {
            Some(told) if !full => {
                told.push_str(if i == 0 { "" } else { "\n" });
                told.push_str(line);
            }
            _ => texts.push(line.clone()),
        }
    }
    let seen = texts.iter().filter(|told| !told.trim().is_empty());
    seen.map(|told| rich_text(json!({"type": "rich_text_preformatted", "elements": [text(told)]}))).collect()
}

/// A quote with the mark of its record, or with the record's key where another part has the mark.
fn quoted(quote: &Quote, citations: &[Citation]) -> Option<Value> {
    if quote.text.trim().is_empty() {
        return None;
    }
    let cited = citations.iter().find(|citation| citation.record == quote.record).map(links::mark);
    let source = match cited.filter(|mark| !mark.is_empty()) {
        Some(mark) => format!(" {mark}"),
        None => format!(" ({})", links::label(&quote.record)),
    };
    let named = (source != " ()").then(|| text(&source));
    let elements: Vec<Value> = [text(&quote.text)].into_iter().chain(named).collect();
    Some(rich_text(json!({"type": "rich_text_quote", "elements": elements})))
}

fn narration(told: &str) -> Value {
    let lead = json!({"type": "text", "text": "The model's reading: ", "style": {"italic": true}});
    section(vec![lead, text(told)])
}

/// The records by their marks: a link where there is a good address, else the plain key.
fn sources(citations: &[Citation]) -> Option<Value> {
    let mut elements = vec![text("Sources: ")];
    for (i, citation) in citations.iter().enumerate() {
        let gap = if i == 0 { "" } else { "   " };
        let key = links::label(&citation.record);
        elements.push(text(&format!("{gap}{} ", links::mark(citation))));
        elements.push(match links::address(citation) {
            Some(url) => json!({"type": "link", "url": url, "text": key}),
            None => text(&key),
        });
    }
    (elements.len() > 1).then(|| section(elements))
}
