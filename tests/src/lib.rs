//! Support for the end-to-end tests: servers that they start and stop, and what to say where one cannot run.

#![forbid(unsafe_code)]

pub mod dice;
pub mod discord;
pub mod fuzz;
pub mod not_run;
pub mod postgres;
pub mod program;
pub mod qdrant;
pub mod signing;
pub mod slack;
pub mod slow_model;
pub mod team;
