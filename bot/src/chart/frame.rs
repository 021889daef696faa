//! What the lines are drawn on: card, axes, grid, numbers and words.

use super::canvas::{Align, At, Canvas};
use super::ink::{AXIS, BORDER, CARD, FAINT_GRID, GRID, LANE};
use super::layout::{Frame, HEADING, HEADING_NOTE, Layout, NUMBERS, PADDING, SMALL, TICK_GAP};
use super::scale::Scale;
use super::{ChartError, HEIGHT, WIDTH};

/// Width of the border and of grid lines.
const THIN: f64 = 1.0;
/// Width of the axes.
const AXIS_WIDTH: f64 = 1.7;
/// Baseline of the heading.
const HEADING_BASELINE: f64 = 50.0;
/// From the frame to the baselines of tick numbers and of the word "step".
const X_NUMBERS_BASELINE: f64 = 28.0;
const X_LABEL_BASELINE: f64 = 58.0;
/// From the middle of a number to its baseline.
const HALF_DIGIT: f64 = 7.5;
/// Distance of numbers above each other.
const NUMBER_HEIGHT: f64 = 23.0;
/// Free room between numbers beside each other.
const NUMBER_GAP: f64 = 14.0;

/// Draws all that is not data.
pub(super) fn draw(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    card(canvas)?;
    words(canvas, layout)?;
    lanes(canvas, layout)?;
    y_axis(canvas, layout)?;
    x_axis(canvas, layout)?;
    let Frame { left, top, right, bottom } = layout.frame;
    canvas.line([(left, top), (left, bottom)], AXIS_WIDTH, AXIS)?;
    canvas.line([(left, bottom), (right, bottom)], AXIS_WIDTH, AXIS)?;
    if layout.y.is_none() {
        let center = (left.midpoint(right), top.midpoint(bottom));
        canvas.text("no finite value", center, Align::Center, HEADING_NOTE)?;
    }
    Ok(())
}

fn card(canvas: &Canvas<'_>) -> Result<(), ChartError> {
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    canvas.rectangle([(0.0, 0.0), (width, height)], BORDER)?;
    canvas.rectangle([(THIN, THIN), (width - THIN, height - THIN)], CARD)
}

fn words(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    let Frame { left, right, bottom, .. } = layout.frame;
    canvas.text(&layout.heading, (PADDING, HEADING_BASELINE), Align::Left, HEADING)?;
    if layout.y.is_some_and(Scale::is_log) {
        let after = PADDING + canvas.width(&layout.heading, HEADING)? + 12.0;
        canvas.text("(log scale)", (after, HEADING_BASELINE), Align::Left, HEADING_NOTE)?;
    }
    canvas.text(&layout.note, (right, HEADING_BASELINE), Align::Right, SMALL)?;
    canvas.text("step", (left.midpoint(right), bottom + X_LABEL_BASELINE), Align::Center, NUMBERS)
}

/// A tint behind the marks of what is not finite.
fn lanes(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    let (frame, data) = (layout.frame, layout.data);
    if data.top > frame.top {
        canvas.rectangle([(frame.left, frame.top), (frame.right, data.top)], LANE)?;
    }
    if data.bottom < frame.bottom {
        canvas.rectangle([(frame.left, data.bottom), (frame.right, frame.bottom)], LANE)?;
    }
    Ok(())
}

fn y_axis(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    let Frame { left, right, .. } = layout.frame;
    let mut free_below = f64::MAX;
    for tick in &layout.y_ticks {
        let y = layout.y_of(tick.value);
        let color = if tick.label.is_some() { GRID } else { FAINT_GRID };
        canvas.line([(left, y), (right, y)], THIN, color)?;
        if let Some(label) = tick.label.as_deref().filter(|_| y <= free_below) {
            free_below = y - NUMBER_HEIGHT;
            canvas.text(label, (left - TICK_GAP, y + HALF_DIGIT), Align::Right, NUMBERS)?;
        }
    }
    Ok(())
}

fn x_axis(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    let Frame { top, bottom, .. } = layout.frame;
    let mut free_from = 0.0;
    for tick in &layout.x_ticks {
        let x = layout.x_of(tick.value);
        if layout.y.is_some() {
            canvas.line([(x, top), (x, bottom)], THIN, GRID)?;
        }
        let label = tick.label.as_deref().unwrap_or_default();
        let half_width = canvas.width(label, NUMBERS)? / 2.0;
        if x - half_width >= free_from {
            x_number(canvas, label, (x, bottom))?;
            free_from = x + half_width + NUMBER_GAP;
        }
    }
    Ok(())
}

fn x_number(canvas: &Canvas<'_>, label: &str, (x, bottom): At) -> Result<(), ChartError> {
    canvas.line([(x, bottom), (x, bottom + 5.0)], THIN, AXIS)?;
    canvas.text(label, (x, bottom + X_NUMBERS_BASELINE), Align::Center, NUMBERS)
}
