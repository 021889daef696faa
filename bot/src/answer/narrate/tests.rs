//! Sentences whose marks stand where they fit are filled; others are left out.

use super::*;

fn marks() -> Vec<Mark> {
    let mark = |letter, shown: &str, fits| Mark { letter, role: String::new(), shown: shown.to_owned(), fits };
    vec![mark('a', "0.724", Fits::Value), mark('b', "6625", Fits::Step), mark('c', "15", Fits::Count), mark('d', "quick-fox", Fits::Run)]
}

fn check(text: &str, filled: Option<&str>) {
    assert_eq!(fill(text, &marks()).as_deref(), filled, "{text}");
}

#[test]
fn marks_in_their_places_are_filled() {
    check("The run {d} got to {a} by step {b}.", Some("The run quick-fox got to 0.724 by step 6625."));
    check("That is the mean over {c} runs.", Some("That is the mean over 15 runs."));
}

#[test]
fn swapped_marks_are_left_out() {
    check("It reached {b} at step {a}.", None);
    check("There are {a} runs in the project.", None);
    check("The best value is {c} points off.", Some("The best value is 15 points off."));
    check("It was {d} runs in all.", None);
}

#[test]
fn sentences_with_digits_fragments_or_no_end_are_left_out() {
    check("It reached 3 at step {b}.", None);
    check("The run study-  reached {a}.", None);
    check("The best is{a}, at step {b}.", None);
    check("The best is {a}, at step {b}", None);
    check("The best is {z}.", None);
    check("No value is named here at all.", None);
}

#[test]
fn only_what_stands_in_the_headline_by_itself_is_a_mark() {
    assert!(stands_in("Best x: 0.724, quick-fox at step 6625.", "6625"));
    assert!(!stands_in("Best x: 0.724, quick-fox at step 6625.", "0"));
    assert!(!stands_in("Best x: 0.724, quick-fox-2 at step 6625.", "quick-fox"));
}
