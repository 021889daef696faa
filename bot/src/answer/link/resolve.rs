//! Resolves one name at a time, for typed commands.

use runlore_indexer::catalog::Vocabulary;

use super::super::words::{means, parts, words};
use super::{Links, Reading, metrics, projects, runs};
use crate::tools::RunRef;

/// How a name resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved<T> {
    /// To this.
    One(T),
    /// To any of these; the person must say which.
    Many(Vec<T>),
    /// To nothing; these come nearest.
    Nothing {
        /// Names, nearest first.
        nearest: Vec<String>,
    },
}

/// How many near names are given.
const N_NEAREST: usize = 3;

fn reading<'a>(text: &str, vocabulary: &'a Vocabulary) -> Reading<'a> {
    let words = words(text);
    Reading { vocabulary, used: vec![false; words.len()], words }
}

/// A project by its name or by the parts of it that tell it apart.
pub fn resolve_project(text: &str, vocabulary: &Vocabulary) -> Resolved<String> {
    if let Some(project) = vocabulary.projects.iter().find(|project| project.name.eq_ignore_ascii_case(text.trim())) {
        return Resolved::One(project.name.clone());
    }
    let (mut reading, mut links) = (reading(text, vocabulary), Links::default());
    projects::take(&mut reading, &mut links);
    let all_used = reading.used.iter().all(|used| *used);
    let names = vocabulary.projects.iter().map(|project| project.name.as_str());
    resolved(if all_used { links.projects } else { Vec::new() }, text, names)
}

/// A metric by its key, or by what it measures; the first that fits where the split is left open.
pub fn resolve_metric(text: &str, project: Option<&str>, vocabulary: &Vocabulary) -> Resolved<String> {
    let within = |name: &str| project.is_none_or(|project| project == name);
    let all = || vocabulary.projects.iter().filter(|project| within(&project.name)).flat_map(|project| &project.metrics);
    if let Some(key) = all().find(|key| key.eq_ignore_ascii_case(text.trim())) {
        return Resolved::One(key.clone());
    }
    let (mut reading, mut links) =
        (reading(text, vocabulary), Links { projects: project.map(str::to_owned).into_iter().collect(), ..Links::default() });
    metrics::take(&mut reading, &mut links);
    if reading.used.iter().all(|used| *used)
        && let Some(first) = links.metrics.into_iter().next()
    {
        return Resolved::One(first);
    }
    Resolved::Nothing { nearest: nearest(text, all().map(String::as_str)) }
}

/// A param by its whole name, or by the last part of a dotted one.
pub fn resolve_param(text: &str, vocabulary: &Vocabulary) -> Resolved<String> {
    let wanted = parts(text);
    let names = || vocabulary.params.iter().map(|param| param.name.as_str());
    if let Some(name) = names().find(|name| name.eq_ignore_ascii_case(text.trim())) {
        return Resolved::One(name.to_owned());
    }
    let same = |name: &str| {
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        [parts(name), parts(last)].iter().any(|parts| parts.len() == wanted.len() && wanted.iter().zip(parts).all(|(a, b)| means(a, b)))
    };
    resolved(names().filter(|name| same(name)).map(str::to_owned).collect(), text, names())
}

/// A run by name, key, number or the beginning of its id.
pub fn resolve_run(text: &str, project: Option<&str>, vocabulary: &Vocabulary) -> Resolved<RunRef> {
    let text = text.trim();
    let entries: Vec<_> = vocabulary.runs.iter().filter(|run| project.is_none_or(|project| run.project == project)).cloned().collect();
    let mut found = runs::named(&entries, text);
    if found.is_empty()
        && let Ok(number) = text.trim_start_matches('#').parse::<i64>()
    {
        found = entries.iter().filter(|run| run.number == Some(number)).map(runs::reference).collect();
    }
    match found.len() {
        0 => Resolved::Nothing { nearest: nearest(text, entries.iter().map(|run| run.key.as_str())) },
        1 => Resolved::One(found.remove(0)),
        _ => Resolved::Many(found),
    }
}

fn resolved<'a>(mut found: Vec<String>, text: &str, names: impl Iterator<Item = &'a str>) -> Resolved<String> {
    match found.len() {
        0 => Resolved::Nothing { nearest: nearest(text, names) },
        1 => Resolved::One(found.remove(0)),
        _ => Resolved::Many(found),
    }
}

/// The names that are most like a text, by Jaro-Winkler over the whole and over the last part.
pub(crate) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let text = text.to_lowercase();
    let likeness = |name: &str| {
        let lower = name.to_lowercase();
        let last = lower.rsplit('/').next().unwrap_or(&lower).to_owned();
        strsim::jaro_winkler(&text, &lower).max(strsim::jaro_winkler(&text, &last))
    };
    let mut scored: Vec<(f64, &str)> = names.map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > 0.6).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(N_NEAREST).map(|(_, name)| name.to_owned()).collect()
}
