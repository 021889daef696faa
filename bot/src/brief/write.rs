//! From what was gathered to the words of a brief: headline, highlights, sections, what is not known. Pure.

mod tables;

use serde::Serialize;

use super::Period;
use super::gather::{Gathered, NoteItem, Reading};
use super::habits::Silent;
use super::items::ItemKind;
use super::lines;
use super::pen::{Named, Pen, one_line};
use super::rank::{Item, Kind, Ranked, Worth, rank};
use crate::facts::Fact;

/// Items of a section that are listed.
const N_LISTED: usize = 5;

/// Longest name of an item that is not told in full, in characters.
const MAX_NAME: usize = 120;

/// A part of a brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// What it says.
    pub body: Body,
}

/// What a section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A line each.
    List(Vec<String>),
    /// Rows of cells, the first the head.
    Table(Vec<Vec<String>>),
}

/// Why an item stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// What kind of item.
    pub kind: Kind,
    /// The item: its line, or its name where the brief has no room for it.
    pub item: String,
    /// Its score.
    pub score: u32,
    /// The score's parts.
    pub why: String,
    /// Whether it is a highlight.
    pub is_highlight: bool,
}

/// A brief's words, and what they rest on.
pub(super) struct Written {
    pub(super) headline: String,
    pub(super) sections: Vec<Section>,
    pub(super) notices: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) named: Vec<Named>,
    pub(super) chosen: Vec<Chosen>,
    pub(super) is_empty: bool,
    /// The first highlight and its facts, for the model to word.
    pub(super) lead: Option<(String, Vec<Fact>)>,
    /// New bests by their score, for charts.
    pub(super) best_order: Vec<usize>,
}

/// Where an item that may become a highlight was found.
#[derive(Debug, Clone, Copy)]
enum Found<'a> {
    Best(usize),
    Failure(usize),
    Decision(&'a NoteItem),
    Stalled(&'a Silent),
    Pull(usize),
}

/// Writes it all.
pub(super) fn write(gathered: &Gathered, period: &Period, is_over: bool) -> Written {
    let mut pen = Pen::new(period);
    let n_runs = gathered.began.len() + gathered.ended.len() + gathered.n_running;
    let is_stalled = gathered.silent.iter().any(|silent| !silent.is_abandoned());
    let is_empty = n_runs == 0 && !is_stalled && gathered.pulls.is_empty() && gathered.n_notes == 0;
    if is_empty {
        return empty(pen, gathered.reading, period);
    }
    let found = found(gathered);
    let items: Vec<Item> = found.iter().map(|found| item(gathered, *found)).collect();
    let ranked = rank(&items);
    let mut sections = Vec::new();
    let mut told: Vec<Option<String>> = vec![None; ranked.len()];
    let headline = tables::headline(&mut pen, gathered, period, is_over);
    let mut highlights = Vec::new();
    let mut lead = None;
    for (i, item) in ranked.iter().enumerate().filter(|(_, item)| item.is_highlight) {
        let n_before = pen.ledger.facts().len();
        let line = line(&mut pen, gathered, found[item.place]);
        lead = lead.or_else(|| Some((line.clone(), pen.ledger.facts()[n_before..].to_vec())));
        told[i] = Some(line.clone());
        highlights.push(line);
    }
    push_list(&mut sections, "Highlights", highlights);
    sections.extend(tables::runs(&mut pen, gathered));
    let titles = [
        ("More new bests", Kind::NewBest),
        ("First values", Kind::FirstBest),
        ("More failures", Kind::Failure),
        ("More decisions", Kind::Decision),
        ("More merged pulls", Kind::Pull),
    ];
    for (title, kind) in titles {
        let rest = rest_of(&mut pen, gathered, (&found, &ranked, &mut told), kind);
        push_list(&mut sections, title, rest);
    }
    sections.extend(tables::linked(&mut pen, gathered));
    sections.extend(tables::cost(&mut pen, gathered));
    sections.extend(tables::hygiene(&mut pen, gathered));
    let stalled = rest_of(&mut pen, gathered, (&found, &ranked, &mut told), Kind::Stalled);
    push_list(&mut sections, "Next week", next_week(&mut pen, gathered, stalled));
    let notices = notices(&mut pen, gathered);
    let best_order = ranked.iter().filter_map(|item| if let Found::Best(i) = found[item.place] { Some(i) } else { None }).collect();
    let chosen = chosen(ranked, told, &items);
    let Pen { ledger, named, .. } = pen;
    Written { headline, sections, notices, facts: ledger.facts().to_vec(), named, chosen, is_empty, lead, best_order }
}

/// Everything that may become a highlight.
fn found(gathered: &Gathered) -> Vec<Found<'_>> {
    let decisions = gathered.items.iter().filter(|item| item.kind == ItemKind::Decision).map(Found::Decision);
    let stalled = gathered.silent.iter().filter(|silent| !silent.is_abandoned()).map(Found::Stalled);
    let of = |n: usize, found: fn(usize) -> Found<'static>| (0..n).map(found).collect::<Vec<Found<'_>>>();
    let mut all = of(gathered.bests.len(), Found::Best);
    all.extend(of(gathered.failures.len(), Found::Failure));
    all.extend(of(gathered.pulls.len(), Found::Pull));
    all.extend(decisions.chain(stalled));
    all
}

fn item(gathered: &Gathered, found: Found<'_>) -> Item {
    let (worth, name) = match found {
        Found::Best(i) => {
            let best = &gathered.bests[i];
            let share = |before: f64| (before != 0.0).then(|| (best.at.value - before) / before);
            let worth = match &best.previous {
                Some((_, before)) => Worth::NewBest { share: share(before.value) },
                None => Worth::FirstBest,
            };
            (worth, format!("{} in {}", best.metric, best.run.project))
        }
        Found::Failure(i) => {
            let group = &gathered.failures[i];
            let is_fixed = group.runs.iter().any(|failed| failed.fix.is_some());
            let name = if group.fingerprint.is_empty() { "no error in a log" } else { group.fingerprint.as_str() };
            (Worth::Failure { n_runs: group.runs.len(), is_fixed }, name.to_owned())
        }
        Found::Decision(item) => (Worth::Decision, item.text.clone()),
        Found::Stalled(silent) => (Worth::Stalled { silent_hours: silent.hours() }, silent.run.key.clone()),
        Found::Pull(i) => (Worth::Pull { n_runs: n_runs_of(gathered, i) }, gathered.pulls[i].key.clone()),
    };
    Item { worth, name }
}

/// Runs of the period that ran the merge of a pull.
fn n_runs_of(gathered: &Gathered, pull: usize) -> usize {
    let record = gathered.pulls[pull].record;
    gathered.linked.iter().find(|linked| linked.pull.record == record).map_or(0, |linked| linked.runs.len())
}

fn line(pen: &mut Pen<'_>, gathered: &Gathered, found: Found<'_>) -> String {
    match found {
        Found::Best(i) => lines::best(pen, &gathered.bests[i]),
        Found::Failure(i) => lines::failure(pen, &gathered.failures[i]),
        Found::Decision(item) => lines::decision(pen, item),
        Found::Stalled(silent) => lines::silent(pen, silent),
        Found::Pull(i) => lines::pull(pen, &gathered.pulls[i], n_runs_of(gathered, i)),
    }
}

/// The first items of a kind that are no highlights, and how many more there are.
fn rest_of(
    pen: &mut Pen<'_>,
    gathered: &Gathered,
    (found, ranked, told): (&[Found<'_>], &[Ranked], &mut [Option<String>]),
    kind: Kind,
) -> Vec<String> {
    let of_kind: Vec<usize> = (0..ranked.len()).filter(|i| ranked[*i].kind == kind && !ranked[*i].is_highlight).collect();
    let mut rest = Vec::new();
    for &i in of_kind.iter().take(N_LISTED) {
        let line = line(pen, gathered, found[ranked[i].place]);
        told[i] = Some(line.clone());
        rest.push(line);
    }
    rest.extend(and_more(pen, "items not listed", of_kind.len()));
    rest
}

/// `and 7 more`, where more than are listed were found.
fn and_more(pen: &mut Pen<'_>, what: &str, n_all: usize) -> Option<String> {
    let n_more = n_all.saturating_sub(N_LISTED);
    (n_more > 0).then(|| format!("and {} more", pen.count(what, n_more)))
}

/// What goes on: open items, and runs that somebody should look at. Nothing is guessed.
fn next_week(pen: &mut Pen<'_>, gathered: &Gathered, stalled: Vec<String>) -> Vec<String> {
    let open: Vec<&NoteItem> = gathered.items.iter().filter(|item| item.kind == ItemKind::Open).collect();
    let mut next: Vec<String> = open.iter().take(N_LISTED).map(|item| format!("Open: {}", lines::note_item(pen, item))).collect();
    next.extend(and_more(pen, "open items not listed", open.len()));
    next.extend(stalled);
    let abandoned: Vec<&Silent> = gathered.silent.iter().filter(|silent| silent.is_abandoned()).collect();
    next.extend(abandoned.iter().take(N_LISTED).map(|silent| lines::silent(pen, silent)));
    next.extend(and_more(pen, "abandoned runs not listed", abandoned.len()));
    next
}

/// What is not known, or that all is well: said only where all was read.
fn notices(pen: &mut Pen<'_>, gathered: &Gathered) -> Vec<String> {
    let is_quiet = gathered.failures.is_empty() && gathered.silent.is_empty();
    let is_open = gathered.items.iter().any(|item| item.kind == ItemKind::Open);
    match gathered.reading {
        Reading::UpToDate(_) if is_quiet && !is_open => {
            vec!["All clear: no run failed or fell silent, and no note of the week leaves anything open.".to_owned()]
        }
        Reading::Behind(Some(at_ms)) => {
            let day = pen.day("last read", at_ms);
            vec![format!("Not all is known: a source was last read on {day}; what came later is missing.")]
        }
        Reading::Behind(None) => vec!["Not all is known: a source has not been read yet.".to_owned()],
        Reading::UpToDate(_) | Reading::Never | Reading::NoSource => Vec::new(),
    }
}

/// A week of which there is nothing, and why that may be.
fn empty(mut pen: Pen<'_>, reading: Reading, period: &Period) -> Written {
    let week = tables::week(&mut pen, period);
    let why = match reading {
        Reading::NoSource => "no source puts anything into what may be read here".to_owned(),
        Reading::Never => "the sources have not been read yet".to_owned(),
        Reading::Behind(None) => "a source has not been read yet, and the others hold no run, pull or note of it".to_owned(),
        Reading::Behind(Some(at_ms)) => {
            format!("the sources were last read on {}, so that what came later is not known", pen.day("last read", at_ms))
        }
        Reading::UpToDate(at_ms) => {
            format!("the sources, last read on {}, hold no run, pull or note of it", pen.day("last read", at_ms))
        }
    };
    Written {
        headline: format!("No data for {week}: {why}."),
        sections: Vec::new(),
        notices: Vec::new(),
        facts: pen.ledger.facts().to_vec(),
        named: Vec::new(),
        chosen: Vec::new(),
        is_empty: true,
        lead: None,
        best_order: Vec::new(),
    }
}

fn chosen(ranked: Vec<Ranked>, told: Vec<Option<String>>, items: &[Item]) -> Vec<Chosen> {
    let chosen = |(ranked, told): (Ranked, Option<String>)| {
        let item = told.unwrap_or_else(|| one_line(&items[ranked.place].name, MAX_NAME));
        Chosen { kind: ranked.kind, item, score: ranked.score, why: ranked.why, is_highlight: ranked.is_highlight }
    };
    ranked.into_iter().zip(told).map(chosen).collect()
}

fn push_list(sections: &mut Vec<Section>, title: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        sections.push(Section { title: title.to_owned(), body: Body::List(lines) });
    }
}

#[cfg(test)]
mod tests;
