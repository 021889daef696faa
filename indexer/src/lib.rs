//! Reads an ML team's runs, configs, notes and pull requests into a catalog, a keyword index and a vector index.
//!
//! The modules stand in the order of a record's journey: settings say which sources there are; a source is read
//! and parsed into records; secrets are taken out; the catalog stores records and a numbered feed of their changes;
//! chunks of them are embedded and applied to the indexes; search finds hits, and a hit that the catalog admits
//! under a scope is a passage. `pipeline` walks the journey, `report` says how it went.

#![forbid(unsafe_code)]

pub mod catalog;
pub mod chunk;
pub mod config;
pub mod embed;
pub mod failpoint;
pub mod index;
pub mod leak;
pub mod pipeline;
pub mod record;
pub mod redact;
pub mod report;
pub mod run;
pub mod search;
pub mod source;
pub mod space;
pub mod work;
