//! `runlore serve` on Slack: the real program against the stand-in, with our proxy between them.

mod desk;
mod faults;
mod surfaces;
