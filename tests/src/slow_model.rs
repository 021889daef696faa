//! A model behind a server that takes its time, and remembers what it was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Json, State};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running one; it ends with the test.
pub struct SlowModel {
    /// Where it is served.
    pub url: String,
    generations: Arc<Mutex<Vec<String>>>,
}

impl SlowModel {
    /// Starts one that takes so long for each generation.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(takes: Duration) -> Result<Self> {
        let generations = Arc::<Mutex<Vec<String>>>::default();
        let generate = move |State(generations): State<Arc<Mutex<Vec<String>>>>, Json(body): Json<Value>| async move {
            generations.lock().unwrap_or_else(PoisonError::into_inner).push(body["messages"].to_string());
            tokio::time::sleep(takes).await;
            Json(json!({"choices": [{"message": {"content": "the best one"}, "finish_reason": "stop"}]}))
        };
        let router = axum::Router::new().route("/v1/chat/completions", axum::routing::post(generate)).with_state(Arc::clone(&generations));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, generations })
    }

    /// The prompts of the generations that were begun, in order.
    pub fn generations(&self) -> Vec<String> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
