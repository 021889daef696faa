//! Logs, and the reference ids that lead from an answer to its log line. Texts of questions, passages and prompts are not logged, and
//! of what is logged secrets are taken out.

use std::io::{self, IsTerminal, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use runlore_indexer::redact::redact_secrets;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// What is logged unless `RUST_LOG` says otherwise: warnings, and of the chatty libraries errors alone.
const DEFAULT_FILTER: &str = "warn,mistralrs=error,mistralrs_core=error,mistralrs_quant=error,candle_core=error,ort=error,tantivy=error,\
                              tokenizers=error,qdrant_edge=error,hf_hub=error,sqlx=error,rustyline=error";

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Sends logs to standard error; what is said a second time in one process is ignored.
pub fn set_up() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // Whatever is asked for: its lines hold what people wrote, and addresses that are secrets.
    let filter = ["slack_morphism=off", "serenity=off"].iter().filter_map(|off| off.parse().ok()).fold(filter, EnvFilter::add_directive);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| LogLines).with_target(false);
    let subscriber = subscriber.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // Only a second call fails, and the first one's settings are as good.
    let _ = subscriber.try_init();
}

/// Standard error, without secrets: an error may name the address or quote the text that it is about.
struct LogLines;

impl Write for LogLines {
    /// Takes a whole line, as the subscriber gives it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (text, _) = redact_secrets(String::from_utf8_lossy(line));
        io::stderr().lock().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Logs what went wrong, with its causes, and gives the id under which it is found there: all that the person is told.
pub fn failure_reference(error: &anyhow::Error) -> String {
    let reference = fresh_reference();
    tracing::error!(reference, "{error:#}");
    reference
}

/// Eight letters, new every time; no digits, so that it is never taken for a value.
fn fresh_reference() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let name = format!("{nanos} {} {}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).as_bytes()[..8].iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_new_every_time() {
        let seen: std::collections::HashSet<String> = (0..1000).map(|_| fresh_reference()).collect();
        assert_eq!(seen.len(), 1000);
    }
}
