//! The end-to-end tests: whole paths through public doors, one test binary.

mod ask;
mod catalog;
mod core;
mod crash;
mod discord;
mod docs;
mod forgetting;
mod index;
mod local_model;
mod mlflow_server;
mod openai;
mod postgres;
mod qdrant;
mod scenarios;
mod slack;
mod state;
mod tidy;
mod traceless;
