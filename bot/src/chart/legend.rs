//! The legend: which line is whose, in as many columns as the names allow.

use plotters::style::FontStyle;

use super::canvas::{Align, Canvas, Type};
use super::ink::{Ink, QUIET, TEXT, ink};
use super::layout::PADDING;
use super::names::shorten_until;
use super::series::{LINE_WIDTH, MARKER_RADIUS, cross, marker, stroke};
use super::{ChartError, Line, WIDTH};

const ROW_HEIGHT: f64 = 31.0;
/// Length of the piece of line before a name.
const SAMPLE_WIDTH: f64 = 40.0;
/// From the piece of line to the name.
const SAMPLE_GAP: f64 = 11.0;
/// Between columns.
const COLUMN_GAP: f64 = 30.0;
const MAX_COLUMNS: usize = 4;
/// Letters of a name at most.
const MAX_NAME: usize = 90;
/// Height of small letters, half of which lies above the middle of a row.
const HALF_LETTER: f64 = 7.0;

const NAME: Type = Type { size: 23.0, style: FontStyle::Normal, color: TEXT };

/// What stands before a name.
#[derive(Debug, Clone, Copy)]
enum Sample {
    Line(Ink),
    NotFinite,
}

/// The entries and where they stand.
#[derive(Debug)]
pub(super) struct Legend {
    entries: Vec<(Sample, String)>,
    n_columns: usize,
    column_width: f64,
    top: f64,
}

impl Legend {
    /// The legend of these lines, names shortened to fit.
    pub(super) fn of(lines: &[Line], canvas: &Canvas<'_>) -> Result<Self, ChartError> {
        let mut entries: Vec<(Sample, String)> =
            lines.iter().enumerate().map(|(place, line)| (Sample::Line(ink(place)), name(line))).collect();
        if lines.iter().flat_map(|line| &line.points).any(|(_, value)| !value.is_finite()) {
            entries.push((Sample::NotFinite, "not finite".to_owned()));
        }
        let mut widest: f64 = 0.0;
        for (_, name) in &entries {
            widest = widest.max(SAMPLE_WIDTH + SAMPLE_GAP + canvas.width(name, NAME)?);
        }
        let n_columns = n_columns(entries.len(), widest);
        let column_width = (column_room(n_columns)).min(widest);
        let name_room = column_width - SAMPLE_WIDTH - SAMPLE_GAP;
        for (_, name) in &mut entries {
            *name = shorten_until(name, MAX_NAME, |name| canvas.width(name, NAME).is_ok_and(|width| width <= name_room + 0.5));
        }
        Ok(Self { entries, n_columns, column_width, top: 0.0 })
    }

    /// Height in pixels.
    pub(super) fn height(&self) -> f64 {
        self.entries.len().div_ceil(self.n_columns) as f64 * ROW_HEIGHT
    }

    /// The same legend with its upper edge there.
    pub(super) fn below(self, top: f64) -> Self {
        Self { top, ..self }
    }
}

/// Draws the legend, row by row.
pub(super) fn draw(canvas: &Canvas<'_>, legend: &Legend) -> Result<(), ChartError> {
    for (nth, (sample, name)) in legend.entries.iter().enumerate() {
        let (row, column) = (nth / legend.n_columns, nth % legend.n_columns);
        let left = PADDING + column as f64 * (legend.column_width + COLUMN_GAP);
        let middle = legend.top + (row as f64 + 0.5) * ROW_HEIGHT;
        let center = (left + SAMPLE_WIDTH / 2.0, middle);
        match sample {
            Sample::Line(ink) => {
                stroke(canvas, &[(left, middle), (left + SAMPLE_WIDTH, middle)], LINE_WIDTH, *ink)?;
                marker(canvas, center, MARKER_RADIUS, *ink)?;
            }
            Sample::NotFinite => cross(canvas, center, QUIET)?,
        }
        canvas.text(name, (left + SAMPLE_WIDTH + SAMPLE_GAP, middle + HALF_LETTER), Align::Left, NAME)?;
    }
    Ok(())
}

fn name(line: &Line) -> String {
    let has_finite = line.points.iter().any(|(_, value)| value.is_finite());
    let name = super::names::shorten(&line.name, MAX_NAME);
    if has_finite { name } else { format!("{name} (no finite value)") }
}

/// As many columns as hold the widest entry; two where none does, so that a shortened name keeps half of the width.
fn n_columns(n_entries: usize, widest: f64) -> usize {
    let most = n_entries.clamp(1, MAX_COLUMNS);
    let least = if n_entries > 2 { 2 } else { 1 };
    (least..=most).rev().find(|n_columns| widest <= column_room(*n_columns)).unwrap_or(least)
}

fn column_room(n_columns: usize) -> f64 {
    let n_columns = n_columns as f64;
    (f64::from(WIDTH) - 2.0 * PADDING - (n_columns - 1.0) * COLUMN_GAP) / n_columns
}
