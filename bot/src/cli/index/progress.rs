//! Progress of indexing on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runlore_indexer::pipeline::Progress;

const BAR: &str = "{prefix:16} {wide_bar:.dim} {pos} of {len} {msg} {per_sec} {eta} left";
const SPINNER: &str = "{prefix:16} {spinner} {pos} {msg} {per_sec}";

/// What is being done right now.
#[derive(PartialEq, Eq)]
enum Stage {
    Source(String),
    Applying,
}

/// Shows progress.
pub(super) struct Reporter {
    is_terminal: bool,
    now: Mutex<Option<(Stage, ProgressBar)>>,
}

impl Reporter {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), now: Mutex::new(None) }
    }

    /// Shows one piece of news.
    pub(super) fn take(&self, progress: Progress) {
        match progress {
            Progress::Source { name } => self.begin(Stage::Source(name)),
            Progress::Records { n_seen, n_expected } => self.set(n_seen, n_expected),
            Progress::Applying { n_done, n_all } => {
                self.begin(Stage::Applying);
                self.set(n_done, Some(n_all));
            }
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some((_, bar)) = self.now.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    fn begin(&self, stage: Stage) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.as_ref().is_some_and(|(current, _)| *current == stage) {
            return;
        }
        if let Some((_, bar)) = now.take() {
            bar.finish_and_clear();
        }
        let (name, unit) = match &stage {
            Stage::Source(name) => (name.clone(), "records"),
            Stage::Applying => ("indexes".to_owned(), "changes"),
        };
        if !self.is_terminal {
            eprintln!("{}", if stage == Stage::Applying { "indexing".to_owned() } else { format!("reading `{name}`") });
        }
        let bar = if self.is_terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        bar.set_style(style(SPINNER));
        bar.set_prefix(name);
        bar.set_message(unit);
        bar.enable_steady_tick(Duration::from_millis(200));
        *now = Some((stage, bar));
    }

    fn set(&self, n: u64, n_all: Option<u64>) {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, bar)) = now.as_ref() else { return };
        if let Some(n_all) = n_all.filter(|n_all| *n_all > 0 && bar.length() != Some(*n_all)) {
            bar.set_length(n_all);
            bar.set_style(style(BAR));
        }
        bar.set_position(n);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
