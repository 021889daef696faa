//! Lines of a reader, with a limit on their length.

use std::io::{self, BufRead, Read as _};

/// Longest line that is read.
const MAX_BYTES: u64 = 64 << 20;

/// A line, or why it is not one.
pub(super) enum RawLine {
    /// Its text, without the end of line.
    Text(String),
    /// What is wrong with it.
    Bad(String),
}

/// The next line; none at the end.
///
/// # Errors
/// Where reading fails.
pub(super) fn next(reader: &mut impl BufRead) -> io::Result<Option<RawLine>> {
    let mut bytes = Vec::new();
    let n_bytes = reader.by_ref().take(MAX_BYTES).read_until(b'\n', &mut bytes)?;
    if n_bytes == 0 {
        return Ok(None);
    }
    if n_bytes as u64 == MAX_BYTES && bytes.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
        return Ok(Some(RawLine::Bad(format!("longer than {} MiB, not read", MAX_BYTES >> 20))));
    }
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) => RawLine::Text(text.trim_start_matches('\u{feff}').trim_end().to_owned()),
        Err(_) => RawLine::Bad("not UTF-8, not read".to_owned()),
    }))
}
