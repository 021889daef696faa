//! Notes, pulls, configs and runs by words, with the sentences that answer.

use runlore_indexer::index::vector::Filter;
use runlore_indexer::record::RecordKind;
use runlore_indexer::space::Passage;

use super::{Desk, Finding, LookUpError};
use crate::answer::words::{content_words, coverage};
use crate::chat::Quote;
use crate::facts::Fact;

/// Longest quote, in characters, of the passages that answer best and of the others.
const MAX_FIRST_QUOTE: usize = 900;
const MAX_QUOTE: usize = 480;

/// Quotes that may be long.
const N_FIRST: usize = 3;

/// Records that are quoted.
const MAX_QUOTES: usize = 5;

/// Below this cosine of the nearest passage nothing in the corpus is about the question, unless its words are there.
const NEAR: f64 = 0.42;

/// Cosine and share of the question's words that together make a passage worth showing.
const SOMEWHAT_NEAR: f64 = 0.28;
const COVERED: f64 = 0.6;

/// Searches, and quotes what answers.
pub(super) async fn look_up(desk: &mut Desk<'_>, words: &str, filter: &Filter, limit: usize) -> Result<Finding, LookUpError> {
    let found = desk.corpus.search(desk.scope, words, filter, limit.max(8) * 3).await?;
    if !is_about(words, &found.passages, found.best_cosine) {
        let mut finding = Finding::nothing("I found nothing about that in what I may read here.");
        finding.notices.extend(found.notice);
        return Ok(finding);
    }
    let only_pulls = filter.kinds == [RecordKind::Pull];
    let mut finding = if only_pulls { pulls(desk, &found.passages, limit).await? } else { prose(desk, words, &found.passages).await? };
    finding.notices.extend(found.notice);
    Ok(finding)
}

/// Whether the best passages are about the question at all.
fn is_about(words: &str, passages: &[Passage], best_cosine: Option<f64>) -> bool {
    if passages.is_empty() {
        return false;
    }
    let wanted = content_words(words);
    let covered = passages
        .iter()
        .take(3)
        .map(|p| coverage(&wanted, &format!("{} {} {} {}", p.key(), p.title(), p.heading(), p.text())))
        .fold(0.0, f64::max);
    tracing::debug!(best_cosine, covered, n_words = wanted.len(), "how near the best passages are");
    match best_cosine {
        Some(cosine) => (cosine >= NEAR && covered > 0.0) || (cosine >= SOMEWHAT_NEAR && covered >= COVERED),
        None => covered >= COVERED,
    }
}

/// Pulls by their passages, each once.
async fn pulls(desk: &mut Desk<'_>, passages: &[Passage], limit: usize) -> Result<Finding, LookUpError> {
    let mut finding = Finding::default();
    for passage in passages {
        if finding.records.len() == limit {
            break;
        }
        if finding.records.iter().any(|source| source.key == passage.key()) {
            continue;
        }
        let title = desk.ledger.show(Fact::text("title", passage.title(), passage.key()));
        if finding.records.is_empty() {
            let merged = desk.corpus.catalog.pull(desk.scope, passage.record()).await?.and_then(|pull| pull.merged_ms);
            let when = merged.map(super::format::day).unwrap_or_default();
            let when = if when.is_empty() {
                when
            } else {
                format!(", merged {}", desk.ledger.show(Fact { label: Some(when), ..Fact::text("merged", "", passage.key()) }))
            };
            finding.headline = format!("Most likely {} {title}{when}.", passage.key());
        } else {
            finding.lines.push(format!("  {} {title}", passage.key()));
        }
        finding.cite(passage.key(), passage.title(), passage.url());
    }
    if !finding.lines.is_empty() {
        finding.lines.insert(0, "Others that come near:".to_owned());
    }
    Ok(finding)
}

/// Quotes of the best passages; behind the very best stands what follows it in its section, where the reason often is.
async fn prose(desk: &mut Desk<'_>, words: &str, passages: &[Passage]) -> Result<Finding, LookUpError> {
    let wanted = content_words(words);
    let mut finding = Finding::default();
    let first = &passages[0];
    let mut quoted: Vec<Passage> = vec![first.clone()];
    let section = desk.corpus.catalog.passages_of(desk.scope, first.record()).await?;
    let after = section.iter().skip_while(|passage| passage.text() != first.text()).skip(1);
    quoted.extend(after.take(1).filter(|passage| passage.heading() == first.heading() && !first.heading().is_empty()).cloned());
    for passage in &passages[1..] {
        if quoted.iter().all(|other| other.text() != passage.text()) {
            quoted.push(passage.clone());
        }
    }
    for passage in quoted.iter().take(MAX_QUOTES) {
        let longest = if finding.quotes.len() < N_FIRST { MAX_FIRST_QUOTE } else { MAX_QUOTE };
        finding.quotes.push(Quote { text: window(&wanted, passage.text(), longest).to_owned(), record: passage.key().to_owned() });
        finding.cite(passage.key(), &place(passage), passage.url());
    }
    let place = desk.ledger.show(Fact::text("place", &place(first), first.key()));
    finding.headline = format!("From {} ({place}):", first.key());
    Ok(finding)
}

/// Where in its record a passage stands.
fn place(passage: &Passage) -> String {
    if passage.heading().is_empty() { passage.title().to_owned() } else { passage.heading().to_owned() }
}

/// The stretch of whole lines or sentences, at most `longest` characters, that holds most of the wanted words.
fn window<'a>(wanted: &[String], text: &'a str, longest: usize) -> &'a str {
    let text = text.trim();
    if text.chars().count() <= longest {
        return text;
    }
    let cuts = sentence_starts(text);
    let mut best = (0.0, 0, text.len().min(longest));
    for (i, &start) in cuts.iter().enumerate() {
        let fits = |end: &&usize| text[start..**end].chars().count() <= longest;
        let Some(&end) = cuts[i + 1..].iter().take_while(fits).last() else { continue };
        let score = coverage(wanted, &text[start..end]);
        if score > best.0 || best.0 == 0.0 && best.1 == 0 && i == 0 {
            best = (score, start, end);
        }
    }
    let mut end = best.2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[best.1..end].trim()
}

/// Where sentences and lines begin, and the end of the text.
fn sentence_starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let bytes = text.as_bytes();
    for (i, window) in bytes.windows(2).enumerate() {
        let is_end = window[0] == b'\n' || (matches!(window[0], b'.' | b'!' | b'?') && window[1].is_ascii_whitespace());
        if is_end && text.is_char_boundary(i + 1) {
            starts.push(i + 1);
        }
    }
    starts.push(text.len());
    starts.dedup();
    starts
}
