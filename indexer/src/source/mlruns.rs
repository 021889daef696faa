//! Reads MLflow's `mlruns` folder (shared sources.md 1.4): one folder an experiment, one a run, one file a param, tag or metric.
//!
//! A run changed when a file in its folder has another size or another time. A half-written line is a complaint with its place;
//! the lines before it are kept.

mod files;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::files::{Complaints, RunMeta};
use super::folder::sha256;
use super::mlflow::artifacts::{self, Listed};
use super::mlflow::{self, Experiment, Keys, Placing, RunInfo, ToldRun};
use super::{Complaint, Item, Known, Listing, Outlet, SourceError};

/// Folders beside the experiments that hold something else.
const NOT_EXPERIMENTS: [&str; 2] = [".trash", "models"];
/// Folders beside an experiment's runs that hold something else.
const NOT_RUNS: [&str; 4] = ["tags", "datasets", "models", "traces"];

/// Reads the folder at `path`.
///
/// # Errors
/// Where it cannot be listed, or holds no experiment.
pub fn read(path: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let place = path.display().to_string();
    let folders = subfolders(path).map_err(|e| SourceError::Unreadable { place: place.clone(), reason: e.to_string() })?;
    let mut reading = Reading { known, outlet, keys: Keys::default(), is_complete: true, n_runs: 0 };
    let mut n_experiments = 0;
    for folder in folders.iter().filter(|folder| is_experiment(folder)) {
        n_experiments += 1;
        reading.experiment(folder)?;
    }
    if n_experiments == 0 {
        let reason = "no folder in it has a `meta.yaml` of an experiment".to_owned();
        return Err(SourceError::NotWhatItShouldBe { place, expected: "an mlruns folder", reason });
    }
    Ok(Listing { is_complete: reading.is_complete, cursor: None })
}

/// One reading of an `mlruns` folder.
struct Reading<'a> {
    known: &'a Known,
    outlet: &'a Outlet,
    keys: Keys,
    is_complete: bool,
    n_runs: usize,
}

/// A run whose `meta.yaml` is read.
struct FoundRun {
    folder: PathBuf,
    info: RunInfo,
}

impl Reading<'_> {
    fn experiment(&mut self, folder: &Path) -> Result<(), SourceError> {
        let experiment = match files::experiment(folder) {
            Ok(experiment) => experiment,
            Err(complaint) => return self.incomplete(complaint),
        };
        let runs = match self.runs(folder) {
            Ok(runs) => runs?,
            Err(e) => return self.incomplete(files::complaint(folder, &e)),
        };
        self.n_runs += runs.len();
        self.outlet.send_blocking(Item::Expect(self.n_runs))?;
        for run in runs {
            self.run(&experiment, run)?;
        }
        Ok(())
    }

    /// Passes a complaint on after which nothing can be concluded from what was not seen.
    fn incomplete(&mut self, complaint: Complaint) -> Result<(), SourceError> {
        self.is_complete = false;
        self.outlet.send_blocking(Item::Complaint(complaint))
    }

    /// The runs of an experiment, in the order of their keys.
    fn runs(&self, folder: &Path) -> std::io::Result<Result<Vec<FoundRun>, SourceError>> {
        let mut runs = Vec::new();
        for folder in subfolders(folder)?.into_iter().filter(|folder| is_run(folder)) {
            match files::run(&folder) {
                Ok(RunMeta { info }) => runs.push(FoundRun { folder, info }),
                Err(complaint) => {
                    if let Err(stopped) = self.outlet.send_blocking(Item::Complaint(complaint)) {
                        return Ok(Err(stopped));
                    }
                }
            }
        }
        mlflow::sort_for_keys(&mut runs, |run| &run.info);
        Ok(Ok(runs))
    }

    /// Sends one run: as gone, unchanged or read, with what could not be read of it.
    fn run(&mut self, experiment: &Experiment, run: FoundRun) -> Result<(), SourceError> {
        let id = run.info.id.clone();
        if run.info.is_deleted || experiment.is_deleted {
            let is_known = self.known.fingerprints.contains_key(&id);
            return if is_known { self.outlet.send_blocking(Item::Gone(id)) } else { Ok(()) };
        }
        let key = self.keys.claim(experiment, &run.info);
        let folder = run.folder.join("artifacts");
        let listed = artifacts::list(&folder);
        let fingerprint = fingerprint(experiment, &run, &key, &listed);
        if self.known.is_same(&id, &fingerprint) {
            return self.outlet.send_blocking(Item::Unchanged(id));
        }
        let mut complaints = Complaints::about(&id);
        let data = files::data(&run.folder, &mut complaints);
        let series = files::series(&run.folder, &mut complaints);
        for complaint in complaints.into_inner() {
            self.outlet.send_blocking(Item::Complaint(complaint))?;
        }
        let told = ToldRun { info: run.info, data, series, texts: artifacts::read(&folder, &listed) };
        let record = mlflow::record(experiment, told, Placing { key, url: None, fingerprint });
        self.outlet.send_blocking(Item::Record(Box::new(record)))
    }
}

fn fingerprint(experiment: &Experiment, run: &FoundRun, key: &str, artifacts: &[Listed]) -> String {
    let stamps = files::stamps(&run.folder);
    let artifacts = artifacts::fingerprint(artifacts);
    let parts = [&experiment.fingerprint(), &run.info.fingerprint(), key, &stamps, &artifacts];
    sha256(&parts.map(str::as_bytes))
}

/// The folders in a folder, by name.
fn subfolders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

fn is_experiment(folder: &Path) -> bool {
    !is_named(folder, &NOT_EXPERIMENTS) && folder.join(files::META).is_file()
}

fn is_run(folder: &Path) -> bool {
    !is_named(folder, &NOT_RUNS) && folder.join(files::META).is_file()
}

fn is_named(folder: &Path, names: &[&str]) -> bool {
    let names: HashSet<&str> = names.iter().copied().collect();
    folder.file_name().is_some_and(|name| names.contains(name.to_string_lossy().as_ref()))
}
