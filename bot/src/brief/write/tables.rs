//! What a brief counts: its headline, runs by project, cost, and how runs are kept. Pure.

use std::collections::BTreeMap;

use runlore_indexer::catalog::RunRow;
use runlore_indexer::run::RunStatus;

use super::super::Period;
use super::super::gather::Gathered;
use super::super::items::ItemKind;
use super::super::lines;
use super::super::pen::Pen;
use super::{Body, N_LISTED, Section, and_more};
use crate::facts::{Fact, FactKind};
use crate::tools::format::runs_word;

/// Projects of the table.
const MAX_PROJECTS: usize = 12;

/// What the table counts of the runs that ended, beside those that finished and failed: said where there is one.
const ENDS: [RunStatus; 4] = [RunStatus::Crashed, RunStatus::Killed, RunStatus::Pruned, RunStatus::Unknown];

/// `2025-W11 (2025-03-10 to 2025-03-16)`.
pub(super) fn week(pen: &mut Pen<'_>, period: &Period) -> String {
    let (first, last) = period.days();
    let key = pen.word("week", &period.key());
    format!("{key} ({} to {})", pen.word("first day", &first.to_string()), pen.word("last day", &last.to_string()))
}

/// The week in one sentence.
pub(super) fn headline(pen: &mut Pen<'_>, gathered: &Gathered, period: &Period, is_over: bool) -> String {
    let week = week(pen, period);
    let so_far = if is_over { "" } else { " so far" };
    let mut parts = vec![format!("{} started", pen.counted("run", gathered.began.len()))];
    let n_of = |status| gathered.ended.iter().filter(|run| run.status == status).count();
    parts.push(format!("{} finished", pen.count("runs finished", n_of(RunStatus::Finished))));
    parts.push(format!("{} failed", pen.count("runs failed", n_of(RunStatus::Failed))));
    for status in ENDS.into_iter().filter(|status| n_of(*status) > 0) {
        parts.push(format!("{} {}", pen.count(&format!("runs {}", status.as_str()), n_of(status)), status.as_str()));
    }
    if gathered.n_running > 0 {
        parts.push(format!("{} still running", pen.count("runs still running", gathered.n_running)));
    }
    let of_kind = |kind| gathered.items.iter().filter(|item| item.kind == kind).count();
    let besides = [
        ("new best", gathered.bests.iter().filter(|best| best.previous.is_some()).count()),
        ("merged pull", gathered.pulls.len()),
        ("decision", of_kind(ItemKind::Decision)),
        ("open item", of_kind(ItemKind::Open)),
    ];
    for (what, n) in besides.into_iter().filter(|(_, n)| *n > 0) {
        parts.push(pen.counted(what, n));
    }
    format!("The week {week}{so_far}: {}.", parts.join(", "))
}

/// Runs by project: started, and how those ended that ended.
pub(super) fn runs(pen: &mut Pen<'_>, gathered: &Gathered) -> Option<Section> {
    let mut projects: BTreeMap<&str, usize> = BTreeMap::new();
    for run in gathered.began.iter().chain(&gathered.ended) {
        projects.entry(&run.project).or_default();
    }
    for run in &gathered.began {
        *projects.entry(&run.project).or_default() += 1;
    }
    let mut order: Vec<(&str, usize)> = projects.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let n_ended = |project: &str, status| gathered.ended.iter().filter(|run| run.project == project && run.status == status).count();
    let ends: Vec<RunStatus> = [RunStatus::Finished, RunStatus::Failed]
        .into_iter()
        .chain(ENDS.into_iter().filter(|status| gathered.ended.iter().any(|run| run.status == *status)))
        .collect();
    let mut head = vec!["project".to_owned(), "started".to_owned()];
    head.extend(ends.iter().map(|status| status.as_str().to_owned()));
    let mut rows = vec![head];
    for &(project, n_began) in order.iter().take(MAX_PROJECTS) {
        let mut row = vec![pen.project(project), pen.count_of("runs started", project, n_began)];
        row.extend(ends.iter().map(|status| pen.count_of(&format!("runs {}", status.as_str()), project, n_ended(project, *status))));
        rows.push(row);
    }
    let n_more = order.len().saturating_sub(MAX_PROJECTS);
    if n_more > 0 {
        rows.push(vec![format!("and {} more", pen.count("projects not listed", n_more))]);
    }
    (!order.is_empty()).then(|| Section { title: "Runs by project".to_owned(), body: Body::Table(rows) })
}

/// Pulls that were merged before the week and whose merge its runs ran.
pub(super) fn linked(pen: &mut Pen<'_>, gathered: &Gathered) -> Option<Section> {
    let is_told = |record| gathered.pulls.iter().any(|pull| pull.record == record);
    let earlier: Vec<_> = gathered.linked.iter().filter(|linked| !is_told(linked.pull.record)).collect();
    let mut told: Vec<String> = earlier.iter().take(N_LISTED).map(|linked| lines::linked(pen, linked)).collect();
    told.extend(and_more(pen, "pulls not listed", earlier.len()));
    (!told.is_empty()).then(|| Section { title: "Runs by pull".to_owned(), body: Body::List(told) })
}

/// GPU-hours, and how many of them each new best took, where runs say how many GPUs they had.
pub(super) fn cost(pen: &mut Pen<'_>, gathered: &Gathered) -> Option<Section> {
    let cost = gathered.gpu_hours?;
    let hours = |value: f64| Fact { unit: Some("h".to_owned()), ..Fact::new(FactKind::Metric, "GPU-hours").with_value(value) };
    let all = pen.number(hours(cost.hours));
    let (n, n_ended) = (pen.count("runs that log their GPUs", cost.n_runs), pen.counted("run", gathered.ended.len()));
    let mut told = vec![format!("{all} GPU-hours in {n} of {n_ended} that ended")];
    let n_better = gathered.bests.iter().filter(|best| best.previous.is_some()).count();
    if n_better > 0 && cost.hours > 0.0 {
        let each = pen.number(hours(cost.hours / n_better as f64));
        told.push(format!("{each} GPU-hours for each new best"));
    }
    Some(Section { title: "Cost".to_owned(), body: Body::List(told) })
}

/// Runs without a note, and names that are like no other.
pub(super) fn hygiene(pen: &mut Pen<'_>, gathered: &Gathered) -> Option<Section> {
    let mut told = Vec::new();
    let mut tell = |pen: &mut Pen<'_>, runs: &[RunRow], what: &str| {
        if !runs.is_empty() {
            let (n, noun) = (pen.count(&format!("runs {what}"), runs.len()), runs_word(runs.len()));
            told.push(format!("{n} {noun} {what}: {}", lines::some_runs(pen, runs.iter())));
        }
    };
    tell(pen, &gathered.without_notes, "without a note");
    tell(pen, &gathered.oddly_named, "with a name unlike most of the project's");
    (!told.is_empty()).then(|| Section { title: "Hygiene".to_owned(), body: Body::List(told) })
}
