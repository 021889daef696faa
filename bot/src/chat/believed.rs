//! What a platform said of its people and channels, and how long that is believed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What was said last, by the id of what it is about.
#[derive(Debug)]
pub(crate) struct Believed<T> {
    within: Duration,
    told: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T: Clone> Believed<T> {
    /// Believed for so long.
    pub(crate) fn new(within: Duration) -> Self {
        Self { within, told: Mutex::default() }
    }

    /// What is still believed.
    pub(crate) fn fresh(&self, about: &str) -> Option<T> {
        self.all().get(about).filter(|(at, _)| at.elapsed() < self.within).map(|(_, told)| told.clone())
    }

    /// What was said last, however long ago.
    pub(crate) fn last(&self, about: &str) -> Option<T> {
        self.all().get(about).map(|(_, told)| told.clone())
    }

    /// Is said now.
    pub(crate) fn keep(&self, about: &str, told: T) {
        self.all().insert(about.to_owned(), (Instant::now(), told));
    }

    /// Is there no more.
    pub(crate) fn forget(&self, about: &str) {
        self.all().remove(about);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, (Instant, T)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
