//! Reads MLflow's SQLite store: opened read-only, columns by name, no transaction open while the pipeline is busy.
//!
//! A first pass lists experiments and runs and sums up what belongs to each run (params, tags, latest values, numbers of points)
//! in a fingerprint; only runs whose fingerprint changed are read, one at a time, with every point.

mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::store::{Store, StoredRun};
use super::folder::sha256;
use super::mlflow::artifacts::{self, Listed};
use super::mlflow::{self, Experiment, Keys, Placing, ToldRun};
use super::{Item, Known, Listing, Outlet, SourceError};

/// Reads the store at `path`.
///
/// # Errors
/// Where it is no MLflow store of a known shape, cannot be opened, or stays locked.
pub async fn read(path: &Path, known: Known, outlet: Outlet) -> Result<Listing, SourceError> {
    let store = Store::open(path).await?;
    let listing = read_store(&store, path, &known, &outlet).await;
    store.close().await;
    listing
}

async fn read_store(store: &Store, path: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let experiments = store.experiments().await?;
    let mut runs = store.runs().await?;
    let digests = store.digests().await?;
    mlflow::sort_for_keys(&mut runs, |run| &run.info);
    outlet.send(Item::Expect(runs.len())).await?;
    let reading = Reading { store, folder: path.parent().unwrap_or(Path::new(".")), experiments, digests };
    let mut keys = Keys::default();
    for run in runs {
        reading.one(run, &mut keys, known, outlet).await?;
    }
    Ok(Listing { is_complete: true, cursor: None })
}

/// What the first pass found.
struct Reading<'a> {
    store: &'a Store,
    folder: &'a Path,
    experiments: HashMap<i64, Experiment>,
    digests: HashMap<String, String>,
}

impl Reading<'_> {
    /// Sends one run: as gone, unchanged, read or complained about.
    async fn one(&self, run: StoredRun, keys: &mut Keys, known: &Known, outlet: &Outlet) -> Result<(), SourceError> {
        let id = run.info.id.clone();
        let Some(experiment) = self.experiments.get(&run.experiment_id) else {
            let message = format!("belongs to experiment `{}`, which the store does not have", run.experiment_id);
            return outlet.complain(&self.store.place(&id), message, Some(&id)).await;
        };
        if run.info.is_deleted || experiment.is_deleted {
            return if known.fingerprints.contains_key(&id) { outlet.send(Item::Gone(id)).await } else { Ok(()) };
        }
        let key = keys.claim(experiment, &run.info);
        let (folder, files) = self.artifacts(&run);
        let fingerprint = self.fingerprint(experiment, &run, &key, &files);
        if known.is_same(&id, &fingerprint) {
            return outlet.send(Item::Unchanged(id)).await;
        }
        let data = match self.store.contents(&id).await {
            Ok(contents) => contents,
            Err(store::RunError::Unreadable(message)) => return outlet.complain(&self.store.place(&id), message, Some(&id)).await,
            Err(store::RunError::Store(error)) => return Err(error),
        };
        let texts = folder.map(|folder| artifacts::read(&folder, &files)).unwrap_or_default();
        let told = ToldRun { info: run.info, data: data.data, series: data.series, texts };
        let record = mlflow::record(experiment, told, Placing { key, url: None, fingerprint });
        outlet.send(Item::Record(Box::new(record))).await
    }

    fn artifacts(&self, run: &StoredRun) -> (Option<PathBuf>, Vec<Listed>) {
        let folder = artifacts::folder(&run.info.artifact_uri, &run.info.id, self.folder);
        let files = folder.as_deref().map(artifacts::list).unwrap_or_default();
        (folder, files)
    }

    fn fingerprint(&self, experiment: &Experiment, run: &StoredRun, key: &str, files: &[Listed]) -> String {
        let digest = self.digests.get(&run.info.id).map(String::as_str).unwrap_or_default();
        let files = artifacts::fingerprint(files);
        let parts = [&experiment.fingerprint(), &run.info.fingerprint(), key, digest, &files];
        sha256(&parts.map(str::as_bytes))
    }
}
