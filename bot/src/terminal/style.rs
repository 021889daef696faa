//! A little colour, which survives being switched off.

use clap::ValueEnum;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// What it means for an output.
    pub(super) fn paint(self, is_terminal: bool) -> Paint {
        // https://no-color.org: set and not empty.
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Self::Always => Paint::Color,
            Self::Auto if is_terminal && !is_refused => Paint::Color,
            Self::Auto | Self::Never => Paint::Plain,
        }
    }
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// With escape sequences.
    Color,
    /// Letters alone.
    Plain,
}

impl Paint {
    /// Stands out.
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap(BOLD, text)
    }

    /// Stands back.
    pub(super) fn dim(self, text: &str) -> String {
        self.wrap(DIM, text)
    }

    /// Source marks such as `[3]` stand back.
    pub(super) fn marks(self, text: &str) -> String {
        let mut painted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, mark, after)) = next_mark(rest) {
            painted.push_str(before);
            painted.push_str(&self.dim(mark));
            rest = after;
        }
        painted.push_str(rest);
        painted
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Color if !text.is_empty() => format!("{code}{text}{PLAIN}"),
            _ => text.to_owned(),
        }
    }
}

/// Cuts at the first `[DIGITS]`.
fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    for (start, _) in text.match_indices('[') {
        let digits = text[start + 1..].chars().take_while(char::is_ascii_digit).count();
        let end = start + 1 + digits;
        if digits > 0 && text[end..].starts_with(']') {
            return Some((&text[..start], &text[start..=end], &text[end + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_back_and_other_brackets_do_not() {
        assert_eq!(Paint::Color.marks("a [1] b[0] [x]"), format!("a {DIM}[1]{PLAIN} b{DIM}[0]{PLAIN} [x]"));
        assert_eq!(Paint::Plain.marks("a [1]"), "a [1]");
    }

    #[test]
    fn colour_is_for_terminals_or_on_demand() {
        assert_eq!(ColorChoice::Auto.paint(false), Paint::Plain);
        assert_eq!(ColorChoice::Always.paint(false), Paint::Color);
        assert_eq!(ColorChoice::Never.paint(true), Paint::Plain);
    }
}
