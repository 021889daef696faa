//! One answer on the screen: what is being waited for, the facts, the model's sentence as it comes, and then the rest.

use std::io::{self, Write};

use super::style::Paint;
use crate::chat::Step;

/// To the beginning of the line, and the line empty.
const ERASE: &str = "\r\u{1b}[2K";

/// Shows an answer while it is made.
pub(super) struct Screen<W> {
    out: W,
    paint: Paint,
    is_terminal: bool,
    /// What is there of the answer.
    shown: String,
    is_waiting: bool,
    /// A waiting line ended the line that the answer stood in.
    is_broken: bool,
}

impl<W: Write> Screen<W> {
    /// A waiting line is shown on a terminal only: it must be erased again.
    pub(super) fn new(out: W, paint: Paint, is_terminal: bool) -> Self {
        Self { out, paint, is_terminal, shown: String::new(), is_waiting: false, is_broken: false }
    }

    /// Shows one step. A screen that cannot be written is told at the end.
    pub(super) fn take(&mut self, step: &Step) {
        let _ = match step {
            Step::Waiting(what) => self.wait(what),
            Step::Facts(text) => self.bring_to(text),
            Step::Narration(piece) => self.add(piece),
        };
    }

    /// Shows what is not there yet of the whole text.
    ///
    /// # Errors
    /// Where the screen cannot be written.
    pub(super) fn finish(&mut self, whole: &str) -> io::Result<()> {
        self.bring_to(whole)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    fn wait(&mut self, what: &str) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        self.erase_waiting()?;
        if !self.shown.is_empty() && !self.shown.ends_with('\n') && !self.is_broken {
            writeln!(self.out)?;
            self.is_broken = true;
        }
        write!(self.out, "{}", self.paint.dim(&format!("{what}...")))?;
        self.is_waiting = true;
        self.out.flush()
    }

    fn erase_waiting(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_waiting) {
            write!(self.out, "{ERASE}")?;
        }
        Ok(())
    }

    /// Adds what `text` has more than is shown. Text that goes on differently is shown whole, below.
    fn bring_to(&mut self, text: &str) -> io::Result<()> {
        match rest_after(&self.shown, text) {
            Some(rest) => self.add(rest),
            None => {
                self.add("\n\n")?;
                self.shown.clear();
                self.add(text)
            }
        }
    }

    fn add(&mut self, piece: &str) -> io::Result<()> {
        self.erase_waiting()?;
        let printed = if self.is_broken { piece.strip_prefix('\n').unwrap_or(piece) } else { piece };
        if !piece.is_empty() {
            self.is_broken = false;
        }
        // The first line is the answer.
        let is_first_line = !self.shown.contains('\n');
        let (first, others) = if is_first_line { printed.split_at(printed.find('\n').unwrap_or(printed.len())) } else { ("", printed) };
        write!(self.out, "{}{}", self.paint.bold(first), self.paint.marks(others))?;
        self.shown.push_str(piece);
        self.out.flush()
    }
}

/// What follows in `text` behind `shown`, whatever spaces and line ends either has.
fn rest_after<'a>(shown: &str, text: &'a str) -> Option<&'a str> {
    let mut rest = text;
    for c in shown.chars().filter(|c| !c.is_whitespace()) {
        rest = rest.trim_start().strip_prefix(c)?;
    }
    // What ends in the middle of a word would be taken for the beginning of another.
    Some(if shown.ends_with(char::is_whitespace) { rest.trim_start() } else { rest })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn show(is_terminal: bool, steps: &[Step], whole: &str) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, Paint::Plain, is_terminal);
        steps.iter().for_each(|step| screen.take(step));
        screen.finish(whole).unwrap();
        String::from_utf8(out).unwrap().replace(ERASE, "<")
    }

    fn waiting(text: &str) -> Step {
        Step::Waiting(text.to_owned())
    }

    fn facts(text: &str) -> Step {
        Step::Facts(text.to_owned())
    }

    fn said(text: &str) -> Step {
        Step::Narration(text.to_owned())
    }

    #[test]
    fn facts_come_first_then_the_sentence_then_the_sources() {
        let steps = [waiting("choosing"), facts("a is 1\ntable"), waiting("writing"), said("So a "), said("leads.")];
        let whole = "a is 1\ntable\n\nSo a leads.\n\nSources\n[1] x";
        assert_eq!(show(true, &steps, whole), "choosing...<a is 1\ntable\nwriting...<So a leads.\n\nSources\n[1] x\n");
    }

    #[test]
    fn elsewhere_than_on_a_terminal_nothing_is_erased() {
        assert_eq!(show(false, &[waiting("choosing"), facts("a is 1")], "a is 1"), "a is 1\n");
        assert_eq!(show(false, &[waiting("choosing")], "nothing found"), "nothing found\n");
    }

    #[test]
    fn a_text_that_goes_on_differently_is_shown_whole() {
        assert_eq!(show(true, &[facts("a is 1"), said("\n\nSo b")], "a is 1\n\nSources"), "a is 1\n\nSo b\n\na is 1\n\nSources\n");
    }

    #[test]
    fn the_first_line_stands_out() {
        let mut out = Vec::new();
        Screen::new(&mut out, Paint::Color, true).finish("a is 1 [1]\nb [2]").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{1b}[1ma is 1 [1]\u{1b}[0m\nb \u{1b}[2m[2]\u{1b}[0m\n");
    }
}
