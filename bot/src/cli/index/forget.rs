//! Behind the sources: what the state and the terminal keep of records that are gone.

use std::path::Path;
use std::time::{Duration, SystemTime};

use runlore_indexer::config::Settings;
use runlore_indexer::search::Corpus;

use super::super::existing_state;
use crate::serve::{SMALL_BYTES, forget_fallen};

/// How long the terminal's charts are kept: long enough to be looked at and passed on, and drawn again when they are asked for.
const CHARTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Forgets it. A running service does the same within seconds; this is for where none runs. A state that does not serve is told, and no
/// failure of indexing.
pub(super) async fn forget_gone(settings: &Settings, corpus: &Corpus) {
    if let Err(error) = forget_answers(settings, corpus).await {
        eprintln!("error: answers that rest on what is gone are still kept: {error:#}");
    }
    if let Err(error) = forget_charts(&settings.data.join("charts"), SystemTime::now()) {
        eprintln!("error: old charts are still kept: {error}");
    }
}

async fn forget_answers(settings: &Settings, corpus: &Corpus) -> anyhow::Result<()> {
    if let Some(store) = existing_state(settings).await? {
        let n_forgotten = forget_fallen(&store, &corpus.catalog, &settings.access).await?;
        if n_forgotten > 0 {
            store.scrub(SMALL_BYTES).await?;
        }
    }
    Ok(())
}

fn forget_charts(folder: &Path, now: SystemTime) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_old = now.duration_since(entry.metadata()?.modified()?).is_ok_and(|age| age > CHARTS_KEPT);
        if is_old {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn charts_are_kept_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("loss.png");
        std::fs::write(&chart, "png").unwrap();
        forget_charts(folder.path(), SystemTime::now()).unwrap();
        assert!(chart.exists());
        forget_charts(folder.path(), SystemTime::now() + CHARTS_KEPT + Duration::from_secs(1)).unwrap();
        assert!(!chart.exists());
        forget_charts(&folder.path().join("none"), SystemTime::now()).unwrap();
    }
}
