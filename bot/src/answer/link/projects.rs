//! Projects by the parts of their names that tell them apart.

use std::collections::HashMap;

use super::super::words::{means, parts};
use super::{Links, Reading};

/// Words that stand in project names and in any question.
const PLAIN: [&str; 12] = ["run", "runs", "model", "models", "train", "test", "validation", "project", "study", "data", "new", "best"];

/// Takes the project that the question names. The whole name counts most; else the project of which most telling parts are named.
pub(super) fn take(reading: &mut Reading<'_>, links: &mut Links) {
    let typed: Vec<String> = reading.words.iter().map(|word| word.raw.to_lowercase()).collect();
    let whole = reading.vocabulary.projects.iter().find(|project| typed.contains(&project.name.to_lowercase()));
    if let Some(project) = whole {
        let places: Vec<usize> = (0..typed.len()).filter(|&i| typed[i] == project.name.to_lowercase()).collect();
        links.projects = vec![project.name.clone()];
        reading.take(&places);
        return;
    }
    let names: Vec<String> = reading.vocabulary.projects.iter().map(|project| project.name.clone()).collect();
    let (best, places) = best_fits(reading, &names);
    links.projects = best;
    reading.take(&places);
}

/// The names that fit best, equally, and the words that say so.
fn best_fits(reading: &Reading<'_>, names: &[String]) -> (Vec<String>, Vec<usize>) {
    let telling = telling_parts(names);
    let free = reading.free_parts();
    let mut fits: Vec<(usize, usize, &String, Vec<usize>)> = Vec::new();
    for name in names {
        let wanted = &telling[name];
        let mut places = Vec::new();
        let mut n_named = 0;
        for part in wanted {
            if let Some((place, _)) = free.iter().find(|(_, typed)| means(typed, part)) {
                n_named += 1;
                places.push(*place);
            }
        }
        if n_named > 0 {
            fits.push((n_named, wanted.len() - n_named, name, places));
        }
    }
    let Some(&(most, least_missing, ..)) = fits.iter().min_by_key(|(named, missing, ..)| (std::cmp::Reverse(*named), *missing)) else {
        return (Vec::new(), Vec::new());
    };
    let best: Vec<_> = fits.iter().filter(|(named, missing, ..)| *named == most && *missing == least_missing).collect();
    let mut places: Vec<usize> = best.iter().flat_map(|fit| fit.3.iter().copied()).collect();
    places.sort_unstable();
    places.dedup();
    (best.iter().map(|fit| fit.2.clone()).collect(), places)
}

/// For each name its parts without those that most names share.
fn telling_parts(names: &[String]) -> HashMap<String, Vec<String>> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let all: Vec<Vec<String>> = names.iter().map(|name| parts(name)).collect();
    for parts in &all {
        let distinct: std::collections::BTreeSet<&String> = parts.iter().collect();
        distinct.into_iter().for_each(|part| *counts.entry(part.clone()).or_default() += 1);
    }
    let is_telling = |part: &String| names.len() < 2 || counts[part] * 2 <= names.len() || counts[part] == 1;
    let telling = |parts: &Vec<String>| {
        let some: Vec<String> =
            parts.iter().filter(|part| is_telling(part) && part.len() > 1 && !PLAIN.contains(&part.as_str())).cloned().collect();
        if some.is_empty() { parts.clone() } else { some }
    };
    names.iter().cloned().zip(all.iter().map(telling)).collect()
}
