//! A reply as Slack takes it: blocks, and the text for notifications and screen readers. Pure.
//!
//! What comes from records, from the model or from a person stands in rich text elements or in plain text and never in Slack's markup,
//! so that nothing in it can mention, link or format: `<!channel>`, `<@U1>` and a fence are letters there, and names with `_` or `*`
//! survive copying. We do not rely on that for links: in everything but lines and quotes an address is defanged by a visible change
//! (`https[:]//evil[.]com`), because a followed or previewed link can carry data out. Lines and quotes are evidence and stay word for
//! word, in a preformatted or quote element. The only links are the addresses of the citations, as link elements; the only mention is the
//! asker's, as a user element.
//!
//! The fallback text is markup to Slack, so that there everything is escaped, addresses are defanged and markup characters become their
//! look-alikes. Lengths are counted in UTF-16 units as if escaped, the longest that Slack may count.

mod blocks;
mod buttons;
mod cut;
mod limits;
mod links;
mod parts;
#[cfg(test)]
mod tests;
mod text;
mod views;

use serde_json::Value;

pub use self::limits::{view_violations, violations, violations_with_links};
pub use self::parts::parts;
pub use self::text::escape;
pub use self::views::{home, reason_modal};
use crate::chat::parts::{NOTHING, first};
use crate::chat::{Reply, Setting, text as common};

/// Units of the fallback text.
const MAX_FALLBACK: usize = 3_000;

/// Units of a plain sentence.
const MAX_SENTENCE: usize = 2_000;

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// For notifications and screen readers, in Slack's markup.
    pub text: String,
    /// What is seen, as Block Kit's JSON.
    pub blocks: Vec<Value>,
}

/// The first part of a reply, with a button for the rest where there is one.
pub fn message(reply: &Reply, setting: &Setting) -> Message {
    let (shown, n_more) = first(&parts(reply));
    Message { text: fallback(&shown, setting), blocks: blocks::of(&shown, setting, n_more) }
}

/// One plain sentence: waiting, a refusal, a failure.
pub fn sentence(text: &str) -> Message {
    let plain = common::inert(text);
    let told = if plain.is_empty() { NOTHING.to_owned() } else { cut::shortened(&plain, MAX_SENTENCE) };
    Message { text: text::markup_free(&told), blocks: vec![blocks::paragraph(&told)] }
}

/// The headline and the first lines, with no markup but the asker's mention.
fn fallback(reply: &Reply, setting: &Setting) -> String {
    let quotes = reply.quotes.iter().map(|quote| quote.text.as_str());
    let reading = reply.narration.as_deref().map(|told| format!("The model's reading: {told}"));
    let evidence = reply.lines.iter().map(String::as_str).chain(quotes);
    let all = [reply.headline.as_str()].into_iter().chain(evidence).chain(reading.as_deref());
    let told: Vec<&str> = all.filter(|line| !line.trim().is_empty()).collect();
    let told = if told.is_empty() { NOTHING.to_owned() } else { told.join("\n") };
    let mention = setting.asker.and_then(links::user).map(|user| format!("<@{user}> ")).unwrap_or_default();
    let body = cut::shortened(&text::markup_free_source(&told), MAX_FALLBACK - mention.len());
    format!("{mention}{}", text::escape(&body))
}
