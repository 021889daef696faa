//! Line charts of metrics as PNG, and the same in words for those who do not see them.

mod canvas;
mod describe;
mod frame;
mod ink;
mod layout;
mod legend;
mod names;
mod scale;
mod series;
#[cfg(test)]
mod tests;
mod thin;
mod ticks;

use self::canvas::paint;
pub use self::describe::describe;
use self::layout::Layout;

/// Width of a picture in pixels.
pub const WIDTH: u32 = 1200;

/// Height of a picture in pixels.
pub const HEIGHT: u32 = 675;

/// Lines that are drawn; more cannot be told apart.
pub const MAX_LINES: usize = 8;

/// What is drawn: one metric of one or several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The metric's key as logged.
    pub metric: String,
    /// Unit, where the source gives one.
    pub unit: Option<String>,
    /// One line per run; those after the first [`MAX_LINES`] are counted, not drawn.
    pub lines: Vec<Line>,
}

/// The series of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The run's name.
    pub name: String,
    /// Steps and values, by step; a step may come twice, and values may be NaN or infinite.
    pub points: Vec<(i64, f64)>,
    /// Points of the whole series: more than `points` has where it was sampled.
    pub n_all: u64,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The built-in font cannot be read.
    #[error("the font of the charts cannot be read")]
    Font,
    /// The drawing library gave up.
    #[error("the chart cannot be drawn: {0}")]
    Draw(String),
    /// The picture cannot be written as PNG.
    #[error("the chart cannot be encoded: {0}")]
    Encode(#[from] png::EncodingError),
}

/// Draws a chart: a PNG of [`WIDTH`] by [`HEIGHT`] pixels. It takes some tens of milliseconds and does not wait for anything.
///
/// # Errors
/// Where the font cannot be read or the drawing library gives up; no input is known that does either.
pub fn draw(chart: &Chart) -> Result<Vec<u8>, ChartError> {
    paint(|canvas| {
        let layout = Layout::of(chart, canvas)?;
        frame::draw(canvas, &layout)?;
        series::draw(canvas, &layout)?;
        legend::draw(canvas, &layout.legend)
    })
}
