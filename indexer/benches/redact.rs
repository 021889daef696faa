//! How fast secrets are looked for on one core: `cargo bench --profile dev -p runlore-indexer --bench redact`.
//!
//! 32 MB of each kind of text, made of what lies in `fixtures/` with its numbers changed from copy to copy, in documents of some
//! kilobytes as they are indexed. The best of three rounds counts, since others may use the cores too.

use std::path::Path;
use std::time::{Duration, Instant};

use runlore_indexer::redact::redact;

/// Of each kind.
const N_BYTES: usize = 32 << 20;
const N_ROUNDS: usize = 3;

/// A document is at least so long where its kind has that much.
const DOCUMENT: usize = 8 << 10;

/// Megabytes a second that are wanted.
const WANTED: f64 = 20.0;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let begun = Instant::now();
    redact("a short text");
    println!("first text: {:?}", begun.elapsed());
    let mut slowest = f64::INFINITY;
    for (kind, folder, extensions) in [
        ("notes", "notes", &["md"][..]),
        ("logs", "mlruns", &["log"][..]),
        ("JSON and settings", "", &["json", "jsonl", "yaml", "toml"][..]),
    ] {
        let documents = documents(&fixtures.join(folder), extensions)?;
        let n_bytes: usize = documents.iter().map(String::len).sum();
        let (time, n_secrets) = best_round(&documents);
        let rate = n_bytes as f64 / time.as_secs_f64() / 1e6;
        println!("{kind}: {rate:.0} MB/s ({} documents, {n_bytes} bytes, {n_secrets} secrets)", documents.len());
        slowest = slowest.min(rate);
    }
    println!("slowest: {slowest:.0} MB/s, wanted {WANTED}");
    Ok(())
}

fn best_round(documents: &[String]) -> (Duration, u64) {
    let round = || {
        let begun = Instant::now();
        let n_secrets = documents.iter().map(|document| redact(document).1.n_secrets).sum();
        (begun.elapsed(), n_secrets)
    };
    (0..N_ROUNDS).map(|_| round()).min().unwrap_or_default()
}

/// Copies of the files below a folder, joined to documents, until there is enough.
fn documents(folder: &Path, extensions: &[&str]) -> Outcome<Vec<String>> {
    let mut texts = Vec::new();
    gather(folder, extensions, &mut texts)?;
    let (mut documents, mut document, mut n_bytes) = (Vec::new(), String::new(), 0);
    for (i, text) in texts.iter().cycle().enumerate() {
        document.push_str(&varied(text, i));
        document.push('\n');
        if document.len() >= DOCUMENT {
            n_bytes += document.len();
            documents.push(std::mem::take(&mut document));
        }
        if n_bytes >= N_BYTES {
            break;
        }
    }
    Ok(documents)
}

fn gather(folder: &Path, extensions: &[&str], texts: &mut Vec<String>) -> Outcome<()> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(&path, extensions, texts)?;
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known)) {
            texts.push(std::fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The text with other digits, so that no two copies are the same.
fn varied(text: &str, copy: usize) -> String {
    let mut state = copy as u32;
    let mut other = |digit: char| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        digit.to_digit(10).and_then(|digit| char::from_digit((digit + (state >> 24)) % 10, 10)).unwrap_or(digit)
    };
    text.chars().map(|c| if c.is_ascii_digit() { other(c) } else { c }).collect()
}
