//! How many runs.

use std::collections::BTreeMap;

use runlore_indexer::catalog::RunFilter;
use runlore_indexer::run::RunStatus;

use super::format::{columns, narrowed, runs_word, status_words};
use super::{Desk, Finding, LookUpError};
use crate::facts::Fact;

/// Runs that are named.
const MAX_NAMED: usize = 5;

/// Counts runs that match, by status and by project. "Failed" is the tracker's word; killed and crashed are counted apart and said.
pub(super) async fn look_up(desk: &mut Desk<'_>, filter: &RunFilter) -> Result<Finding, LookUpError> {
    let runs = desk.corpus.catalog.runs(desk.scope, filter).await?;
    let mut finding = Finding::default();
    let n = desk.ledger.show(Fact::count("runs", runs.len()));
    let verb = if runs.len() == 1 { "There is" } else { "There are" };
    finding.headline = format!("{verb} {n} {}{}.", runs_word(runs.len()), narrowed(filter, desk.zone));
    let (mut by_project, mut by_status): (BTreeMap<&str, usize>, BTreeMap<&str, usize>) = (BTreeMap::new(), BTreeMap::new());
    for run in &runs {
        *by_project.entry(&run.project).or_default() += 1;
        *by_status.entry(status_words(run.status)).or_default() += 1;
    }
    if filter.status.is_none() && by_status.len() > 1 {
        finding.lines.extend(tally(desk, "runs by status", &by_status));
    }
    if filter.project.is_none() && by_project.len() > 1 {
        finding.lines.extend(tally(desk, "runs by project", &by_project));
    }
    if filter.status == Some(RunStatus::Failed) {
        finding.notices.extend(ended_otherwise(desk, filter).await?);
    }
    for run in runs.iter().take(MAX_NAMED) {
        finding.cite(&run.key, &run.name, run.url.as_deref());
    }
    Ok(finding)
}

fn tally(desk: &mut Desk<'_>, what: &str, counts: &BTreeMap<&str, usize>) -> Vec<String> {
    let rows: Vec<Vec<String>> = counts
        .iter()
        .map(|(name, n)| vec![(*name).to_owned(), desk.ledger.show(Fact { label: Some((*name).to_owned()), ..Fact::count(what, *n) })])
        .collect();
    columns(&rows)
}

/// Killed and crashed runs beside the failed ones.
async fn ended_otherwise(desk: &mut Desk<'_>, filter: &RunFilter) -> Result<Option<String>, LookUpError> {
    let mut parts = Vec::new();
    for status in [RunStatus::Killed, RunStatus::Crashed] {
        let n = desk.corpus.catalog.runs(desk.scope, &RunFilter { status: Some(status), ..filter.clone() }).await?.len();
        if n > 0 {
            parts.push(format!("{} {}", desk.ledger.show(Fact::count(&format!("runs {}", status.as_str()), n)), status.as_str()));
        }
    }
    Ok((!parts.is_empty()).then(|| format!("Failed is what the tracker calls failed; besides, {}.", parts.join(" and "))))
}
