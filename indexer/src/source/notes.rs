//! Reads a folder of Markdown notes, Obsidian vaults included.
//!
//! A note is named by its path. Its text is kept byte for byte without the front matter, so that a quote is verbatim.
//! Dates are those that the note or its name gives; a file's own times say when it was copied, and are not used.

mod front;
#[cfg(test)]
mod tests;

use std::path::Path;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use self::front::FrontMatter;
use super::folder::{self, FileText, FoundFile, Hidden};
use super::{Item, Known, Listing, Outlet, SourceError};
use crate::record::{Body, Record};

/// Largest note that is read.
const MAX_BYTES: u64 = 8 << 20;

const EXTENSIONS: [&str; 4] = ["md", "markdown", "mdown", "mdx"];

/// Reads every note below `root`.
///
/// # Errors
/// Where the folder is missing or cannot be listed, or nobody listens any more.
pub fn read(root: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let found = folder::list(root, &EXTENSIONS, Hidden::Skip)?;
    let is_complete = found.complaints.is_empty();
    outlet.send_blocking(Item::Expect(found.files.len()))?;
    for complaint in found.complaints {
        outlet.send_blocking(Item::Complaint(complaint))?;
    }
    for file in &found.files {
        match folder::read_text(&file.path, MAX_BYTES) {
            Ok(text) => send(file, text, known, outlet)?,
            Err(why) => folder::complain(outlet, &file.path, why, &file.name)?,
        }
    }
    Ok(Listing { is_complete, cursor: None })
}

fn send(file: &FoundFile, text: FileText, known: &Known, outlet: &Outlet) -> Result<(), SourceError> {
    if text.is_lossy {
        folder::complain(outlet, &file.path, "not UTF-8; what could not be read stands as `\u{fffd}`".to_owned(), &file.name)?;
    }
    let (record, complaint) = parse(&file.name, &text.text, text.hash);
    if let Some(message) = complaint {
        folder::complain(outlet, &file.path, message, &file.name)?;
    }
    if known.is_same(&file.name, &record.fingerprint) {
        return outlet.send_blocking(Item::Unchanged(record.native_id));
    }
    outlet.send_blocking(Item::Record(Box::new(record)))
}

/// One note, and what is wrong with its front matter.
fn parse(name: &str, text: &str, fingerprint: String) -> (Record, Option<String>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front, body) = front::split(text);
    let (front, complaint) = match front.map(FrontMatter::parse) {
        Some(Ok(front)) => (front, None),
        Some(Err(why)) => (FrontMatter::default(), Some(format!("front matter is not read: {why}"))),
        None => (FrontMatter::default(), None),
    };
    let title = front.title.or_else(|| first_heading(body)).unwrap_or_else(|| stem(name));
    let record = Record {
        native_id: name.to_owned(),
        key: name.to_owned(),
        title,
        project: front.project,
        author: front.author,
        url: None,
        created_ms: front.created_ms.or_else(|| front::date_in(file_name(name))),
        updated_ms: front.updated_ms,
        fingerprint,
        body: Body::Note(body.to_owned()),
    };
    (record, complaint)
}

fn first_heading(body: &str) -> Option<String> {
    let mut heading: Option<String> = None;
    for event in Parser::new(body) {
        match (&mut heading, event) {
            (None, Event::Start(Tag::Heading { .. })) => heading = Some(String::new()),
            (Some(text), Event::Text(part) | Event::Code(part)) => text.push_str(&part),
            (Some(text), Event::SoftBreak | Event::HardBreak) => text.push(' '),
            (Some(text), Event::End(TagEnd::Heading(_))) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
            (Some(_), Event::End(TagEnd::Heading(_))) => heading = None,
            _ => {}
        }
    }
    None
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The file's name without its extension, and without the id that Notion's export puts behind the title.
fn stem(name: &str) -> String {
    let file = file_name(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match stem.rsplit_once(' ') {
        Some((title, id)) if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => title.to_owned(),
        _ => stem.to_owned(),
    }
}
