//! Any lines of the push format: records that name themselves, and complaints that name their line.

use anyhow::Result;
use runlore_indexer::source::push::{Batch, Pushed};
use runlore_tests::fuzz::{Format, Outcome, Target, fuzz};
use runlore_tests::team::fixtures;

use super::kind_of;

const WORDS: [&str; 46] = [
    "type",
    "run",
    "note",
    "config",
    "pull",
    "commit",
    "delete",
    "v",
    "id",
    "kind",
    "name",
    "project",
    "title",
    "status",
    "started",
    "ended",
    "created",
    "updated",
    "params",
    "tags",
    "metrics",
    "directions",
    "datasets",
    "texts",
    "path",
    "text",
    "digest",
    "context",
    "values",
    "repository",
    "number",
    "merged",
    "files",
    "added",
    "deleted",
    "commits",
    "hash",
    "message",
    "parent",
    "2026-06-10T08:00:00Z",
    "NaN",
    "-Infinity",
    "&a [*a]",
    "<<: *a",
    "a.yaml",
    "b.toml",
];

/// The samples of docs/push-format.md, and some pulls.
fn seeds() -> Vec<Vec<u8>> {
    let page = std::fs::read_to_string(fixtures().join("../docs/push-format.md")).unwrap_or_default();
    let samples = page.split("```json\n").skip(1).filter_map(|rest| rest.split("\n```").next().map(str::to_owned));
    let pulls = std::fs::read_to_string(fixtures().join("pulls.jsonl")).unwrap_or_default();
    let pulls = pulls.lines().take(2).collect::<Vec<_>>().join("\n");
    samples.chain([pulls]).map(String::into_bytes).collect()
}

#[test]
fn push() -> Result<()> {
    fuzz(&Target { name: "push", format: Format::JsonLines, seeds: seeds(), words: &WORDS, check: &check })
}

fn check(input: &[u8]) -> Outcome {
    let once = pushed(input)?;
    let n_lines = input.split(|byte| *byte == b'\n').count();
    for complaint in &once.complaints {
        let line = complaint.place.strip_prefix("pushed:").and_then(|line| line.parse::<usize>().ok());
        if !line.is_some_and(|line| (1..=n_lines).contains(&line)) || complaint.message.is_empty() {
            return Err(format!("a complaint without its line: {complaint:?}"));
        }
    }
    for record in &once.records {
        if record.native_id.trim().is_empty() || record.fingerprint.is_empty() {
            return Err(format!("a record without a name or a fingerprint: {:?}", record.key));
        }
    }
    let kinds: std::collections::BTreeSet<String> = once.complaints.iter().map(|complaint| kind_of(&complaint.message)).collect();
    let records: Vec<&str> = once.records.iter().take(3).map(|record| record.body.kind().as_str()).collect();
    Ok(format!("{} {}", records.join(" "), kinds.into_iter().take(3).collect::<Vec<_>>().join("; ")))
}

fn pushed(input: &[u8]) -> Result<Pushed, String> {
    let mut batch = Batch::default();
    batch.read("pushed", input).map_err(|error| format!("bytes in memory cannot be read: {error}"))?;
    Ok(batch.finish())
}
