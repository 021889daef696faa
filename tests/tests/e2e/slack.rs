//! `runlore serve` on Slack: the real program against the stand-in, with our proxy between them.

mod faults;
mod judges;
mod manifest;
mod model;
mod soak;
mod surfaces;
mod web;
