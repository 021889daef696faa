//! Reads an MLflow server by its REST interface (shared sources.md 1.2, measured with 3.17; fields of 2.x are understood too).
//!
//! Every run is listed each time, with its latest values; histories, every point of them, and text artifacts are fetched only
//! of runs whose listing changed, and once a week of all: a point put in before the latest one does not show in a listing. A run
//! that is known and not listed is asked for by its id, because a listing hides what we may not see as if it were not there.
//! With access control a server answers for a run that no longer exists as for one that is not ours to see (403); which of the
//! two it is another run of the same experiment shows, so the experiment's id stands before the hash in a fingerprint.

mod client;
mod fetch;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt as _;

use self::client::{CallError, Client};
use self::fetch::{Artifacts, Fetched};
use self::wire::ListedRun;
use super::mlflow::{self, Experiment, Keys, Placing};
use super::{Item, Known, Listing, MlflowServer, Outlet, SourceError};

/// After how long every run is read again whatever its listing says.
const FULL_READING_EVERY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Runs that are asked for by id at a time.
const N_CONFIRMED_AT_ONCE: usize = 4;

/// Reads the server.
///
/// # Errors
/// Where it refuses us, does not answer, or answers as something else than MLflow; what was sent before stays.
pub async fn read(server: &MlflowServer, known: Known, outlet: Outlet) -> Result<Listing, SourceError> {
    let client = Client::new(server)?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis());
    let last_full_ms = known.cursor.as_deref().and_then(|cursor| cursor.parse().ok());
    let is_full = last_full_ms.is_none_or(|last| now_ms.saturating_sub(last) > FULL_READING_EVERY.as_millis());
    let mut reading = Reading {
        client: &client,
        known: &known,
        outlet: &outlet,
        is_full,
        keys: Keys::default(),
        seen: HashSet::new(),
        witnesses: HashMap::new(),
        artifacts: Artifacts::Served,
    };
    let experiments = client.experiments().await.map_err(CallError::into_source)?;
    let mut n_runs = 0;
    for experiment in &experiments {
        let runs = client.runs(&experiment.id).await.map_err(CallError::into_source)?;
        n_runs += runs.len();
        outlet.send(Item::Expect(n_runs)).await?;
        reading.experiment(experiment, runs).await?;
    }
    reading.confirm_the_unseen().await?;
    let full_ms = if is_full { Some(now_ms) } else { last_full_ms };
    Ok(Listing { is_complete: false, cursor: full_ms.map(|ms: u128| ms.to_string()) })
}

/// One reading of a server.
struct Reading<'a> {
    client: &'a Client,
    known: &'a Known,
    outlet: &'a Outlet,
    is_full: bool,
    keys: Keys,
    seen: HashSet<String>,
    /// By experiment id, a run that was listed.
    witnesses: HashMap<String, String>,
    artifacts: Artifacts,
}

impl Reading<'_> {
    async fn experiment(&mut self, experiment: &Experiment, mut runs: Vec<ListedRun>) -> Result<(), SourceError> {
        mlflow::sort_for_keys(&mut runs, |run| &run.info);
        self.witnesses.extend(runs.first().map(|run| (experiment.id.clone(), run.info.id.clone())));
        for run in runs {
            // Pages are cut by offset: a run that was started meanwhile moves others onto the next page, where they come again.
            if !self.seen.insert(run.info.id.clone()) {
                continue;
            }
            self.run(experiment, run).await?;
        }
        Ok(())
    }

    /// Sends one listed run: as gone, unchanged, read or complained about.
    async fn run(&mut self, experiment: &Experiment, run: ListedRun) -> Result<(), SourceError> {
        let id = run.info.id.clone();
        if run.info.is_deleted || experiment.is_deleted {
            return self.gone(id).await;
        }
        let key = self.keys.claim(experiment, &run.info);
        let fingerprint = format!("{}:{}", experiment.id, run.fingerprint(experiment, &key));
        if !self.is_full && self.known.is_same(&id, &fingerprint) {
            return self.outlet.send(Item::Unchanged(id)).await;
        }
        let placing = Placing { url: Some(self.client.run_url(&experiment.id, &id)), key, fingerprint };
        match fetch::run(self.client, run, self.artifacts).await {
            Ok(Fetched { told, complaint, artifacts }) => {
                self.artifacts = artifacts;
                if let Some(message) = complaint {
                    self.outlet.complain(&self.client.place(&id), message, Some(&id)).await?;
                }
                let record = mlflow::record(experiment, told, placing);
                self.outlet.send(Item::Record(Box::new(record))).await
            }
            Err(CallError::Denied { status: 403, .. }) => self.access_lost(&id).await,
            Err(CallError::Rejected { message, .. }) => self.outlet.complain(&self.client.place(&id), message, Some(&id)).await,
            // Gone since it was listed: the confirmation will say so.
            Err(CallError::Missing { .. }) => {
                self.seen.remove(&id);
                Ok(())
            }
            Err(error) => Err(error.into_source()),
        }
    }

    /// Asks by id for what is known and was not listed.
    async fn confirm_the_unseen(&self) -> Result<(), SourceError> {
        let mut unseen: Vec<&String> = self.known.fingerprints.keys().filter(|id| !self.seen.contains(*id)).collect();
        unseen.sort();
        let asked = |id: &String| {
            let id = id.clone();
            async move { (self.client.is_deleted(&id).await, id) }
        };
        let mut answers = futures::stream::iter(unseen.into_iter().map(asked)).buffered(N_CONFIRMED_AT_ONCE);
        while let Some((answer, id)) = answers.next().await {
            match answer {
                Ok(true) | Err(CallError::Missing { .. }) => self.gone(id).await?,
                // There after all: it slipped between two pages, and the next reading lists it.
                Ok(false) => self.outlet.send(Item::Unchanged(id)).await?,
                Err(CallError::Denied { status: 403, .. }) if self.may_read_beside(&id).await? => self.gone(id).await?,
                Err(CallError::Denied { status: 403, .. }) => self.access_lost(&id).await?,
                Err(CallError::Rejected { message, .. }) => self.outlet.complain(&self.client.place(&id), message, Some(&id)).await?,
                Err(error) => return Err(error.into_source()),
            }
        }
        Ok(())
    }

    /// Whether, at this moment, we may read another run of the experiment in which this one was.
    async fn may_read_beside(&self, id: &str) -> Result<bool, SourceError> {
        let fingerprint = self.known.fingerprints.get(id).map(String::as_str).unwrap_or_default();
        let experiment = fingerprint.split_once(':').map(|(experiment, _)| experiment).unwrap_or_default();
        let Some(witness) = self.witnesses.get(experiment) else { return Ok(false) };
        match self.client.is_deleted(witness).await {
            Ok(_) => Ok(true),
            Err(CallError::Broken(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    async fn gone(&self, id: String) -> Result<(), SourceError> {
        if self.known.fingerprints.contains_key(&id) { self.outlet.send(Item::Gone(id)).await } else { Ok(()) }
    }

    async fn access_lost(&self, id: &str) -> Result<(), SourceError> {
        let message =
            "access lost: the server no longer shows this run to us (403); it is kept, and not answered from until it is shown again";
        self.outlet.complain(&self.client.place(id), message, Some(id)).await?;
        self.outlet.send(Item::Withheld(id.to_owned())).await
    }
}
