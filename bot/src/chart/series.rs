//! The lines themselves, their markers, and the marks of what is not finite.

use plotters::style::RGBColor;

use super::ChartError;
use super::canvas::{At, Canvas};
use super::ink::{CARD, Ink};
use super::layout::{Drawn, Layout};
use super::thin::{is_above, is_below};

/// Width of a calm line, in pixels.
pub(super) const LINE_WIDTH: f64 = 3.0;
/// Width of a restless line.
const THIN_WIDTH: f64 = 2.0;
/// A line is restless that goes up and down by so many heights of the frame.
const N_RESTLESS: f64 = 4.0;
/// How much wider the casing of a light line is.
const CASING: f64 = 1.4;
pub(super) const MARKER_RADIUS: f64 = 6.0;
/// Around a marker.
const RIM: f64 = 1.6;
/// Up to so many points each gets a marker.
const N_ALL_MARKED: usize = 40;
/// Markers of a line with more points.
const N_MARKERS: usize = 8;
/// Half the width of the mark of a point that is not finite.
const CROSS_RADIUS: f64 = 5.5;
/// Marks nearer than this are drawn once.
const CROSS_GAP: f64 = 9.0;

/// Draws all lines, then all markers, so that no line hides a marker.
pub(super) fn draw(canvas: &Canvas<'_>, layout: &Layout) -> Result<(), ChartError> {
    for line in &layout.lines {
        let paths = paths(layout, line);
        let width = width(layout, &paths);
        paths.iter().try_for_each(|path| stroke(canvas, path, width, line.ink))?;
    }
    for (place, line) in layout.lines.iter().enumerate() {
        for point in marked(layout, line, place) {
            marker(canvas, layout.at(point), MARKER_RADIUS, line.ink)?;
        }
        let marks: [Lane; 2] = [(line.lane_above, is_above), (line.lane_below, is_below)];
        marks.into_iter().try_for_each(|lane| crosses(canvas, layout, line, lane))?;
    }
    Ok(())
}

/// The stretches of a line between points that are not finite.
fn paths(layout: &Layout, line: &Drawn) -> Vec<Vec<At>> {
    let runs = line.points.split(|(_, value)| !value.is_finite());
    runs.map(|run| run.iter().map(|point| layout.at(*point)).collect()).collect()
}

fn width(layout: &Layout, paths: &[Vec<At>]) -> f64 {
    let climb: f64 = paths.iter().flat_map(|path| path.windows(2)).map(|ends| (ends[1].1 - ends[0].1).abs()).sum();
    if climb > N_RESTLESS * (layout.data.bottom - layout.data.top) { THIN_WIDTH } else { LINE_WIDTH }
}

/// A line through these points; a dot where there is one.
pub(super) fn stroke(canvas: &Canvas<'_>, path: &[At], width: f64, ink: Ink) -> Result<(), ChartError> {
    if let Some(casing) = ink.casing {
        stroke_plain(canvas, path, width + CASING, casing)?;
    }
    stroke_plain(canvas, path, width, ink.color)
}

fn stroke_plain(canvas: &Canvas<'_>, path: &[At], width: f64, color: RGBColor) -> Result<(), ChartError> {
    for ends in path.windows(2) {
        canvas.line([ends[0], ends[1]], width, color)?;
    }
    // Round corners; without them, steep bends would show gaps. A point by itself is a larger dot.
    let radius = if path.len() == 1 { width } else { width / 2.0 };
    path.iter().try_for_each(|at| canvas.dot(*at, radius, color))
}

/// A marker with a rim that sets it apart from lines under it.
pub(super) fn marker(canvas: &Canvas<'_>, at: At, radius: f64, ink: Ink) -> Result<(), ChartError> {
    let shape = ink.marker;
    canvas.polygon(&shape.corners(at, radius + RIM), ink.casing.unwrap_or(CARD))?;
    canvas.polygon(&shape.corners(at, radius), ink.color)?;
    if shape.hole > 0.0 {
        canvas.polygon(&shape.corners(at, radius * shape.hole), CARD)?;
    }
    Ok(())
}

/// The mark of a point that is not finite.
pub(super) fn cross(canvas: &Canvas<'_>, (x, y): At, color: RGBColor) -> Result<(), ChartError> {
    let r = CROSS_RADIUS;
    canvas.line([(x - r, y - r), (x + r, y + r)], LINE_WIDTH, color)?;
    canvas.line([(x - r, y + r), (x + r, y - r)], LINE_WIDTH, color)
}

/// The points that get a marker: all of a short line, else some, at other steps than those of the other lines.
fn marked(layout: &Layout, line: &Drawn, place: usize) -> Vec<(i64, f64)> {
    let finite: Vec<(i64, f64)> = line.points.iter().copied().filter(|(_, value)| value.is_finite()).collect();
    if finite.len() <= N_ALL_MARKED {
        return finite;
    }
    let left = layout.x_of(finite[0].0 as f64);
    let width = layout.x_of(finite[finite.len() - 1].0 as f64) - left;
    let offset = (place as f64 + 0.5) / layout.lines.len() as f64;
    (0..N_MARKERS)
        .map(|nth| left + width * (nth as f64 + offset) / N_MARKERS as f64)
        .map(|x| finite.partition_point(|(step, _)| layout.x_of(*step as f64) < x))
        .filter_map(|at| finite.get(at).copied())
        .collect()
}

/// Height of a row of marks, and which values are marked in it.
type Lane = (Option<f64>, fn(f64) -> bool);

/// The marks of one line in its row; those that would cover each other are drawn once.
fn crosses(canvas: &Canvas<'_>, layout: &Layout, line: &Drawn, (lane, is_in_lane): Lane) -> Result<(), ChartError> {
    let Some(y) = lane else { return Ok(()) };
    let mut free_from = f64::MIN;
    for (step, _) in line.points.iter().filter(|(_, value)| is_in_lane(*value)) {
        let x = layout.x_of(*step as f64);
        if x >= free_from {
            cross(canvas, (x, y), line.ink.casing.unwrap_or(line.ink.color))?;
            free_from = x + CROSS_GAP;
        }
    }
    Ok(())
}
