//! A finding as text for the terminal and for the `answer` of the JSON: the answer first, then facts, quotes, notes and sources. Pure.

use crate::chat::{Citation, Reply};
use crate::tools::Finding;

/// Sources that are listed under an answer.
const MAX_SOURCES: usize = 6;

/// The text of a finding, with the model's sentence where there is one.
pub fn text(finding: &Finding, citations: &[Citation], narration: Option<&str>) -> String {
    let mut parts = vec![finding.headline.clone()];
    if !finding.lines.is_empty() {
        parts.push(finding.lines.join("\n"));
    }
    for quote in &finding.quotes {
        let mark = citations
            .iter()
            .find(|citation| citation.record == quote.record)
            .map(|citation| format!(" [{}]", citation.mark))
            .unwrap_or_default();
        let lines: Vec<String> = quote.text.lines().map(|line| format!("> {line}")).collect();
        parts.push(format!("{}{mark}", lines.join("\n")));
    }
    if let Some(narration) = narration {
        parts.push(format!("The model's reading: {narration}"));
    }
    if !finding.notices.is_empty() {
        parts.push(finding.notices.join("\n"));
    }
    if !citations.is_empty() && !finding.abstained {
        let listed: Vec<String> = citations.iter().take(MAX_SOURCES).map(source).collect();
        parts.push(format!("Sources: {}", listed.join("  ")));
    }
    parts.join("\n\n")
}

/// A finding as a reply for any platform.
pub fn reply(finding: &Finding, narration: Option<&str>) -> Reply {
    Reply {
        headline: finding.headline.clone(),
        lines: finding.lines.clone(),
        quotes: finding.quotes.clone(),
        narration: narration.map(str::to_owned),
        notices: finding.notices.clone(),
        citations: if finding.abstained { Vec::new() } else { citations(finding) },
        buttons: Vec::new(),
        picture: None,
    }
}

fn source(citation: &Citation) -> String {
    let address = citation.url.as_deref().map(|url| format!(" {url}")).unwrap_or_default();
    format!("[{}] {}{address}", citation.mark, citation.record)
}

/// The records of a finding as numbered citations.
pub fn citations(finding: &Finding) -> Vec<Citation> {
    let cite = |(i, source): (usize, &crate::tools::Source)| Citation {
        mark: (i + 1).to_string(),
        record: source.key.clone(),
        title: source.title.clone(),
        url: source.url.clone(),
    };
    finding.records.iter().enumerate().map(cite).collect()
}
