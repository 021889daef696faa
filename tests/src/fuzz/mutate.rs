//! Changes to an input: of its bytes, of its lines, of its words, and of the tree that it stands for.

use std::ops::Range;

use super::random::Random;
use super::{Format, tree};

/// Longest input that is made.
pub const MAX_BYTES: usize = 16 * 1024;

/// Most changes to one input.
const MAX_CHANGES: usize = 6;

/// Numbers at the borders of what is counted in.
pub(super) const NUMBERS: [&str; 20] = [
    "0",
    "-1",
    "1",
    "127",
    "256",
    "65536",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-0.0",
    "1e-320",
    "NaN",
    "Infinity",
];

/// Characters and sequences that programs trip over.
pub(super) const ODDITIES: [&str; 26] = [
    "\0",
    "\u{1b}[31m",
    "\r",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{301}\u{301}\u{301}",
    "\u{200b}",
    "\u{200d}",
    "\u{200e}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{fe0f}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{e0041}",
    "\u{10ffff}",
    "İ",
    "ß",
    "ǅ",
    "👩\u{200d}👧👍🏽🇩🇪",
    "𝟙𝟚",
    "مرحبا",
    "＜！＠",
];

/// Marks that open, close or part something in most formats.
const MARKS: [&str; 18] = ["\"", "'", "`", "\\", "{", "}", "[", "]", "<", ">", "&", "=", ":", ",", "\n", "|", "#", "```"];

/// A changed copy of one of the inputs; as often of one of the first `n_seeds` as of any, since those that were found since are many.
pub fn mutated(random: &mut Random, format: Format, inputs: &[Vec<u8>], n_seeds: usize, words: &[&str]) -> Vec<u8> {
    let n_inputs = if random.once_in(2) { n_seeds } else { inputs.len() };
    let mut input = inputs.get(random.below(n_inputs)).cloned().unwrap_or_default();
    for _ in 0..=random.below(MAX_CHANGES) {
        let by_tree = if random.once_in(2) { tree::changed(random, format, &input, words) } else { None };
        match by_tree {
            Some(changed) => input = changed,
            None => change(random, &mut input, inputs, words),
        }
        input.truncate(MAX_BYTES);
    }
    input
}

/// One change of the bytes.
fn change(random: &mut Random, input: &mut Vec<u8>, others: &[Vec<u8>], words: &[&str]) {
    match random.below(12) {
        0 => flip_bit(random, input),
        1 => put_one(random, input, &ODDITIES),
        2 => put_one(random, input, &MARKS),
        3 | 4 => put_one(random, input, words),
        5 => other_number(random, input),
        6 => repeat(random, input),
        7 => drop(input.drain(span(random, input.len()))),
        8 => splice(random, input, others),
        9 => lines(random, input),
        10 => input.truncate(place(random, input.len())),
        _ => replace(random, input, words),
    }
}

fn flip_bit(random: &mut Random, input: &mut [u8]) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn put(random: &mut Random, input: &mut Vec<u8>, what: &[u8]) {
    let at = place(random, input.len());
    input.splice(at..at, what.iter().copied());
}

/// One of these words; bytes of no meaning where there are none.
fn put_one(random: &mut Random, input: &mut Vec<u8>, words: &[&str]) {
    if words.is_empty() {
        let n = random.below(16) + 1;
        let noise = random.bytes(n);
        return put(random, input, &noise);
    }
    let word = *random.pick(words);
    put(random, input, word.as_bytes());
}

/// A word of the format, or a mark, in the place of something else.
fn replace(random: &mut Random, input: &mut Vec<u8>, words: &[&str]) {
    let what = if words.is_empty() || random.once_in(3) { *random.pick(&MARKS) } else { *random.pick(words) };
    let at = span(random, input.len());
    input.splice(at, what.bytes());
}

/// Another number where digits stand.
fn other_number(random: &mut Random, input: &mut Vec<u8>) {
    let from = random.below(input.len());
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let n_digits = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = *random.pick(&NUMBERS);
    input.splice(start..start + n_digits, number.bytes());
}

/// A part of it, once more or very often.
fn repeat(random: &mut Random, input: &mut Vec<u8>) {
    let part = input[span(random, input.len())].to_vec();
    let most = if random.once_in(4) { 400 } else { 3 };
    let n = random.below(most) + 1;
    let all: Vec<u8> = part.iter().copied().cycle().take((part.len() * n).min(MAX_BYTES)).collect();
    put(random, input, &all);
}

/// The beginning of this one and the end of another.
fn splice(random: &mut Random, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    if others.is_empty() {
        return;
    }
    let other = random.pick(others);
    let from = random.below(other.len() + 1);
    input.truncate(random.below(input.len() + 1));
    input.extend_from_slice(&other[from..]);
}

/// Two lines in each other's place, a line twice, or a line less.
fn lines(random: &mut Random, input: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(3) {
        0 => lines.swap(one, other),
        1 => lines.insert(one, lines[other].clone()),
        _ => drop(lines.remove(one)),
    }
    *input = lines.join(&b'\n');
}

/// A place among so many bytes, the end included; at the ends more often than elsewhere, since what is read goes wrong there.
pub(super) fn place(random: &mut Random, n_bytes: usize) -> usize {
    match random.below(6) {
        0 => random.below(3).min(n_bytes),
        1 => n_bytes - random.below(3).min(n_bytes),
        _ => random.below(n_bytes + 1),
    }
}

/// A part of so many bytes: mostly a short one.
fn span(random: &mut Random, n_bytes: usize) -> Range<usize> {
    let start = place(random, n_bytes);
    let most = if random.once_in(4) { n_bytes - start } else { (n_bytes - start).min(12) };
    start..start + random.below(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_none_is_too_long() {
        let seeds = [br#"{"a": [1, "b"], "c": {"d": null}}"#.to_vec(), b"e = 1\nf = [2]\n".to_vec(), Vec::new()];
        for format in [Format::Text, Format::Json, Format::JsonLines, Format::Toml] {
            let made = |seed: u64| {
                let mut random = Random::new(seed);
                (0..500).map(|_| mutated(&mut random, format, &seeds, 2, &["word"])).collect::<Vec<_>>()
            };
            let first = made(1);
            assert_eq!(first, made(1));
            assert_ne!(first, made(2));
            assert!(first.iter().all(|input| input.len() <= MAX_BYTES));
            let n_different = first.iter().collect::<std::collections::HashSet<_>>().len();
            assert!(n_different > 350, "{format:?}: {n_different}");
        }
        assert!(mutated(&mut Random::new(3), Format::Text, &[], 0, &[]).len() <= MAX_BYTES);
    }
}
