//! What goes where: scales, ticks, and the place of each part, before anything is drawn.

use plotters::style::FontStyle;

use super::canvas::{At, Canvas, Type};
use super::describe::label;
use super::ink::{Ink, QUIET, TEXT, ink};
use super::legend::Legend;
use super::names::{grouped, shorten_until};
use super::scale::Scale;
use super::thin::{is_above, is_below, thinned};
use super::ticks::{self, Tick};
use super::{Chart, ChartError, HEIGHT, Line, MAX_LINES, WIDTH};

/// Free room around everything.
pub(super) const PADDING: f64 = 28.0;
/// Height of one row of marks of what is not finite, and of all rows at one edge.
const LANE_HEIGHT: f64 = 18.0;
const MAX_LANES_HEIGHT: f64 = 72.0;
/// From the upper edge to the frame.
const ABOVE_FRAME: f64 = 76.0;
/// From the frame to the legend: tick numbers and the word "step".
const BELOW_FRAME: f64 = 72.0;
/// From tick numbers to the frame.
pub(super) const TICK_GAP: f64 = 10.0;
/// Ticks that an axis should have.
const N_X_TICKS: u32 = 8;
const N_Y_TICKS: u32 = 6;
/// Letters of a heading at most.
const MAX_HEADING: usize = 160;

pub(super) const HEADING: Type = Type { size: 29.0, style: FontStyle::Bold, color: TEXT };
pub(super) const HEADING_NOTE: Type = Type { size: 25.0, style: FontStyle::Normal, color: QUIET };
pub(super) const NUMBERS: Type = Type { size: 23.0, style: FontStyle::Normal, color: QUIET };
pub(super) const SMALL: Type = Type { size: 19.0, style: FontStyle::Normal, color: QUIET };

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// One line as it is drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) ink: Ink,
    /// By step, thinned.
    pub(super) points: Vec<(i64, f64)>,
    /// Height of its marks above the data; `None` where it has none.
    pub(super) lane_above: Option<f64>,
    /// Height of its marks below the data.
    pub(super) lane_below: Option<f64>,
}

/// Everything that is drawn, and where.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) heading: String,
    /// Small words at the upper right.
    pub(super) note: String,
    pub(super) frame: Frame,
    /// The frame without the marks of what is not finite.
    pub(super) data: Frame,
    pub(super) x: Option<Scale>,
    pub(super) y: Option<Scale>,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) lines: Vec<Drawn>,
    pub(super) legend: Legend,
}

impl Layout {
    /// Finds the place of everything.
    pub(super) fn of(chart: &Chart, canvas: &Canvas<'_>) -> Result<Self, ChartError> {
        let shown = &chart.lines[..chart.lines.len().min(MAX_LINES)];
        let x = Scale::of_steps(shown.iter().flat_map(|line| &line.points).map(|(step, _)| *step));
        let y = Scale::of_values(shown.iter().flat_map(|line| &line.points).map(|(_, value)| *value));
        let x_ticks = x.map(|scale| ticks::of_steps(scale, N_X_TICKS)).unwrap_or_default();
        let y_ticks = y.map(|scale| ticks::of_values(scale, N_Y_TICKS)).unwrap_or_default();
        let legend = Legend::of(shown, canvas)?;
        let frame = frame(widest(canvas, &y_ticks)?, legend.height());
        let note = note(chart, shown);
        let heading = heading(chart, canvas, canvas.width(&note, SMALL)?)?;
        let (lines, data) = in_lanes(shown, frame);
        let legend = legend.below(frame.bottom + BELOW_FRAME);
        Ok(Self { heading, note, frame, data, x, y, x_ticks, y_ticks, lines, legend })
    }

    /// Where a step is, from the left.
    pub(super) fn x_of(&self, step: f64) -> f64 {
        let share = self.x.map_or(0.5, |scale| scale.share(step));
        self.data.left + share * (self.data.right - self.data.left)
    }

    /// Where a finite value is, from the top.
    pub(super) fn y_of(&self, value: f64) -> f64 {
        let share = self.y.map_or(0.5, |scale| scale.share(value));
        self.data.bottom - share * (self.data.bottom - self.data.top)
    }

    /// Where a finite point is.
    pub(super) fn at(&self, (step, value): (i64, f64)) -> At {
        (self.x_of(step as f64), self.y_of(value))
    }
}

fn frame(tick_width: f64, legend_height: f64) -> Frame {
    Frame {
        left: PADDING + tick_width.max(30.0) + TICK_GAP,
        top: ABOVE_FRAME,
        right: f64::from(WIDTH) - PADDING,
        bottom: f64::from(HEIGHT) - PADDING + 8.0 - legend_height - BELOW_FRAME,
    }
}

fn widest(canvas: &Canvas<'_>, ticks: &[Tick]) -> Result<f64, ChartError> {
    let labels = ticks.iter().filter_map(|tick| tick.label.as_deref());
    labels.map(|label| canvas.width(label, NUMBERS)).try_fold(0.0, |widest: f64, width| Ok(widest.max(width?)))
}

/// The metric and its unit, as long as there is room beside the note.
fn heading(chart: &Chart, canvas: &Canvas<'_>, note_width: f64) -> Result<String, ChartError> {
    const LOG_NOTE_WIDTH: f64 = 160.0;
    let room = f64::from(WIDTH) - 3.0 * PADDING - note_width - LOG_NOTE_WIDTH;
    let text = label(chart);
    Ok(shorten_until(&text, MAX_HEADING, |text| canvas.width(text, HEADING).is_ok_and(|width| width <= room)))
}

/// What the picture leaves out: points of sampled series, and runs.
fn note(chart: &Chart, shown: &[Line]) -> String {
    let mut parts = Vec::new();
    if shown.len() < chart.lines.len() {
        parts.push(format!("{} of {} runs", shown.len(), chart.lines.len()));
    }
    let is_sampled = |line: &Line| line.n_all > line.points.len() as u64;
    if shown.iter().any(is_sampled) {
        let n_shown: u64 = shown.iter().map(|line| line.points.len() as u64).sum();
        let n_all = shown.iter().map(|line| line.n_all.max(line.points.len() as u64)).fold(0, u64::saturating_add);
        parts.push(format!("{} of {} points, sampled", grouped(n_shown), grouped(n_all)));
    }
    parts.join(" · ")
}

/// Gives a row to each line with marks of what is not finite; the data get the rest of the frame.
fn in_lanes(shown: &[Line], frame: Frame) -> (Vec<Drawn>, Frame) {
    let (mut above, mut below) = (Lanes::of(shown, is_above), Lanes::of(shown, is_below));
    let data = Frame { top: frame.top + above.height(), bottom: frame.bottom - below.height(), ..frame };
    let drawn = |(place, line): (usize, &Line)| Drawn {
        ink: ink(place),
        points: thinned(&line.points),
        lane_above: above.next_of(line).map(|from_edge| frame.top + from_edge),
        lane_below: below.next_of(line).map(|from_edge| frame.bottom - from_edge),
    };
    (shown.iter().enumerate().map(drawn).collect(), data)
}

/// The rows of marks at one edge.
struct Lanes {
    is_marked: fn(f64) -> bool,
    n_all: usize,
    n_given: usize,
}

impl Lanes {
    fn of(lines: &[Line], is_marked: fn(f64) -> bool) -> Self {
        Self { is_marked, n_all: lines.iter().filter(|line| has(line, is_marked)).count(), n_given: 0 }
    }

    fn height(&self) -> f64 {
        (self.n_all as f64 * LANE_HEIGHT).min(MAX_LANES_HEIGHT)
    }

    /// From the edge to the middle of the line's row; `None` where it needs none.
    fn next_of(&mut self, line: &Line) -> Option<f64> {
        if !has(line, self.is_marked) {
            return None;
        }
        self.n_given += 1;
        Some((self.n_given as f64 - 0.5) * self.height() / self.n_all as f64)
    }
}

fn has(line: &Line, is_marked: fn(f64) -> bool) -> bool {
    line.points.iter().any(|(_, value)| is_marked(*value))
}
