//! Axes as numbers: which values an axis spans, and how far along it a value lies.

/// Linear below this ratio of the greatest to the least value.
const LOG_RATIO: f64 = 100.0;

/// Free room at each end of an axis of values, as a share of its span.
const MARGIN: f64 = 0.05;

/// The same of an axis of steps.
const STEP_MARGIN: f64 = 0.02;

/// Free room on both sides of a single step: not so much that its neighbours would be numbered.
const STEP_ROOM: f64 = 0.9;

/// The least span of an axis as a share of its values, so that tick numbers stay short.
const LEAST_SPAN: f64 = 1e-6;

/// An axis. `low < high`, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// By value.
    Linear { low: f64, high: f64 },
    /// By the logarithm to base ten; the ends are logarithms.
    Log { low: f64, high: f64 },
}

impl Scale {
    /// The axis of values; `None` where none is finite.
    pub(super) fn of_values(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = ends(values.filter(|value| value.is_finite()))?;
        if low > 0.0 && high / low > LOG_RATIO {
            let (low, high) = (low.log10(), high.log10());
            let margin = (high - low) * MARGIN;
            return Some(Self::Log { low: low - margin, high: high + margin });
        }
        let room = if low == 0.0 { 1.0 } else { low.abs() * MARGIN };
        Some(Self::linear((low, high), MARGIN, room))
    }

    /// The axis of steps; `None` where there is none.
    pub(super) fn of_steps(steps: impl Iterator<Item = i64>) -> Option<Self> {
        ends(steps.map(|step| step as f64)).map(|ends| Self::linear(ends, STEP_MARGIN, STEP_ROOM))
    }

    /// A linear axis with a margin at both ends: a share of the span, or `room` where there is none. The margins are taken before the
    /// difference, which keeps the greatest numbers from overflowing.
    fn linear((low, high): (f64, f64), share: f64, room: f64) -> Self {
        let margin = if low == high { room } else { high * share - low * share };
        let margin = margin.max(low.abs().max(high.abs()) * LEAST_SPAN);
        let (low, high) = ((low - margin).max(f64::MIN), (high + margin).min(f64::MAX));
        // What is too small to be told apart is as good as zero.
        if low < high { Self::Linear { low, high } } else { Self::Linear { low: -1.0, high: 1.0 } }
    }

    /// Whether equal ratios are equal distances.
    pub(super) fn is_log(self) -> bool {
        matches!(self, Self::Log { .. })
    }

    /// How far along the axis a value lies: 0 at its low end, 1 at its high end, never outside.
    pub(super) fn share(self, value: f64) -> f64 {
        let (value, low, high) = match self {
            Self::Linear { low, high } => (value, low, high),
            Self::Log { low, high } => (value.log10(), low, high),
        };
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        if share.is_nan() { 0.5 } else { share.clamp(0.0, 1.0) }
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}
