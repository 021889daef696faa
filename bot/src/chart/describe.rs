//! A chart in words, for those who do not see it.

use super::names::{counted, grouped, shorten};
use super::scale::Scale;
use super::{Chart, Line, MAX_LINES};
use crate::facts::six_digits;

/// Letters of a metric's name or unit.
const MAX_METRIC: usize = 120;

/// Letters of a run's name: eight runs stay below the 2,000 letters that chats allow.
const MAX_NAME: usize = 60;

/// Steps that are named one by one.
const MAX_STEPS: usize = 3;

/// Alternative text for screen readers: what is drawn, and from where to where each line goes. At most two sentences of at most 2,000
/// letters.
pub fn describe(chart: &Chart) -> String {
    let drawn = &chart.lines[..chart.lines.len().min(MAX_LINES)];
    let what = format!("Line chart of {} by step{}", label(chart), log_note(drawn));
    let whose = match (drawn.len(), chart.lines.len()) {
        (0, _) => return format!("{what}, without any run."),
        (n_drawn, n_all) if n_drawn < n_all => {
            format!("the first {n_drawn} of {n_all} runs ({} left out)", n_all - n_drawn)
        }
        (n_drawn, _) => counted(n_drawn as u64, "run"),
    };
    let lines: Vec<String> = drawn.iter().map(describe_line).collect();
    format!("{what}, for {whose}. {}.", lines.join("; "))
}

/// The metric with its unit.
pub(super) fn label(chart: &Chart) -> String {
    let metric = shorten(&chart.metric, MAX_METRIC);
    match chart.unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty()) {
        Some(unit) => format!("{metric} [{}]", shorten(unit, MAX_NAME)),
        None => metric,
    }
}

fn log_note(lines: &[Line]) -> &'static str {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    if Scale::of_values(values).is_some_and(Scale::is_log) { " (log scale)" } else { "" }
}

fn describe_line(line: &Line) -> String {
    let name = shorten(&line.name, MAX_NAME);
    let ends = (line.points.iter().min_by_key(|(step, _)| *step), line.points.iter().rev().max_by_key(|(step, _)| *step));
    let (Some((first_step, first)), Some((last_step, last))) = ends else {
        return format!("{name}: no point");
    };
    let points = n_points(line);
    let values = match line.points.len() {
        1 => format!("{points} at step {first_step}, {}", value_text(*first)),
        _ => format!("{points} from step {first_step} to {last_step}, first {}, last {}", value_text(*first), value_text(*last)),
    };
    format!("{name}: {values}{}", non_finite_note(line))
}

fn n_points(line: &Line) -> String {
    let n_shown = line.points.len() as u64;
    if n_shown < line.n_all {
        return format!("{} of {}, sampled,", grouped(n_shown), counted(line.n_all, "point"));
    }
    counted(n_shown, "point")
}

fn non_finite_note(line: &Line) -> String {
    let mut steps: Vec<i64> = line.points.iter().filter(|(_, value)| !value.is_finite()).map(|(step, _)| *step).collect();
    if steps.is_empty() {
        return String::new();
    }
    if steps.len() == line.points.len() {
        return ", no finite value".to_owned();
    }
    steps.sort_unstable();
    let n_more = steps.len().saturating_sub(MAX_STEPS);
    let named: Vec<String> = steps.iter().take(MAX_STEPS).map(i64::to_string).collect();
    let noun = if steps.len() == 1 { "step" } else { "steps" };
    match n_more {
        0 => format!(", not finite at {noun} {}", named.join(", ")),
        _ => format!(", not finite at {noun} {} and {} more", named.join(", "), grouped(n_more as u64)),
    }
}

fn value_text(value: f64) -> String {
    match value {
        f64::INFINITY => "inf".to_owned(),
        f64::NEG_INFINITY => "-inf".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => six_digits(value),
    }
}
