//! The terminal: a talk line by line, and single answers shown as they come.

mod completion;
mod picture;
mod screen;
mod style;

use std::io::{IsTerminal, Stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::space::Audience;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::completion::{MayOffer, Names};
use self::screen::Screen;
pub use self::style::ColorChoice;
use crate::app::App;
use crate::chat::clean::{TOOK_SECRET, was_redacted};
use crate::chat::{Answer, Question, Step};
use crate::store::{Audited, Store};
use crate::surface::{Outcome, Shown, Surface};

/// Lines of the history that are kept.
const MAX_HISTORY: usize = 1_000;

/// How often a talk lets go of files that were replaced since.
const LET_GO_EVERY: Duration = Duration::from_secs(2);

/// File of the history, in the data folder.
const HISTORY: &str = "chat_history";

/// Why nothing is shown.
const CANNOT_NOTE: &str = "the audit cannot be written, so nothing is shown";

type LineEditor = Editor<Names, DefaultHistory>;

/// What came from the keyboard.
enum Input {
    Line(String),
    /// Ctrl-C on the prompt: the line is given up.
    GivenUp,
    /// Ctrl-D, or the end of the input.
    End,
}

/// What answers in the terminal. Nothing is shown there before the audit has its row.
pub struct Terminal {
    /// What answers.
    pub app: App,
    store: Store,
}

impl Terminal {
    /// A terminal that asks `app` and keeps its audit in `store`.
    pub fn new(app: App, store: Store) -> Self {
        Self { app, store }
    }

    /// Writes the audit's row of something; only then it may be shown.
    ///
    /// # Errors
    /// Where the state does not serve.
    pub async fn note(&self, shown: Shown) -> anyhow::Result<()> {
        self.store.audit(&Audited::in_terminal(shown), now_ms()).await.context(CANNOT_NOTE)
    }

    /// An answer that may be shown.
    ///
    /// # Errors
    /// Where the audit cannot be written.
    pub async fn answer(&self, surface: Surface, question: &Question, cancel: &CancellationToken) -> anyhow::Result<Answer> {
        let answer = self.app.answer(question, &|_| {}, cancel).await;
        self.note(Shown::answer(surface, &question.audience, &answer)).await?;
        Ok(answer)
    }

    /// Answers one question on this terminal as the answer comes.
    ///
    /// # Errors
    /// Where the terminal or the audit cannot be written.
    pub async fn show(&self, question: &Question, color: ColorChoice, cancel: &CancellationToken) -> anyhow::Result<Answer> {
        let is_terminal = std::io::stdout().is_terminal();
        let mut screen = Screen::new(std::io::stdout(), color.paint(is_terminal), is_terminal);
        let (steps, mut taken) = mpsc::unbounded_channel();
        let on_step = |step: Step| _ = steps.send(step);
        let made = self.app.answer(question, &on_step, cancel);
        tokio::pin!(made);
        let mut sentences = Vec::new();
        let answer = loop {
            tokio::select! {
                biased;
                Some(step) = taken.recv() => sentences.extend(self.show_step(step, question, &mut screen).await?),
                answer = &mut made => break answer,
            }
        };
        while let Ok(step) = taken.try_recv() {
            sentences.extend(self.show_step(step, question, &mut screen).await?);
        }
        self.note(Shown::answer(Surface::Ask, &question.audience, &answer)).await?;
        sentences.iter().for_each(|sentence| screen.take(sentence));
        screen.finish(&answer.answer)?;
        show_picture(&self.app, &answer, is_terminal)?;
        Ok(answer)
    }

    /// Shows a step, but for the model's sentence: that is of the whole answer, and comes back until the audit has the row of it.
    async fn show_step(&self, step: Step, question: &Question, screen: &mut Screen<Stdout>) -> anyhow::Result<Option<Step>> {
        if matches!(step, Step::Narration(_)) {
            return Ok(Some(step));
        }
        if let Step::Facts { scope, basis, prompts, .. } = &step {
            self.note(Shown::facts(&question.audience, scope, basis, prompts)).await?;
        }
        screen.take(&step);
        Ok(None)
    }

    /// Notes that names are offered to who types; whether they may be shown. Waits, and so is not for a task's own thread.
    fn may_offer(self: &Arc<Self>, audience: &Audience) -> MayOffer {
        let scope = self.app.access().policy.scope_for(audience).map(|scope| scope.id()).unwrap_or_default();
        let shown = Shown { audience: audience.to_string(), scope, ..Shown::plain(Surface::Completion, Outcome::Shown) };
        let (terminal, runtime, audited) = (Arc::clone(self), Handle::current(), Audited::in_terminal(shown));
        Box::new(move || {
            let noted = runtime.block_on(terminal.store.audit_once_a_minute(&audited, now_ms()));
            noted.inspect_err(|error| tracing::error!(%error, "the audit cannot be written; no names are offered")).is_ok()
        })
    }
}

/// Talks until Ctrl-D.
///
/// # Errors
/// Where the terminal cannot be read or written, and where the audit cannot be written.
pub async fn chat(terminal: Arc<Terminal>, audience: Audience, color: ColorChoice) -> anyhow::Result<()> {
    let app = &terminal.app;
    let paint = color.paint(std::io::stdout().is_terminal());
    let history = app.settings.data.join(HISTORY);
    let mut editor = open_editor(&history)?;
    if std::io::stdin().is_terminal() {
        println!(
            "{}",
            paint.dim("Ask in your own words; `help` shows what can be typed. Tab completes names, Ctrl-C stops an answer, Ctrl-D leaves.")
        );
    }
    let (warming, letting_go) = (warm(Arc::clone(&terminal)), let_go(Arc::clone(&terminal)));
    loop {
        if let Some(names) = editor.helper_mut() {
            let vocabulary = app.vocabulary(&audience).await.unwrap_or_else(|_| Arc::new(Vocabulary::default()));
            *names = Names::new(vocabulary, terminal.may_offer(&audience));
        }
        let (read, returned) =
            tokio::task::spawn_blocking(move || (read_line(&mut editor), editor)).await.context("the line editor stopped")?;
        editor = returned;
        match read? {
            Input::End => break,
            Input::GivenUp => println!("{}", paint.dim("Ctrl-D leaves")),
            Input::Line(line) if line.trim().is_empty() => {}
            Input::Line(line) => {
                let question = Question::new(line.trim(), audience.clone()).in_zone(TimeZone::system()).without_secrets();
                if was_redacted(&question.text) {
                    println!("{}", paint.dim(TOOK_SECRET));
                }
                // The history is a comfort: where it cannot be written, the talk goes on.
                let _ = editor.add_history_entry(question.text.as_str()).and_then(|_| editor.save_history(&history));
                answer_until_ctrl_c(&terminal, &question, color).await?;
            }
        }
    }
    warming.abort();
    letting_go.abort();
    Ok(())
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
async fn answer_until_ctrl_c(terminal: &Terminal, question: &Question, color: ColorChoice) -> anyhow::Result<()> {
    let cancel = CancellationToken::new();
    let made = terminal.show(question, color, &cancel);
    tokio::pin!(made);
    tokio::select! {
        answer = &mut made => return answer.map(|_| ()),
        _ = tokio::signal::ctrl_c() => cancel.cancel(),
    }
    made.await.map(|_| ())
}

/// Loads the model while the first question is typed.
fn warm(terminal: Arc<Terminal>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = terminal.app.warm().await {
            tracing::warn!("the model is not there, facts answer alone: {error:#}");
        }
    })
}

/// A talk may stand open for days, and must not keep what is gone.
fn let_go(terminal: Arc<Terminal>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LET_GO_EVERY).await;
            terminal.app.let_go().await;
        }
    })
}

fn open_editor(history: &Path) -> anyhow::Result<LineEditor> {
    let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true);
    let config = config.max_history_size(MAX_HISTORY).context("cannot set up the line editor")?.build();
    let mut editor = LineEditor::with_config(config).context("cannot set up the line editor")?;
    editor.set_helper(Some(Names::new(Arc::new(Vocabulary::default()), Box::new(|| false))));
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

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
