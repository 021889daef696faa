//! What is fetched of a changed run: every point of every metric, and its text artifacts.

use futures::{StreamExt as _, TryStreamExt as _};

use super::client::{CallError, Client, chain};
use super::wire::{ArtifactsPage, ListedRun, WireFile};
use crate::run::{RunText, Series};
use crate::source::SourceError;
use crate::source::mlflow::ToldRun;
use crate::source::mlflow::artifacts::{self, Listed, MAX_BYTES, Tail};

/// Histories that are fetched at a time.
const N_HISTORIES_AT_ONCE: usize = 4;
/// Most folders of a run's artifacts that are listed.
const MAX_FOLDERS: usize = 50;
/// Longest artifact whose end is fetched, in bytes: a server that knows no ranges sends all of it.
const MAX_ARTIFACT: u64 = 256 << 20;

/// A run, and what of it could not be read.
pub(super) struct Fetched {
    pub(super) told: ToldRun,
    pub(super) complaint: Option<String>,
    pub(super) artifacts: Artifacts,
}

/// Whether the server hands out artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Artifacts {
    /// As far as we know.
    Served,
    /// Not at present: asking for every run would cost as many time-outs.
    Down,
}

/// Fetches a run. Texts that cannot be had are a complaint, everything else is an error.
pub(super) async fn run(client: &Client, run: ListedRun, artifacts: Artifacts) -> Result<Fetched, CallError> {
    let series = series(client, &run).await?;
    let mut fetched = Fetched { told: ToldRun { info: run.info, data: run.data, series, texts: Vec::new() }, complaint: None, artifacts };
    if artifacts == Artifacts::Down {
        return Ok(fetched);
    }
    match texts(client, &fetched.told.info.id).await {
        Ok(texts) => fetched.told.texts = texts,
        Err(CallError::Denied { place, status: 401 }) => return Err(CallError::Denied { place, status: 401 }),
        Err(error) => {
            if matches!(error, CallError::Broken(SourceError::NoAnswer { .. })) {
                fetched.artifacts = Artifacts::Down;
            }
            fetched.complaint = Some(format!("its artifacts cannot be read: {}", error.into_source()));
        }
    }
    Ok(fetched)
}

async fn series(client: &Client, run: &ListedRun) -> Result<Vec<Series>, CallError> {
    let one = |key: &String| {
        let key = key.clone();
        async move {
            let points = client.history(&run.info.id, &key).await?;
            let mut series = Series { key, points };
            series.sort();
            Ok(series)
        }
    };
    futures::stream::iter(run.metrics.iter().map(one)).buffered(N_HISTORIES_AT_ONCE).try_collect().await
}

async fn texts(client: &Client, run_id: &str) -> Result<Vec<RunText>, CallError> {
    let files = artifacts::choose(list(client, run_id).await?);
    let mut texts = Vec::new();
    for file in files {
        texts.extend(text(client, run_id, &file).await?);
    }
    Ok(texts)
}

/// Walks a run's artifacts, folder by folder.
async fn list(client: &Client, run_id: &str) -> Result<Vec<Listed>, CallError> {
    let mut folders = vec![String::new()];
    let mut files = Vec::new();
    let mut n_listed = 0;
    while let Some(folder) = folders.pop() {
        if n_listed == MAX_FOLDERS {
            break;
        }
        n_listed += 1;
        for found in list_folder(client, run_id, &folder).await? {
            if found.is_dir {
                folders.push(found.path);
            } else {
                files.push(Listed { path: found.path, size: found.file_size.unwrap_or(1), modified_ms: 0 });
            }
        }
    }
    Ok(files)
}

async fn list_folder(client: &Client, run_id: &str, folder: &str) -> Result<Vec<WireFile>, CallError> {
    let mut files = Vec::new();
    let mut token = String::new();
    loop {
        let mut query = vec![("run_id", run_id)];
        if !folder.is_empty() {
            query.push(("path", folder));
        }
        if !token.is_empty() {
            query.push(("page_token", &token));
        }
        let page: ArtifactsPage = client.get("/api/2.0/mlflow/artifacts/list", &query).await?;
        files.extend(page.files);
        match page.next_page_token {
            Some(next) if !next.is_empty() => token = next,
            _ => return Ok(files),
        }
    }
}

/// The end of one text artifact.
async fn text(client: &Client, run_id: &str, file: &Listed) -> Result<Option<RunText>, CallError> {
    if file.size > MAX_ARTIFACT {
        return Ok(None);
    }
    let wanted = (file.size > MAX_BYTES).then_some(MAX_BYTES);
    let mut response = match client.open("/get-artifact", &[("run_id", run_id), ("path", &file.path)], wanted).await {
        Ok(response) => response,
        Err(CallError::Missing { .. } | CallError::Rejected { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut tail = Tail::new(file.size);
    while let Some(piece) = response.chunk().await.map_err(|e| client.no_answer(chain(&e)))? {
        tail.push(&piece);
    }
    Ok(tail.text(&file.path))
}
