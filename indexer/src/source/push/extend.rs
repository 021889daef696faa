//! How a later line extends an earlier one about the same thing.

use crate::record::{Body, Commit, Config, Pull, Record};
use crate::run::{Run, RunStatus, Series};

/// Takes over what the later line gives; what it does not give stays.
pub(super) fn extend(earlier: &mut Record, later: Record) {
    replace_text(&mut earlier.title, later.title);
    replace(&mut earlier.project, later.project);
    replace(&mut earlier.author, later.author);
    replace(&mut earlier.url, later.url);
    replace(&mut earlier.created_ms, later.created_ms);
    replace(&mut earlier.updated_ms, later.updated_ms);
    earlier.fingerprint = later.fingerprint;
    match (&mut earlier.body, later.body) {
        (Body::Run(earlier), Body::Run(later)) => extend_run(earlier, *later),
        (Body::Note(earlier), Body::Note(later)) => replace_text(earlier, later),
        (Body::Config(earlier), Body::Config(later)) => extend_config(earlier, later),
        (Body::Pull(earlier), Body::Pull(later)) => extend_pull(earlier, later),
        (Body::Commit(earlier), Body::Commit(later)) => extend_commit(earlier, later),
        _ => {}
    }
}

fn replace<T>(earlier: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *earlier = later;
    }
}

fn replace_text(earlier: &mut String, later: String) {
    if !later.is_empty() {
        *earlier = later;
    }
}

fn replace_list<T>(earlier: &mut Vec<T>, later: Vec<T>) {
    if !later.is_empty() {
        *earlier = later;
    }
}

/// Puts the later entries in, each in the place of the one with its key.
fn put_all<T, K: PartialEq>(earlier: &mut Vec<T>, later: Vec<T>, key: impl Fn(&T) -> K) {
    for entry in later {
        match earlier.iter_mut().find(|known| key(known) == key(&entry)) {
            Some(known) => *known = entry,
            None => earlier.push(entry),
        }
    }
}

fn extend_run(earlier: &mut Run, later: Run) {
    replace_text(&mut earlier.name, later.name);
    if !later.status_raw.is_empty() {
        earlier.status = later.status;
        earlier.status_raw = later.status_raw;
    }
    replace(&mut earlier.started_ms, later.started_ms);
    replace(&mut earlier.ended_ms, later.ended_ms);
    replace(&mut earlier.user, later.user);
    replace(&mut earlier.notes, later.notes);
    replace(&mut earlier.commit, later.commit);
    replace(&mut earlier.parent, later.parent);
    put_all(&mut earlier.params, later.params, |(key, _)| key.clone());
    put_all(&mut earlier.tags, later.tags, |(key, _)| key.clone());
    put_all(&mut earlier.directions, later.directions, |(key, _)| key.clone());
    put_all(&mut earlier.datasets, later.datasets, |used| (used.name.clone(), used.context.clone()));
    put_all(&mut earlier.texts, later.texts, |text| text.path.clone());
    for series in later.series {
        match earlier.series.iter_mut().find(|known| known.key == series.key) {
            Some(known) => known.points.extend(series.points),
            None => earlier.series.push(series),
        }
    }
}

fn extend_config(earlier: &mut Config, later: Config) {
    replace_text(&mut earlier.text, later.text);
    replace_list(&mut earlier.values, later.values);
}

fn extend_pull(earlier: &mut Pull, later: Pull) {
    replace_text(&mut earlier.description, later.description);
    replace(&mut earlier.head, later.head);
    replace(&mut earlier.merge_commit, later.merge_commit);
    replace(&mut earlier.merged_ms, later.merged_ms);
    replace_list(&mut earlier.commits, later.commits);
    replace_list(&mut earlier.files, later.files);
}

fn extend_commit(earlier: &mut Commit, later: Commit) {
    replace_text(&mut earlier.message, later.message);
    replace(&mut earlier.pull, later.pull);
}

/// What can only be said once every line about a thing is in: names, titles and the order of points.
pub(super) fn complete(record: &mut Record) {
    match &mut record.body {
        Body::Run(run) => {
            if run.name.is_empty() {
                run.name.clone_from(&record.native_id);
            }
            record.key = record.project.as_ref().map_or_else(|| run.name.clone(), |project| format!("{project}/{}", run.name));
            record.created_ms = record.created_ms.or(run.started_ms);
            record.updated_ms = record.updated_ms.or(run.ended_ms);
            if run.status_raw.is_empty() {
                run.status = RunStatus::Unknown;
            }
            run.series.iter_mut().for_each(put_in_order);
        }
        Body::Commit(commit) if record.title.is_empty() => {
            record.title = commit.message.lines().next().unwrap_or_default().to_owned();
        }
        _ => {}
    }
    if record.title.is_empty() {
        record.title.clone_from(&record.key);
    }
}

/// By step and time; a point given twice counts once, so that pushing a line again changes nothing.
fn put_in_order(series: &mut Series) {
    series.sort();
    let mut kept: Vec<crate::run::Point> = Vec::with_capacity(series.points.len());
    for point in series.points.drain(..) {
        let beside = kept.iter().rev().take_while(|known| (known.step, known.at_ms) == (point.step, point.at_ms));
        if !beside.into_iter().any(|known| known.value.to_bits() == point.value.to_bits()) {
            kept.push(point);
        }
    }
    series.points = kept;
}
