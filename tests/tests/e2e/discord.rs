//! `runlore serve` on Discord: the real program against the bridge.

mod faults;
mod judges;
mod places;
mod soak;
mod surfaces;
