//! The service behind every platform: events come in, wait, are answered, and go out. No platform is known here.
//!
//! Every step starts from the tables of the state, so that a restart at any moment goes on where they stand: `intake` turns open
//! rows of the inbox into work, `work` answers, `post` brings the outbox to the platform.

mod brief;
mod catch_up;
mod complete;
mod health;
mod home;
mod intake;
mod linking;
mod post;
mod press;
mod queue;
mod sentences;
mod settings;
mod standing;
mod tasks;
mod test_post;
mod waiting;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use complete::{Named, Typing};
pub use health::{Gauges, health_router};
pub use queue::{Full, Queue, QueueLimits};
pub use settings::ServeSettings;
pub use standing::{SMALL_BYTES, forget_fallen};
pub use tasks::run;
pub use test_post::{Arrival, post_test};

use crate::app::App;
use crate::brief::schedule::Schedule;
use crate::chat::{Asked, Incoming, Messenger, PerPlatform, Platform};
use crate::gate::{Admitted, Limits};
use crate::store::{Audited, Store, StoreError};

/// Longest wait for the insert that stands before an acknowledgement.
const INSERT_DEADLINE: Duration = Duration::from_secs(2);

/// What the parts of the service share.
pub struct Service {
    /// What answers.
    pub app: Arc<App>,
    /// The state.
    pub store: Store,
    /// The platforms.
    pub messengers: HashMap<Platform, Arc<dyn Messenger>>,
    /// How it is set up.
    pub settings: ServeSettings,
    /// What is counted.
    pub gauges: Gauges,
    limits: RwLock<Arc<Limits>>,
    /// When the briefs of the channels come.
    briefs: RwLock<Arc<BTreeMap<String, Schedule>>>,
    queue: Mutex<Queue>,
    /// Questions between admission and their end, by id.
    under_way: Mutex<HashMap<String, UnderWay>>,
    /// Held while places are told, so that the last one told is the last one there.
    telling: tokio::sync::Mutex<()>,
    came_in: Notify,
    to_work: Notify,
    goes_out: Notify,
    n_catching_up: PerPlatform<AtomicUsize>,
    /// The catalog changed while an answer was made, so that it may rest on what is gone.
    look_again: AtomicBool,
    stop: CancellationToken,
}

/// A question between admission and its end.
#[derive(Clone)]
struct UnderWay {
    asked: Asked,
    admitted: Admitted,
    /// How many go before it, as it was told last; none where nothing was told.
    told_before: Option<usize>,
    cancel: CancellationToken,
    received_ms: i64,
}

/// Why an event was not taken in; it must not be acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenIn {
    /// The state does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It takes too long.
    #[error("storing the event takes too long")]
    TooLong,
}

impl Service {
    /// A service over these parts.
    pub fn new(app: Arc<App>, store: Store, settings: ServeSettings) -> Self {
        Self {
            limits: RwLock::new(Arc::new(Limits::new(settings.limits))),
            briefs: RwLock::new(Arc::new(settings.briefs.clone())),
            queue: Mutex::new(Queue::new(settings.queue)),
            gauges: Gauges::default(),
            messengers: HashMap::new(),
            under_way: Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            came_in: Notify::new(),
            to_work: Notify::new(),
            goes_out: Notify::new(),
            n_catching_up: PerPlatform::default(),
            look_again: AtomicBool::new(false),
            stop: CancellationToken::new(),
            app,
            store,
            settings,
        }
    }

    /// The same with this platform.
    pub fn with(mut self, platform: Platform, messenger: Arc<dyn Messenger>) -> Self {
        self.messengers.insert(platform, messenger);
        self
    }

    /// Stores an event, without the secrets that somebody typed. This is all that a platform's callback waits for; where it fails, the event must not be acknowledged.
    ///
    /// # Errors
    /// Where the state does not serve within two seconds.
    pub async fn take_in(&self, incoming: &Incoming) -> Result<(), NotTakenIn> {
        let incoming = incoming.clone().without_secrets();
        let stored = tokio::time::timeout(INSERT_DEADLINE, self.store.take_in(&incoming, now_ms())).await;
        if stored.map_err(|_| NotTakenIn::TooLong)?? {
            self.gauges.n_events.inc();
            self.came_in.notify_one();
        }
        Ok(())
    }

    /// Takes over how often may be asked, how many may wait, and when briefs come. The buckets begin full where their sizes changed.
    fn allow(&self, settings: &ServeSettings) {
        if self.limits().settings() != settings.limits {
            *self.limits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Limits::new(settings.limits));
        }
        self.queue().limit(settings.queue);
        *self.briefs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings.briefs.clone());
        let fixed = |settings: &ServeSettings| (settings.health, settings.at_once, settings.deadline, settings.kept);
        if fixed(settings) != fixed(&self.settings) {
            tracing::warn!("`health`, `at_once`, `deadline_s` and `keep_days` of [serve] change with the next start");
        }
    }

    /// Whether something may be shown that does not go through the outbox: only once the audit has its row.
    async fn may_show(&self, audited: &Audited) -> bool {
        let written = self.store.audit(audited, now_ms()).await;
        written.inspect_err(|error| tracing::error!(%error, "the audit cannot be written; something is not shown")).is_ok()
    }

    /// Fires when the service is to end.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    fn messenger(&self, platform: Platform) -> Option<&Arc<dyn Messenger>> {
        self.messengers.get(&platform)
    }

    fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn briefs(&self) -> Arc<BTreeMap<String, Schedule>> {
        Arc::clone(&self.briefs.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since 1970, UTC.
fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
