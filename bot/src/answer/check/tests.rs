//! Numbers from nowhere are found; those of facts, records, quotes and the question are not.

use super::*;
use crate::facts::{Fact, FactKind};

fn check(text: &str, facts: &[Fact], records: &[&str], question: &str) -> Vec<String> {
    let records: Vec<String> = records.iter().map(|key| (*key).to_owned()).collect();
    strays(text, &Sources { facts, records: &records, quotes: &["it was 3.5 then"], question })
}

#[test]
fn names_of_runs_and_pulls_are_no_numbers() {
    let key = "algoperf-ogbg/shampoo-study_2-trial_4";
    let text = "Best x: algoperf-ogbg/shampoo-study_2-trial_4 at step.\n  shampoo-study_2-trial_4  y\n#888 fixed it [1]";
    assert_eq!(check(text, &[], &[key, "#888"], ""), Vec::<String>::new());
}

#[test]
fn a_number_of_no_fact_is_found() {
    let facts = [Fact::new(FactKind::Mean, "x").with_value(0.1234567), Fact::param("lr", "0", "a/b", None)];
    assert_eq!(check("0.123457 and 0.2", &facts, &[], ""), ["0.2"]);
    assert_eq!(check("0.1234 is not what is shown", &facts, &[], ""), ["0.1234"]);
    assert_eq!(check("the 7th of 3.5, lr 0", &facts, &[], "which of 7?"), Vec::<String>::new());
}

#[test]
fn days_are_names() {
    let facts = [Fact { label: Some("2026-05-04".to_owned()), ..Fact::new(FactKind::Time, "started") }];
    assert_eq!(check("started 2026-05-04", &facts, &[], ""), Vec::<String>::new());
    assert_eq!(check("started 2026-05-05", &facts, &[], "").len(), 3);
}

#[test]
fn a_name_within_a_number_is_no_name() {
    let facts = [Fact::param("lr", "2e-5", "a/b", None), Fact::new(FactKind::Mean, "x").with_value(1.2e-5)];
    assert_eq!(check("lr 2e-5 gave 1.2e-5", &facts, &[], ""), Vec::<String>::new());
    assert_eq!(check("lr 2e-5 gave 7.2e-5", &facts, &[], ""), ["7.2e-5"]);
}
