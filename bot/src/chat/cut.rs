//! Cutting text at a sensible place, without losing a character.

/// Characters that belong to the one before are followed back this far, and no further.
const MAX_CLUSTER: usize = 16;

/// How many units a character takes at most on a platform; never less than one.
pub(crate) type Width = fn(char) -> usize;

/// The length that the platform may count at most.
pub(crate) fn units(text: &str, width: Width) -> usize {
    text.chars().map(width).sum()
}

/// The text in consecutive pieces of at most `most` units; joined they are the text.
pub(crate) fn pieces(text: &str, most: usize, width: Width) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(end_of_piece(rest, most, width));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The text, or its beginning with an ellipsis.
pub(crate) fn shortened(text: &str, most: usize, width: Width) -> String {
    if units(text, width) <= most {
        return text.to_owned();
    }
    let beginning = &text[..end_of_piece(text, most - 1, width)];
    format!("{}…", beginning.trim_end())
}

/// Where a piece ends, in bytes: at a line, a sentence or a word of the second half, else between two characters.
fn end_of_piece(text: &str, most: usize, width: Width) -> usize {
    let fits = longest(text, most, width);
    if fits == text.len() {
        return fits;
    }
    let window = &text[..fits];
    let last = |mark: &str| window.rfind(mark).map(|at| at + mark.len()).filter(|&end| end > fits / 2);
    last("\n").or_else(|| last(". ")).or_else(|| last(" ")).unwrap_or_else(|| between_clusters(text, fits))
}

/// Bytes of the longest beginning that fits; at least one character.
fn longest(text: &str, most: usize, width: Width) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += width(c);
        if used > most && at > 0 {
            return at;
        }
    }
    text.len()
}

fn between_clusters(text: &str, fits: usize) -> usize {
    let mut end = fits;
    for (at, c) in text[..fits].char_indices().rev().take(MAX_CLUSTER) {
        if !text[end..].chars().next().is_some_and(|next| extends(c, next)) || at == 0 {
            return end;
        }
        end = at;
    }
    fits
}

/// Whether the second character is drawn together with the first.
fn extends(first: char, second: char) -> bool {
    let regional = |c: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
    let combining = matches!(second,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}');
    combining || (regional(first) && regional(second))
}
