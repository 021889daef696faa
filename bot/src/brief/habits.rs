//! How runs are kept: which fell silent, whose names are like no other's, and what they cost. Pure.

use std::collections::{BTreeMap, HashMap};

use runlore_indexer::catalog::RunRow;
use runlore_indexer::record::RecordId;

use crate::answer::words;

const HOUR_MS: i64 = 3_600_000;

/// A running run is stalled when it is silent for so long, and for so many times the usual distance of its last points.
const SILENT_MS: i64 = 2 * HOUR_MS;
const SILENT_DISTANCES: i64 = 20;

/// Distances that say what is usual.
const N_LAST: usize = 20;

/// A run that is silent for so long is abandoned.
pub(super) const ABANDONED_MS: i64 = 7 * 24 * HOUR_MS;

/// Runs that a project must have before their names have a pattern, and the share of them that must follow it.
const MIN_NAMES: usize = 5;
const MIN_SHARE: f64 = 0.5;

/// Names of the param or tag that says how many GPUs a run had.
const GPU_COUNTS: [&[&str]; 8] =
    [&["gpu", "count"], &["gpus"], &["n", "gpus"], &["n", "gpu"], &["num", "gpus"], &["num", "gpu"], &["ngpus"], &["ngpu"]];

/// A run that the tracker calls running and that logs nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Silent {
    /// The run.
    pub(super) run: RunRow,
    /// Its last point, or its start where it has none.
    pub(super) since_ms: i64,
    /// For how long.
    pub(super) silent_ms: i64,
}

/// Hours of GPUs that runs took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GpuHours {
    /// The sum.
    pub(super) hours: f64,
    /// Runs that say how many GPUs they had and how long they ran.
    pub(super) n_runs: usize,
}

/// Whether a running run is silent; `times` are when it logged, in order.
pub(super) fn silent(run: &RunRow, times: &[i64], now_ms: i64) -> Option<Silent> {
    let since_ms = times.iter().copied().filter(|at| *at > 0).max().or(run.started_ms)?;
    let last = &times[times.len().saturating_sub(N_LAST + 1)..];
    let mut distances: Vec<i64> = last.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_unstable();
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(0);
    let silent_ms = now_ms - since_ms;
    let is_silent = silent_ms >= SILENT_MS.max(usual.saturating_mul(SILENT_DISTANCES));
    is_silent.then(|| Silent { run: run.clone(), since_ms, silent_ms })
}

impl Silent {
    /// Whether nobody seems to wait for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.silent_ms >= ABANDONED_MS
    }

    /// Whole hours.
    pub(super) fn hours(&self) -> i64 {
        self.silent_ms / HOUR_MS
    }
}

/// Of these runs those whose names are not like most of their project's; `all` are the runs of every project.
pub(super) fn oddly_named<'a>(runs: &[&'a RunRow], all: &[RunRow]) -> Vec<&'a RunRow> {
    let mut by_project: HashMap<&str, BTreeMap<String, usize>> = HashMap::new();
    for run in all {
        *by_project.entry(&run.project).or_default().entry(shape(&run.name)).or_default() += 1;
    }
    let pattern = |project: &str| {
        let shapes = by_project.get(project)?;
        let n: usize = shapes.values().sum();
        // Of equally common ones none is the pattern.
        let (common, n_common) = shapes.iter().max_by_key(|(_, n)| **n)?;
        (n >= MIN_NAMES && *n_common as f64 > n as f64 * MIN_SHARE).then_some(common)
    };
    runs.iter().copied().filter(|run| pattern(&run.project).is_some_and(|common| *common != shape(&run.name))).collect()
}

/// The shape of a name: a letter for each word, a sign for each number, and what stands between.
fn shape(name: &str) -> String {
    let mut shape = String::new();
    for c in name.chars() {
        let sign = match c {
            c if c.is_alphabetic() => 'a',
            c if c.is_numeric() => '#',
            c => c,
        };
        if !(matches!(sign, 'a' | '#') && shape.ends_with(sign)) {
            shape.push(sign);
        }
    }
    shape
}

/// The GPU-hours of runs that ended; none where no run says how many GPUs it had.
pub(super) fn gpu_hours(ended: &[&RunRow], params: &HashMap<RecordId, Vec<(String, String)>>) -> Option<GpuHours> {
    let of_run = |run: &RunRow| {
        let n_gpus = params.get(&run.record)?.iter().find(|(name, _)| is_gpu_count(name))?.1.trim().parse::<f64>().ok()?;
        let took_ms = run.ended_ms? - run.started_ms?;
        (took_ms >= 0 && (0.0..=100_000.0).contains(&n_gpus)).then(|| n_gpus * took_ms as f64 / HOUR_MS as f64)
    };
    let hours: Vec<f64> = ended.iter().filter_map(|run| of_run(run)).collect();
    (!hours.is_empty()).then(|| GpuHours { hours: hours.iter().sum(), n_runs: hours.len() })
}

fn is_gpu_count(name: &str) -> bool {
    let parts = words::parts(name);
    GPU_COUNTS.iter().any(|known| parts.iter().map(String::as_str).eq(known.iter().copied()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::testing::run;
    use super::*;

    #[test]
    fn silence_is_measured_by_the_runs_own_pace() {
        let run = RunRow { started_ms: Some(1), ended_ms: None, ..run("p/a", 1) };
        let every = |distance: i64| (1..=30).map(|i| i * distance).collect::<Vec<i64>>();
        let is_silent = |times: &[i64], hours: i64| silent(&run, times, times.last().copied().unwrap_or(1) + hours * HOUR_MS).is_some();
        assert!(!is_silent(&every(1_000), 1) && is_silent(&every(1_000), 2));
        assert!(!is_silent(&every(HOUR_MS), 19) && is_silent(&every(HOUR_MS), 20));
        assert!(!is_silent(&[], 1) && is_silent(&[], 2), "from its start on");
        let found = silent(&run, &[HOUR_MS], 170 * HOUR_MS).unwrap();
        assert!(found.is_abandoned() && found.hours() == 169 && found.since_ms == HOUR_MS);
    }

    #[test]
    fn a_name_is_odd_where_most_have_another_shape() {
        let names = ["vd-mosaic-s1", "vd-mosaic-s2", "vd-wide-s3", "vd-clip-s10", "test", "tmp2"];
        let all: Vec<RunRow> = names.iter().enumerate().map(|(i, name)| run(&format!("vd/{name}"), i as i64)).collect();
        let odd = |all: &[RunRow]| {
            let runs: Vec<&RunRow> = all.iter().collect();
            oddly_named(&runs, all).into_iter().map(|run| run.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(odd(&all), ["test", "tmp2"]);
        assert!(odd(&all[2..]).is_empty(), "four names are no pattern");
        let twice: Vec<RunRow> = all[..2].iter().chain(&all[4..]).chain(&all[..2]).chain(&all[4..]).cloned().collect();
        assert!(odd(&twice).is_empty(), "half is not most");
    }

    #[test]
    fn hours_are_counted_where_gpus_are_logged() {
        let mut hour = run("p/a", 1);
        hour.ended_ms = hour.started_ms.map(|at| at + HOUR_MS);
        let other = RunRow { record: run("p/b", 2).record, ..hour.clone() };
        let params = |name: &str, value: &str| HashMap::from([(hour.record, vec![(name.to_owned(), value.to_owned())])]);
        let found = gpu_hours(&[&hour, &other], &params("gpu.count", "8"));
        assert_eq!(found, Some(GpuHours { hours: 8.0, n_runs: 1 }));
        assert_eq!(gpu_hours(&[&hour], &params("gpu.name", "8")), None);
        assert_eq!(gpu_hours(&[&hour], &params("num_gpus", "many")), None);
    }
}
