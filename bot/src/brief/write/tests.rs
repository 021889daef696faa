//! What is said when there is nothing, when all is well, and when there is more than a brief has room for.

use proptest::prelude::*;
use runlore_indexer::catalog::RunRow;
use runlore_indexer::run::{AtStep, Direction, RunStatus};

use super::super::failures::{Change, Failed, Fix, Group};
use super::super::gather::NewBest;
use super::super::testing::{period, run};
use super::super::{checked_text, finding, strays};
use super::*;
use crate::directions::{Known, Why};

const KNOWN: Known = Known { direction: Direction::Max, why: Why::Assumed };

/// A week in which nothing was.
fn nothing(reading: Reading) -> Gathered {
    Gathered {
        began: Vec::new(),
        ended: Vec::new(),
        n_running: 0,
        bests: Vec::new(),
        failures: Vec::new(),
        silent: Vec::new(),
        pulls: Vec::new(),
        linked: Vec::new(),
        items: Vec::new(),
        n_notes: 0,
        gpu_hours: None,
        without_notes: Vec::new(),
        oddly_named: Vec::new(),
        reading,
    }
}

/// A week with one run that is as it should be.
fn quiet(reading: Reading) -> Gathered {
    Gathered { began: vec![run("p/a", 1)], ended: vec![run("p/a", 1)], ..nothing(reading) }
}

fn note_item(kind: ItemKind, text: &str) -> NoteItem {
    let note = run("p/a", 9).record;
    NoteItem { kind, text: text.to_owned(), note, key: "notes/week.md".to_owned(), title: "Week".to_owned() }
}

fn group(line: &str) -> Group {
    let failed = Failed { run: run("p/broken", 2), line: Some(line.to_owned()), fix: None };
    Group { fingerprint: line.to_owned(), runs: vec![failed] }
}

fn text(gathered: &Gathered) -> String {
    let mut written = write(gathered, &period(), true);
    let finding = finding(&mut written, &period());
    let text = checked_text(&finding);
    assert_eq!(strays(&text, &finding, &written.facts), Vec::<String>::new(), "{text}");
    text
}

fn list<'a>(written: &'a Written, title: &str) -> &'a [String] {
    let section = written.sections.iter().find(|section| section.title == title);
    section.map_or(&[], |section| if let Body::List(lines) = &section.body { lines } else { &[] })
}

#[test]
fn no_data_says_why_and_is_never_all_clear() {
    let at_ms = period().end_ms;
    let readings = [Reading::NoSource, Reading::Never, Reading::Behind(None), Reading::Behind(Some(at_ms - 1)), Reading::UpToDate(at_ms)];
    let texts: Vec<String> = readings.iter().map(|reading| text(&nothing(*reading))).collect();
    for (i, text) in texts.iter().enumerate() {
        assert!(text.starts_with("No data for 2025-W11 (2025-03-10 to 2025-03-16): ") && !text.contains("All clear"), "{text}");
        assert!(!texts[..i].contains(text), "two reasons, one sentence: {text}");
    }
    assert!(texts[3].contains("were last read on 2025-03-16") && texts[4].contains("last read on 2025-03-17"), "{texts:?}");
    assert!(write(&nothing(Reading::Never), &period(), true).is_empty);
}

#[test]
fn all_is_clear_only_where_all_was_read_and_nothing_is_open() {
    let read = Reading::UpToDate(period().end_ms);
    let is_clear = |gathered: &Gathered| text(gathered).contains("All clear: ");
    assert!(is_clear(&quiet(read)));
    assert!(is_clear(&Gathered { items: vec![note_item(ItemKind::Decision, "keep it")], n_notes: 1, ..quiet(read) }));
    assert!(!is_clear(&Gathered { items: vec![note_item(ItemKind::Open, "look at it")], n_notes: 1, ..quiet(read) }));
    assert!(!is_clear(&Gathered { failures: vec![group("OSError")], ..quiet(read) }));
    let silent = Silent { run: run("p/a", 1), since_ms: 1, silent_ms: 3 * 3_600_000 };
    assert!(!is_clear(&Gathered { silent: vec![silent], ..quiet(read) }));
    let behind = text(&quiet(Reading::Behind(Some(period().start_ms))));
    assert!(behind.contains("Not all is known: a source was last read on 2025-03-10") && !behind.contains("All clear"), "{behind}");
}

#[test]
fn each_item_is_told_once_or_counted() {
    let items: Vec<NoteItem> = (0..9).map(|i| note_item(ItemKind::Decision, &format!("keep seed {i}"))).collect();
    let gathered = Gathered { items, n_notes: 1, ..quiet(Reading::UpToDate(period().end_ms)) };
    let written = write(&gathered, &period(), true);
    let (first, more) = (list(&written, "Highlights"), list(&written, "More decisions"));
    assert_eq!(first, ["Decided: keep seed 0 (notes/week.md)", "Decided: keep seed 1 (notes/week.md)"]);
    assert_eq!((more.len(), more.last().map(String::as_str)), (6, Some("and 2 more")));
    assert_eq!(written.chosen.len(), 9);
    assert_eq!(written.chosen.iter().filter(|chosen| chosen.is_highlight).count(), 2);
    assert_eq!(written.chosen[8].item, "keep seed 8");
    text(&gathered);
}

/// 200 people with 2,000 runs a week.
#[test]
fn a_large_team_gets_a_short_brief() {
    let runs: Vec<RunRow> = (0..2_000).map(|i| run(&format!("p{}/run-{i}", i % 150), i)).collect();
    let at = |value| AtStep { value, step: 1 };
    let best = |run: &RunRow| NewBest {
        metric: "acc".to_owned(),
        known: KNOWN,
        run: run.clone(),
        at: at(0.5),
        previous: Some((run.clone(), at(0.25))),
        seeds: None,
    };
    let silent = |run: &RunRow| Silent { run: run.clone(), since_ms: 1, silent_ms: 200 * 3_600_000 };
    let said = |kind| (0..150).map(move |i| note_item(kind, &format!("{} {i}", "word ".repeat(80))));
    let gathered = Gathered {
        began: runs.clone(),
        ended: runs.clone(),
        bests: runs.iter().take(150).map(best).collect(),
        failures: (0..200).map(|i| group(&format!("Error {i}"))).collect(),
        silent: runs.iter().take(100).map(silent).collect(),
        items: said(ItemKind::Decision).chain(said(ItemKind::Open)).collect(),
        n_notes: 90,
        without_notes: runs.clone(),
        oddly_named: runs,
        ..nothing(Reading::UpToDate(period().end_ms))
    };
    let mut written = write(&gathered, &period(), true);
    let told = finding(&mut written, &period());
    assert!(told.lines.len() <= 70 && told.lines.iter().all(|line| line.chars().count() <= 400), "{} lines", told.lines.len());
    assert!(told.records.len() <= 20 && written.facts.len() < 400, "{} facts", written.facts.len());
    assert_eq!(written.chosen.len(), 150 + 200 + 150);
    text(&gathered);
}

#[test]
fn a_best_and_a_failure_are_told_with_what_they_rest_on() {
    let (old, new) = (run("p/old-1", 1), run("p/new-2", 2));
    let at = |value, step| AtStep { value, step };
    let (at_new, previous) = (at(0.75, 40), Some((old, at(0.5, 30))));
    let best = NewBest { metric: "val/acc".to_owned(), known: KNOWN, run: new, at: at_new, previous, seeds: None };
    let change = Change { name: "lr".to_owned(), before: Some("0.1".to_owned()), after: None };
    let mut broken = group("ValueError: shape 3");
    broken.runs[0].fix = Some(Fix { run: run("p/works-3", 3), changes: vec![change] });
    let gathered = Gathered { bests: vec![best], failures: vec![broken], ..quiet(Reading::UpToDate(period().end_ms)) };
    let written = write(&gathered, &period(), true);
    assert_eq!(
        list(&written, "Highlights"),
        [
            "New best val/acc in p, higher is better, assumed from the name: 0.75 by p/new-2 at step 40, better by 0.25 than 0.5 of \
             p/old-1",
            "Failed, p/broken: ValueError: shape 3; p/works-3 worked later with lr not logged (was 0.1)",
        ]
    );
    let headline = "The week 2025-W11 (2025-03-10 to 2025-03-16): 1 run started, 1 finished, 0 failed, 1 new best.";
    assert_eq!(written.headline, headline);
    assert_eq!((written.chosen[0].score, written.best_order.as_slice()), (90, [0].as_slice()));
    text(&gathered);
}

/// Names as people and programs give them, and worse.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}[-_/.][a-z0-9]{1,6}",
        "[0-9]{1,5}",
        "[0-9]{1,3}[.,:/-][0-9]{1,3}",
        "#[0-9]{1,3} [a-z]{3,9} \\[[0-9]\\]",
        "[1-9]e-[1-9]",
        "\\PC{1,40}",
    ]
}

fn a_run() -> impl Strategy<Value = RunRow> {
    let status = prop::sample::select(RunStatus::ALL.to_vec());
    (names(), names(), 1..99_i64, status).prop_map(|(project, name, number, status)| RunRow {
        key: format!("{project}/{name}"),
        name,
        project,
        status,
        ..run("p/a", number)
    })
}

fn a_best() -> impl Strategy<Value = NewBest> {
    let at = || (-1e6..1e6_f64, 0..100_000_i64).prop_map(|(value, step)| AtStep { value, step });
    let previous = proptest::option::of((a_run(), at()));
    (names(), a_run(), at(), previous).prop_map(|(metric, run, at, previous)| NewBest {
        metric,
        known: KNOWN,
        run,
        at,
        previous,
        seeds: None,
    })
}

fn a_group() -> impl Strategy<Value = Group> {
    let change =
        (names(), proptest::option::of(names()), names()).prop_map(|(name, before, after)| Change { name, before, after: Some(after) });
    let fix = (a_run(), proptest::collection::vec(change, 0..5)).prop_map(|(run, changes)| Fix { run, changes });
    let failed = (a_run(), proptest::option::of(names()), proptest::option::of(fix)).prop_map(|(run, line, fix)| Failed { run, line, fix });
    (names(), proptest::collection::vec(failed, 1..5)).prop_map(|(fingerprint, runs)| Group { fingerprint, runs })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever things are called, every number of the text is a fact's or a name's.
    #[test]
    fn every_number_resolves_whatever_things_are_called(
        began in proptest::collection::vec(a_run(), 0..20),
        ended in proptest::collection::vec(a_run(), 0..20),
        bests in proptest::collection::vec(a_best(), 0..6),
        failures in proptest::collection::vec(a_group(), 0..6),
        said in proptest::collection::vec((any::<bool>(), names()), 0..20),
    ) {
        let kind = |is_open| if is_open { ItemKind::Open } else { ItemKind::Decision };
        let items: Vec<NoteItem> = said.iter().map(|(is_open, text)| note_item(kind(*is_open), text)).collect();
        let without_notes = began.clone();
        let gathered = Gathered { began, ended, bests, failures, items, without_notes, n_notes: 1, ..nothing(Reading::Behind(None)) };
        text(&gathered);
    }
}
