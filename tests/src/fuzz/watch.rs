//! Looks after the input that is being tried: one that never ends could not be reported by who tries it.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// After so long an input is taken for one that never ends.
const NEVER_ENDS: Duration = Duration::from_secs(60);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is tried, and since when.
type Case = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// A thread beside the one that tries; it ends with this.
pub(super) struct Watch {
    case: Case,
    _ends: Sender<()>,
}

impl Watch {
    pub(super) fn start(name: &'static str) -> Self {
        let (case, (ends, ended)) = (Case::default(), mpsc::channel());
        let watched = Arc::clone(&case);
        std::thread::spawn(move || {
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let case = watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some((_, input)) = case.filter(|(since, _)| since.elapsed() > NEVER_ENDS) {
                    let file = keep(name, &input).map_or_else(|error| format!("{error:#}"), |file| file.display().to_string());
                    eprintln!("fuzz {name}: an input does not end within {NEVER_ENDS:?}: {file}");
                    // Nothing else ends a thread that computes for ever.
                    std::process::abort();
                }
            }
        });
        Self { case, _ends: ends }
    }

    /// Does something with an input, under watch.
    pub(super) fn over<T>(&self, input: &[u8], work: impl FnOnce() -> T) -> T {
        let set = |case| *self.case.lock().unwrap_or_else(PoisonError::into_inner) = case;
        set(Some((Instant::now(), input.to_vec())));
        let done = work();
        set(None);
        done
    }
}

/// Writes an input to a file of its own in the folder for temporary files.
pub(super) fn keep(name: &str, input: &[u8]) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join("runlore-fuzz");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let digest: String = Sha256::digest(input).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(format!("{name}-{digest}"));
    std::fs::write(&file, input).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
