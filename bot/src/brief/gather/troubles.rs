//! What went wrong: failed runs with what their logs say and what worked later, and runs that fell silent.

use std::collections::{HashMap, HashSet};

use runlore_indexer::catalog::{CatalogError, RunRow};
use runlore_indexer::record::RecordId;
use runlore_indexer::run::RunStatus;

use super::super::failures::{Failed, Group, Kin, error_line, fix_of, grouped};
use super::super::habits::{self, Silent};
use super::{Asked, Runs, has_ended_in};

/// The failures of the period, grouped.
pub(super) async fn failures(
    asked: &Asked<'_>,
    runs: &Runs,
    params: &HashMap<RecordId, Vec<(String, String)>>,
) -> Result<Vec<Group>, CatalogError> {
    let is_failed = |run: &&RunRow| matches!(run.status, RunStatus::Failed | RunStatus::Crashed) && has_ended_in(run, asked.period);
    let broken: Vec<&RunRow> = runs.all.iter().filter(is_failed).collect();
    let projects: HashSet<&str> = broken.iter().map(|run| run.project.as_str()).collect();
    let kin = |run: &'_ RunRow| -> (Option<String>, Vec<(String, String)>) {
        let parent = runs.details.get(&run.record).and_then(|detail| detail.parent.clone());
        (parent, params.get(&run.record).cloned().unwrap_or_default())
    };
    let worked = |run: &&RunRow| {
        run.status == RunStatus::Finished && projects.contains(run.project.as_str()) && run.started_ms >= Some(asked.period.start_ms)
    };
    let worked: Vec<(&RunRow, _)> = runs.all.iter().filter(worked).map(|run| (run, kin(run))).collect();
    let worked: Vec<Kin<'_>> = worked.iter().map(|(run, (parent, params))| Kin { run, parent: parent.as_deref(), params }).collect();
    let mut failed = Vec::new();
    for run in broken {
        let line = error_line(&asked.catalog.texts_of(asked.scope, run.record).await?);
        let (parent, params) = kin(run);
        let fix = fix_of(&Kin { run, parent: parent.as_deref(), params: &params }, &worked);
        failed.push(Failed { run: run.clone(), line, fix });
    }
    Ok(grouped(failed))
}

/// Runs that should log and do not, as of when the sources were last read; the longest silence last. Nothing where they never were.
pub(super) async fn silent(asked: &Asked<'_>, runs: &Runs, known_until_ms: Option<i64>) -> Result<Vec<Silent>, CatalogError> {
    let has_begun = |run: &RunRow| run.started_ms.is_some_and(|at| at < asked.period.end_ms);
    let running: Vec<&RunRow> = runs.all.iter().filter(|run| run.status == RunStatus::Running && has_begun(run)).collect();
    let ids: Vec<RecordId> = running.iter().map(|run| run.record).collect();
    let times = asked.catalog.point_times(asked.scope, &ids).await?;
    let Some(now_ms) = known_until_ms.map(|until| until.min(asked.as_of_ms())) else { return Ok(Vec::new()) };
    let none = Vec::new();
    let found = running.into_iter().filter_map(|run| habits::silent(run, times.get(&run.record).unwrap_or(&none), now_ms));
    let mut silent: Vec<Silent> = found.collect();
    silent.sort_by_key(|silent| (silent.silent_ms, silent.run.record));
    Ok(silent)
}
