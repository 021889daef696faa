//! Round numbers along an axis, and how they are written.

use super::scale::Scale;

/// More decades than this are not numbered one by one.
const MAX_DECADES: i32 = 8;

/// Fewer decades than this are numbered in between, too.
const FEW_DECADES: i32 = 3;

/// More ticks than this are a mistake in the arithmetic of very large or very small numbers.
const MAX_TICKS: usize = 24;

/// A place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// On the axis' scale.
    pub(super) value: f64,
    /// What is written there; nothing between the decades of a log scale.
    pub(super) label: Option<String>,
}

/// The ticks of an axis of values: about `n_wanted`.
pub(super) fn of_values(scale: Scale, n_wanted: u32) -> Vec<Tick> {
    match scale {
        Scale::Linear { low, high } => linear(low, high, Step::over(low, high, n_wanted)),
        Scale::Log { low, high } => decades(low, high),
    }
}

/// The ticks of an axis of steps: about `n_wanted`, all whole.
pub(super) fn of_steps(scale: Scale, n_wanted: u32) -> Vec<Tick> {
    let (Scale::Linear { low, high } | Scale::Log { low, high }) = scale;
    let step = Step::over(low, high, n_wanted);
    linear(low, high, if step.exponent < 0 { Step { digit: 1, exponent: 0 } } else { step })
}

/// A round distance between ticks: 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, Copy)]
struct Step {
    digit: i64,
    exponent: i32,
}

impl Step {
    fn over(low: f64, high: f64, n_wanted: u32) -> Self {
        let wanted = (high / f64::from(n_wanted) - low / f64::from(n_wanted)).max(f64::MIN_POSITIVE);
        let exponent = wanted.log10().floor() as i32;
        let digit = match wanted / decimal(1, exponent) {
            ratio if ratio <= 1.5 => 1,
            ratio if ratio <= 3.0 => 2,
            ratio if ratio <= 7.0 => 5,
            _ => return Self { digit: 1, exponent: exponent + 1 },
        };
        Self { digit, exponent }
    }
}

/// `whole` times ten to the `exponent`, read as people would write it: 3e-1 and not 3 * 0.1.
fn decimal(whole: i64, exponent: i32) -> f64 {
    format!("{whole}e{exponent}").parse().unwrap_or(f64::NAN)
}

fn linear(low: f64, high: f64, step: Step) -> Vec<Tick> {
    let distance = decimal(step.digit, step.exponent);
    let greatest = low.abs().max(high.abs());
    let (first, last) = ((low / distance).ceil() as i64, (high / distance).floor() as i64);
    (first..=last)
        .take(MAX_TICKS)
        .map(|nth| decimal(nth.saturating_mul(step.digit), step.exponent))
        .filter(|value| (low..=high).contains(value))
        .map(|value| Tick { value, label: Some(label(value, step.exponent, greatest)) })
        .collect()
}

/// Powers of ten, and what is between them where there are few.
fn decades(low: f64, high: f64) -> Vec<Tick> {
    let (first, last) = (low.floor() as i32, high.floor() as i32);
    let stride = [1, 2, 5, 10, 20, 50].into_iter().find(|stride| (last - first) / stride <= MAX_DECADES).unwrap_or(100);
    let is_near = last - first <= MAX_DECADES;
    let is_labelled = |digit: i64, exponent: i32| match digit {
        1 => exponent.rem_euclid(stride) == 0,
        2 | 5 => last - first <= FEW_DECADES,
        _ => false,
    };
    (first..=last)
        .flat_map(|exponent| (1..=9).map(move |digit| (digit, exponent)))
        .filter(|&(digit, exponent)| is_near || is_labelled(digit, exponent))
        .map(|(digit, exponent)| {
            let value = decimal(digit, exponent);
            let label = is_labelled(digit, exponent).then(|| label(value, exponent, value));
            Tick { value, label }
        })
        .filter(|tick| (low..=high).contains(&tick.value.log10()))
        .collect()
}

/// A tick's number: `0.05`, `5000`, `10k`, `1.5e6`, `2e-5`. `exponent` is that of the distance between ticks, which says how many decimals
/// are needed; `greatest` is the greatest number of the axis.
fn label(value: f64, exponent: i32, greatest: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if size >= 1e6 || greatest < 1e-3 {
        return scientific(value, exponent);
    }
    if greatest >= 1e4 && size >= 1e3 && exponent >= 2 {
        return format!("{:.*}k", decimals(exponent - 3), value / 1e3);
    }
    format!("{value:.*}", decimals(exponent))
}

fn scientific(value: f64, exponent: i32) -> String {
    let n_decimals = decimals(exponent - value.abs().log10().floor() as i32);
    let text = format!("{value:.n_decimals$e}");
    match text.split_once('e') {
        Some((number, power)) if number.contains('.') => {
            format!("{}e{power}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// Digits after the point that a distance of ten to the `exponent` needs.
fn decimals(exponent: i32) -> usize {
    (-exponent).max(0) as usize
}
