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

/// Quotes of the section that answers best.
const N_OF_FIRST: usize = 4;

/// Quotes in all.
const MAX_QUOTES: usize = 6;

/// Cosine of the nearest passage, and this much for each whole of the question's words in it, must come to `NEAR`: measured with
/// questions about the notes here and about what is in none of them (docs/benchmarks.md).
const WORDS_WEIGH: f64 = 0.3;
const NEAR: f64 = 0.5;

/// Without vectors so many of the question's words must stand in one passage.
const COVERED: f64 = 0.6;

/// Searches, and quotes what answers.
pub(super) async fn look_up(desk: &mut Desk<'_>, words: &str, filter: &Filter, limit: usize) -> Result<Finding, LookUpError> {
    let found = desk.corpus.search(desk.scope, words, filter, limit.max(8) * 3).await?;
    // The reason is for the log and for `runlore doctor`; the person is told what it means.
    let notice = found.notice.map(|reason| {
        tracing::warn!(reason, "search without vectors");
        "Vectors are not available, so this was found by its words alone.".to_owned()
    });
    // Hashed vectors compare spelling, not meaning: their cosine says nothing about the subject.
    let best_cosine = found.best_cosine.filter(|_| !desk.corpus.embedder.name().starts_with("hashed"));
    if !is_about(words, &found.passages, best_cosine) {
        let mut finding = Finding::nothing("I found nothing about that in what I may read here.");
        finding.notices.extend(notice);
        return Ok(finding);
    }
    let only_pulls = filter.kinds == [RecordKind::Pull];
    let mut finding =
        if only_pulls { pulls(desk, words, &found.passages, limit).await? } else { prose(desk, words, &found.passages).await? };
    finding.notices.extend(notice);
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
        Some(cosine) => covered > 0.0 && cosine + WORDS_WEIGH * covered >= NEAR,
        None => covered >= COVERED,
    }
}

/// Pulls by their passages, each once.
async fn pulls(desk: &mut Desk<'_>, words: &str, passages: &[Passage], limit: usize) -> Result<Finding, LookUpError> {
    let wanted = content_words(words);
    let mut finding = Finding::default();
    for passage in passages {
        if finding.records.len() == limit {
            break;
        }
        let is_known = finding.records.iter().any(|source| source.key == passage.key());
        if is_known || !finding.records.is_empty() && !shares_words(&wanted, passage) {
            continue;
        }
        let title = desk.ledger.show(Fact::text("title", passage.title(), passage.key()));
        if finding.records.is_empty() {
            let merged = desk.corpus.catalog.pull(desk.scope, passage.record()).await?.and_then(|pull| pull.merged_ms);
            let when = merged.map(|ms| super::format::day(ms, desk.zone)).unwrap_or_default();
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

/// Quotes of the best sections: several of the first, one of each that follows.
async fn prose(desk: &mut Desk<'_>, words: &str, passages: &[Passage]) -> Result<Finding, LookUpError> {
    let wanted = content_words(words);
    let sections = sections(passages);
    let mut finding = Finding::default();
    for (i, (_, section)) in sections.iter().enumerate() {
        let n_quotes = if i == 0 { N_OF_FIRST } else { 1 };
        for passage in section.iter().take(n_quotes) {
            if finding.quotes.len() == MAX_QUOTES || i > 0 && !shares_words(&wanted, passage) {
                break;
            }
            let longest = if finding.quotes.len() < N_OF_FIRST { MAX_FIRST_QUOTE } else { MAX_QUOTE };
            finding.quotes.push(Quote { text: window(&wanted, passage.text(), longest).to_owned(), record: passage.key().to_owned() });
            finding.cite(passage.key(), &place(passage), passage.url());
        }
    }
    if let Some(first) = sections.first().and_then(|(_, section)| section.first()) {
        let place = desk.ledger.show(Fact::text("place", &place(first), first.key()));
        finding.headline = format!("From {} ({place}):", first.key());
    }
    Ok(finding)
}

/// Whether a passage has any of the wanted words; near by vector alone is not near enough to follow a better answer.
fn shares_words(wanted: &[String], passage: &Passage) -> bool {
    coverage(wanted, &format!("{} {} {}", passage.title(), passage.heading(), passage.text())) > 0.0
}

/// Passages by the section that they stand in, the best section first: several near passages in one section speak for it,
/// each further one half as loud.
fn sections(passages: &[Passage]) -> Vec<(f64, Vec<&Passage>)> {
    let mut sections: Vec<(f64, Vec<&Passage>)> = Vec::new();
    for passage in passages {
        let is_same = |other: &&Passage| other.record() == passage.record() && other.heading() == passage.heading();
        match sections.iter_mut().find(|(_, section)| section.first().is_some_and(is_same)) {
            Some((score, section)) => {
                *score += passage.score() * 0.5f64.powi(section.len() as i32);
                section.push(passage);
            }
            None => sections.push((passage.score(), vec![passage])),
        }
    }
    sections.sort_by(|a, b| b.0.total_cmp(&a.0));
    sections
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
