//! Failures of a week: runs that failed alike, and a later run that shows what made it work. Pure.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use runlore_indexer::catalog::RunRow;

use crate::answer::words;

/// Longest line of a log that is told, in characters.
const MAX_LINE: usize = 200;

/// Params that a run of another name may differ in and still show what helped, and one of the same family.
const MAX_CHANGES: usize = 3;
const MAX_CHANGES_IN_FAMILY: usize = 5;

/// Logs are read before other texts.
const LOGS: [&str; 3] = [".log", ".err", ".out"];

#[expect(clippy::expect_used, reason = "a constant pattern")]
static IS_ERROR: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        r"error|exception|fatal|out of memory|no space left|segmentation fault|core dumped|killed|aborted|assertion|panicked|timed? ?out";
    Regex::new(&format!(r"(?i)\b\w*(?:{words})\b")).expect("the pattern is right")
});

/// What differs from run to run of one failure: addresses, numbers, paths.
#[expect(clippy::expect_used, reason = "a constant pattern")]
static DIFFERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"0x[0-9a-fA-F]+|(?:[\w.~-]*/)+[\w.-]*|[-+]?\d[\d.,:]*(?:[eE][-+]?\d+)?\w*|["'][^"']*["']"#).expect("the pattern is right")
});

/// A run as it is compared with others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kin<'a> {
    /// The run.
    pub(super) run: &'a RunRow,
    /// Native id of the run that it is nested under.
    pub(super) parent: Option<&'a str>,
    /// In alphabetical order.
    pub(super) params: &'a [(String, String)],
}

/// A param that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Its key.
    pub(super) name: String,
    /// In the run that failed; none where it was not logged.
    pub(super) before: Option<String>,
    /// In the run that worked.
    pub(super) after: Option<String>,
}

/// A later run that worked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fix {
    /// The run that worked.
    pub(super) run: RunRow,
    /// What differs from the one that failed; seeds apart.
    pub(super) changes: Vec<Change>,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failed {
    /// The run.
    pub(super) run: RunRow,
    /// The last line of its log that tells of an error, word for word.
    pub(super) line: Option<String>,
    /// A later run that worked.
    pub(super) fix: Option<Fix>,
}

/// Runs that failed alike.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// What they have in common; empty where no log tells.
    pub(super) fingerprint: String,
    /// In the order of their start, the first one that has a fix in front.
    pub(super) runs: Vec<Failed>,
}

/// The last line of a run's texts that tells of an error; of its logs first.
pub(super) fn error_line(texts: &[(String, String)]) -> Option<String> {
    let is_log = |path: &str| LOGS.iter().any(|ending| path.to_lowercase().ends_with(ending));
    let (logs, others): (Vec<_>, Vec<_>) = texts.iter().partition(|(path, _)| is_log(path));
    let last = |(_, text): &&(String, String)| text.lines().rev().find(|line| IS_ERROR.is_match(line)).map(one_line);
    logs.iter().chain(&others).find_map(last)
}

/// Without line ends and doubled blanks, cut.
fn one_line(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_LINE).collect()
}

/// What lines of one failure have in common: numbers, addresses, paths and quoted names are one sign, capitals are none.
pub(super) fn fingerprint(line: &str) -> String {
    let plain = DIFFERS.replace_all(line, "#").to_lowercase();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Groups failures by fingerprint, the largest group first.
pub(super) fn grouped(failed: Vec<Failed>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<Failed>> = BTreeMap::new();
    for failed in failed {
        groups.entry(failed.line.as_deref().map(fingerprint).unwrap_or_default()).or_default().push(failed);
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|(fingerprint, runs)| Group { fingerprint, runs }).collect();
    for group in &mut groups {
        group.runs.sort_by_key(|failed| (failed.fix.is_none(), failed.run.started_ms, failed.run.record));
    }
    groups.sort_by(|a, b| b.runs.len().cmp(&a.runs.len()).then(a.fingerprint.cmp(&b.fingerprint)));
    groups
}

/// The later finished run that differs least from one that failed, where it is kin: of the same parent, of a name with the same stem, or
/// with few other params. The first of equals.
pub(super) fn fix_of(failed: &Kin<'_>, others: &[Kin<'_>]) -> Option<Fix> {
    let began = failed.run.started_ms?;
    let later = others.iter().filter(|other| other.run.project == failed.run.project && other.run.started_ms.is_some_and(|at| at > began));
    let kin = later.filter_map(|other| {
        let changes = changes(failed.params, other.params);
        let most = if is_family(failed, other) { MAX_CHANGES_IN_FAMILY } else { MAX_CHANGES };
        let shares = is_family(failed, other) || shares_param(failed.params, other.params);
        (shares && changes.len() <= most).then_some((changes, other.run))
    });
    let (changes, run) = kin.min_by_key(|(changes, run)| (changes.len(), run.started_ms, run.record))?;
    Some(Fix { run: run.clone(), changes })
}

fn is_family(one: &Kin<'_>, other: &Kin<'_>) -> bool {
    let same_parent = one.parent.is_some() && one.parent == other.parent;
    let stem = stem(&one.run.name);
    same_parent || !stem.is_empty() && stem == self::stem(&other.run.name)
}

/// A name without the numbers and signs at its end: `vd-mosaic-s2` and `vd-mosaic-s3` are `vd-mosaic-s`.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| !c.is_alphabetic())
}

fn shares_param(one: &[(String, String)], other: &[(String, String)]) -> bool {
    one.iter().any(|pair| !is_seed(&pair.0) && other.contains(pair))
}

/// What differs, seeds apart, in alphabetical order.
fn changes(before: &[(String, String)], after: &[(String, String)]) -> Vec<Change> {
    let before: BTreeMap<&String, &String> = before.iter().map(|(name, value)| (name, value)).collect();
    let after: BTreeMap<&String, &String> = after.iter().map(|(name, value)| (name, value)).collect();
    let mut names: Vec<&String> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let differs = |name: &&String| !is_seed(name) && before.get(name) != after.get(name);
    let change = |name: &String| Change {
        name: name.clone(),
        before: before.get(name).map(|value| (*value).clone()),
        after: after.get(name).map(|value| (*value).clone()),
    };
    names.into_iter().filter(differs).map(change).collect()
}

/// Whether a param is a seed by its name.
pub(super) fn is_seed(name: &str) -> bool {
    words::parts(name).iter().any(|part| part == "seed")
}

/// Whether two runs have the same params but for their seeds, and each has one.
pub(super) fn differs_by_seed(one: &[(String, String)], other: &[(String, String)]) -> bool {
    let has_seed = |params: &[(String, String)]| params.iter().any(|(name, _)| is_seed(name));
    has_seed(one) && has_seed(other) && one != other && changes(one, other).is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::testing::run;
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn kin<'a>(run: &'a RunRow, params: &'a [(String, String)]) -> Kin<'a> {
        Kin { run, parent: None, params }
    }

    #[test]
    fn the_last_error_of_a_log_is_found() {
        let texts = pairs(&[
            ("a/config.yaml", "error_rate: 3\nmodel: error"),
            ("logs/out.log", "step 3\nValueError: bad\n  RuntimeError:  CUDA out of memory. Tried to allocate 2.00 GiB\nbye\n"),
        ]);
        assert_eq!(error_line(&texts).as_deref(), Some("RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"));
        assert_eq!(error_line(&pairs(&[("out.log", "all is well\n")])), None);
    }

    #[test]
    fn what_differs_from_run_to_run_is_no_part_of_a_fingerprint() {
        let same = |one: &str, other: &str| assert_eq!(fingerprint(one), fingerprint(other));
        same("RuntimeError: Tried to allocate 2.00 GiB (GPU 0)", "RuntimeError: Tried to allocate 512.00 GiB (GPU 3)");
        same("FileNotFoundError: '/data/a/train.csv'", "FileNotFoundError: '/data/b c/x.csv'");
        same("Segmentation fault at 0xdeadBEEF", "segmentation fault at 0x10");
        same("cannot open runs/7/a.pt", "cannot open /mnt/x/b.pt");
        assert_ne!(fingerprint("ValueError: shapes differ"), fingerprint("TypeError: shapes differ"));
    }

    #[test]
    fn a_later_run_of_the_family_shows_what_helped() {
        let (failed, same, few, far) = (run("p/vd-a-1", 1), run("p/vd-a-2", 2), run("p/other", 3), run("p/else", 4));
        let later = |run: &RunRow| RunRow { started_ms: run.started_ms.map(|at| at + 10), ..run.clone() };
        let (same, few, far) = (later(&same), later(&few), later(&far));
        let was = pairs(&[("lr", "1"), ("seed", "1"), ("size", "8")]);
        let (four, one, all) = (
            pairs(&[("a", "1"), ("b", "1"), ("lr", "2"), ("size", "4")]),
            pairs(&[("lr", "0.1"), ("seed", "9"), ("size", "8")]),
            pairs(&[("a", "1"), ("b", "1"), ("c", "1"), ("lr", "2"), ("size", "4")]),
        );
        let broken = kin(&failed, &was);
        let fix = fix_of(&broken, &[kin(&same, &four), kin(&few, &one), kin(&far, &all)]);
        let expected = Change { name: "lr".to_owned(), before: Some("1".to_owned()), after: Some("0.1".to_owned()) };
        assert_eq!(fix, Some(Fix { run: few.clone(), changes: vec![expected] }));
        assert_eq!(fix_of(&broken, &[kin(&same, &four), kin(&far, &four)]).map(|fix| fix.run.key), Some("p/vd-a-2".to_owned()));
        assert_eq!(fix_of(&broken, &[kin(&far, &four)]), None, "another name may differ in three");
        assert_eq!(fix_of(&broken, &[kin(&run("p/vd-a-0", 9), &one)]), None, "it did not start later");
        let elsewhere = RunRow { project: "q".to_owned(), ..few };
        assert_eq!(fix_of(&broken, &[kin(&elsewhere, &one)]), None);
    }

    #[test]
    fn failures_alike_are_one_group() {
        let failed = |key: &str, n, line: Option<&str>| Failed { run: run(key, n), line: line.map(str::to_owned), fix: None };
        let groups = grouped(vec![
            failed("p/a", 1, Some("OSError: disk 1 full")),
            failed("p/b", 2, None),
            failed("p/c", 3, Some("OSError: disk 22 full")),
        ]);
        let told: Vec<(&str, usize)> = groups.iter().map(|group| (group.fingerprint.as_str(), group.runs.len())).collect();
        assert_eq!(told, [("oserror: disk # full", 2), ("", 1)]);
    }

    #[test]
    fn seeds_are_told_by_their_name() {
        let with = |seed: &str, lr: &str| pairs(&[("lr", lr), ("rng_seed", seed)]);
        assert!(differs_by_seed(&with("1", "2"), &with("2", "2")));
        assert!(!differs_by_seed(&with("1", "2"), &with("2", "3")) && !differs_by_seed(&with("1", "2"), &with("1", "2")));
        assert!(!differs_by_seed(&pairs(&[("lr", "1")]), &pairs(&[("lr", "1")])));
    }
}
