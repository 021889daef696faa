//! The content of one part of a reply, section by section in reading order. Every section is whole lines.

use super::{escape, links};
use crate::chat::{Citation, Form, Quote, Reply};

/// Begins and ends a block in a font of equal widths.
const FENCE: &str = "```";

/// Before the model's sentence. Not small like a notice: it is part of the answer.
const LEAD: &str = "*The model's reading:* ";

/// Shown while the model's sentence is still being made.
const READING: &str = "-# …reading it over";

/// Before the records.
const SOURCES: &str = "Sources: ";

/// Between two records.
const GAP: &str = "   ";

/// Units of what `parts` does not count with a text: the longest mention, the fence, and the other words of ours, each with the end of
/// its line.
pub(super) const FRAME: usize = "<@01234567890123456789> ".len() + 2 * (FENCE.len() + 1) + LEAD.len() + READING.len() + SOURCES.len() + 4;

/// All sections of a part.
pub(super) fn of(part: &Reply, asker: Option<&str>, form: Form) -> String {
    let mut sections: Vec<String> = greeting(&part.headline, asker).into_iter().collect();
    sections.extend(block(&part.lines));
    sections.extend(part.quotes.iter().filter_map(|quote| quoted(quote, &part.citations)));
    sections.extend(part.narration.as_deref().filter(|told| !told.is_empty()).map(|told| format!("{LEAD}{}", escape::escape(told))));
    sections.extend((form == Form::Facts).then(|| READING.to_owned()));
    sections.extend(part.notices.iter().map(|told| notice(told)).filter(|told| !told.is_empty()));
    sections.extend(sources(&part.citations));
    sections.join("\n")
}

fn greeting(words: &str, asker: Option<&str>) -> Option<String> {
    let mention = asker.map(|user| format!("<@{user}> ")).unwrap_or_default();
    let told = format!("{mention}{}", headline(words));
    (!told.is_empty()).then(|| told.trim_end().to_owned())
}

/// The words of a headline.
pub(super) fn headline(words: &str) -> String {
    escape::escape(words)
}

/// The lines in a font of equal widths.
fn block(lines: &[String]) -> Option<String> {
    let told = lines.iter().map(|line| escape::fenced(line)).collect::<Vec<_>>().join("\n");
    (!told.trim().is_empty()).then(|| format!("{FENCE}\n{told}\n{FENCE}"))
}

/// A quote with the mark of its record, or with the record's key where another part has the mark.
fn quoted(quote: &Quote, citations: &[Citation]) -> Option<String> {
    let told = bare_quote(quote)?;
    let cited = citations.iter().find(|citation| citation.record == quote.record).map(links::mark);
    Some(match cited.filter(|mark| !mark.is_empty()) {
        Some(mark) => format!("{told} {mark}"),
        None => format!("{told}{}", key_behind(quote)),
    })
}

/// A quote's lines; none where nothing in it can be seen.
pub(super) fn bare_quote(quote: &Quote) -> Option<String> {
    let text = quote.text.trim_end();
    (!text.is_empty()).then(|| text.split('\n').map(|line| format!("> {}", escape::word_for_word(line))).collect::<Vec<_>>().join("\n"))
}

/// The key of a quote's record, as it stands behind the quote.
pub(super) fn key_behind(quote: &Quote) -> String {
    let key = links::label(&quote.record);
    if key.is_empty() { key } else { format!(" ({})", escape::escape(&key)) }
}

/// A notice as small lines.
pub(super) fn notice(words: &str) -> String {
    let lines = words.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("-# {}", escape::escape(line.trim()))).collect::<Vec<_>>().join("\n")
}

/// The records by their marks: a link where there is a good address, else the plain key.
fn sources(citations: &[Citation]) -> Option<String> {
    let told: Vec<String> = citations.iter().filter_map(source).collect();
    (!told.is_empty()).then(|| format!("{SOURCES}{}", told.join(GAP)))
}

/// A record as it is listed; none where it has no key. As long as `GAP` is counted with it, it may stand anywhere in the list.
pub(super) fn source(citation: &Citation) -> Option<String> {
    let key = links::label(&citation.record);
    if key.is_empty() {
        return None;
    }
    let named = match links::address(citation) {
        Some(url) => format!("[{}](<{url}>)", escape::link_label(&key)),
        None => escape::escape(&key),
    };
    Some(format!("{} {named}", links::mark(citation)).trim_start().to_owned())
}

/// Units of what stands between two records.
pub(super) const GAP_UNITS: usize = GAP.len();
