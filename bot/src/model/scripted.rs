//! A model that says what a test tells it to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{LanguageModel, ModelError, Request};

/// Makes an answer out of the request.
pub type Computation = Box<dyn Fn(&Request) -> Result<String, ModelError> + Send + Sync>;

/// One answer of the script.
pub enum Turn {
    /// This text.
    Text(String),
    /// What comes out of the request.
    Computed(Computation),
    /// This error.
    Fails(ModelError),
    /// This text, once it is let; without anybody to let it, it is said at once.
    Held(oneshot::Receiver<()>, String),
    /// Nothing until it is cancelled.
    Hangs,
}

impl From<&str> for Turn {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Turn {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Answers with its turns, in order.
#[derive(Default)]
pub struct ScriptedModel {
    turns: Mutex<VecDeque<Turn>>,
    requests: Mutex<Vec<Request>>,
}

impl ScriptedModel {
    /// A model with these turns.
    pub fn new<T: Into<Turn>>(turns: impl IntoIterator<Item = T>) -> Self {
        Self { turns: Mutex::new(turns.into_iter().map(Into::into).collect()), requests: Mutex::default() }
    }

    /// Adds a turn at the end.
    pub fn push(&self, turn: impl Into<Turn>) {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).push_back(turn.into());
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many turns were not used.
    pub fn n_unused(&self) -> usize {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn next_turn(&self, request: &Request) -> Turn {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        turn.unwrap_or_else(|| Turn::Fails(ModelError::Unavailable("the script has no more turns".to_owned())))
    }
}

impl LanguageModel for ScriptedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
        on_text: &'a (dyn Fn(&str) + Send + Sync),
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String, ModelError>> {
        async move {
            let text = match self.next_turn(request) {
                Turn::Text(text) => text,
                Turn::Computed(compute) => compute(request)?,
                Turn::Fails(error) => return Err(error),
                Turn::Held(let_go, text) => {
                    _ = let_go.await;
                    text
                }
                Turn::Hangs => {
                    cancel.cancelled().await;
                    return Err(ModelError::Cancelled);
                }
            };
            for piece in text.split_inclusive(' ') {
                if cancel.is_cancelled() {
                    return Err(ModelError::Cancelled);
                }
                on_text(piece);
            }
            Ok(text)
        }
        .boxed()
    }

    fn warm<'a>(&'a self, _prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>> {
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests;
