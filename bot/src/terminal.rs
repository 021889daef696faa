//! The terminal: a talk line by line, and single answers shown as they come.

mod completion;
mod picture;
mod screen;
mod style;

use jiff::tz::TimeZone;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::space::Audience;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio_util::sync::CancellationToken;

use self::completion::Names;
use self::screen::Screen;
pub use self::style::ColorChoice;
use crate::app::App;
use crate::chat::{Answer, Question, Step};

/// Lines of the history that are kept.
const MAX_HISTORY: usize = 1_000;

/// How often a talk lets go of files that were replaced since.
const LET_GO_EVERY: Duration = Duration::from_secs(2);

/// File of the history, in the data folder.
const HISTORY: &str = "chat_history";

type LineEditor = Editor<Names, DefaultHistory>;

/// What came from the keyboard.
enum Input {
    Line(String),
    /// Ctrl-C on the prompt: the line is given up.
    GivenUp,
    /// Ctrl-D, or the end of the input.
    End,
}

/// Talks until Ctrl-D.
///
/// # Errors
/// Where the terminal cannot be read or written.
pub async fn chat(app: Arc<App>, audience: Audience, color: ColorChoice) -> anyhow::Result<()> {
    let paint = color.paint(std::io::stdout().is_terminal());
    let history = app.settings.data.join(HISTORY);
    let mut editor = open_editor(&history)?;
    if std::io::stdin().is_terminal() {
        println!(
            "{}",
            paint.dim("Ask in your own words; `help` shows what can be typed. Tab completes names, Ctrl-C stops an answer, Ctrl-D leaves.")
        );
    }
    let (warming, letting_go) = (warm(Arc::clone(&app)), let_go(Arc::clone(&app)));
    loop {
        if let Some(names) = editor.helper_mut() {
            *names = Names::new(app.vocabulary(&audience).await.unwrap_or_else(|_| Arc::new(Vocabulary::default())));
        }
        let (read, returned) =
            tokio::task::spawn_blocking(move || (read_line(&mut editor), editor)).await.context("the line editor stopped")?;
        editor = returned;
        match read? {
            Input::End => break,
            Input::GivenUp => println!("{}", paint.dim("Ctrl-D leaves")),
            Input::Line(line) if line.trim().is_empty() => {}
            Input::Line(line) => {
                // The history is a comfort: where it cannot be written, the talk goes on.
                let _ = editor.add_history_entry(line.as_str()).and_then(|_| editor.save_history(&history));
                let question = Question::new(line.trim(), audience.clone()).in_zone(TimeZone::system());
                answer_until_ctrl_c(&app, &question, color).await?;
            }
        }
    }
    warming.abort();
    letting_go.abort();
    Ok(())
}

/// Answers one question on this terminal as the answer comes.
///
/// # Errors
/// Where the terminal cannot be written.
pub async fn answer(app: &App, question: &Question, color: ColorChoice, cancel: &CancellationToken) -> anyhow::Result<Answer> {
    let is_terminal = std::io::stdout().is_terminal();
    let screen = Mutex::new(Screen::new(std::io::stdout(), color.paint(is_terminal), is_terminal));
    let locked = || screen.lock().unwrap_or_else(PoisonError::into_inner);
    let on_step = |step: Step| locked().take(&step);
    let answer = app.answer(question, &on_step, cancel).await;
    locked().finish(&answer.answer)?;
    drop(screen);
    show_picture(app, &answer, is_terminal)?;
    Ok(answer)
}

/// Shows an answer's chart where the terminal can, and says where it is kept.
///
/// # Errors
/// Where it cannot be written.
pub fn show_picture(app: &App, answer: &Answer, is_terminal: bool) -> anyhow::Result<()> {
    let Some(chart) = &answer.reply.picture else { return Ok(()) };
    let png = chart.bytes();
    if let Some(protocol) = picture::protocol(|name| std::env::var(name).ok(), is_terminal) {
        print!("{}", picture::escape(protocol, &png));
    }
    let folder = app.settings.data.join("charts");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let file = folder.join(&chart.name);
    std::fs::write(&file, png).with_context(|| format!("cannot write `{}`", file.display()))?;
    println!("Chart: {}", file.display());
    Ok(())
}

/// Ctrl-C stops the answer and not the program.
async fn answer_until_ctrl_c(app: &App, question: &Question, color: ColorChoice) -> anyhow::Result<()> {
    let cancel = CancellationToken::new();
    let made = answer(app, question, color, &cancel);
    tokio::pin!(made);
    tokio::select! {
        answer = &mut made => return answer.map(|_| ()),
        _ = tokio::signal::ctrl_c() => cancel.cancel(),
    }
    made.await.map(|_| ())
}

/// Loads the model while the first question is typed.
fn warm(app: Arc<App>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = app.warm().await {
            tracing::warn!("the model is not there, facts answer alone: {error:#}");
        }
    })
}

/// A talk may stand open for days, and must not keep what is gone.
fn let_go(app: Arc<App>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LET_GO_EVERY).await;
            app.let_go().await;
        }
    })
}

fn open_editor(history: &Path) -> anyhow::Result<LineEditor> {
    let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true);
    let config = config.max_history_size(MAX_HISTORY).context("cannot set up the line editor")?.build();
    let mut editor = LineEditor::with_config(config).context("cannot set up the line editor")?;
    editor.set_helper(Some(Names::new(Arc::new(Vocabulary::default()))));
    // There is none the first time.
    let _ = editor.load_history(history);
    Ok(editor)
}

fn read_line(editor: &mut LineEditor) -> anyhow::Result<Input> {
    match editor.readline("> ") {
        Ok(line) => Ok(Input::Line(line)),
        Err(ReadlineError::Interrupted) => Ok(Input::GivenUp),
        Err(ReadlineError::Eof) => Ok(Input::End),
        // A pasted line that is no text is given up like one that was not wanted.
        Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => Ok(Input::GivenUp),
        Err(error) => Err(error).context("cannot read from the terminal"),
    }
}
