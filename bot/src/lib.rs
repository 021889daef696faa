//! Answers questions about an ML team's runs, notes and pull requests: Rust looks up and checks, the model plans and narrates.

#![forbid(unsafe_code)]

pub mod answer;
pub mod app;
pub mod brief;
pub mod chart;
pub mod chat;
pub mod cli;
pub mod command;
pub mod config;
pub mod directions;
pub mod discord;
pub mod facts;
pub mod gate;
pub mod model;
pub mod prompts;
pub mod refusal;
pub mod serve;
pub mod slack;
pub mod store;
pub mod surface;
pub mod telemetry;
pub mod terminal;
pub mod tools;
pub mod zones;
