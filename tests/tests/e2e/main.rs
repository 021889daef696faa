//! The end-to-end tests: whole paths through public doors, one test binary.

#![forbid(unsafe_code)]

mod ask;
mod audit;
mod brief;
mod catalog;
mod core;
mod crash;
mod discord;
mod docs;
mod forgetting;
mod fuzz;
mod index;
mod local_model;
mod mlflow_server;
mod openai;
mod postgres;
mod proof;
mod puppet;
mod qdrant;
mod scenarios;
mod schedule;
mod secrets;
mod slack;
mod state;
mod tidy;
mod traceless;
