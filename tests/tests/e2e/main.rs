//! The end-to-end tests: whole paths through public doors, one test binary.

mod ask;
mod catalog;
mod core;
mod crash;
mod discord;
mod docs;
mod index;
mod local_model;
mod mlflow_server;
mod openai;
mod postgres;
mod qdrant;
mod scenarios;
mod secrets;
mod slack;
mod state;
mod tidy;
