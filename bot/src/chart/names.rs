//! Names made short enough, with both ends still to be seen.

/// What stands for the part left out.
const GAP: char = '…';

/// A name of at most this many letters, cut in the middle, on one line.
pub(super) fn shorten(name: &str, n_letters: usize) -> String {
    let letters: Vec<char> = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if letters.len() <= n_letters {
        return letters.into_iter().collect();
    }
    let n_kept = n_letters.saturating_sub(1);
    let n_end = n_kept / 2;
    let (start, end) = (&letters[..n_kept - n_end], &letters[letters.len() - n_end..]);
    start.iter().chain([&GAP]).chain(end).collect()
}

/// The longest shortening that passes the test, of at most `n_letters` letters.
pub(super) fn shorten_until(name: &str, n_letters: usize, fits: impl Fn(&str) -> bool) -> String {
    let longest = shorten(name, n_letters);
    if fits(&longest) {
        return longest;
    }
    let (mut fitting, mut too_long) = (1, longest.chars().count());
    while fitting + 1 < too_long {
        let middle = fitting.midpoint(too_long);
        if fits(&shorten(name, middle)) {
            fitting = middle;
        } else {
            too_long = middle;
        }
    }
    shorten(name, fitting)
}

/// A count with its noun: `1 point`, `12,000 points`.
pub(super) fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// A count with commas between its thousands.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
