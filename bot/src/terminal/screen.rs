//! One answer on the screen: what is being waited for, the facts, the model's sentence as it comes, and then what else there is.

use std::io::{self, Write};

use super::style::Paint;
use crate::chat::Step;

/// To the beginning of the line, and the line empty.
const ERASE: &str = "\r\u{1b}[2K";

/// Stands before what the model says: it is its reading, not a fact.
const READING: &str = "The model's reading: ";

/// Stands before the quote that the model put first, where another was shown first.
const PICK: &str = "Nearest, in the model's reading:\n";

/// Shows an answer while it is made.
pub(super) struct Screen<W> {
    out: W,
    paint: Paint,
    is_terminal: bool,
    /// What is there of the answer.
    shown: String,
    /// What is there of the model's sentence.
    narration: String,
    is_waiting: bool,
    /// A waiting line ended the line that the answer stood in.
    is_broken: bool,
}

impl<W: Write> Screen<W> {
    /// A waiting line is shown on a terminal only: it must be erased again.
    pub(super) fn new(out: W, paint: Paint, is_terminal: bool) -> Self {
        Self { out, paint, is_terminal, shown: String::new(), narration: String::new(), is_waiting: false, is_broken: false }
    }

    /// Shows one step. A screen that cannot be written is told at the end.
    pub(super) fn take(&mut self, step: &Step) {
        let _ = match step {
            Step::Waiting(what) => self.wait(what),
            Step::Facts { text, .. } => self.add_missing(text),
            Step::Narration(piece) => self.narrate(piece),
        };
    }

    /// Shows what is not there yet of the whole text.
    ///
    /// # Errors
    /// Where the screen cannot be written.
    pub(super) fn finish(&mut self, whole: &str) -> io::Result<()> {
        let pick = first_quote(whole).filter(|quote| first_quote(&self.shown).is_some_and(|shown| shown != *quote)).map(str::to_owned);
        self.add_missing(whole)?;
        if let Some(pick) = pick {
            self.add(&format!("\n\n{PICK}{pick}"))?;
        }
        self.erase_waiting()?;
        if !self.is_broken {
            writeln!(self.out)?;
        }
        self.out.flush()
    }

    fn wait(&mut self, what: &str) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        self.erase_waiting()?;
        if !self.shown.is_empty() && !self.is_broken {
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

    fn narrate(&mut self, piece: &str) -> io::Result<()> {
        if self.narration.is_empty() {
            self.add(&format!("{}{READING}", if self.shown.is_empty() { "" } else { "\n\n" }))?;
        }
        self.narration.push_str(piece);
        self.add(piece)
    }

    /// Adds the paragraphs that are not there yet. What came early stays where it stands, so sources may come before the sentence.
    fn add_missing(&mut self, text: &str) -> io::Result<()> {
        let narration = self.narration.trim().to_owned();
        let is_narration = |paragraph: &str| !narration.is_empty() && paragraph.ends_with(&narration);
        for paragraph in text.split("\n\n").filter(|paragraph| !is_narration(paragraph.trim())) {
            if self.shown.split("\n\n").any(|shown| shown.trim() == paragraph.trim()) {
                continue;
            }
            let gap = if self.shown.is_empty() { "" } else { "\n\n" };
            self.add(&format!("{gap}{paragraph}"))?;
        }
        Ok(())
    }

    fn add(&mut self, piece: &str) -> io::Result<()> {
        self.erase_waiting()?;
        let printed = if self.is_broken { piece.strip_prefix('\n').unwrap_or(piece) } else { piece };
        self.is_broken = false;
        // The first line is the answer.
        let end = printed.find('\n').unwrap_or(printed.len());
        let (first, others) = if self.shown.contains('\n') { ("", printed) } else { printed.split_at(end) };
        write!(self.out, "{}{}", self.paint.bold(first), self.paint.marks(others))?;
        self.shown.push_str(piece);
        self.out.flush()
    }
}

/// The first paragraph that is a quote.
fn first_quote(text: &str) -> Option<&str> {
    text.split("\n\n").find(|paragraph| paragraph.starts_with("> "))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::chat::Basis;

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
        let (scope, prompts) = (String::new(), Vec::new());
        Step::Facts { text: text.to_owned(), reply: Box::default(), scope, basis: Basis::default(), prompts }
    }

    fn said(text: &str) -> Step {
        Step::Narration(text.to_owned())
    }

    #[test]
    fn facts_come_first_and_the_sentence_below_them() {
        let steps = [waiting("choosing"), facts("a is 1\n\ntable\n\nSources: [1] x"), waiting("writing"), said("So a "), said("leads.")];
        let whole = "a is 1\n\ntable\n\nThe model's reading: So a leads.\n\nNote.\n\nSources: [1] x";
        let shown = "choosing...<a is 1\n\ntable\n\nSources: [1] x\nwriting...<\nThe model's reading: So a leads.\n\nNote.\n";
        assert_eq!(show(true, &steps, whole), shown);
    }

    #[test]
    fn elsewhere_than_on_a_terminal_nothing_is_erased() {
        assert_eq!(show(false, &[waiting("choosing"), facts("a is 1")], "a is 1"), "a is 1\n");
        assert_eq!(show(false, &[waiting("choosing")], "nothing found"), "nothing found\n");
    }

    #[test]
    fn waiting_for_nothing_leaves_no_trace() {
        assert_eq!(show(true, &[facts("a is 1"), waiting("reading")], "a is 1"), "a is 1\nreading...<");
    }

    #[test]
    fn the_quote_that_the_model_puts_first_is_pointed_out() {
        let shown = show(true, &[facts("two\n\n> b [1]\n\n> a [2]")], "two\n\n> a [2]\n\n> b [1]");
        assert_eq!(shown, "two\n\n> b [1]\n\n> a [2]\n\nNearest, in the model's reading:\n> a [2]\n");
    }

    #[test]
    fn the_first_line_stands_out() {
        let mut out = Vec::new();
        Screen::new(&mut out, Paint::Color, true).finish("a is 1 [1]\n\nb [2]").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\u{1b}[1ma is 1 [1]\u{1b}[0m\n\nb \u{1b}[2m[2]\u{1b}[0m\n");
    }
}
