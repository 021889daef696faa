//! The sheet that charts are drawn on: everything is drawn larger and scaled down at the end, which makes edges smooth.

use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, Circle, DrawingArea, IntoDrawingArea, PathElement, Polygon, Rectangle};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, register_font};

use super::{ChartError, HEIGHT, WIDTH};

/// How much larger it is drawn, each way.
const ENLARGED: u32 = 3;

/// Bytes of a pixel: red, green, blue.
const N_CHANNELS: usize = 3;

/// The name under which the font is registered.
const FAMILY: &str = "DejaVu Sans";

/// A point in pixels of the finished picture, from its upper left corner.
pub(super) type At = (f64, f64);

/// How words look; sizes are in pixels of the finished picture.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) style: FontStyle,
    pub(super) color: RGBColor,
}

/// Where words stand to the point that they are drawn at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Align {
    /// They begin there.
    Left,
    /// Their middle is there.
    Center,
    /// They end there.
    Right,
}

/// A sheet to draw on.
pub(super) struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// What was drawn, as PNG.
pub(super) fn paint(draw: impl FnOnce(&Canvas<'_>) -> Result<(), ChartError>) -> Result<Vec<u8>, ChartError> {
    register_fonts()?;
    let size = (WIDTH * ENLARGED, HEIGHT * ENLARGED);
    let mut pixels = vec![u8::MAX; size.0 as usize * size.1 as usize * N_CHANNELS];
    let canvas = Canvas { area: BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area() };
    draw(&canvas)?;
    canvas.area.present().map_err(gave_up)?;
    drop(canvas);
    encode(&scale_down(&pixels))
}

impl Canvas<'_> {
    /// A straight line.
    pub(super) fn line(&self, ends: [At; 2], width: f64, color: RGBColor) -> Result<(), ChartError> {
        let style = color.stroke_width(((width * f64::from(ENLARGED)).round() as u32).max(1));
        self.area.draw(&PathElement::new(ends.map(enlarged).to_vec(), style)).map_err(gave_up)
    }

    /// A filled shape without dents.
    pub(super) fn polygon(&self, corners: &[At], color: RGBColor) -> Result<(), ChartError> {
        let corners: Vec<(i32, i32)> = corners.iter().copied().map(enlarged).collect();
        self.area.draw(&Polygon::new(corners, color.filled())).map_err(gave_up)
    }

    /// A filled circle.
    pub(super) fn dot(&self, center: At, radius: f64, color: RGBColor) -> Result<(), ChartError> {
        let radius = (radius * f64::from(ENLARGED)).round() as u32;
        self.area.draw(&Circle::new(enlarged(center), radius, color.filled())).map_err(gave_up)
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(&self, corners: [At; 2], color: RGBColor) -> Result<(), ChartError> {
        self.area.draw(&Rectangle::new(corners.map(enlarged), color.filled())).map_err(gave_up)
    }

    /// Words whose baseline is at the point's height.
    pub(super) fn text(&self, words: &str, at: At, align: Align, type_: Type) -> Result<(), ChartError> {
        let width = self.width(words, type_)?;
        let left = match align {
            Align::Left => at.0,
            Align::Center => at.0 - width / 2.0,
            Align::Right => at.0 - width,
        };
        // The library puts the baseline half the size below the point.
        let at = enlarged((left, at.1 - type_.size / 2.0));
        self.area.draw_text(words, &font(type_).color(&type_.color), at).map_err(gave_up)
    }

    /// Width of words in pixels.
    pub(super) fn width(&self, words: &str, type_: Type) -> Result<f64, ChartError> {
        let (width, _) = font(type_).box_size(words).map_err(gave_up)?;
        Ok(f64::from(width) / f64::from(ENLARGED))
    }
}

fn font(type_: Type) -> FontDesc<'static> {
    FontDesc::new(FontFamily::Name(FAMILY), type_.size * f64::from(ENLARGED), type_.style)
}

fn enlarged((x, y): At) -> (i32, i32) {
    ((x * f64::from(ENLARGED)).round() as i32, (y * f64::from(ENLARGED)).round() as i32)
}

fn gave_up(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
}

/// Makes the font known to the drawing library, once per process.
fn register_fonts() -> Result<(), ChartError> {
    static IS_REGISTERED: OnceLock<bool> = OnceLock::new();
    let is_registered = IS_REGISTERED.get_or_init(|| {
        let fonts = [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        fonts.into_iter().all(|(style, bytes)| register_font(FAMILY, style, bytes).is_ok())
    });
    if *is_registered { Ok(()) } else { Err(ChartError::Font) }
}

/// Each pixel of the finished picture is the mean of those that it was drawn with.
fn scale_down(large: &[u8]) -> Vec<u8> {
    let enlarged = ENLARGED as usize;
    let row_bytes = WIDTH as usize * N_CHANNELS;
    let mut small = Vec::with_capacity(row_bytes * HEIGHT as usize);
    let mut sums = vec![0_u32; row_bytes];
    for band in large.chunks_exact(row_bytes * enlarged * enlarged) {
        sums.fill(0);
        for row in band.chunks_exact(row_bytes * enlarged) {
            for (block, sum) in row.chunks_exact(N_CHANNELS * enlarged).zip(sums.chunks_exact_mut(N_CHANNELS)) {
                for pixel in block.chunks_exact(N_CHANNELS) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u32::from(*channel));
                }
            }
        }
        small.extend(sums.iter().map(|sum| (sum / (ENLARGED * ENLARGED)) as u8));
    }
    small
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, ChartError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
