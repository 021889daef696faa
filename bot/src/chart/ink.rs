//! What tells lines apart: a colour for those who see it, and a marker for everybody.

use plotters::style::RGBColor;

use super::MAX_LINES;

/// The card, light under any theme of the chat.
pub(super) const CARD: RGBColor = RGBColor(255, 255, 255);
/// The card's border.
pub(super) const BORDER: RGBColor = RGBColor(201, 206, 214);
/// Lines behind the data.
pub(super) const GRID: RGBColor = RGBColor(228, 231, 236);
/// Lines between those, on a log scale.
pub(super) const FAINT_GRID: RGBColor = RGBColor(242, 244, 247);
/// The two axes.
pub(super) const AXIS: RGBColor = RGBColor(110, 118, 129);
/// Where points that are not finite are marked.
pub(super) const LANE: RGBColor = RGBColor(246, 240, 238);
/// Words.
pub(super) const TEXT: RGBColor = RGBColor(31, 35, 40);
/// Words that stand back.
pub(super) const QUIET: RGBColor = RGBColor(89, 97, 108);

/// How one line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink {
    /// Of the line.
    pub(super) color: RGBColor,
    /// Around a colour that is too light on the card by itself.
    pub(super) casing: Option<RGBColor>,
    /// On the line, at some of its points.
    pub(super) marker: Marker,
}

/// A regular shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Marker {
    n_corners: u32,
    turn_degrees: f64,
    /// What is left free in its middle, as a share of its size.
    pub(super) hole: f64,
}

impl Marker {
    const fn filled(n_corners: u32, turn_degrees: f64) -> Self {
        Self { n_corners, turn_degrees, hole: 0.0 }
    }

    const fn hollow(n_corners: u32, turn_degrees: f64) -> Self {
        Self { n_corners, turn_degrees, hole: 0.52 }
    }

    /// Its corners around a point. Shapes with few corners are drawn larger, so that all have about the same area.
    pub(super) fn corners(self, (x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
        let radius = radius * (1.0 + 0.9 / f64::from(self.n_corners));
        (0..self.n_corners)
            .map(|corner| (f64::from(corner) * 360.0 / f64::from(self.n_corners) + self.turn_degrees).to_radians())
            .map(|angle| (x + radius * angle.sin(), y - radius * angle.cos()))
            .collect()
    }
}

const CIRCLE: u32 = 32;

/// The colours of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), those with most contrast first.
const INKS: [Ink; MAX_LINES] = [
    Ink { color: RGBColor(0, 114, 178), casing: None, marker: Marker::filled(CIRCLE, 0.0) },
    Ink { color: RGBColor(213, 94, 0), casing: None, marker: Marker::filled(4, 45.0) },
    Ink { color: RGBColor(0, 158, 115), casing: None, marker: Marker::filled(3, 0.0) },
    Ink { color: RGBColor(204, 121, 167), casing: None, marker: Marker::filled(4, 0.0) },
    Ink { color: RGBColor(0, 0, 0), casing: None, marker: Marker::hollow(CIRCLE, 0.0) },
    Ink { color: RGBColor(86, 180, 233), casing: Some(RGBColor(25, 105, 155)), marker: Marker::filled(3, 180.0) },
    Ink { color: RGBColor(230, 159, 0), casing: Some(RGBColor(150, 92, 0)), marker: Marker::hollow(4, 45.0) },
    Ink { color: RGBColor(240, 228, 66), casing: Some(RGBColor(120, 110, 0)), marker: Marker::hollow(4, 0.0) },
];

/// The look of the line at this place in the chart.
pub(super) fn ink(place: usize) -> Ink {
    INKS[place % MAX_LINES]
}
