//! A reply as consecutive replies that each fit one message of a platform.
//!
//! The first holds what the reader needs: headline, the model's sentence, notices and the first sources, each up to its share, and as
//! many lines and then quotes as there is room for. What is left goes on in the same way.

use std::collections::VecDeque;

use super::cut::{Width, pieces};
use super::{Button, Citation, Quote, Reply, text};

/// What one message of a platform holds, in the platform's units.
pub(crate) trait Page {
    /// All texts in a part, without buttons and what frames every message.
    const TEXTS: usize;
    /// One line or quote; longer ones go on in the next.
    const PIECE: usize;
    /// The headline, the model's sentence and one notice; longer ones go on in the next part.
    const HEADLINE: usize;
    const NARRATION: usize;
    const NOTICE: usize;
    /// What there is room for at most.
    const NOTICES: Room;
    const SOURCES: Room;
    const N_LINES: usize;
    const N_QUOTES: usize;

    /// Units of a character where text is cut: at least as many as it may take when it is shown.
    const WIDTH: Width;

    /// Units that each takes of `TEXTS`, with all that frames it.
    fn headline(headline: &str) -> usize;
    fn line(line: &str) -> usize;
    fn quote(quote: &Quote) -> usize;
    fn notice(notice: &str) -> usize;
    /// The same of a source; none where there is nothing to show of it.
    fn source(citation: &Citation) -> Option<usize>;
}

/// What can still be put in.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Units of all.
    pub(crate) units: usize,
    /// How many.
    pub(crate) items: usize,
}

/// The whole reply as consecutive replies; the first is what a message shows and has the buttons. Lines and quotes are kept to the
/// character, but for those that nobody sees.
pub(crate) fn parts<P: Page>(reply: &Reply) -> Vec<Reply> {
    let mut rest = Rest::of::<P>(reply);
    let mut parts = vec![rest.next_part::<P>()];
    while !rest.is_empty() {
        let part = rest.next_part::<P>();
        // A piece that fits nowhere would be tried for ever. There is none as long as a page's shares add up.
        if part == Reply::default() {
            break;
        }
        parts.push(part);
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

/// Stands where a reply has nothing that could be seen.
pub(crate) const NOTHING: &str = "There is nothing to show.";

/// The first part as it is shown, and how many lines are behind it.
pub(crate) fn first(parts: &[Reply]) -> (Reply, usize) {
    let Some((first, rest)) = parts.split_first() else { return (nothing(Reply::default()), 0) };
    (if is_blank(first) { nothing(first.clone()) } else { first.clone() }, n_lines(rest))
}

fn nothing(part: Reply) -> Reply {
    Reply { headline: NOTHING.to_owned(), ..part }
}

/// Nothing in it can be seen.
fn is_blank(part: &Reply) -> bool {
    let blank = |text: &str| text.trim().is_empty();
    let texts = [part.headline.as_str(), part.narration.as_deref().unwrap_or_default()];
    let mut evidence = part.lines.iter().chain(part.quotes.iter().map(|quote| &quote.text)).chain(&part.notices);
    texts.into_iter().all(blank) && evidence.all(|text| blank(text)) && part.citations.is_empty()
}

/// Lines of the table and of quotes in these parts.
fn n_lines(parts: &[Reply]) -> usize {
    parts.iter().map(|part| part.lines.len() + part.quotes.iter().map(|quote| quote.text.lines().count()).sum::<usize>()).sum()
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
    fn of<P: Page>(reply: &Reply) -> Self {
        Self {
            headline: told::<P>(&reply.headline, P::HEADLINE).collect(),
            lines: reply.lines.iter().flat_map(|line| line_pieces::<P>(line)).collect(),
            quotes: reply.quotes.iter().flat_map(quote_pieces::<P>).collect(),
            narration: told::<P>(reply.narration.as_deref().unwrap_or_default(), P::NARRATION).collect(),
            notices: reply.notices.iter().flat_map(|notice| told::<P>(notice, P::NOTICE)).collect(),
            citations: reply.citations.iter().filter(|citation| P::source(citation).is_some()).cloned().collect(),
        }
    }

    fn is_empty(&self) -> bool {
        let texts = [&self.headline, &self.lines, &self.narration, &self.notices];
        texts.iter().all(|queue| queue.is_empty()) && self.quotes.is_empty() && self.citations.is_empty()
    }

    /// The model's sentence has its share even before it is there, so that it does not push lines out when it comes.
    fn next_part<P: Page>(&mut self) -> Reply {
        let headline = self.headline.pop_front().unwrap_or_default();
        let narration = self.narration.pop_front();
        let (notices, for_notices) = P::NOTICES.take(&mut self.notices, |notice| P::notice(notice));
        let (citations, for_citations) = P::SOURCES.take(&mut self.citations, |citation| P::source(citation).unwrap_or_default());
        let left = P::TEXTS - P::headline(&headline) - P::NARRATION - for_notices - for_citations;
        let (lines, for_lines) = Room { units: left, items: P::N_LINES }.take(&mut self.lines, |line| P::line(line));
        let quotes = self.next_quotes::<P>(Room { units: left - for_lines, items: P::N_QUOTES });
        Reply { headline, lines, quotes, narration, notices, citations, buttons: Vec::new(), picture: None }
    }

    fn next_quotes<P: Page>(&mut self, room: Room) -> Vec<Quote> {
        if !self.lines.is_empty() {
            return Vec::new();
        }
        room.take(&mut self.quotes, P::quote).0
    }
}

/// Inert text in pieces that can be seen.
fn told<P: Page>(text: &str, most: usize) -> impl Iterator<Item = String> + use<P> {
    let inert = text::inert(text);
    let pieces: Vec<String> = pieces(&inert, most, P::WIDTH).into_iter().map(|piece| piece.trim().to_owned()).collect();
    pieces.into_iter().filter(|piece| !piece.is_empty())
}

fn line_pieces<P: Page>(line: &str) -> Vec<String> {
    let seen = text::visible(line);
    let cut = |line: &str| match line {
        "" => vec![String::new()],
        line => pieces(line, P::PIECE, P::WIDTH).into_iter().map(str::to_owned).collect(),
    };
    seen.split('\n').flat_map(cut).collect()
}

fn quote_pieces<P: Page>(quote: &Quote) -> Vec<Quote> {
    let seen = text::visible(&quote.text);
    pieces(&seen, P::PIECE, P::WIDTH).into_iter().map(|piece| Quote { text: piece.to_owned(), record: quote.record.clone() }).collect()
}
