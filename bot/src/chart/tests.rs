//! Any chart can be drawn, and what it shows is there.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use expect_test::{Expect, expect};
use plotters::style::RGBColor;
use proptest::prelude::*;

use super::ink::ink;
use super::names::{grouped, shorten, shorten_until};
use super::scale::Scale;
use super::thin::{MAX_POINTS, thinned};
use super::*;

/// The upper edge of the frame, where points that are not finite are marked.
const UPPER_EDGE: std::ops::Range<u32> = 77..88;

fn line(name: &str, values: &[f64]) -> Line {
    let points: Vec<(i64, f64)> = values.iter().enumerate().map(|(at, value)| (at as i64 * 10, *value)).collect();
    Line { name: name.to_owned(), n_all: points.len() as u64, points }
}

fn chart(lines: Vec<Line>) -> Chart {
    Chart { metric: "val/loss".to_owned(), unit: Some("nats".to_owned()), lines }
}

/// The pixels of a picture.
fn decoded(png: &[u8]) -> Vec<[u8; 3]> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (WIDTH, HEIGHT, png::ColorType::Rgb));
    bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// How many pixels between these rows have the colour.
fn n_pixels(chart: &Chart, rows: std::ops::Range<u32>, color: RGBColor) -> usize {
    let pixels = decoded(&draw(chart).unwrap());
    let (from, to) = ((rows.start * WIDTH) as usize, (rows.end * WIDTH) as usize);
    pixels[from..to].iter().filter(|pixel| **pixel == [color.0, color.1, color.2]).count()
}

fn check_ticks(values: &[f64], expected: Expect) {
    let scale = Scale::of_values(values.iter().copied()).unwrap();
    let labels: Vec<String> = ticks::of_values(scale, 6).into_iter().filter_map(|tick| tick.label).collect();
    expected.assert_eq(&labels.join(" "));
}

fn check_words(chart: &Chart, expected: Expect) {
    expected.assert_eq(&describe(chart));
}

prop_compose! {
    fn any_line()(
        name in any::<String>(),
        points in prop::collection::vec((prop_oneof![any::<i64>(), 0..50_i64], prop_oneof![prop::num::f64::ANY, -1.0..1.0]), 0..60),
        n_all in any::<u64>(),
    ) -> Line {
        Line { name, points, n_all }
    }
}

prop_compose! {
    fn any_chart()(
        metric in any::<String>(),
        unit in any::<Option<String>>(),
        lines in prop::collection::vec(any_line(), 0..11),
    ) -> Chart {
        Chart { metric, unit, lines }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_chart_is_a_picture_of_that_size(chart in any_chart()) {
        prop_assert_eq!(decoded(&draw(&chart).unwrap()).len(), (WIDTH * HEIGHT) as usize);
        prop_assert!(describe(&chart).chars().count() <= 2_000);
    }
}

proptest! {
    #[test]
    fn every_value_has_a_place_and_ticks_lie_on_the_axis(values in prop::collection::vec(prop::num::f64::ANY, 0..9)) {
        let Some(scale) = Scale::of_values(values.iter().copied()) else {
            return Ok(());
        };
        for value in values.into_iter().filter(|value| value.is_finite()) {
            prop_assert!((0.0..=1.0).contains(&scale.share(value)));
        }
        let ticks = ticks::of_values(scale, 6);
        prop_assert!(ticks.len() < 100);
        prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
    }

    #[test]
    fn steps_are_numbered_whole(steps in prop::collection::vec(any::<i64>(), 1..9)) {
        let scale = Scale::of_steps(steps.into_iter()).unwrap();
        let ticks = ticks::of_steps(scale, 8);
        prop_assert!(ticks.iter().all(|tick| tick.value.fract() == 0.0));
    }

    #[test]
    fn thinning_keeps_the_ends_the_extremes_and_what_is_not_finite(seed in prop::collection::vec(-1e9..1e9, 50), at in 0..9_000_usize) {
        let mut points: Vec<(i64, f64)> = (0..9_000).map(|nth| (nth as i64, seed[nth * 7 % 50] * (nth as f64).sin())).collect();
        points[at].1 = f64::NAN;
        let kept = thinned(&points);
        let extremes = |points: &[(i64, f64)]| {
            points.iter().fold((f64::MAX, f64::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)))
        };
        prop_assert!(kept.len() <= MAX_POINTS);
        prop_assert_eq!(extremes(&kept), extremes(&points));
        prop_assert_eq!((kept[0].0, kept[kept.len() - 1].0), (0, 8_999));
        prop_assert!(kept.iter().any(|(step, value)| *step == at as i64 && value.is_nan()));
    }
}

#[test]
fn other_values_are_another_picture() {
    let (one, other) = (chart(vec![line("a", &[3.0, 2.0, 1.0])]), chart(vec![line("a", &[3.0, 2.5, 1.0])]));
    assert_ne!(draw(&one).unwrap(), draw(&other).unwrap());
    assert_eq!(draw(&one).unwrap(), draw(&one).unwrap());
}

#[test]
fn each_line_is_drawn_in_its_colour() {
    let two = chart(vec![line("a", &[3.0, 2.0, 1.0]), line("b", &[1.0, 2.0, 3.0])]);
    let rows = 100..500;
    assert!(n_pixels(&two, rows.clone(), ink(0).color) > 1_000);
    assert!(n_pixels(&two, rows.clone(), ink(1).color) > 1_000);
    assert_eq!(n_pixels(&two, rows, ink(2).color), 0);
}

#[test]
fn what_is_not_finite_is_marked_at_an_edge() {
    let with = |value: f64| chart(vec![line("a", &[3.0, value, 1.0])]);
    let color = ink(0).color;
    assert_eq!(n_pixels(&with(2.0), UPPER_EDGE, color), 0);
    assert!(n_pixels(&with(f64::NAN), UPPER_EDGE, color) > 20);
    assert!(n_pixels(&with(f64::INFINITY), UPPER_EDGE, color) > 20);
    assert_eq!(n_pixels(&with(f64::NEG_INFINITY), UPPER_EDGE, color), 0);
    assert!(n_pixels(&with(f64::NEG_INFINITY), 530..560, color) > 20);
}

#[test]
fn a_gap_stays_empty() {
    let color = ink(0).color;
    let middle = |values: &[f64]| n_pixels(&chart(vec![line("a", values)]), 250..350, color);
    assert!(middle(&[1.0, 1.0, 3.0, 3.0]) > 0);
    assert_eq!(middle(&[1.0, f64::NAN, 3.0, 3.0]), 0);
}

#[test]
fn a_single_point_is_a_dot() {
    assert!(n_pixels(&chart(vec![line("a", &[27.4])]), 100..500, ink(0).color) > 50);
}

#[test]
fn tick_numbers_are_short() {
    check_ticks(&[0.0, 0.6], expect!["0 0.1 0.2 0.3 0.4 0.5 0.6"]);
    check_ticks(&[0.0, 32_000.0], expect!["0 5k 10k 15k 20k 25k 30k"]);
    check_ticks(&[-3e6, 2.5e6], expect!["-3e6 -2e6 -1e6 0 1e6 2e6"]);
    check_ticks(&[1e-5, 9e-5], expect!["1e-5 2e-5 3e-5 4e-5 5e-5 6e-5 7e-5 8e-5 9e-5"]);
    check_ticks(&[7.0, 7.0], expect!["6.7 6.8 6.9 7.0 7.1 7.2 7.3"]);
    check_ticks(&[0.999_91, 0.999_93], expect!["0.999910 0.999915 0.999920 0.999925 0.999930"]);
}

#[test]
fn wide_positive_ranges_are_logarithmic() {
    check_ticks(&[0.05, 10.0], expect!["0.05 0.1 0.2 0.5 1 2 5 10"]);
    check_ticks(&[0.002, 20_000.0], expect!["0.001 0.01 0.1 1 10 100 1000 10k"]);
    check_ticks(&[1e-300, 1e300], expect!["1e-300 1e-200 1e-100 1 1e100 1e200 1e300"]);
    check_ticks(&[0.0, 10_000.0], expect!["0 2k 4k 6k 8k 10k"]);
}

#[test]
fn names_are_cut_in_the_middle() {
    assert_eq!(shorten("algoperf-ogbg/trial_4", 11), "algop…ial_4");
    assert_eq!(shorten("two\nlines", 11), "two lines");
    assert_eq!(shorten_until("abcdefgh", 90, |name| name.chars().count() <= 5), "ab…gh");
    assert_eq!(grouped(1_234_567), "1,234,567");
}

#[test]
fn words_say_what_is_drawn() {
    let mut sampled = line("lr-sweep-3", &[3.5, f64::NAN, 2.25]);
    sampled.n_all = 12_000;
    check_words(
        &chart(vec![line("baseline-7", &[2.5, 2.0, 0.4217]), sampled]),
        expect![
            "Line chart of val/loss [nats] by step, for 2 runs. baseline-7: 3 points from step 0 to 20, first 2.5, last 0.4217; lr-sweep-3: 3 of 12,000 points, sampled, from step 0 to 20, first 3.5, last 2.25, not finite at step 10."
        ],
    );
    check_words(
        &chart(vec![line("only", &[27.4])]),
        expect!["Line chart of val/loss [nats] by step, for 1 run. only: 1 point at step 0, 27.4."],
    );
    check_words(
        &chart(vec![line("never", &[f64::NAN, f64::INFINITY])]),
        expect![
            "Line chart of val/loss [nats] by step, for 1 run. never: 2 points from step 0 to 10, first NaN, last inf, no finite value."
        ],
    );
    check_words(
        &chart(vec![line("breaks", &[250.0, 1.0, f64::NAN, f64::NAN, f64::NAN, f64::INFINITY])]),
        expect![
            "Line chart of val/loss [nats] by step (log scale), for 1 run. breaks: 6 points from step 0 to 50, first 250, last inf, not finite at steps 20, 30, 40 and 1 more."
        ],
    );
    check_words(&chart(vec![line("empty", &[])]), expect!["Line chart of val/loss [nats] by step, for 1 run. empty: no point."]);
    check_words(&chart(Vec::new()), expect!["Line chart of val/loss [nats] by step, without any run."]);
}

#[test]
fn words_count_the_runs_left_out() {
    let many = chart((0..11).map(|nth| line(&format!("run-{nth}"), &[1.0])).collect());
    assert!(describe(&many).starts_with("Line chart of val/loss [nats] by step, for the first 8 of 11 runs (3 left out). run-0: "));
    assert!(!describe(&many).contains("run-8"));
}
