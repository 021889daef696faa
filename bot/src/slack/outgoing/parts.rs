//! What one message of Slack holds. Slack counts about 12,000 characters with a buffer for the containers (slackapi/bolt-js#2509, #2867:
//! 9,597 of text passed and 11,341 did not), so that the share of texts is less.

use super::cut::{units, width};
use super::links;
use crate::chat::cut::Width;
use crate::chat::parts::{self, Page, Room};
use crate::chat::{Citation, Quote, Reply};

/// What a quote or a source needs beside its text: its mark or its record's key, and the containers.
const FRAME: usize = 200;

/// The whole reply as consecutive replies; the first is what `message` shows and has the buttons. Lines and quotes are kept to the
/// character, but for those that `escape` takes away.
pub fn parts(reply: &Reply) -> Vec<Reply> {
    parts::parts::<Slack>(reply)
}

struct Slack;

impl Page for Slack {
    const TEXTS: usize = 9_400;
    const PIECE: usize = 2_800;
    const HEADLINE: usize = 1_200;
    const NARRATION: usize = 2_000;
    const NOTICE: usize = 600;
    const NOTICES: Room = Room { units: 1_200, items: 8 };
    const SOURCES: Room = Room { units: 2_000, items: 20 };
    const N_LINES: usize = 120;
    const N_QUOTES: usize = 10;
    const WIDTH: Width = width;

    fn headline(headline: &str) -> usize {
        units(headline)
    }

    fn line(line: &str) -> usize {
        units(line) + 1
    }

    fn quote(quote: &Quote) -> usize {
        units(&quote.text) + FRAME
    }

    fn notice(notice: &str) -> usize {
        units(notice)
    }

    fn source(citation: &Citation) -> Option<usize> {
        let key = links::label(&citation.record);
        let address = links::address(citation).map(units).unwrap_or_default();
        (!key.is_empty()).then(|| units(&key) + units(&links::mark(citation)) + address + "   ".len())
    }
}
