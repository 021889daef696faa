//! The doors through which comes what strangers wrote: whatever it is, nothing breaks off, and what comes out is as it must be.
//!
//! Each runs 30 seconds; `make fuzz` gives each five minutes. What was found once lies in tests/data/fuzz and is tried first.

mod config;
mod events;
mod push;
mod redactor;
mod renderers;

/// A message without what differs from input to input: of its last line what stands before the first quote and behind the last.
fn kind_of(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    let before = last.split(['`', '"']).next().unwrap_or_default();
    let behind = last.rsplit(['`', '"']).next().unwrap_or_default();
    before.chars().chain(behind.chars()).filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(60).collect()
}
