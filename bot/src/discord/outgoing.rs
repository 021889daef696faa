//! A reply as Discord's REST API takes it: content, buttons, and who may be called. Pure.
//!
//! Content alone, no embeds: `SUPPRESS_EMBEDS`, which keeps links from being previewed, takes our own away with the previews, and a
//! table needs a font of equal widths, which an embed has in a code block only, as the content does.
//!
//! Content is Discord's Markdown, and a message is read by what its clients make of it. What comes from records, from the model or from
//! a person is escaped, so that nothing in it can mention, link or format; `allowed_mentions` says the same to the server. In everything
//! but lines and quotes an address is defanged by a visible change (`https[:]//evil[.]com`), because a followed link can carry data out.
//! Lines and quotes are evidence and stay word for word: lines in a code block, in which nothing but three backticks can do anything,
//! and the addresses of quotes as code, where Discord links nothing and whoever copies gets them as they are. The only links are the
//! addresses of the citations, in `<>` without a preview; the only mention is the asker's.
//!
//! An invitation (`discord.gg/x`) is shown as a card even where it is no link and though previews are suppressed; a backslash before
//! its dot keeps it from being one. Lengths are counted in UTF-16 units, never less than code points.

mod buttons;
mod content;
mod escape;
mod limits;
mod links;
mod parts;
#[cfg(test)]
mod tests;
mod views;

use serde_json::{Value, json};

pub use self::escape::escape;
pub use self::limits::{violations, violations_with_links, window_violations};
pub use self::parts::parts;
pub use self::views::{choices, reason_modal};
use crate::chat::parts::{NOTHING, first};
use crate::chat::{Reply, Setting, cut, text};

/// Keeps links from being previewed: a preview is fetched without anybody's doing, and can carry data out.
const SUPPRESS_EMBEDS: u64 = 1 << 2;

/// Units of a plain sentence before it is escaped.
const MAX_SENTENCE: usize = 1_900;

/// A message as Discord takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What is read, in Discord's Markdown; at most 2,000 UTF-16 units.
    pub content: String,
    /// Rows of buttons.
    pub components: Vec<Value>,
    /// Bits, as in Discord's reference.
    pub flags: u64,
    /// The ids of the users who may be called: the asker or nobody.
    pub mentions: Vec<String>,
}

impl Message {
    fn new(content: String, components: Vec<Value>, asker: Option<&str>) -> Self {
        Self { content, components, flags: SUPPRESS_EMBEDS, mentions: asker.map(str::to_owned).into_iter().collect() }
    }

    /// The body of a call that posts or edits a message, or answers an interaction. Names the components even where there are none, so
    /// that an edit takes the old ones away, and always says who may be called: without that Discord decides.
    pub fn body(&self) -> Value {
        let mut allowed = json!({"parse": []});
        if !self.mentions.is_empty() {
            allowed["users"] = json!(self.mentions);
        }
        json!({"content": self.content, "components": self.components, "flags": self.flags, "allowed_mentions": allowed})
    }
}

/// The first part of a reply, with a button for the rest where there is one.
pub fn message(reply: &Reply, setting: &Setting) -> Message {
    let (shown, n_more) = first(&parts(reply));
    let asker = setting.asker.and_then(links::user);
    let buttons = buttons::rows(&shown.buttons, setting.question, n_more);
    Message::new(content::of(&shown, asker, setting.form), buttons, asker)
}

/// One plain sentence: waiting, a refusal, a failure.
pub fn sentence(words: &str) -> Message {
    let plain = text::inert(words);
    let told = if plain.is_empty() { NOTHING.to_owned() } else { cut::shortened(&plain, MAX_SENTENCE, escape::width) };
    Message::new(escape(&told), Vec::new(), None)
}
