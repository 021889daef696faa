//! Lines of the push format, good and bad.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::io::Cursor;
use std::process::Command;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Batch, Pushed, read};
use crate::record::{Body, Record, RecordKind};
use crate::run::{Run, RunStatus, Summary};
use crate::source::folder::testing::{self, shared, write};
use crate::source::{Known, SourceError};

fn push(text: impl AsRef<[u8]>) -> Pushed {
    let mut batch = Batch::default();
    batch.read("in", Cursor::new(text)).unwrap();
    batch.finish()
}

fn run(record: &Record) -> &Run {
    let Body::Run(run) = &record.body else { panic!("no run") };
    run
}

fn complaints(pushed: &Pushed) -> String {
    pushed.complaints.iter().map(|c| format!("{}: {} ({})\n", c.place, c.message, c.native_id.as_deref().unwrap_or("-"))).collect()
}

fn check_complaints(text: impl AsRef<[u8]>, expected: Expect) {
    expected.assert_eq(&complaints(&push(text)));
}

/// The JSON samples of a Markdown text.
fn samples(markdown: &str) -> String {
    let mut is_sample = false;
    let mut samples = String::new();
    for line in markdown.lines() {
        match line {
            "```json" => is_sample = true,
            "```" => is_sample = false,
            _ if is_sample => writeln!(samples, "{line}").unwrap(),
            _ => {}
        }
    }
    samples
}

#[test]
fn the_samples_of_the_documentation_are_read() {
    let samples = samples(include_str!("../../../../docs/push-format.md"));
    let (said, delete) = samples.trim_end().rsplit_once('\n').unwrap();
    let pushed = push(said);
    assert_eq!("", complaints(&pushed));
    let record = &pushed.records[0];
    let first = run(record);
    assert_eq!(
        ("r-0017", "glucose/gru-wide", Some("glucose")),
        (record.native_id.as_str(), record.key.as_str(), record.project.as_deref())
    );
    assert_eq!((RunStatus::Failed, Some(1_781_078_400_000), Some(1_781_085_600_000)), (first.status, first.started_ms, first.ended_ms));
    assert_eq!(vec![("lr".to_owned(), "1e-3".to_owned()), ("model.width".to_owned(), "256".to_owned())], first.params);
    let summary = Summary::of(&first.series[0].points);
    assert_eq!((4, 1, 1, Some(24.25)), (summary.n, summary.n_nan, summary.n_pos_inf, summary.min.map(|at| at.value)));
    let kinds: Vec<RecordKind> = pushed.records.iter().map(|record| record.body.kind()).collect();
    assert_eq!(
        vec![RecordKind::Run, RecordKind::Note, RecordKind::Pull, RecordKind::Commit, RecordKind::Config, RecordKind::Config],
        kinds
    );
    assert_eq!("glucose#12", pushed.records[2].native_id);
    for place in [4, 5] {
        let Body::Config(config) = &pushed.records[place].body else { panic!("no config") };
        assert_eq!(vec![("optimizer.lr".to_owned(), "1e-3".to_owned())], config.values);
    }
    let after = push(format!("{said}\n{delete}"));
    assert_eq!((vec!["r-0017".to_owned()], pushed.records.len() - 1), (after.gone, after.records.len()));
}

#[test]
fn later_lines_extend_and_saying_it_again_changes_nothing() {
    let lines = "{\"type\":\"run\",\"id\":\"a\",\"status\":\"running\",\"params\":{\"lr\":0.1,\"wd\":1},\"metrics\":{\"loss\":[[0,2.0],[1,1.0]]}}\n\
                 {\"type\":\"run\",\"id\":\"a\",\"status\":\"finished\",\"params\":{\"lr\":0.2},\"name\":null,\"metrics\":{\"loss\":[[1,1.0],[2,0.5]],\"acc\":0.9}}\n";
    let once = push(lines);
    let twice = push(lines.repeat(2));
    assert_eq!(run(&once.records[0]), run(&twice.records[0]));
    let extended = run(&once.records[0]);
    assert_eq!(RunStatus::Finished, extended.status);
    assert_eq!(vec![("lr".to_owned(), "0.2".to_owned()), ("wd".to_owned(), "1".to_owned())], extended.params);
    assert_eq!(vec![3, 1], extended.series.iter().map(|series| series.points.len()).collect::<Vec<_>>());
}

#[test]
fn bad_lines_cost_a_complaint_each() {
    let lines = "\n{\"type\":\"note\",\"id\":\"good\",\"text\":\"x\"}\nnot json\n[1]\n{\"type\":\"note\"}\n{\"type\":\"dream\",\"id\":\"d\"}\n{\"v\":2,\"type\":\"note\",\"id\":\"n\"}\n\
                 {\"type\":\"run\",\"id\":\"good\"}\n{\"type\":\"pull\",\"repository\":\"r\",\"number\":\"x\"}\n{\"type\":\"note\",\"id\":\"cut\",\"te";
    check_complaints(
        lines,
        expect![[r#"
        in:3: not valid JSON: trailing characters (-)
        in:4: not a JSON object (-)
        in:5: `id` is missing (-)
        in:6: type `dream` is not known; there are run, note, config, pull, commit, delete (d)
        in:7: version `2` of the push format is not known; this reads version 1 (-)
        in:8: `good` is already the id of a note; the line is not read (good)
        in:9: `number`: `x` is not a whole number (-)
        in:10: not valid JSON, cut short: eof while parsing a string (-)
    "#]],
    );
    assert_eq!(vec!["good"], push(lines).records.iter().map(|r| r.native_id.as_str()).collect::<Vec<_>>());
    check_complaints(
        b"{\"type\":\"note\",\"id\":\"\xff\"}\n{\"type\":\"note\",\"id\":\"a\"}\n",
        expect![[r#"
        in:1: not UTF-8, not read (-)
    "#]],
    );
}

#[test]
fn bad_parts_are_left_out_and_the_line_is_kept() {
    let line = "{\"type\":\"run\",\"id\":\"a\",\"started\":\"yesterday\",\"status\":\"done\",\"params\":3,\"mood\":1,\"metrics\":{\"loss\":[[0,1],[\"x\",2],[3]]},\"directions\":{\"loss\":\"up\"}}\n";
    check_complaints(
        line.repeat(2),
        expect![[r#"
        in:1: key `mood` is not known and not read; it is said once a file (a)
        in:1: status `done` is not known; it is kept as `unknown` (a)
        in:1: `started`: `yesterday` is neither milliseconds since 1970 nor RFC 3339; it is left out (a)
        in:1: `params` is not an object; it is left out (a)
        in:1: metric `loss`: 2 points are not `[step, value]` or `[step, value, ms]`; they are left out (a)
        in:1: direction `up` of `loss` is neither `min` nor `max`; it is left out (a)
        in:2: status `done` is not known; it is kept as `unknown` (a)
        in:2: `started`: `yesterday` is neither milliseconds since 1970 nor RFC 3339; it is left out (a)
        in:2: `params` is not an object; it is left out (a)
        in:2: metric `loss`: 2 points are not `[step, value]` or `[step, value, ms]`; they are left out (a)
        in:2: direction `up` of `loss` is neither `min` nor `max`; it is left out (a)
    "#]],
    );
    let pushed = push(line);
    assert_eq!(1, run(&pushed.records[0]).series[0].points.len());
}

#[test]
fn points_are_ordered_and_keep_what_is_not_finite() {
    let pushed = push("{\"type\":\"run\",\"id\":\"a\",\"metrics\":{\"m\":[[2,-Infinity,5],[1,\"NaN\",4],[1,null,3],[1,1e400,9]]}}");
    let points = &run(&pushed.records[0]).series[0].points;
    assert_eq!(vec![(1, 3), (1, 4), (1, 9), (2, 5)], points.iter().map(|p| (p.step, p.at_ms)).collect::<Vec<_>>());
    assert!(points[0].value.is_nan() && points[1].value.is_nan() && points[3].value == f64::NEG_INFINITY);
}

#[test]
fn what_was_deleted_can_come_back() {
    let note = "{\"type\":\"note\",\"id\":\"a\",\"text\":\"x\"}\n";
    let delete = "{\"type\":\"delete\",\"kind\":\"note\",\"id\":\"a\"}\n";
    let other = "{\"type\":\"delete\",\"kind\":\"run\",\"id\":\"a\"}\n";
    let shape = |text: String| {
        let pushed = push(text);
        (pushed.records.len(), pushed.gone.len(), pushed.complaints.len())
    };
    assert_eq!((0, 1, 0), shape(format!("{note}{delete}")));
    assert_eq!((1, 0, 0), shape(format!("{note}{delete}{note}")));
    assert_eq!((1, 0, 1), shape(format!("{note}{other}")));
    assert_eq!((0, 1, 0), shape(delete.to_owned()));
}

#[test]
fn a_folder_is_read_by_name_and_an_unchanged_one_is_not() {
    let root = TempDir::new().unwrap();
    write(root.path(), "2.jsonl", "{\"type\":\"run\",\"id\":\"a\",\"name\":\"late\"}\n");
    write(root.path(), "1.jsonl", "{\"type\":\"run\",\"id\":\"a\",\"name\":\"early\"}\n{\"type\":\"note\",\"id\":\"n\"}\n");
    write(root.path(), "readme.txt", "no lines");
    let sent = testing::read(read, root.path(), &Known::default()).unwrap();
    assert_eq!("late", run(sent.record("a")).name);
    let mut again = testing::read(read, root.path(), &sent.as_known()).unwrap();
    again.unchanged.sort();
    assert_eq!((vec!["a".to_owned(), "n".to_owned()], 0, true), (again.unchanged, again.records.len(), again.listing.is_complete));
    write(root.path(), "3.jsonl", "{\"type\":\"delete\",\"kind\":\"note\",\"id\":\"n\"}\n");
    let last = testing::read(read, root.path(), &sent.as_known()).unwrap();
    assert_eq!((vec!["a".to_owned()], vec!["n".to_owned()]), (last.unchanged, last.gone));
}

#[test]
fn a_bad_line_keeps_anything_from_being_taken_for_gone() {
    let root = TempDir::new().unwrap();
    write(root.path(), "a.jsonl", "{\"type\":\"run\",\"id\":\"a\"}\n{\"type\":\"run\",\"i");
    let sent = testing::read(read, &root.path().join("a.jsonl"), &Known::default()).unwrap();
    assert_eq!((1, false, None), (sent.records.len(), sent.listing.is_complete, sent.listing.cursor));
    write(root.path(), "a.jsonl", "{\"type\":\"run\",\"id\":\"a\",\"extra\":1}\n");
    let sent = testing::read(read, &root.path().join("a.jsonl"), &Known::default()).unwrap();
    assert_eq!((1, true), (sent.complaints.len(), sent.listing.is_complete));
    let missing = testing::read(read, &root.path().join("b.jsonl"), &Known::default());
    assert!(matches!(missing, Err(SourceError::Unreadable { .. })), "{missing:?}");
}

#[test]
fn the_shared_pulls_are_mapped_and_read() {
    let Some(folder) = shared("git") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/map-pulls");
    let mapped = Command::new("python3").arg(script).arg(folder.join("algorithmic-efficiency-pulls.jsonl")).output().unwrap();
    assert!(mapped.status.success(), "{}", String::from_utf8_lossy(&mapped.stderr));
    let pushed = push(mapped.stdout);
    assert_eq!("", complaints(&pushed));
    assert_eq!(534, pushed.records.len());
    let Body::Pull(first) = &pushed.records[0].body else { panic!("no pull") };
    assert_eq!(
        ("algorithmic-efficiency", 1, Some(1_618_983_262_000), 7, 12),
        (first.repository.as_str(), first.number, first.merged_ms, first.commits.len(), first.files.len())
    );
}

proptest! {
    #[test]
    fn no_bytes_stop_the_reader(text in "[{}\\[\\]\",:a-c0-9\n\\\\ ]{0,300}") {
        push(text);
    }

    #[test]
    fn numbers_come_as_written(value in any::<f64>(), step in -1_000_000_i64..1_000_000) {
        let pushed = push(format!("{{\"type\":\"run\",\"id\":\"a\",\"metrics\":{{\"m\":[[{step},{value:?}]]}}}}"));
        let point = run(&pushed.records[0]).series[0].points[0];
        prop_assert!(point.step == step && (point.value == value || (point.value.is_nan() && value.is_nan())));
    }
}
