//! Which interactions are being acknowledged: before that is done, Discord takes nothing else that answers them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Longest time that an acknowledgement is waited for; Discord itself waits no longer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Interactions under way, by their tokens.
#[derive(Default)]
pub(super) struct Acks {
    under_way: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Acks {
    /// One begins.
    pub(super) fn begin(&self, token: &str) {
        self.locked().insert(token.to_owned(), Arc::default());
    }

    /// It has ended, however it did.
    pub(super) fn end(&self, token: &str) {
        if let Some(waiting) = self.locked().remove(token) {
            waiting.notify_waiters();
        }
    }

    /// Waits until it has ended; not at all where it has, or where this program knows nothing of it.
    pub(super) async fn wait(&self, token: &str) {
        let Some(waiting) = self.locked().get(token).cloned() else { return };
        let ended = waiting.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        // It may have ended before this began to listen.
        if self.locked().contains_key(token) {
            _ = tokio::time::timeout(PATIENCE, ended).await;
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_waits_for_the_acknowledgement() {
        let acks = Arc::new(Acks::default());
        acks.wait("unknown").await;
        acks.begin("t");
        let waiting = tokio::spawn({
            let acks = Arc::clone(&acks);
            async move { acks.wait("t").await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        acks.end("t");
        assert!(tokio::time::timeout(PATIENCE / 2, waiting).await.is_ok_and(|ended| ended.is_ok()));
    }
}
