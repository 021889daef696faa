//! Lines that are commands, questions and refusals.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use runlore_indexer::catalog::{ParamEntry, ProjectEntry, RunEntry, TagEntry};
use uuid::Uuid;

use super::*;

const NOW: &str = "2026-06-15T10:00:00Z[UTC]";

fn vocabulary() -> Vocabulary {
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let project = |name: &str, metrics: &[&str]| ProjectEntry { name: name.to_owned(), n_runs: 2, metrics: set(metrics) };
    let run = |n: i64, project: &str, name: &str| RunEntry {
        record: Uuid::from_u128(n as u128).into(),
        key: format!("{project}/{name}"),
        name: name.to_owned(),
        project: project.to_owned(),
        number: Some(n),
        native_id: format!("{n:032x}"),
    };
    Vocabulary {
        projects: vec![
            project("algoperf-fastmri", &["validation/ssim", "validation/loss", "test/ssim"]),
            project("algoperf-wmt", &["validation/bleu", "validation/loss"]),
            project("imagenet_vit", &["validation/accuracy"]),
            project("tide forecast", &["val/rmse"]),
        ],
        runs: vec![
            run(1, "algoperf-fastmri", "shampoo-study_0-trial_1"),
            run(2, "algoperf-fastmri", "baseline-study_0-trial_2"),
            run(3, "algoperf-wmt", "baseline-study_1-trial_1"),
        ],
        params: vec![
            ParamEntry { name: "optimizer.lr".to_owned(), projects: set(&["algoperf-fastmri"]), values: set(&["0.1", "0.01"]) },
            ParamEntry { name: "seed".to_owned(), projects: set(&["algoperf-fastmri"]), values: set(&["1", "2"]) },
        ],
        tags: vec![TagEntry { name: "submission".to_owned(), value: "shampoo".to_owned(), n_runs: 2 }],
        ..Vocabulary::default()
    }
}

fn parsed(line: &str) -> Option<Parsed> {
    parse(line, &vocabulary(), &NOW.parse().unwrap())
}

/// What a line that is a command looks up: tool and arguments.
fn check(line: &str, tool: &str, args: &str) {
    let Some(Parsed::Call(call)) = parsed(line) else { panic!("`{line}` is no look-up: {:?}", parsed(line)) };
    let wanted: serde_json::Value = serde_json::from_str(args).unwrap();
    let made = call.args();
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(made.get(key), Some(value), "`{key}` of `{line}` in {made}");
    }
    assert_eq!(call.tool(), tool, "of `{line}`");
}

fn check_question(line: &str) {
    assert_eq!(parsed(line), None, "`{line}`");
}

fn check_refusal(line: &str, sentence: &str, hint: &str) {
    let Some(Parsed::Refusal(refusal)) = parsed(line) else { panic!("`{line}` is not refused: {:?}", parsed(line)) };
    assert_eq!((refusal.sentence.as_str(), refusal.hint.as_deref().unwrap_or_default()), (sentence, hint), "`{line}`");
}

#[test]
fn best_with_all_its_clauses() {
    check(
        "best validation/ssim in algoperf-fastmri",
        "best",
        r#"{"metric": "validation/ssim", "runs": {"project": "algoperf-fastmri"}, "show": [], "limit": 5}"#,
    );
    check("Best validation/ssim IN algoperf-fastmri?", "best", r#"{"metric": "validation/ssim"}"#);
    check("best validation/bleu", "best", r#"{"metric": "validation/bleu", "runs": {}}"#);
    check(
        "best validation ssim in algoperf-fastmri show optimizer.lr limit 3",
        "best",
        r#"{"metric": "validation/ssim", "show": ["optimizer.lr"], "limit": 3}"#,
    );
    check("best val/rmse in \"tide forecast\"", "best", r#"{"runs": {"project": "tide forecast"}}"#);
    check(
        "best validation/ssim where submission=shampoo since 2026-05-04 until 2026-05-04",
        "best",
        r#"{"runs": {"submission": "shampoo", "since_ms": 1777852800000, "until_ms": 1777939200000}}"#,
    );
}

#[test]
fn conditions_know_status_name_params_and_tags() {
    check("count where status=failed", "count", r#"{"runs": {"status": "failed"}}"#);
    check("count where status = Failed and seed=1", "count", r#"{"runs": {"status": "failed", "seed": "1"}}"#);
    check("count where seed=1,submission=shampoo", "count", r#"{"runs": {"submission": "shampoo", "seed": "1"}}"#);
    check("count where seed=1, name=\"a b*\"", "count", r#"{"runs": {"name": "a b*", "seed": "1"}}"#);
    check(
        "mean validation/ssim in algoperf-fastmri where name=shampoo-study_1-*",
        "mean",
        r#"{"runs": {"project": "algoperf-fastmri", "name": "shampoo-study_1-*"}}"#,
    );
    check_refusal(
        "count where status=done",
        "`done` is no status.",
        "There are `queued`, `running`, `finished`, `failed`, `crashed`, `killed`, `pruned`, `unknown`.",
    );
    check_refusal("count where submision=shampoo", "There is no param or tag `submision`.", "The nearest is `submission`.");
    check_question("count where it failed");
    check_question("runs where status is failed");
}

#[test]
fn runs_are_shown_compared_and_followed() {
    check("run shampoo-study_0-trial_1", "run", r#"{"run": "algoperf-fastmri/shampoo-study_0-trial_1"}"#);
    check("run #2 in algoperf-fastmri", "run", r#"{"run": "algoperf-fastmri/baseline-study_0-trial_2"}"#);
    check(
        "compare algoperf-fastmri/shampoo-study_0-trial_1 baseline-study_0-trial_2 on validation/ssim final",
        "compare",
        r#"{"metric": "validation/ssim", "runs": ["algoperf-fastmri/shampoo-study_0-trial_1", "algoperf-fastmri/baseline-study_0-trial_2"], "which": "final"}"#,
    );
    check("compare shampoo-study_0-trial_1 baseline-study_0-trial_2", "compare", r#"{"metric": null, "which": "best"}"#);
    check("history validation/loss baseline-study_1-trial_1", "history", r#"{"metric": "validation/loss", "which": "points"}"#);
    check("history validation loss baseline-study_1-trial_1 best", "history", r#"{"metric": "validation/loss", "which": "best"}"#);
    check("history validation/loss baseline-study_1-trial_1 at step 500", "history", r#"{"which": {"at": 500}}"#);
    check("curve validation/loss baseline-study_1-trial_1", "history", r#"{"which": "points"}"#);
    check("runs in algoperf-wmt", "runs", r#"{"runs": {"project": "algoperf-wmt"}, "limit": 20}"#);
    check("running", "runs", r#"{"runs": {"status": "running"}}"#);
}

#[test]
fn records_are_found_by_words_number_and_hash() {
    check(
        "search nccl timeout kind:notes since:2026-05-04",
        "search",
        r#"{"words": "nccl timeout", "kinds": ["note"], "since_ms": 1777852800000}"#,
    );
    check("search what did we say in \"tide forecast\"", "search", r#"{"words": "what did we say in \"tide forecast\""}"#);
    check("pull #12", "pull", r#"{"number": 12}"#);
    check("commit ABC1234", "commit", r#"{"prefix": "abc1234"}"#);
    assert_eq!(parsed(" help "), Some(Parsed::Help));
    check_refusal("search", "There is nothing to search for.", "Write `search` and then the words.");
    check_refusal("search x kind:meeting", "`meeting` is no kind of record.", "There are `run`, `note`, `config`, `pull` and `commit`.");
}

#[test]
fn questions_are_left_alone() {
    check_question("Best validation accuracy of the shampoo submission on imagenet_vit?");
    check_question("best run in algoperf-fastmri");
    check_question("Which run is best?");
    check_question("Compare baseline-study_1-trial_1 with baseline-study_0-trial_2 on validation loss in algoperf-wmt.");
    check_question("Compare run 9001 and run 9002.");
    check_question("count the runs that failed");
    check_question("mean validation/ssim of the shampoo runs in algoperf-fastmri");
    check_question("runs in progress?");
    check_question("run time");
    check_question("running out of memory?");
    check_question("pull request that fixed dropout");
    check_question("commit to the new plan");
    check_question("search results got worse, why?");
    check_question("help me find the best run");
    check_question("history of the project");
    check_question("what's the \"best run");
    check_question("#345");
    check_question("");
}

#[test]
fn a_brief_is_of_a_week() {
    let week = |line: &str| match parsed(line) {
        Some(Parsed::Brief(period)) => period.key(),
        other => panic!("`{line}` is no brief: {other:?}"),
    };
    assert_eq!(week("brief"), "2026-W25");
    assert_eq!(week("Brief this week?"), "2026-W25");
    assert_eq!(week("brief last week"), "2026-W24");
    assert_eq!(week("brief 2026-W12"), "2026-W12");
    assert_eq!(week("brief 2026-06-14"), "2026-W24");
    check_question("brief me on the deadline");
    check_question("brief summary of 2026-W12");
}

#[test]
fn one_bad_name_is_told_with_the_nearest() {
    let Some(Parsed::Refusal(refusal)) = parsed("best validation/ssmi in algoperf-fastmri") else { panic!("not refused") };
    assert_eq!(refusal.sentence, "`validation/ssmi` is not logged in `algoperf-fastmri`.");
    assert!(refusal.hint.is_some_and(|hint| hint.contains("`validation/ssim`")));
    let Some(Parsed::Refusal(refusal)) = parsed("count in algoperf-fastmry-2") else { panic!("not refused") };
    assert_eq!(refusal.sentence, "There is no project `algoperf-fastmry-2`.");
    check_question("best validation/ssmi in algoperf-fastmri?");
    check_refusal(
        "runs since 2026-99-99",
        "`2026-99-99` is no date that I can read.",
        "Write it as `2026-05-04`, `yesterday` or `last week`.",
    );
}
