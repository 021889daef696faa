//! Cuts a record into the pieces that are indexed. Pure: the same record gives the same chunks.

mod markdown;
mod run_card;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use crate::record::{Body, Commit, Config, Pull, Record};

/// Changes with every change of the rules below, so that what was indexed under other rules is indexed anew.
pub const CHUNKER: &str = "3";

/// Longest chunk, in characters; about 200 tokens of the embedding model.
const MAX_CHARS: usize = 900;

/// Most chunks of one record; a longer one is indexed up to here.
const MAX_CHUNKS: usize = 2_000;

/// One indexed piece of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place among the chunks of the record, from 0.
    pub position: u32,
    /// The headings that it stands under, joined with ` > `; empty at the top.
    pub heading: String,
    /// Verbatim text of the record, for the keyword index and for quoting.
    pub text: String,
    /// What is embedded: often the text with its headings; `None` for what is found by keyword alone.
    pub embed: Option<String>,
}

impl Chunk {
    /// Hash of all that the indexes know of this chunk.
    pub fn text_hash(&self) -> String {
        let mut digest = Sha256::new();
        for part in [CHUNKER, &self.heading, &self.text, self.embed.as_deref().unwrap_or("\u{0}")] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        hex(&digest.finalize()[..16])
    }
}

/// Lower-case hex digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Cuts a record into chunks, in reading order.
pub fn chunk(record: &Record) -> Vec<Chunk> {
    let mut pieces = match &record.body {
        Body::Run(run) => run_card::pieces(record, run),
        Body::Note(text) => markdown::pieces(&record.title, text),
        Body::Config(config) => config_pieces(&record.key, config),
        Body::Pull(pull) => pull_pieces(&record.title, pull),
        Body::Commit(commit) => commit_pieces(commit),
    };
    pieces.truncate(MAX_CHUNKS);
    let number = |(position, piece): (usize, Piece)| Chunk {
        position: position as u32,
        heading: piece.heading,
        text: piece.text,
        embed: piece.embed,
    };
    pieces.into_iter().enumerate().map(number).collect()
}

/// A chunk that has no number yet.
struct Piece {
    heading: String,
    text: String,
    embed: Option<String>,
}

#[expect(clippy::expect_used, reason = "constant patterns")]
static MARKUP: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    [(r"!\[[^\]]*\]\([^)\s]*\)", " "), (r"\[([^\]]*)\]\([^)\s]*\)", "$1"), (r"https?://\S+|\S{60,}", " ")]
        .map(|(pattern, instead)| (Regex::new(pattern).expect("the pattern is right"), instead))
});

/// What a text says in words, for the embedding: without addresses, images and endless strings. `None` where nothing is left.
fn in_words(text: &str) -> Option<String> {
    let said =
        MARKUP.iter().fold(Cow::Borrowed(text), |text, (pattern, instead)| Cow::Owned(pattern.replace_all(&text, *instead).into_owned()));
    let said = said.trim();
    (said.chars().filter(|c| c.is_alphabetic()).count() >= 3).then(|| said.to_owned())
}

fn config_pieces(key: &str, config: &Config) -> Vec<Piece> {
    let piece = |text: &str| Piece { heading: String::new(), text: text.to_owned(), embed: Some(format!("{key}\n{text}")) };
    lines_up_to(&config.text, MAX_CHARS).into_iter().map(piece).collect()
}

fn pull_pieces(title: &str, pull: &Pull) -> Vec<Piece> {
    let mut about = format!("{title}\n");
    if let Some(head) = &pull.head {
        about.push_str(&format!("branch {head}\n"));
    }
    about.push_str(&pull.description);
    let subjects: Vec<&str> = pull.commits.iter().filter_map(|message| message.lines().next()).collect();
    let commits = subjects.join("\n");
    let short: String = format!("{about}\n{commits}").chars().take(MAX_CHARS).collect();
    let mut pieces = Vec::new();
    for (i, text) in lines_up_to(&about, MAX_CHARS).into_iter().enumerate() {
        let embed = if i == 0 { short.clone() } else { format!("{title}\n{text}") };
        pieces.push(Piece { heading: String::new(), text: text.to_owned(), embed: Some(embed) });
    }
    for text in lines_up_to(&commits, MAX_CHARS) {
        pieces.push(Piece { heading: "commits".to_owned(), text: text.to_owned(), embed: None });
    }
    let files: Vec<&str> = pull.files.iter().map(|file| file.path.as_str()).collect();
    for text in lines_up_to(&files.join("\n"), MAX_CHARS).into_iter().take(4) {
        pieces.push(Piece { heading: "files".to_owned(), text: text.to_owned(), embed: None });
    }
    pieces
}

fn commit_pieces(commit: &Commit) -> Vec<Piece> {
    let text: String = commit.message.chars().take(4 * MAX_CHARS).collect();
    vec![Piece { heading: String::new(), text, embed: None }]
}

/// Cuts text into slices of whole lines, each at most `max` characters where its lines allow; longer lines are cut between words.
fn lines_up_to(text: &str, max: usize) -> Vec<&str> {
    let mut slices = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if at > start && text[start..at].chars().count() + line.chars().count() > max {
            slices.push(&text[start..at]);
            start = at;
        }
        at += line.len();
        while text[start..at].chars().count() > max {
            let cut = start + cut_before(&text[start..at], max);
            slices.push(&text[start..cut]);
            start = cut;
        }
    }
    slices.push(&text[start..]);
    slices.retain(|slice| !slice.trim().is_empty());
    slices
}

/// Byte place at which to cut a long line: after the last sentence or word that ends within `max` characters.
fn cut_before(text: &str, max: usize) -> usize {
    let end = text.char_indices().nth(max).map_or(text.len(), |(i, _)| i);
    let within = &text[..end];
    let sentence = within.rfind(". ").map(|i| i + 2).filter(|&i| i > end / 2);
    sentence.or_else(|| within.rfind(char::is_whitespace).map(|i| i + 1)).filter(|&i| i > 0 && text.is_char_boundary(i)).unwrap_or(end)
}
