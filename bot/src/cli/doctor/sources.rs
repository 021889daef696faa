//! Whether a source can be read: its reader is started and stopped at the first thing that it finds.

use std::time::Duration;

use runlore_indexer::source::{Known, Outlet, Source, SourceError};
use tokio::sync::mpsc;

use super::Check;

/// Longest wait for a first sign.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads the beginning of a source.
pub(super) async fn reach(source: &Source) -> Check {
    let name = format!("source `{}`", source.name);
    let (sender, mut receiver) = mpsc::channel(1);
    let reader = {
        let source = source.clone();
        tokio::spawn(async move { source.read(Known::default(), Outlet::new(sender)).await })
    };
    let first = tokio::time::timeout(PATIENCE, receiver.recv()).await;
    // A reader that nobody listens to any more stops.
    drop(receiver);
    let advice = advice(source);
    match first {
        Err(_) => {
            reader.abort();
            Check::broken(&name, format!("no sign of life within {} seconds", PATIENCE.as_secs()), advice)
        }
        Ok(Some(_)) => Check::ok(&name, format!("kind `{}`, can be read", source.kind())),
        Ok(None) => match reader.await {
            Ok(Ok(_)) => Check::warning(&name, "can be read and holds nothing", advice),
            Ok(Err(SourceError::Stopped)) => Check::ok(&name, format!("kind `{}`, can be read", source.kind())),
            Ok(Err(e)) => Check::broken(&name, e.to_string(), advice),
            Err(e) => Check::broken(&name, format!("its reader crashed: {e}"), advice),
        },
    }
}

fn advice(source: &Source) -> String {
    let keys = match source.kind() {
        "mlflow" => "`url`, `username`, `password_env` or `token_env`",
        "git" => "`path` and `branch`",
        _ => "`path`",
    };
    format!("check {keys} of the source in the settings; what was read before stays and answers")
}
