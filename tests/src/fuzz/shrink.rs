//! Makes a finding smaller: parts are left out, long ones first, as long as it stays one.

use std::time::{Duration, Instant};

/// The shortest input that was found within some time.
pub(super) fn shrunk(mut input: Vec<u8>, is_finding: &dyn Fn(&[u8]) -> bool, within: Duration) -> Vec<u8> {
    let begun = Instant::now();
    loop {
        let before = input.len();
        let mut n_bytes = before.div_ceil(2);
        while n_bytes > 0 {
            let mut at = 0;
            while at < input.len() {
                if begun.elapsed() > within {
                    return input;
                }
                let shorter = [&input[..at], &input[(at + n_bytes).min(input.len())..]].concat();
                if is_finding(&shorter) { input = shorter } else { at += n_bytes }
            }
            n_bytes /= 2;
        }
        if input.len() == before {
            return input;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let has_both = |input: &[u8]| input.contains(&b'x') && input.contains(&b'y');
        let input = [b"abc".repeat(50), b"x".to_vec(), b"de".repeat(70), b"y".to_vec()].concat();
        assert_eq!(shrunk(input, &has_both, Duration::from_secs(60)), b"xy");
        assert_eq!(shrunk(Vec::new(), &|_| true, Duration::from_secs(60)), b"");
    }
}
