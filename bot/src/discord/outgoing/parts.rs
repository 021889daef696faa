//! What one message of Discord holds. Discord folds no long message, so that the lines are fewer than would fit.

use super::content::{self, FRAME, GAP_UNITS};
use super::{escape, links};
use crate::chat::cut::Width;
use crate::chat::parts::{self, Page, Room};
use crate::chat::{Citation, Quote, Reply};

/// Units of the content.
const MAX_CONTENT: usize = 2_000;

/// The whole reply as consecutive replies that each fit one message; the first is what `message` shows and has the buttons. Lines and
/// quotes are kept to the character, but for those that `escape` takes away.
pub fn parts(reply: &Reply) -> Vec<Reply> {
    parts::parts::<Discord>(reply)
}

struct Discord;

impl Page for Discord {
    const TEXTS: usize = MAX_CONTENT - FRAME;
    const PIECE: usize = 900;
    const HEADLINE: usize = 400;
    const NARRATION: usize = 400;
    const NOTICE: usize = 240;
    const NOTICES: Room = Room { units: 300, items: 4 };
    const SOURCES: Room = Room { units: 600, items: 8 };
    const N_LINES: usize = 40;
    const N_QUOTES: usize = 5;
    const WIDTH: Width = escape::width;

    fn headline(headline: &str) -> usize {
        n_units(&content::headline(headline)) + 1
    }

    fn line(line: &str) -> usize {
        n_units(&escape::fenced(line)) + 1
    }

    fn quote(quote: &Quote) -> usize {
        let behind = n_units(&content::key_behind(quote)).max(links::MAX_MARK_SHOWN);
        content::bare_quote(quote).map(|told| n_units(&told) + behind + 1).unwrap_or_default()
    }

    fn notice(notice: &str) -> usize {
        n_units(&content::notice(notice)) + 1
    }

    fn source(citation: &Citation) -> Option<usize> {
        content::source(citation).map(|told| n_units(&told) + GAP_UNITS)
    }
}

/// UTF-16 units, never less than code points.
fn n_units(text: &str) -> usize {
    text.encode_utf16().count()
}
