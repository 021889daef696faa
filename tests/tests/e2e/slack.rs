//! `runlore serve` on Slack: the real program against the stand-in, with our proxy between them.

mod bad_input;
mod briefs;
mod faults;
mod judges;
mod load;
mod manifest;
mod model;
mod soak;
mod surfaces;
mod web;
