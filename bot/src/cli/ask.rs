//! `runlore ask`: one question, or a file of them.

use jiff::tz::TimeZone;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};

use anyhow::Context;
use clap::Args;
use runlore_indexer::space::Audience;
use tokio_util::sync::CancellationToken;

use super::{Asking, Exit, Form, Options, WrongUse, out};
use crate::answer::Subject;
use crate::chat::clean::{TOOK_SECRET, was_redacted};
use crate::chat::{Answer, Basis, Question, Reply, Timings};
use crate::surface::{Outcome, Shown, Surface};
use crate::terminal::{self, Terminal};

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The question, in your own words or as a typed command
    #[arg(value_name = "QUESTION", required_unless_present = "batch", conflicts_with = "batch")]
    question: Vec<String>,
    /// Answer a file of questions, one a line; `-` is standard input. Of a line that is a JSON object its `question` is read
    #[arg(long, value_name = "FILE")]
    batch: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Answers what was asked.
pub(super) async fn ask(args: &AskArgs, options: &Options) -> anyhow::Result<Exit> {
    if args.batch.is_none() && args.question.iter().all(|word| word.trim().is_empty()) {
        return Err(WrongUse("the question is empty; `runlore ask \"help\"` says what can be asked".to_owned()).into());
    }
    let settings = options.settings()?;
    let audience = args.asking.audience(&settings)?;
    let lines = args.batch.as_deref().map(open_lines).transpose()?;
    let terminal = args.asking.open(settings).await?;
    let cancel = cancelled_by_ctrl_c();
    match lines {
        Some(lines) => batch(&terminal, lines, &audience, options.form, &cancel).await,
        None => one(&terminal, typed(&args.question.join(" "), audience), options, &cancel).await,
    }
}

/// The question as it is asked: a secret in it is taken out, and that is said.
fn typed(text: &str, audience: Audience) -> Question {
    let question = Question::new(text, audience).in_zone(TimeZone::system()).without_secrets();
    if was_redacted(&question.text) {
        eprintln!("note: {TOOK_SECRET}");
    }
    question
}

/// Ctrl-C ends the answer that is being made; what is there of it is printed.
pub(super) fn cancelled_by_ctrl_c() -> CancellationToken {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            token.cancel();
        }
    });
    cancel
}

async fn one(terminal: &Terminal, question: Question, options: &Options, cancel: &CancellationToken) -> anyhow::Result<Exit> {
    let answer = if options.form == Form::Text && io::stdout().is_terminal() {
        terminal.show(&question, options.color, cancel).await?
    } else {
        let answer = terminal.answer(Surface::Ask, &question, cancel).await?;
        print(&answer, options.form)?;
        if options.form == Form::Text {
            terminal::show_picture(&terminal.app, &answer, false)?;
        }
        answer
    };
    Ok(if answer.reference.is_some() { Exit::Failure } else { Exit::Fine })
}

fn print(answer: &Answer, form: Form) -> io::Result<()> {
    match form {
        Form::Json => out::json(answer),
        Form::Text => out::line(&answer.answer),
    }
}

type Lines = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>;

fn open_lines(file: &str) -> Result<Lines, WrongUse> {
    if file == "-" {
        return Ok(Box::new(BufReader::new(io::stdin()).split(b'\n')));
    }
    let opened = File::open(file).map_err(|e| WrongUse(format!("cannot read `{file}`: {e}")))?;
    Ok(Box::new(BufReader::new(opened).split(b'\n')))
}

/// Answers a line at a time, in order, each printed as soon as it is there.
async fn batch(terminal: &Terminal, mut lines: Lines, audience: &Audience, form: Form, cancel: &CancellationToken) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    loop {
        let read = tokio::task::spawn_blocking(move || (lines.next(), lines));
        let line = tokio::select! {
            read = read => {
                let (line, rest) = read.context("the reader of questions stopped")?;
                lines = rest;
                line
            }
            () = cancel.cancelled() => return Ok(Exit::Failure),
        };
        let Some(line) = line else { return Ok(exit) };
        let line = line.context("cannot read the questions")?;
        let answer = match question_of(&String::from_utf8_lossy(&line)) {
            Line::Empty => continue,
            Line::Question(text) => {
                let question = Question::new(text, audience.clone()).in_zone(TimeZone::system());
                terminal.answer(Surface::Ask, &question, cancel).await?
            }
            Line::Wrong(text) => {
                terminal.note(Shown::plain(Surface::Ask, Outcome::Refused)).await?;
                not_asked(text)
            }
        };
        if answer.reference.is_some() || answer.question.is_empty() {
            exit = exit.max(Exit::Complaints);
        }
        match form {
            Form::Json => out::json(&answer)?,
            Form::Text => out::line(&format!("> {}\n{}\n", answer.question, answer.answer))?,
        }
        if cancel.is_cancelled() {
            return Ok(Exit::Failure);
        }
    }
}

/// What a line of a batch asks.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Empty,
    Question(String),
    /// A JSON object without a question; the sentence says so.
    Wrong(String),
}

fn question_of(line: &str) -> Line {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() {
        return Line::Empty;
    }
    match serde_json::from_str(line) {
        Ok(serde_json::Value::Object(object)) => match object.get("question").and_then(serde_json::Value::as_str).map(str::trim) {
            Some(question) if !question.is_empty() => Line::Question(question.to_owned()),
            _ => Line::Wrong("This line is a JSON object without a `question`.".to_owned()),
        },
        _ => Line::Question(line.to_owned()),
    }
}

/// Stands in the place of an answer, so that every line has one.
fn not_asked(sentence: String) -> Answer {
    Answer {
        question: String::new(),
        answer: sentence,
        abstained: true,
        best_record: None,
        records: Vec::new(),
        quotes: Vec::new(),
        facts: Vec::new(),
        citations: Vec::new(),
        plan: Vec::new(),
        timings_ms: Timings::default(),
        reference: None,
        reply: Reply::default(),
        subject: Subject::default(),
        scope: String::new(),
        basis: Basis::default(),
        prompts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_question_or_an_object_with_one() {
        let question = |text: &str| Line::Question(text.to_owned());
        assert_eq!(question_of("  \r"), Line::Empty);
        assert_eq!(question_of(" best wer \r"), question("best wer"));
        assert_eq!(question_of(r#"{"id": 3, "answer": "x", "question": " why? "}"#), question("why?"));
        assert_eq!(question_of("{why?"), question("{why?"));
        assert_eq!(question_of("42"), question("42"));
        assert!(matches!(question_of(r#"{"ask": "why?"}"#), Line::Wrong(_)));
    }
}
