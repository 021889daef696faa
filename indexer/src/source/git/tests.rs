//! Repositories made here, the messages of each code host, and the shared bundle.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::{pulls, read};
use crate::record::{Body, Commit, Pull};
use crate::source::folder::testing::{self, Sent, shared};
use crate::source::{GitRepository, Known, SourceError};

/// A repository, and the time of its next commit.
struct Scratch {
    root: TempDir,
    seconds: u64,
}

impl Scratch {
    fn new() -> Self {
        let scratch = Self { root: TempDir::new().unwrap(), seconds: 1_700_000_000 };
        scratch.git(&["init", "--quiet", "--initial-branch=main"]);
        scratch
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.root.path(), arguments, self.seconds)
    }

    /// Commits nothing, as `author`, a minute after the commit before.
    fn commit(&mut self, author: &str, message: &str) -> String {
        self.seconds += 60;
        self.git(&["commit", "--quiet", "--allow-empty", &format!("--author={author} <{author}@example.org>"), "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn merge(&mut self, branch: &str, message: &str) -> String {
        self.seconds += 60;
        self.git(&["merge", "--quiet", "--no-ff", branch, "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn place(&self) -> GitRepository {
        place(self.root.path())
    }

    fn read(&self) -> Sent {
        testing::read(read, &self.place(), &Known::default()).unwrap()
    }
}

fn git(folder: &Path, arguments: &[&str], seconds: u64) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=press", "-c", "user.email=press@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_AUTHOR_DATE", format!("{seconds} +0000"))
        .env("GIT_COMMITTER_DATE", format!("{seconds} +0000"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn place(path: &Path) -> GitRepository {
    GitRepository { path: path.to_owned(), repository: "team".to_owned(), branch: None }
}

fn pull<'s>(sent: &'s Sent, native_id: &str) -> &'s Pull {
    let Body::Pull(pull) = &sent.record(native_id).body else { panic!("no pull") };
    pull
}

fn commit<'s>(sent: &'s Sent, hash: &str) -> &'s Commit {
    let Body::Commit(commit) = &sent.record(hash).body else { panic!("no commit") };
    commit
}

fn check(message: &str, expected: Expect) {
    let shown = pulls::recognise(message).map_or_else(
        || "none".to_owned(),
        |pull| format!("#{} {:?} from {:?}: {:?}", pull.number, pull.title, pull.head.unwrap_or_default(), pull.description),
    );
    expected.assert_eq(&shown);
}

#[test]
fn github_messages() {
    check(
        "Merge pull request #12 from org/branch\n\nFix the loader\n\nLonger.\n",
        expect![[r##"#12 "Fix the loader" from "org/branch": "Longer.""##]],
    );
    check("Merge pull request #12 from org/branch", expect![[r##"#12 "Merge pull request #12 from org/branch" from "org/branch": """##]]);
    check("Fix the loader (#12)\n\n* a\n* b\n", expect![[r##"#12 "Fix the loader" from "": "* a\n* b""##]]);
    check("Backport (#7) (#12)", expect![[r##"#12 "Backport (#7)" from "": """##]]);
    check("Revert \"Fix the loader (#12)\"", expect!["none"]);
    check("see #12 (maybe)", expect!["none"]);
    check("Fixes (#99999999999999999999999)", expect!["none"]);
}

#[test]
fn gitlab_messages() {
    let message = "Merge branch 'loader' into 'main'\n\nFix the loader\n\nCloses #3\n\nSee merge request team/sub/proj!12";
    check(message, expect![[r##"#12 "Fix the loader" from "loader": "Closes #3""##]]);
    check("Fix the loader\n\nSee merge request !12\n", expect![[r##"#12 "Fix the loader" from "": """##]]);
    check("Merge branch 'main' into 'loader'", expect!["none"]);
}

#[test]
fn azure_messages() {
    check("Merged PR 12: Fix the loader\n\nLonger.", expect![[r##"#12 "Fix the loader" from "": "Longer.""##]]);
    check("Merge pull request 12 from loader into main\n\nFix it", expect![[r##"#12 "Fix it" from "loader": """##]]);
}

#[test]
fn bitbucket_messages() {
    check(
        "Merged in loader (pull request #12)\n\nFix the loader\n\nApproved-by: Jo",
        expect![[r##"#12 "Fix the loader" from "loader": "Approved-by: Jo""##]],
    );
    check("Fix the loader (pull request #12)", expect![[r##"#12 "Fix the loader" from "": """##]]);
    check(
        "Pull request #12: Fix the loader\n\nMerge in P/r from loader to main",
        expect![[r##"#12 "Fix the loader" from "": "Merge in P/r from loader to main""##]],
    );
    check("Merge pull request #12 in P/r from loader to main\n\n* commit 'abc'", expect![[r##"#12 "* commit 'abc'" from "loader": """##]]);
}

#[test]
fn a_merge_brings_its_side_and_the_innermost_pull_counts() {
    let mut repo = Scratch::new();
    let root = repo.commit("mira", "begin");
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    let squash = repo.commit("mira", "small thing (#2)");
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    let first = repo.commit("jo", "feature, part one\n\nCo-authored-by: mira");
    let second = repo.commit("jo", "feature, part two");
    repo.git(&["checkout", "--quiet", "dev"]);
    let between = repo.commit("mira", "between");
    let inner = repo.merge("feature", "Merge pull request #3 from org/feature\n\nThe feature\n\nWith words.");
    repo.git(&["checkout", "--quiet", "main"]);
    let main_only = repo.commit("mira", "on main");
    let outer = repo.merge("dev", "Merge pull request #4 from org/dev\n\nDev to main");
    let sent = repo.read();

    let feature = pull(&sent, "pull/3");
    assert_eq!(vec!["feature, part two", "feature, part one\n\nCo-authored-by: mira"], feature.commits);
    assert_eq!(
        (Some("org/feature"), "With words.", Some(inner.as_str())),
        (feature.head.as_deref(), feature.description.as_str(), feature.merge_commit.as_deref())
    );
    let record = sent.record("pull/3");
    assert_eq!(("#3", "The feature", Some("jo")), (record.key.as_str(), record.title.as_str(), record.author.as_deref()));
    assert_eq!(Some(1_700_000_000_000 + 6 * 60_000), feature.merged_ms);
    assert_eq!(5, pull(&sent, "pull/4").commits.len());
    assert_eq!(Vec::<String>::new(), pull(&sent, "pull/2").commits);
    let pulls_of = [&root, &main_only, &squash, &first, &second, &inner, &between, &outer].map(|hash| commit(&sent, hash).pull);
    assert_eq!([None, None, Some(2), Some(3), Some(3), Some(3), Some(4), Some(4)], pulls_of);
    assert_eq!(first[..10], sent.record(&first).key);
    assert!(sent.listing.is_complete && sent.complaints.is_empty());
}

#[test]
fn of_two_commits_with_one_number_the_merge_counts_then_the_older() {
    let mut repo = Scratch::new();
    repo.commit("mira", "mentions an issue (#5)");
    repo.git(&["checkout", "--quiet", "-b", "a"]);
    repo.commit("jo", "work");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.merge("a", "Merge pull request #5 from org/a\n\nFirst");
    repo.git(&["checkout", "--quiet", "-b", "b"]);
    repo.commit("jo", "more");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.merge("b", "Merge pull request #5 from fork/b\n\nSecond");
    assert_eq!("First", repo.read().record("pull/5").title);
}

#[test]
fn an_unchanged_tip_costs_nothing_and_a_new_commit_only_itself() {
    let mut repo = Scratch::new();
    repo.commit("mira", "one (#1)");
    let sent = repo.read();
    let mut known = sent.as_known();
    let again = testing::read(read, &repo.place(), &known).unwrap();
    assert_eq!((0, 2, true), (again.records.len(), again.unchanged.len(), again.listing.is_complete));
    assert_eq!(sent.listing.cursor, again.listing.cursor);
    let two = repo.commit("mira", "two");
    let next = testing::read(read, &repo.place(), &known).unwrap();
    assert_eq!(vec![two], next.records.iter().map(|r| r.native_id.clone()).collect::<Vec<_>>());
    known.cursor = Some("something of an older version".to_owned());
    assert_eq!(1, testing::read(read, &repo.place(), &known).unwrap().records.len());
}

#[test]
fn a_force_push_lists_what_is_reachable_now() {
    let mut repo = Scratch::new();
    let one = repo.commit("mira", "one");
    let two = repo.commit("mira", "two");
    let known = repo.read().as_known();
    repo.git(&["reset", "--quiet", "--hard", &one]);
    let other = repo.commit("mira", "other");
    let sent = testing::read(read, &repo.place(), &known).unwrap();
    assert_eq!((vec![one], vec![other]), (sent.unchanged.clone(), sent.records.iter().map(|r| r.native_id.clone()).collect()));
    assert!(sent.listing.is_complete && !sent.unchanged.contains(&two));
}

#[test]
fn a_shallow_clone_is_read_as_far_as_it_goes() {
    let mut repo = Scratch::new();
    for i in 0..5 {
        repo.commit("mira", &format!("c{i}"));
    }
    let clone = TempDir::new().unwrap();
    let url = format!("file://{}", repo.root.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth=2", &url, "."], 1_700_000_000);
    let sent = testing::read(read, &place(clone.path()), &Known::default()).unwrap();
    assert_eq!(vec!["c4", "c3"], sent.records.iter().map(|r| r.title.as_str()).collect::<Vec<_>>());
}

#[test]
fn a_repository_without_commits_is_fine_and_said() {
    let repo = Scratch::new();
    let sent = repo.read();
    assert_eq!((0, 1, true), (sent.records.len(), sent.complaints.len(), sent.listing.is_complete));
    assert!(sent.complaints[0].message.contains("without commits"));
}

#[test]
fn what_is_no_repository_or_branch_is_named() {
    let folder = TempDir::new().unwrap();
    let read_at = |place: &GitRepository| testing::read(read, place, &Known::default()).map(|_| ()).unwrap_err();
    assert!(matches!(read_at(&place(folder.path())), SourceError::NotWhatItShouldBe { expected: "a git repository", .. }));
    assert!(matches!(read_at(&place(&PathBuf::from("/nowhere/at/all"))), SourceError::Unreadable { .. }));
    let mut repo = Scratch::new();
    repo.commit("mira", "one");
    let error = read_at(&GitRepository { branch: Some("gone".to_owned()), ..repo.place() });
    assert!(error.to_string().contains("there is no branch `gone`"), "{error}");
}

#[test]
fn a_missing_object_is_an_error_and_no_deletion() {
    let mut repo = Scratch::new();
    let one = repo.commit("mira", "one");
    repo.commit("mira", "two");
    std::fs::remove_file(repo.root.path().join(".git/objects").join(&one[..2]).join(&one[2..])).unwrap();
    let failed = testing::read(read, &repo.place(), &Known::default());
    assert!(matches!(failed, Err(SourceError::Unreadable { .. })), "{failed:?}");
}

#[test]
fn the_shared_bundle_has_its_commits_and_pulls() {
    let Some(folder) = shared("git") else { return };
    let clone = TempDir::new().unwrap();
    let bundle = folder.join("algorithmic-efficiency.bundle").display().to_string();
    git(clone.path(), &["clone", "--quiet", "--bare", "-b", "main", &bundle, "."], 1_700_000_000);
    let started = std::time::Instant::now();
    let sent = testing::read(read, &place(clone.path()), &Known::default()).unwrap();
    println!("{} records in {:?}", sent.records.len(), started.elapsed());
    let n_commits = sent.records.iter().filter(|r| matches!(r.body, Body::Commit(_))).count();
    assert_eq!(4647, n_commits);
    let told = std::fs::read_to_string(folder.join("algorithmic-efficiency-pulls.jsonl")).unwrap();
    for line in told.lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let record = sent.record(&format!("pull/{}", told["number"]));
        let pull = pull(&sent, &record.native_id);
        assert_eq!(told["title"].as_str(), Some(record.title.as_str()));
        assert_eq!(told["head"].as_str(), pull.head.as_deref());
        assert_eq!(told["merged_at"].as_i64(), pull.merged_ms.map(|ms| ms / 1000));
    }
    assert_eq!(534 + 4, sent.records.len() - n_commits);
}
