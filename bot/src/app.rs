//! The long-lived parts: settings, corpus, model, prompts; and what is kept between questions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::{Context, Result};
use jiff::Timestamp;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::config::{AccessSettings, Settings};
use runlore_indexer::index::vector::Filter;
use runlore_indexer::leak;
use runlore_indexer::pipeline;
use runlore_indexer::search::{Corpus, Found};
use runlore_indexer::space::{Audience, ReadScope};
use tokio::sync::{Mutex as Turn, OnceCell};

use crate::answer;
use crate::chat::{Answer, Question, Step};
use crate::config::BotSettings;
use crate::directions::Directions;
use crate::model::{self, CancellationToken, LanguageModel, ModelSettings};
use crate::prompts::{self, Prompts};

/// Whether the model of the settings is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelUse {
    /// As the settings say.
    AsConfigured,
    /// Not at all.
    None,
}

/// What one scope's questions need, as of one change of the catalog.
#[derive(Clone)]
struct Kept {
    change: i64,
    vocabulary: Arc<Vocabulary>,
    directions: Arc<Directions>,
}

/// Everything that lives as long as the program.
pub struct App {
    /// The settings.
    pub settings: Settings,
    /// Catalog and indexes.
    pub corpus: Corpus,
    /// The templates.
    pub prompts: Prompts,
    model_settings: ModelSettings,
    model: OnceCell<Option<Arc<dyn LanguageModel>>>,
    kept: Mutex<HashMap<ReadScope, Kept>>,
    /// Held by who reads names: one after another.
    reading: Arc<Turn<()>>,
    clock: fn() -> Timestamp,
    access: RwLock<Arc<AccessSettings>>,
}

impl App {
    /// Opens the corpus. The model is loaded when it is first needed, or by `warm`.
    ///
    /// # Errors
    /// Where the settings are wrong or the corpus does not serve.
    pub async fn open(settings: Settings, model_use: ModelUse) -> Result<Self> {
        let bot = BotSettings::from(&settings)?;
        let model_settings = if model_use == ModelUse::None { ModelSettings::None } else { bot.model };
        let prompts = Prompts::load(bot.prompts.as_deref())?;
        let corpus = pipeline::open(&settings).await?;
        let access = RwLock::new(Arc::new(settings.access.clone()));
        let (model, kept, reading) = (OnceCell::new(), Mutex::default(), Arc::default());
        Ok(Self { settings, corpus, prompts, model_settings, model, kept, reading, clock: Timestamp::now, access })
    }

    /// Who may read and ask what, as the settings say now.
    pub fn access(&self) -> Arc<AccessSettings> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what the settings say now.
    pub fn replace_access(&self, access: AccessSettings) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access);
    }

    /// The same with this model and clock, for tests.
    pub fn with(mut self, model: Option<Arc<dyn LanguageModel>>, clock: fn() -> Timestamp) -> Self {
        self.model = OnceCell::new_with(Some(model));
        self.clock = clock;
        self
    }

    /// Answers a question. Never fails: see `answer::answer`. No secret of the question gets into a prompt, and none of a record out.
    pub async fn answer(&self, question: &Question, on_step: &(dyn Fn(Step) + Send + Sync), cancel: &CancellationToken) -> Answer {
        let on_step = |step: Step| on_step(step.without_secrets());
        answer::answer(self, &question.clone().without_secrets(), &on_step, cancel).await.without_secrets()
    }

    /// Tells of the run that a text names, by the first that it names. Never fails: see `answer::answer`.
    pub async fn explain(&self, text: &Question, on_step: &(dyn Fn(Step) + Send + Sync), cancel: &CancellationToken) -> Answer {
        let named = self
            .vocabulary(&self.unmasked("explain.of_all", &text.audience))
            .await
            .ok()
            .and_then(|vocabulary| answer::link::first_run(&text.text, &vocabulary));
        match named {
            Some(key) => self.answer(&Question { text: format!("run {key}"), ..text.clone() }, on_step, cancel).await,
            None => answer::nothing(text, "No run that I know of is named in this message.").without_secrets(),
        }
    }

    /// Loads the model and computes the fixed part of its prompts.
    ///
    /// # Errors
    /// Where the model does not serve; the reason is a sentence.
    pub async fn warm(&self) -> Result<()> {
        let loaded = self.model.get_or_try_init(|| model::load(&self.model_settings)).await?;
        if let Some(model) = loaded {
            for name in prompts::NAMES {
                model.warm(self.prompts.fixed(name)).await?;
            }
        }
        Ok(())
    }

    /// The model, loaded now if it was not yet; `None` where there is none or it does not serve, which the log then says once.
    pub(crate) async fn model(&self) -> Option<Arc<dyn LanguageModel>> {
        let load = || async {
            model::load(&self.model_settings).await.unwrap_or_else(|error| {
                tracing::error!(%error, "no model: facts without its words");
                None
            })
        };
        self.model.get_or_init(load).await.clone()
    }

    /// Whether a model is configured and was found not to serve.
    pub fn is_model_missing(&self) -> bool {
        !matches!(self.model_settings, ModelSettings::None) && self.model.get().is_some_and(Option::is_none)
    }

    /// The names that an audience may read.
    ///
    /// # Errors
    /// For a channel that the settings do not know, and where the catalog does not serve.
    pub async fn vocabulary(&self, audience: &Audience) -> Result<Arc<Vocabulary>> {
        let scope = self.access().policy.scope_for(audience).context("the settings do not know this channel")?;
        self.vocabulary_of(&scope).await
    }

    /// The names to offer to who types: those that were read last, while later ones are read behind them, as long as nothing has gone from
    /// the scope or was edited in it since. What is answered rests on `vocabulary` alone.
    ///
    /// # Errors
    /// As `vocabulary`.
    pub async fn names_on_offer(self: &Arc<Self>, audience: &Audience) -> Result<Arc<Vocabulary>> {
        let scope = self.access().policy.scope_for(audience).context("the settings do not know this channel")?;
        let scope = self.widened("names.of_all", &scope);
        let Some(last) = self.last_kept(&scope) else { return self.vocabulary_of(&scope).await };
        if self.corpus.catalog.has_less_since(&scope, last.change).await? {
            return self.vocabulary_of(&scope).await;
        }
        if self.corpus.catalog.last_change().await? != last.change {
            self.read_behind(scope);
        }
        Ok(last.vocabulary)
    }

    /// Reads the names of a scope without anybody waiting for them, unless some are being read already.
    fn read_behind(self: &Arc<Self>, scope: ReadScope) {
        let Ok(turn) = Arc::clone(&self.reading).try_lock_owned() else { return };
        let app = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = app.read_again(&scope).await {
                tracing::warn!("cannot read the names again: {error:#}");
            }
        });
    }

    /// Searches for an audience.
    ///
    /// # Errors
    /// For a channel that the settings do not know, and where the catalog does not serve.
    pub async fn search(&self, audience: &Audience, words: &str, filter: &Filter, limit: usize) -> Result<Found> {
        let scope = self
            .access()
            .policy
            .scope_for(&self.unmasked("search.as_terminal", audience))
            .context("the settings do not know this channel")?;
        Ok(self.corpus.search(&scope, words, filter, limit).await?)
    }

    pub(crate) async fn vocabulary_of(&self, scope: &ReadScope) -> Result<Arc<Vocabulary>> {
        Ok(self.kept(&self.widened("names.of_all", scope)).await?.vocabulary)
    }

    pub(crate) async fn directions_of(&self, scope: &ReadScope) -> Result<Arc<Directions>> {
        Ok(self.kept(&self.widened("directions.of_all", scope)).await?.directions)
    }

    /// The scope; where this leaks, that of the terminal.
    pub(crate) fn widened(&self, name: &str, scope: &ReadScope) -> ReadScope {
        let wide = || self.access().policy.scope_for(&Audience::Terminal);
        if leak::is_seeded(name) { wide().unwrap_or_else(|| scope.clone()) } else { scope.clone() }
    }

    /// The audience; where this leaks, the terminal's.
    pub(crate) fn unmasked(&self, name: &str, audience: &Audience) -> Audience {
        if leak::is_seeded(name) { Audience::Terminal } else { audience.clone() }
    }

    /// Where this leaks, how many records there are of which the scope may not hold all.
    pub(crate) async fn count_beyond(&self, name: &str) -> Option<u64> {
        if !leak::is_seeded(name) {
            return None;
        }
        let every = self.access().policy.scope_for(&Audience::Terminal)?;
        let counts = self.corpus.catalog.counts(&every).await.ok()?;
        Some(counts.iter().map(|count| count.n_records).sum())
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Lets go of what was opened of earlier states of the indexes, and of names of which some may be gone from the catalog: neither must
    /// stay for want of a question.
    pub async fn let_go(&self) {
        let corpus = self.corpus.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || corpus.let_go()).await {
            tracing::warn!(%error, "cannot close what is open of an earlier index");
        }
        let all: Vec<(ReadScope, i64)> = self.all_kept().iter().map(|(scope, kept)| (scope.clone(), kept.change)).collect();
        for (scope, change) in all {
            // Where nobody can tell, it goes too.
            if self.corpus.catalog.has_less_since(&scope, change).await.unwrap_or(true) {
                self.all_kept().retain(|of, kept| *of != scope || kept.change != change);
            }
        }
    }

    /// Names and directions of a scope, read again when the catalog changed.
    async fn kept(&self, scope: &ReadScope) -> Result<Kept> {
        let change = self.corpus.catalog.last_change().await?;
        if let Some(kept) = self.last_kept(scope).filter(|kept| kept.change == change) {
            return Ok(kept);
        }
        let _turn = self.reading.lock().await;
        self.read_again(scope).await
    }

    /// The same for who has the turn to read, unless another has read them meanwhile.
    async fn read_again(&self, scope: &ReadScope) -> Result<Kept> {
        let change = self.corpus.catalog.last_change().await?;
        if let Some(kept) = self.last_kept(scope).filter(|kept| kept.change == change) {
            return Ok(kept);
        }
        let vocabulary = Arc::new(self.corpus.catalog.vocabulary(scope).await?);
        let logged = self.corpus.catalog.directions(scope).await?;
        let directions = Arc::new(Directions { declared: self.settings.directions.clone(), logged });
        let kept = Kept { change, vocabulary, directions };
        self.all_kept().insert(scope.clone(), kept.clone());
        Ok(kept)
    }

    /// What was read last of a scope, as of whatever change.
    fn last_kept(&self, scope: &ReadScope) -> Option<Kept> {
        let all = self.all_kept();
        let of_any = || all.values().next().filter(|_| leak::is_seeded("names.one_for_all"));
        of_any().or(all.get(scope)).cloned()
    }

    fn all_kept(&self) -> MutexGuard<'_, HashMap<ReadScope, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
