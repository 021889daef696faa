//! The chunks of a run: a card of all its names and values, its note, its logs.

use super::{MAX_CHARS, Piece, lines_up_to, markdown};
use crate::record::Record;
use crate::run::{Run, RunStatus, Summary};

/// Log chunks of one run that are indexed, from the end backwards; those of a run that went wrong are embedded too.
const MAX_LOG_CHUNKS: usize = 24;

/// Embedded log chunks of a run that went wrong.
const MAX_EMBEDDED_LOG_CHUNKS: usize = 4;

/// Cuts a run.
pub(super) fn pieces(record: &Record, run: &Run) -> Vec<Piece> {
    let short = short_card(record, run);
    let mut pieces = vec![Piece { heading: "run".to_owned(), text: short.clone(), embed: Some(short) }];
    let details = details(run);
    for text in lines_up_to(&details, MAX_CHARS) {
        pieces.push(Piece { heading: "details".to_owned(), text: text.to_owned(), embed: None });
    }
    if let Some(notes) = &run.notes {
        for mut piece in markdown::pieces(&record.key, notes) {
            piece.heading = format!("notes {}", piece.heading).trim_end().to_owned();
            pieces.push(piece);
        }
    }
    for text in &run.texts {
        pieces.extend(log_pieces(record, run, &text.path, &text.text));
    }
    pieces
}

/// What a person would say of the run in three lines; short, because embedding costs time.
fn short_card(record: &Record, run: &Run) -> String {
    let mut card = format!("run {} in {}, {}", run.name, record.project.as_deref().unwrap_or("no project"), run.status.as_str());
    if let Some(user) = &run.user {
        card.push_str(&format!(", by {user}"));
    }
    let tags: Vec<String> =
        run.tags.iter().filter(|(_, value)| value.len() <= 40).take(12).map(|(name, value)| format!("{name} {value}")).collect();
    if !tags.is_empty() {
        card.push_str(&format!("\n{}", tags.join(", ")));
    }
    let params: Vec<String> =
        run.params.iter().filter(|(_, value)| value.len() <= 40).take(16).map(|(name, value)| format!("{name}={value}")).collect();
    if !params.is_empty() {
        card.push_str(&format!("\n{}", params.join(", ")));
    }
    card.chars().take(MAX_CHARS / 2).collect()
}

/// Every param, tag, metric and dataset, one a line, for the keyword index.
fn details(run: &Run) -> String {
    let mut lines: Vec<String> = run.params.iter().map(|(name, value)| format!("param {name} = {value}")).collect();
    lines.extend(run.tags.iter().map(|(name, value)| format!("tag {name} = {value}")));
    for series in &run.series {
        let summary = Summary::of(&series.points);
        let shown = summary.last.map_or_else(|| "no points".to_owned(), |last| format!("last {} at step {}", last.value, last.step));
        lines.push(format!("metric {} {shown}, {} points", series.key, summary.n));
    }
    lines.extend(run.datasets.iter().map(|dataset| format!("dataset {} {}", dataset.name, dataset.digest)));
    lines.extend(run.commit.iter().map(|commit| format!("commit {commit}")));
    lines.join("\n")
}

fn log_pieces(record: &Record, run: &Run, path: &str, text: &str) -> Vec<Piece> {
    let went_wrong = matches!(run.status, RunStatus::Failed | RunStatus::Killed | RunStatus::Crashed);
    let slices = lines_up_to(text, MAX_CHARS);
    let first = slices.len().saturating_sub(MAX_LOG_CHUNKS);
    let first_embedded = if went_wrong { slices.len().saturating_sub(MAX_EMBEDDED_LOG_CHUNKS) } else { usize::MAX };
    let piece = |(i, slice): (usize, &&str)| Piece {
        heading: format!("log {path}"),
        text: (*slice).to_owned(),
        embed: (i >= first_embedded).then(|| format!("{} {path}\n{slice}", record.key)),
    };
    slices.iter().enumerate().skip(first).map(piece).collect()
}
