//! A reply as consecutive replies that each fit one message.
//!
//! The first holds what the reader needs: headline, the model's sentence, notices and the first sources, each up to its share, and as
//! many lines and then quotes as there is room for. What is left goes on in the same way. Slack counts about 12,000 characters with a
//! buffer for the containers (slackapi/bolt-js#2509, #2867: 9,597 of text passed and 11,341 did not), so that the share of texts is less.

use std::collections::VecDeque;

use super::cut::{pieces, units};
use super::{links, text};
use crate::chat::{Button, Citation, Quote, Reply};

/// Units of all texts in a part, without buttons and labels.
const MAX_TEXTS: usize = 9_400;

/// Units of one line or quote; longer ones go on in the next.
pub(super) const MAX_PIECE: usize = 2_800;

const MAX_HEADLINE: usize = 1_200;
const MAX_NARRATION: usize = 2_000;
const MAX_NOTICE: usize = 600;

/// What a quote or a source needs beside its text: its mark or its record's key, and the containers.
const FRAME: usize = 200;

const NOTICES: Room = Room { units: 1_200, items: 8 };
const SOURCES: Room = Room { units: 2_000, items: 20 };
const N_LINES: usize = 120;
const N_QUOTES: usize = 10;

/// The whole reply as consecutive replies; the first is what `message` shows and has the buttons. Lines and quotes are kept to the
/// character, but for those that `escape` takes away.
pub fn parts(reply: &Reply) -> Vec<Reply> {
    let mut rest = Rest::of(reply);
    let mut parts = vec![rest.next_part()];
    while !rest.is_empty() {
        parts.push(rest.next_part());
    }
    let cut = parts.len() > 1;
    if let Some(first) = parts.first_mut() {
        first.buttons = reply.buttons.clone();
        if cut && !first.buttons.contains(&Button::More) {
            first.buttons.push(Button::More);
        }
    }
    parts
}

/// Nothing in it can be seen.
pub(super) fn is_blank(part: &Reply) -> bool {
    let blank = |text: &str| text.trim().is_empty();
    let texts = [part.headline.as_str(), part.narration.as_deref().unwrap_or_default()];
    let mut evidence = part.lines.iter().chain(part.quotes.iter().map(|quote| &quote.text)).chain(&part.notices);
    texts.into_iter().all(blank) && evidence.all(|text| blank(text)) && part.citations.is_empty()
}

/// Lines of the table and of quotes in these parts.
pub(super) fn n_lines(parts: &[Reply]) -> usize {
    parts.iter().map(|part| part.lines.len() + part.quotes.iter().map(|quote| quote.text.lines().count()).sum::<usize>()).sum()
}

/// What can still be put in.
#[derive(Clone, Copy)]
struct Room {
    units: usize,
    items: usize,
}

impl Room {
    /// The longest beginning of the queue that fits.
    fn take<T>(self, queue: &mut VecDeque<T>, cost: impl Fn(&T) -> usize) -> (Vec<T>, usize) {
        let mut taken = Vec::new();
        let mut used = 0;
        while let Some(item) = queue.pop_front() {
            let needed = used + cost(&item);
            if needed > self.units || taken.len() == self.items {
                queue.push_front(item);
                break;
            }
            used = needed;
            taken.push(item);
        }
        (taken, used)
    }
}

/// What no part holds yet, in pieces that each fit.
struct Rest {
    headline: VecDeque<String>,
    lines: VecDeque<String>,
    quotes: VecDeque<Quote>,
    narration: VecDeque<String>,
    notices: VecDeque<String>,
    citations: VecDeque<Citation>,
}

impl Rest {
    fn of(reply: &Reply) -> Self {
        Self {
            headline: told(&reply.headline, MAX_HEADLINE).collect(),
            lines: reply.lines.iter().flat_map(|line| line_pieces(line)).collect(),
            quotes: reply.quotes.iter().flat_map(quote_pieces).collect(),
            narration: told(reply.narration.as_deref().unwrap_or_default(), MAX_NARRATION).collect(),
            notices: reply.notices.iter().flat_map(|notice| told(notice, MAX_NOTICE)).collect(),
            citations: reply.citations.iter().filter(|citation| !links::label(&citation.record).is_empty()).cloned().collect(),
        }
    }

    fn is_empty(&self) -> bool {
        let texts = [&self.headline, &self.lines, &self.narration, &self.notices];
        texts.iter().all(|queue| queue.is_empty()) && self.quotes.is_empty() && self.citations.is_empty()
    }

    /// The model's sentence has its share even before it is there, so that it does not push lines out when it comes.
    fn next_part(&mut self) -> Reply {
        let headline = self.headline.pop_front().unwrap_or_default();
        let narration = self.narration.pop_front();
        let (notices, for_notices) = NOTICES.take(&mut self.notices, |notice| units(notice));
        let (citations, for_citations) = SOURCES.take(&mut self.citations, citation_cost);
        let left = MAX_TEXTS - units(&headline) - MAX_NARRATION - for_notices - for_citations;
        let (lines, for_lines) = Room { units: left, items: N_LINES }.take(&mut self.lines, |line| units(line) + 1);
        let quotes = self.next_quotes(Room { units: left - for_lines, items: N_QUOTES });
        Reply { headline, lines, quotes, narration, notices, citations, buttons: Vec::new(), picture: None }
    }

    fn next_quotes(&mut self, room: Room) -> Vec<Quote> {
        if !self.lines.is_empty() {
            return Vec::new();
        }
        room.take(&mut self.quotes, |quote| units(&quote.text) + FRAME).0
    }
}

fn citation_cost(citation: &Citation) -> usize {
    let address = links::address(citation).map(units).unwrap_or_default();
    units(&links::label(&citation.record)) + units(&links::mark(citation)) + address + "   ".len()
}

/// Inert text in pieces that can be seen.
fn told(text: &str, most: usize) -> impl Iterator<Item = String> + use<> {
    let inert = text::inert(text);
    let pieces: Vec<String> = pieces(&inert, most).into_iter().map(|piece| piece.trim().to_owned()).collect();
    pieces.into_iter().filter(|piece| !piece.is_empty())
}

fn line_pieces(line: &str) -> Vec<String> {
    let seen = text::visible(line);
    let cut = |line: &str| match line {
        "" => vec![String::new()],
        line => pieces(line, MAX_PIECE).into_iter().map(str::to_owned).collect(),
    };
    seen.split('\n').flat_map(cut).collect()
}

fn quote_pieces(quote: &Quote) -> Vec<Quote> {
    let seen = text::visible(&quote.text);
    pieces(&seen, MAX_PIECE).into_iter().map(|piece| Quote { text: piece.to_owned(), record: quote.record.clone() }).collect()
}
