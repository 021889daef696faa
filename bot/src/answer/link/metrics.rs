//! Metrics by what they measure and on which split: `validation SSIM`, `val acc`, `ssim on the test set`.

use std::collections::BTreeSet;

use super::super::words::{means, parts};
use super::{Links, Reading};

/// Parts of a metric's name that say on what it was measured.
const SPLITS: [&str; 5] = ["train", "validation", "test", "eval", "holdout"];

/// Which split is meant where the question names none, best first.
const SPLIT_ORDER: [&str; 5] = ["validation", "eval", "test", "holdout", "train"];

/// Measures that people ask for; one that is named here and logged nowhere in question is absent.
pub(super) const MEASURES: [&str; 45] = [
    "accuracy",
    "loss",
    "f1",
    "bleu",
    "rouge",
    "wer",
    "cer",
    "auc",
    "auroc",
    "auprc",
    "perplexity",
    "ssim",
    "psnr",
    "iou",
    "miou",
    "dice",
    "mae",
    "mse",
    "rmse",
    "recall",
    "precision",
    "fid",
    "mrr",
    "ndcg",
    "meteor",
    "chrf",
    "kappa",
    "r2",
    "mcc",
    "map",
    "ppl",
    "nll",
    "bpb",
    "elbo",
    "error",
    "top1",
    "top5",
    "specificity",
    "sensitivity",
    "logloss",
    "hamming",
    "gini",
    "spearman",
    "pearson",
    "comet",
];

/// A metric's key taken apart.
struct Key {
    key: String,
    split: Option<String>,
    measure: Vec<String>,
}

/// Takes the metric that the question names, in the linked projects where there are some.
pub(super) fn take(reading: &mut Reading<'_>, links: &mut Links) {
    let (places, metrics) = fits(reading, &links.projects);
    if metrics.is_empty() || names_another_measure(reading, &places) {
        links.absent_metric = absent(reading, links);
        return;
    }
    links.metrics = metrics;
    reading.take(&places);
}

/// Whether what was found is a plain word such as `score`, beside a measure that was not: `F1 score`.
fn names_another_measure(reading: &Reading<'_>, places: &[usize]) -> bool {
    let is_weak = places.iter().all(|&place| matches!(reading.lower(place).as_str(), "score" | "scores" | "error" | "rate" | "value"));
    is_weak && reading.free_parts().iter().any(|(place, part)| !places.contains(place) && MEASURES.contains(part))
}

/// Metrics whose measure is named in full, best first, and the words that name it.
fn fits(reading: &Reading<'_>, projects: &[String]) -> (Vec<usize>, Vec<String>) {
    let keys = keys(reading, projects);
    let mut best: Vec<(usize, Key, Vec<usize>)> = Vec::new();
    for key in keys {
        let Some(places) = reading.find(&key.measure, means) else { continue };
        best.push((key.measure.len(), key, places));
    }
    let longest = best.iter().map(|(n, ..)| *n).max().unwrap_or(0);
    best.retain(|(n, ..)| *n == longest);
    let named: Vec<(usize, String)> = split_words(reading);
    let asked =
        named.iter().map(|(_, split)| split.as_str()).find(|split| best.iter().any(|(_, key, _)| key.split.as_deref() == Some(split)));
    if asked.is_none() && !named.is_empty() && best.iter().any(|(_, key, _)| key.split.is_some()) {
        // The measure is there, but not on the split that the question names, unless none of them says on what it was measured.
        return (Vec::new(), Vec::new());
    }
    best.retain(|(_, key, _)| asked.is_none() || key.split.as_deref() == asked);
    best.sort_by_key(|(_, key, _)| {
        (SPLIT_ORDER.iter().position(|split| key.split.as_deref() == Some(split)).unwrap_or(0), key.key.len(), key.key.clone())
    });
    let mut places: Vec<usize> = best.iter().flat_map(|(_, _, places)| places.iter().copied()).collect();
    places.extend(named.iter().filter(|(_, split)| asked == Some(split)).map(|(place, _)| *place));
    places.sort_unstable();
    places.dedup();
    (places, best.into_iter().map(|(_, key, _)| key.key).collect())
}

/// The metric of these that "the best run" speaks of where no other is named and no direction is declared: a known measure before any
/// other, on the split that is meant where none is named, a loss only where that split has nothing else; then the shortest key.
pub(crate) fn followed<'a>(keys: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let is_loss = |part: &String| matches!(part.as_str(), "loss" | "nll" | "elbo" | "logloss" | "ce" | "crossentropy");
    let order = |key: &String| {
        let Key { split, measure, .. } = take_apart(key);
        let split =
            split.as_deref().map_or(SPLIT_ORDER.len() - 2, |split| SPLIT_ORDER.iter().position(|known| *known == split).unwrap_or(0));
        let is_known =
            measure.iter().any(|part| MEASURES.contains(&part.as_str()) || is_loss(part)) || measure == ["mean", "average", "precision"];
        (!is_known, split, measure.iter().any(is_loss), key.len(), key.clone())
    };
    keys.filter(|key| !key.starts_with("system/")).min_by_key(|&key| order(key))
}

/// Words that name a split.
fn split_words(reading: &Reading<'_>) -> Vec<(usize, String)> {
    let splits = |(place, part): (usize, &str)| SPLITS.iter().find(|split| **split == part).map(|split| (place, (*split).to_owned()));
    reading.free_parts().into_iter().filter_map(splits).collect()
}

/// The metrics of these projects, or of all.
fn keys(reading: &Reading<'_>, projects: &[String]) -> Vec<Key> {
    let wanted = reading.vocabulary.projects.iter().filter(|project| projects.is_empty() || projects.contains(&project.name));
    let keys: BTreeSet<&String> = wanted.flat_map(|project| &project.metrics).collect();
    keys.into_iter().map(|key| take_apart(key)).collect()
}

fn take_apart(key: &str) -> Key {
    let all = parts(key);
    let split = all.iter().find(|part| SPLITS.contains(&part.as_str())).cloned();
    let mut measure: Vec<String> = all.iter().filter(|part| Some(*part) != split.as_ref()).cloned().collect();
    if measure.is_empty() {
        measure = all;
    }
    Key { key: key.to_owned(), split, measure }
}

/// The measure that the question names and that is not logged where it asks.
fn absent(reading: &mut Reading<'_>, links: &Links) -> Option<String> {
    // Logged elsewhere: named in full by another project's metric.
    let (places, elsewhere) = if links.projects.is_empty() { (Vec::new(), Vec::new()) } else { fits(reading, &[]) };
    if let Some(key) = elsewhere.first() {
        reading.take(&places);
        return Some(key.clone());
    }
    let place = reading.free_parts().into_iter().find(|(_, part)| MEASURES.contains(part)).map(|(place, _)| place);
    let split = split_words(reading);
    let place = place?;
    let raw = reading.words[place].raw.clone();
    reading.take(&[place]);
    split.iter().for_each(|(place, _)| reading.used[*place] = true);
    Some(split.first().map_or_else(|| raw.clone(), |(_, split)| format!("{split} {raw}")))
}
