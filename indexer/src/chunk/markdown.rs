//! Cuts Markdown at headings and blocks; every chunk is a verbatim slice of the text.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{MAX_CHARS, Piece, in_words, lines_up_to};

/// A heading: its level, its words, and where it begins and ends in the text.
struct Heading {
    level: HeadingLevel,
    words: String,
    range: Range<usize>,
}

/// Cuts a note. Blocks are kept together up to `MAX_CHARS`.
pub(super) fn pieces(title: &str, text: &str) -> Vec<Piece> {
    let (headings, blocks) = outline(text);
    let mut pieces = Vec::new();
    let mut path: Vec<(HeadingLevel, String)> = Vec::new();
    let mut start = 0;
    for (i, heading) in headings.iter().enumerate() {
        section(title, text, start..heading.range.start, &blocks, &path, &mut pieces);
        path.retain(|(level, _)| *level < heading.level);
        path.push((heading.level, heading.words.clone()));
        start = heading.range.end;
        let next = headings.get(i + 1);
        let has_parts = next.is_some_and(|next| next.level > heading.level);
        let body_end = next.map_or(text.len(), |next| next.range.start);
        // A heading with nothing below it would be found nowhere.
        if !has_parts && text[start..body_end].trim().is_empty() {
            start = heading.range.start;
        }
    }
    section(title, text, start..text.len(), &blocks, &path, &mut pieces);
    pieces
}

/// Headings of the text, and where its top-level blocks begin.
fn outline(text: &str) -> (Vec<Heading>, Vec<usize>) {
    let (mut headings, mut blocks) = (Vec::new(), Vec::new());
    let (mut depth, mut open): (usize, Option<Heading>) = (0, None);
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some(Heading { level, words: String::new(), range });
                depth += 1;
            }
            Event::End(TagEnd::Heading(_)) => {
                headings.extend(open.take());
                depth -= 1;
            }
            // List items are blocks too: a long list may be cut between them.
            Event::Start(Tag::List(_)) => depth += 1,
            Event::End(TagEnd::List(_)) => depth -= 1,
            Event::Start(tag) => {
                if depth <= 1 && (depth == 0 || matches!(tag, Tag::Item)) {
                    blocks.push(range.start);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut open {
                    heading.words.push_str(&words);
                }
            }
            _ => {}
        }
    }
    (headings, blocks)
}

/// Cuts what stands between two headings.
fn section(title: &str, text: &str, range: Range<usize>, blocks: &[usize], path: &[(HeadingLevel, String)], pieces: &mut Vec<Piece>) {
    if text[range.clone()].trim().is_empty() {
        return;
    }
    let heading = path.iter().map(|(_, words)| words.trim()).collect::<Vec<_>>().join(" > ");
    let mut cuts: Vec<usize> = blocks.iter().copied().filter(|&at| at > range.start && at < range.end).collect();
    cuts.push(range.end);
    let (mut start, mut end) = (range.start, range.start);
    let mut slices = Vec::new();
    for cut in cuts {
        if end > start && text[start..cut].chars().count() > MAX_CHARS {
            slices.push(&text[start..end]);
            start = end;
        }
        end = cut;
    }
    slices.push(&text[start..end]);
    for slice in slices.into_iter().flat_map(|slice| lines_up_to(slice, MAX_CHARS)) {
        let above = if heading.contains(title) { heading.clone() } else { format!("{title} > {heading}") };
        let embed = in_words(slice).map(|said| format!("{}\n{said}", above.trim_end_matches(" > ")));
        pieces.push(Piece { heading: heading.clone(), text: slice.trim_matches('\n').to_owned(), embed });
    }
}
