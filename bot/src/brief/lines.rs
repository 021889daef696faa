//! One line for each thing that a brief tells. Pure.

use std::collections::BTreeMap;

use runlore_indexer::catalog::{PullRow, RunRow};
use runlore_indexer::run::RunStatus;

use super::failures::{Failed, Fix, Group};
use super::gather::{Linked, NewBest, NoteItem};
use super::habits::Silent;
use super::pen::Pen;
use crate::facts::{Fact, FactKind};
use crate::tools::format::{runs_word, why};

/// Runs, folders and changes that one line names.
const MAX_RUNS: usize = 2;
const MAX_FOLDERS: usize = 3;
const MAX_CHANGES: usize = 3;

/// Seeds below which a spread says little.
const FEW_SEEDS: usize = 5;

/// `New best val/map in vessel-detect, higher is better, declared in the settings: 0.61 by vd-mosaic-s2 at step 40, better by ...`
pub(super) fn best(pen: &mut Pen<'_>, best: &NewBest) -> String {
    let (value, step) = (pen.value(&best.metric, best.at, &best.run), pen.step(&best.metric, best.at, &best.run));
    let (run, project) = (pen.run(&best.run), pen.project(&best.run.project));
    let going_on = if best.run.status == RunStatus::Running { " (still running)" } else { "" };
    let metric = pen.word("metric", &best.metric);
    let told = format!("{metric} in {project}, {}: {value} by {run}{going_on} at step {step}", why(best.known));
    let told = match &best.previous {
        None => format!("First {told}"),
        Some((previous, before)) => {
            let gap = Fact::new(FactKind::Difference, &best.metric).with_value((best.at.value - before.value).abs());
            let (gap, old) = (pen.number(gap), pen.value(&best.metric, *before, previous));
            format!("New best {told}, better by {gap} than {old} of {}", pen.run(previous))
        }
    };
    format!("{told}{}", best.seeds.as_ref().map(|seeds| spread(pen, best, seeds)).unwrap_or_default())
}

fn spread(pen: &mut Pen<'_>, best: &NewBest, seeds: &super::gather::Seeds) -> String {
    let mean = pen.number(Fact::new(FactKind::Mean, &best.metric).with_value(seeds.mean));
    let sd = pen.number(Fact::new(FactKind::Sd, &best.metric).with_value(seeds.sd));
    let n = pen.count("seeds", seeds.n);
    let few = if seeds.n < FEW_SEEDS { ", which are few" } else { "" };
    format!("; mean {mean}, standard deviation {sd} over {n} seeds of its settings{few}")
}

/// Runs that failed alike, what their log says, and what worked later.
pub(super) fn failure(pen: &mut Pen<'_>, group: &Group) -> String {
    let line = group.runs.iter().find_map(|failed| Some((failed, failed.line.as_deref()?)));
    let said = match line {
        Some((failed, line)) => pen.line("error", line, &failed.run.key),
        None => "no error stands in a log".to_owned(),
    };
    let names = some_runs(pen, group.runs.iter().map(|failed| &failed.run));
    let n = group.runs.len();
    let alike = if n == 1 { String::new() } else { format!("{} alike: ", pen.count("runs that failed alike", n)) };
    let fixed = group.runs.iter().find_map(|failed| Some((failed, failed.fix.as_ref()?)));
    format!("Failed, {alike}{names}: {said}{}", fixed.map(|(failed, fix)| worked(pen, failed, fix)).unwrap_or_default())
}

fn worked(pen: &mut Pen<'_>, failed: &Failed, fix: &Fix) -> String {
    let run = pen.run(&fix.run);
    let mut changes = Vec::new();
    for change in fix.changes.iter().take(MAX_CHANGES) {
        let mut value = |value: &Option<String>, run: &RunRow| match value {
            Some(raw) => pen.param(&change.name, raw, run),
            None => "not logged".to_owned(),
        };
        let (after, before) = (value(&change.after, &fix.run), value(&change.before, &failed.run));
        changes.push(format!("{} {after} (was {before})", super::pen::one_line(&change.name, 90)));
    }
    let n_more = fix.changes.len().saturating_sub(MAX_CHANGES);
    if n_more > 0 {
        changes.push(format!("{} more", pen.count("params that differ and are not listed", n_more)));
    }
    let how = if changes.is_empty() { "the same params".to_owned() } else { changes.join(", ") };
    format!("; {run} worked later with {how}")
}

/// A decision, word for word, and where it stands.
pub(super) fn decision(pen: &mut Pen<'_>, item: &NoteItem) -> String {
    format!("Decided: {}", note_item(pen, item))
}

/// An item of a note, word for word, and where it stands.
pub(super) fn note_item(pen: &mut Pen<'_>, item: &NoteItem) -> String {
    let note = pen.note(item.note, &item.key, &item.title);
    format!("{} ({note})", pen.line("item", &item.text, &item.key))
}

/// A merged pull, by whom, what it touches, and how many runs of the week ran it.
pub(super) fn pull(pen: &mut Pen<'_>, pull: &PullRow, n_runs: usize) -> String {
    let mut told = format!("Merged: {}", pen.pull(pull));
    if let Some(author) = &pull.author {
        told.push_str(&format!(", by {}", pen.word("author", author)));
    }
    if let Some(folders) = folders(pen, pull) {
        told.push_str(&format!(", touches {folders}"));
    }
    if n_runs > 0 {
        told.push_str(&format!("; {} ran its merge", pen.counted("run", n_runs)));
    }
    told
}

/// The folders at the top of the repository that a pull touches, most files first; files that lie in none by their name.
fn folders(pen: &mut Pen<'_>, pull: &PullRow) -> Option<String> {
    let mut n_files: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &pull.files {
        *n_files.entry(file.path.split_once('/').map_or(file.path.as_str(), |(folder, _)| folder)).or_default() += 1;
    }
    let mut folders: Vec<(&str, usize)> = n_files.into_iter().collect();
    folders.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let n_more = folders.len().saturating_sub(MAX_FOLDERS);
    let mut named: Vec<String> = folders.iter().take(MAX_FOLDERS).map(|(folder, _)| pen.word("folder", folder)).collect();
    if n_more > 0 {
        named.push(format!("{} more", pen.count("folders not listed", n_more)));
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// Runs that ran the merge of a pull.
pub(super) fn linked(pen: &mut Pen<'_>, linked: &Linked) -> String {
    let (pull, n) = (pen.pull(&linked.pull), pen.counted("run", linked.runs.len()));
    format!("{n} on {pull}: {}", some_runs(pen, linked.runs.iter()))
}

/// A run that should log and does not.
pub(super) fn silent(pen: &mut Pen<'_>, silent: &Silent) -> String {
    let (run, day, hours) = (pen.run(&silent.run), pen.day("last point", silent.since_ms), silent.hours().max(0));
    if silent.is_abandoned() {
        return format!("{run} is called running and has logged nothing since {day}: abandoned?");
    }
    format!("Stalled: {run} is called running and has logged nothing since {day}, {} hours", pen.count("silent hours", hours as usize))
}

/// The names of some runs, and how many more there are.
pub(super) fn some_runs<'r>(pen: &mut Pen<'_>, runs: impl ExactSizeIterator<Item = &'r RunRow>) -> String {
    let n_more = runs.len().saturating_sub(MAX_RUNS);
    let mut names: Vec<String> = runs.take(MAX_RUNS).map(|run| pen.run(run)).collect();
    if n_more > 0 {
        names.push(format!("{} more", pen.count(&format!("{} not listed", runs_word(n_more)), n_more)));
    }
    names.join(", ")
}
