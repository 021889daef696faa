//! Starts the parts of the service and ends them in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use runlore_indexer::config::Settings;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ServeSettings, Service, brief, health_router, intake, post, standing, work};

/// Longest time that the answers under way get to end.
const ANSWERS_END: Duration = Duration::from_secs(12);

/// Longest time that what is due gets to go out.
const POSTS_END: Duration = Duration::from_secs(6);

/// How often what is old is forgotten, and in how many such rounds the state's file is cleared of it, however large it is.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);
const ROUNDS_A_DAY: u64 = 20;

/// How often the settings file is looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// Runs everything but the platforms until `service.stop()` fires, and then ends in an order that loses nothing: what was not
/// answered or posted stands in the state, and the next start goes on with it.
///
/// # Errors
/// Where the address of health and metrics is taken.
pub async fn run(service: Arc<Service>) -> anyhow::Result<()> {
    let address = service.settings.health;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot serve health and metrics on {address}"))?;
    let (router, stop) = (health_router(Arc::clone(&service)), service.stop.clone());
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "health and metrics are not served any more");
        }
    });
    let warming = {
        let app = Arc::clone(&service.app);
        tokio::spawn(async move {
            if let Err(error) = app.warm().await {
                tracing::warn!("the model is not there, facts answer alone: {error:#}");
            }
        })
    };
    // These end with the service.
    let mut keepers = JoinSet::new();
    keepers.spawn(follow_settings(Arc::clone(&service)));
    keepers.spawn(tidy(Arc::clone(&service)));
    keepers.spawn(standing::follow_catalog(Arc::clone(&service)));
    keepers.spawn(brief::bring_due(Arc::clone(&service)));
    let mut others = JoinSet::new();
    others.spawn(intake::take_up(Arc::clone(&service)));
    others.spawn(post::send_due(Arc::clone(&service)));
    let mut workers = JoinSet::new();
    for _ in 0..service.settings.at_once {
        workers.spawn(work::answer_waiting(Arc::clone(&service)));
    }
    // None of these ends by itself; where one does, all end in order rather than go on deaf.
    let broken = tokio::select! {
        biased;
        () = service.stop.cancelled() => None,
        ended = others.join_next() => Some(ended),
        ended = workers.join_next() => Some(ended),
    };
    service.stop.cancel();
    warming.abort();
    let ended = tokio::time::timeout(ANSWERS_END, async { while workers.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!("an answer did not end in time; it is begun again at the next start");
    }
    if tokio::time::timeout(POSTS_END, service.nothing_due()).await.is_err() {
        tracing::warn!("not everything could be posted in time; the rest goes out at the next start");
    }
    others.shutdown().await;
    keepers.shutdown().await;
    match broken {
        None | Some(None) => Ok(()),
        Some(Some(Err(error))) => Err(anyhow::Error::new(error).context("a part of the service broke off")),
        Some(Some(Ok(()))) => anyhow::bail!("a part of the service ended by itself"),
    }
}

/// Keeps memory and tables small, and what is old no longer than the settings say; from the start on, since no run may last an hour.
async fn tidy(service: Arc<Service>) {
    let kept_ms = i64::try_from(service.settings.kept.as_millis()).unwrap_or(i64::MAX);
    for round in 0_u64.. {
        service.limits().tidy();
        let n_gone = service.store.prune(super::now_ms().saturating_sub(kept_ms)).await;
        let cleared = match n_gone {
            Ok(_) if round.is_multiple_of(ROUNDS_A_DAY) => service.store.scrub(i64::MAX).await,
            Ok(n_gone) if n_gone > 0 => service.store.scrub(standing::SMALL_BYTES).await,
            Ok(_) => Ok(true),
            Err(error) => Err(error),
        };
        if let Err(error) = cleared {
            tracing::warn!(%error, "cannot forget what is old");
        }
        tokio::select! {
            () = tokio::time::sleep(TIDY_EVERY) => {}
            () = service.stop.cancelled() => return,
        }
    }
}

/// Takes over who may read and ask what, and how often, when the settings file changes; a broken file changes nothing, and is said once.
async fn follow_settings(service: Arc<Service>) {
    let file = service.app.settings.file.clone();
    let mut last = fingerprint(&file);
    loop {
        tokio::select! {
            () = tokio::time::sleep(RELOAD_EVERY) => {}
            () = service.stop.cancelled() => return,
        }
        let now = fingerprint(&file);
        if now == last {
            continue;
        }
        last = now;
        match Settings::read(&file).and_then(|settings| ServeSettings::from(&settings).map(|serve| (settings, serve))) {
            Ok((settings, serve)) => {
                service.app.replace_access(settings.access);
                service.allow(&serve);
                tracing::info!("settings read again");
            }
            Err(error) => tracing::error!("the settings are broken, the last good ones stay: {error}"),
        }
    }
}

/// What changes when the file, or one of the channel files beside it, changes.
fn fingerprint(file: &std::path::Path) -> Vec<(std::path::PathBuf, Option<std::time::SystemTime>, u64)> {
    let mut files = vec![file.to_owned()];
    if let Some(folder) = Settings::channel_files(file) {
        files.extend(std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    files.sort();
    let state = |path: std::path::PathBuf| {
        let metadata = std::fs::metadata(&path).ok();
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        (path, modified, metadata.map_or(0, |metadata| metadata.len()))
    };
    files.into_iter().map(state).collect()
}
