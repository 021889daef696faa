//! Which of a week's items are its highlights: the written rule (docs/brief.md), without IO and without the model. Pure.
//!
//! An item scores what its kind is worth and what it adds by its size. The highest scores are the highlights, at most
//! [`MAX_HIGHLIGHTS`], at most [`MAX_OF_A_KIND`] of a kind. Equal scores stand in the order of their kinds, then of their names.

use serde::Serialize;

/// Highlights of one brief.
pub const MAX_HIGHLIGHTS: usize = 5;

/// Highlights of one kind.
pub const MAX_OF_A_KIND: usize = 2;

/// What kind of item; the order is that of equal scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A better value than a project ever had.
    NewBest,
    /// Runs that failed alike.
    Failure,
    /// What a note says was decided.
    Decision,
    /// A run that should log and does not.
    Stalled,
    /// A merged pull.
    Pull,
    /// The first value of a project.
    FirstBest,
}

/// What an item's score hangs on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Worth {
    /// A new best: by which share of the previous one it changed; none where that was zero.
    NewBest { share: Option<f64> },
    /// The first value of a project.
    FirstBest,
    /// So many runs with the same failure, and whether a later run shows what made it work.
    Failure { n_runs: usize, is_fixed: bool },
    /// A decision.
    Decision,
    /// A stalled run, silent for so many hours.
    Stalled { silent_hours: i64 },
    /// A merged pull, and how many runs of the week ran its merge.
    Pull { n_runs: usize },
}

/// An item that may become a highlight.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is worth.
    pub worth: Worth,
    /// Names it among its kind; decides between equals.
    pub name: String,
}

/// An item with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its place among the items that were given.
    pub place: usize,
    /// Its kind.
    pub kind: Kind,
    /// The sum.
    pub score: u32,
    /// The sum's parts, in words.
    pub why: String,
    /// Whether it is a highlight.
    pub is_highlight: bool,
}

impl Worth {
    /// Its kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::NewBest { .. } => Kind::NewBest,
            Self::FirstBest => Kind::FirstBest,
            Self::Failure { .. } => Kind::Failure,
            Self::Decision => Kind::Decision,
            Self::Stalled { .. } => Kind::Stalled,
            Self::Pull { .. } => Kind::Pull,
        }
    }

    /// Score and reason.
    fn score(self) -> (u32, String) {
        let sum = |base: u32, what: &str, parts: &[(u32, String)]| {
            let added: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!(", +{n} {why}")).collect();
            (base + parts.iter().map(|(n, _)| n).sum::<u32>(), format!("{base} for {what}{}", added.concat()))
        };
        match self {
            Self::NewBest { share } => {
                let percent = share.map_or(0.0, |share| share.abs() * 100.0);
                sum(60, "a new best", &[(up_to(30, percent * 3.0), format!("for a change of {percent:.1} %"))])
            }
            Self::FirstBest => sum(20, "the first value of a project", &[]),
            Self::Failure { n_runs, is_fixed } => {
                let runs = (up_to(30, 5.0 * n_runs as f64), format!("for {n_runs} failed alike"));
                sum(40, "a failure", &[runs, (if is_fixed { 5 } else { 0 }, "for a later run that worked".to_owned())])
            }
            Self::Decision => sum(50, "a decision", &[]),
            Self::Stalled { silent_hours } => {
                sum(45, "a stalled run", &[(up_to(10, silent_hours as f64 / 12.0), format!("for {silent_hours} silent hours"))])
            }
            Self::Pull { n_runs } => {
                let runs = if n_runs == 1 { "run" } else { "runs" };
                sum(30, "a merged pull", &[(up_to(20, 5.0 * n_runs as f64), format!("for {n_runs} {runs} on its merge"))])
            }
        }
    }
}

/// A number of points, rounded down, at most so many.
fn up_to(most: u32, points: f64) -> u32 {
    points.clamp(0.0, f64::from(most)) as u32
}

/// All items, the highest score first, the highlights marked.
pub fn rank(items: &[Item]) -> Vec<Ranked> {
    let scored = |(place, item): (usize, &Item)| {
        let (score, why) = item.worth.score();
        Ranked { place, kind: item.worth.kind(), score, why, is_highlight: false }
    };
    let mut ranked: Vec<Ranked> = items.iter().enumerate().map(scored).collect();
    ranked.sort_by(|a, b| {
        let (name_a, name_b) = (&items[a.place].name, &items[b.place].name);
        b.score.cmp(&a.score).then(a.kind.cmp(&b.kind)).then(name_a.cmp(name_b)).then(a.place.cmp(&b.place))
    });
    let mut chosen: Vec<Kind> = Vec::new();
    for item in &mut ranked {
        let n_of_kind = chosen.iter().filter(|kind| **kind == item.kind).count();
        item.is_highlight = chosen.len() < MAX_HIGHLIGHTS && n_of_kind < MAX_OF_A_KIND;
        if item.is_highlight {
            chosen.push(item.kind);
        }
    }
    ranked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(worth: Worth, name: &str) -> Item {
        Item { worth, name: name.to_owned() }
    }

    fn scores(worths: &[Worth]) -> Vec<u32> {
        worths.iter().map(|worth| worth.score().0).collect()
    }

    /// The table of docs/brief.md.
    #[test]
    fn a_kind_is_worth_what_the_docs_say() {
        use Worth::{Decision, Failure, FirstBest, NewBest, Pull, Stalled};
        let (small, large) = (NewBest { share: Some(-0.01) }, NewBest { share: Some(0.5) });
        assert_eq!(scores(&[NewBest { share: None }, small, large]), [60, 63, 90]);
        let failed = |n_runs, is_fixed| Failure { n_runs, is_fixed };
        assert_eq!(scores(&[failed(1, false), failed(1, true), failed(4, false), failed(90, true)]), [45, 50, 60, 75]);
        assert_eq!(scores(&[Decision, FirstBest]), [50, 20]);
        assert_eq!(scores(&[Stalled { silent_hours: 3 }, Stalled { silent_hours: 60 }, Stalled { silent_hours: 167 }]), [45, 50, 55]);
        assert_eq!(scores(&[Pull { n_runs: 0 }, Pull { n_runs: 2 }, Pull { n_runs: 50 }]), [30, 40, 50]);
        assert_eq!(failed(4, true).score().1, "40 for a failure, +20 for 4 failed alike, +5 for a later run that worked");
        assert_eq!(Pull { n_runs: 0 }.score().1, "30 for a merged pull");
    }

    #[test]
    fn no_kind_crowds_out_the_others() {
        let best = |name: &str, share| item(Worth::NewBest { share: Some(share) }, name);
        let items = [
            best("a", 0.2),
            best("b", 0.3),
            best("c", 0.05),
            item(Worth::Pull { n_runs: 0 }, "#1"),
            item(Worth::Decision, "n"),
            item(Worth::Failure { n_runs: 2, is_fixed: false }, "f"),
            item(Worth::FirstBest, "p"),
        ];
        let ranked = rank(&items);
        let chosen: Vec<&str> = ranked.iter().filter(|item| item.is_highlight).map(|item| items[item.place].name.as_str()).collect();
        assert_eq!(chosen, ["a", "b", "f", "n", "#1"], "`c` scores more than three of them");
        assert_eq!(ranked[2].score, 75);
    }

    fn worths() -> impl Strategy<Value = Worth> {
        prop_oneof![
            proptest::option::of(-2.0..2.0_f64).prop_map(|share| Worth::NewBest { share }),
            Just(Worth::FirstBest),
            (0..50_usize, any::<bool>()).prop_map(|(n_runs, is_fixed)| Worth::Failure { n_runs, is_fixed }),
            Just(Worth::Decision),
            (0..500_i64).prop_map(|silent_hours| Worth::Stalled { silent_hours }),
            (0..50_usize).prop_map(|n_runs| Worth::Pull { n_runs }),
        ]
    }

    proptest! {
        /// The order in which items are found decides nothing, nothing is lost, and who is left out scores no more than who is not, but
        /// where its kind is full.
        #[test]
        fn the_order_of_finding_decides_nothing(worths in proptest::collection::vec(worths(), 0..20)) {
            let items: Vec<Item> = worths.iter().enumerate().map(|(i, worth)| item(*worth, &format!("{i:02}"))).collect();
            let reversed: Vec<Item> = items.iter().rev().cloned().collect();
            let told = |items: &[Item]| -> Vec<(String, u32, bool)> {
                rank(items).iter().map(|r| (items[r.place].name.clone(), r.score, r.is_highlight)).collect()
            };
            prop_assert_eq!(told(&items), told(&reversed));
            let ranked = rank(&items);
            prop_assert_eq!(ranked.len(), items.len());
            prop_assert!(ranked.is_sorted_by(|a, b| a.score >= b.score));
            let chosen: Vec<&Ranked> = ranked.iter().filter(|r| r.is_highlight).collect();
            prop_assert!(chosen.len() <= MAX_HIGHLIGHTS);
            for left_out in ranked.iter().filter(|r| !r.is_highlight) {
                let of_kind = chosen.iter().filter(|r| r.kind == left_out.kind).count();
                prop_assert!(of_kind == MAX_OF_A_KIND || chosen.len() == MAX_HIGHLIGHTS);
            }
        }
    }
}
