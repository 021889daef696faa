//! A reader of Discord's Markdown: what its clients make of a content. It knows what is code and what is escaped, and takes everything
//! for live that some client could.

/// A piece of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Piece<'a> {
    /// Letters as they are.
    Text(&'a str),
    /// A character after a backslash.
    Escaped(&'a str),
    /// Inside of a line.
    Code(&'a str),
    /// Lines of code.
    Block(&'a str),
    /// Three backticks without an end.
    OpenFence,
    /// What stands between `<` and `>`: a mention, an emoji, a time, an address.
    Angled(&'a str),
    /// Words that lead elsewhere; the target with its `<>` where it has them.
    Link { words: &'a str, target: &'a str },
    /// Between two stars.
    Italic(&'a str),
    /// Formats what stands around it or behind it, or would with another of its kind.
    Marker(&'a str),
    /// Begins a quoted line.
    Quote,
    /// Begins a small line.
    Small,
}

/// What begins a line of another kind, none of which we send.
const LINE_MARKERS: [&str; 8] = [">>> ", "# ", "## ", "### ", "- ", "* ", "+ ", ". "];

/// The pieces in order.
pub(in super::super) fn read(content: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = content;
    let mut starts_line = true;
    let mut n_letters = 0;
    while n_letters < rest.len() {
        let here = &rest[n_letters..];
        let marker = if starts_line { line_marker(here) } else { None };
        match marker.or_else(|| inline(here)) {
            Some((piece, length)) => {
                pieces.extend((n_letters > 0).then(|| Piece::Text(&rest[..n_letters])));
                pieces.push(piece);
                rest = &here[length..];
                n_letters = 0;
                // Quoted, a line can begin once more.
                starts_line = piece == Piece::Quote;
            }
            None => {
                let c = here.chars().next().unwrap_or_default();
                starts_line = c == '\n' || starts_line && c.is_whitespace();
                n_letters += c.len_utf8();
            }
        }
    }
    pieces.extend((n_letters > 0).then_some(Piece::Text(rest)));
    pieces
}

/// What a line begins with, and how long that is.
fn line_marker(here: &str) -> Option<(Piece<'_>, usize)> {
    if here.starts_with("> ") {
        return Some((Piece::Quote, "> ".len()));
    }
    if here.starts_with("-# ") {
        return Some((Piece::Small, "-# ".len()));
    }
    let n_digits = here.bytes().take_while(u8::is_ascii_digit).count();
    let marker = LINE_MARKERS.iter().find(|marker| here[n_digits..].starts_with(**marker) && (n_digits > 0) == (**marker == ". "))?;
    let length = n_digits + marker.len();
    Some((Piece::Marker(&here[..length]), length))
}

/// What begins here and is no letter, and how long it is.
fn inline(here: &str) -> Option<(Piece<'_>, usize)> {
    match here.bytes().next()? {
        b'\\' => escaped(here),
        b'`' => code(here),
        b'<' => angled(here),
        b'[' => link(here),
        b'*' => italic(here).or(Some((Piece::Marker("*"), 1))),
        b'_' => Some((Piece::Marker("_"), 1)),
        b'~' if here.starts_with("~~") => Some((Piece::Marker("~~"), 2)),
        b'|' if here.starts_with("||") => Some((Piece::Marker("||"), 2)),
        _ => None,
    }
}

/// Letters, digits and spaces are not escaped.
fn escaped(here: &str) -> Option<(Piece<'_>, usize)> {
    let next = here[1..].chars().next().filter(|c| !c.is_ascii_alphanumeric() && !c.is_whitespace())?;
    let length = 1 + next.len_utf8();
    Some((Piece::Escaped(&here[1..length]), length))
}

/// Backticks up to as many again.
fn code(here: &str) -> Option<(Piece<'_>, usize)> {
    if let Some(inner) = here.strip_prefix("```") {
        let Some(end) = inner.find("```").filter(|&end| !inner[..end].trim_matches('\n').is_empty()) else {
            return Some((Piece::OpenFence, "```".len()));
        };
        return Some((Piece::Block(&inner[..end]), end + 2 * "```".len()));
    }
    let n_ticks = here.bytes().take_while(|&byte| byte == b'`').count();
    let inner = &here[n_ticks..];
    match end_of_code(inner, n_ticks) {
        Some(end) => Some((Piece::Code(&inner[..end]), end + 2 * n_ticks)),
        None => Some((Piece::Marker(&here[..n_ticks]), n_ticks)),
    }
}

/// Where a run of exactly so many backticks begins.
fn end_of_code(inner: &str, n_ticks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = inner[at..].find('`') {
        let start = at + found;
        let length = inner[start..].bytes().take_while(|&byte| byte == b'`').count();
        if length == n_ticks && start > 0 {
            return Some(start);
        }
        at = start + length;
    }
    None
}

/// Whatever it is: nothing between `<` and `>` is harmless for certain, and an address goes on over the end of a line.
fn angled(here: &str) -> Option<(Piece<'_>, usize)> {
    let end = here.find('>')?;
    Some((Piece::Angled(&here[1..end]), end + 1))
}

/// From a bracket to the next `](`, escaped or not, and on to the next `)`, as Discord finds links.
fn link(here: &str) -> Option<(Piece<'_>, usize)> {
    let Some(middle) = here.find("](") else { return Some((Piece::Marker("["), 1)) };
    let target = &here[middle + 2..];
    let Some(end) = target.find(')') else { return Some((Piece::Marker("["), 1)) };
    Some((Piece::Link { words: &here[1..middle], target: &target[..end] }, middle + 2 + end + 1))
}

fn italic(here: &str) -> Option<(Piece<'_>, usize)> {
    let line = here[1..].split('\n').next().unwrap_or_default();
    let end = line.find('*').filter(|&end| end > 0 && !line.starts_with(char::is_whitespace))?;
    Some((Piece::Italic(&line[..end]), end + 2))
}
