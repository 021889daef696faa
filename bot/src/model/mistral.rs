//! A model in this process, run by mistral.rs.
//!
//! Three habits of the library shape this file. It keeps the cache of every sequence that ends by itself, on the CPU without bound,
//! and hands what is cached to whoever begins with the same tokens. So sequences are told never to end by themselves: a request ends
//! when its receiver is dropped, which keeps nothing, and only the fixed prefix of a prompt, run once by itself, stays in the cache.
//! Second, it stops early only where it fails to send a piece. Third, its default sampler forgets what was set before.

mod place;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use mistralrs::core::{MistralRsBuilder, Pipeline};
use mistralrs::llguidance::api::TopLevelGrammar;
use mistralrs::llguidance::toktrie::ApproximateTokEnv;
use mistralrs::llguidance::{Matcher, ParserFactory};
use mistralrs::model_builder_trait::{build_auto_pipeline, build_gguf_pipeline};
use mistralrs::{
    Constraint, GgufModelBuilder, MemoryGpuConfig, ModelBuilder, PagedAttentionMetaBuilder, RequestBuilder, Response, SchedulerConfig,
    TextMessageRole,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::place::Place;
use super::{Device, LanguageModel, LocalSettings, ModelError, Request, Shape};

/// Prefixes that are kept in the cache; one more than the tasks that a bot has would be a mistake, and each takes tens of MiB.
const MAX_WARM_PREFIXES: usize = 8;

/// Requests that a GPU runs at a time. A CPU runs one: two would only make both late.
const N_PARALLEL_ON_GPU: usize = 8;

/// Room for one request in the GPU's cache, in tokens: its prompt and its answer.
const GPU_CONTEXT_TOKENS: usize = 4096;

/// A model that runs in this process.
pub struct MistralModel {
    name: String,
    engine: Arc<Engine>,
}

struct Engine {
    model: mistralrs::Model,
    /// Tokens by which the model ends its turn.
    end_ids: Vec<u32>,
    turns: Semaphore,
    warm_prefixes: Mutex<HashSet<String>>,
}

impl MistralModel {
    /// Loads the weights, which takes seconds and a whole core.
    ///
    /// # Errors
    /// `ModelError::Unavailable` where they are missing, cut short, or of a kind that the library does not know.
    pub async fn load(settings: &LocalSettings) -> Result<Self, ModelError> {
        let place = Place::find(&settings.weights)?;
        let (name, shown) = (place.name(), place.to_string());
        let device = settings.device;
        // The library blocks while it loads, and panics over some broken files.
        let runtime = tokio::runtime::Handle::current();
        let loaded = tokio::task::spawn_blocking(move || runtime.block_on(Engine::load(&place, device))).await;
        let fail = |reason: String| {
            ModelError::Unavailable(format!(
                "cannot load the model from `{shown}`: {reason}: if it was cut short, delete it and run `runlore models`"
            ))
        };
        let engine = loaded.map_err(|_| fail("its format is broken".to_owned()))?.map_err(|error| fail(one_line(error.root_cause())))?;
        Ok(Self { name, engine: Arc::new(engine) })
    }

    async fn run(&self, request: &Request, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<String, ModelError> {
        self.warm_prefix(&request.prompt.fixed).await?;
        let result = self.engine.write(request, on_text).await;
        if matches!(result, Err(ModelError::Unavailable(_))) {
            // After a failure the library has forgotten what it cached.
            self.engine.warm_prefixes().clear();
        }
        result
    }

    /// In a task of its own, so that a question that is stopped does not end it half-way.
    async fn warm_prefix(&self, prefix: &str) -> Result<(), ModelError> {
        if self.engine.is_settled(prefix) {
            return Ok(());
        }
        let (engine, prefix) = (Arc::clone(&self.engine), prefix.to_owned());
        let task = tokio::spawn(async move { engine.warm(prefix).await });
        task.await.map_err(|_| stopped("its task ended"))?
    }
}

impl LanguageModel for MistralModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
        on_text: &'a (dyn Fn(&str) + Send + Sync),
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String, ModelError>> {
        async move {
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ModelError::Cancelled),
                result = self.run(request, on_text) => result,
            }
        }
        .boxed()
    }

    fn warm<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>> {
        self.warm_prefix(prefix).boxed()
    }
}

impl Engine {
    async fn load(place: &Place, device: Device) -> anyhow::Result<Self> {
        let (pipeline, scheduler) = build_pipeline(place, device).await?;
        let (end_ids, is_on_cpu) = {
            let pipeline = pipeline.lock().await;
            (pipeline.get_metadata().eos_tok.clone(), pipeline.device().is_cpu())
        };
        let builder = MistralRsBuilder::new(pipeline, scheduler, false, None).with_disable_eos_stop(true);
        Ok(Self {
            model: mistralrs::Model::new(builder.build().await),
            end_ids,
            turns: Semaphore::new(if is_on_cpu { 1 } else { N_PARALLEL_ON_GPU }),
            warm_prefixes: Mutex::default(),
        })
    }

    fn warm_prefixes(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.warm_prefixes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the prefix is warm, or cannot be kept warm.
    fn is_settled(&self, prefix: &str) -> bool {
        let warm = self.warm_prefixes();
        warm.contains(prefix) || warm.len() >= MAX_WARM_PREFIXES
    }

    async fn warm(&self, prefix: String) -> Result<(), ModelError> {
        let _turn = self.turns.acquire().await.map_err(|_| stopped("it is closed"))?;
        if self.is_settled(&prefix) {
            return Ok(());
        }
        // One token, so that the sequence ends by itself and its cache is kept.
        let request = messages(&prefix, "").set_sampler_max_len(1);
        let mut stream = self.model.stream_chat_request(request).await.map_err(stopped)?;
        let mut written = Written::default();
        while let Some(response) = stream.next().await {
            if written.take(response, &|_| ())? {
                self.warm_prefixes().insert(prefix);
                return Ok(());
            }
        }
        Err(stopped("it said nothing"))
    }

    async fn write(&self, request: &Request, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<String, ModelError> {
        let _turn = self.turns.acquire().await.map_err(|_| stopped("it is closed"))?;
        // The library's own limit lies a little above ours: a sequence that reaches it would be kept.
        let library_request = messages(&request.prompt.fixed, &request.prompt.message())
            .set_sampler_max_len(request.max_tokens + 8)
            .set_constraint(constraint(&request.shape, &self.end_ids));
        let mut stream = self.model.stream_chat_request(library_request).await.map_err(stopped)?;
        let mut written = Written::default();
        while let Some(response) = stream.next().await {
            if written.take(response, on_text)? {
                return written.finish();
            }
            if written.n_pieces >= request.max_tokens {
                return Err(ModelError::OutOfShape(format!("it is not complete after {} tokens", request.max_tokens)));
            }
        }
        Err(stopped("it ended in the middle"))
    }
}

/// What came so far.
#[derive(Default)]
struct Written {
    text: String,
    n_pieces: usize,
    n_empty: usize,
    is_cut: bool,
}

impl Written {
    /// Takes one piece; true when the text is complete. A token that ends the turn comes as an empty piece.
    fn take(&mut self, response: Response, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<bool, ModelError> {
        let chunk = match response {
            Response::Chunk(chunk) => chunk,
            Response::ModelError(reason, _) => return Err(stopped(reason)),
            Response::InternalError(error) => return Err(stopped(error)),
            Response::ValidationError(error) => return Err(invalid(&error.to_string())),
            _ => return Err(stopped("it gave something other than text")),
        };
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(false) };
        let piece = choice.delta.content.unwrap_or_default();
        self.n_pieces += 1;
        if !piece.is_empty() {
            self.text.push_str(&piece);
            on_text(&piece);
        } else {
            self.n_empty += 1;
        }
        self.is_cut = choice.finish_reason.as_deref() == Some("length");
        // The first piece may be a space that the library cuts off, so one empty piece at the start says nothing.
        let has_ended = piece.is_empty() && (!self.text.is_empty() || self.n_empty > 1);
        Ok(has_ended || choice.finish_reason.is_some())
    }

    fn finish(self) -> Result<String, ModelError> {
        if self.is_cut || self.text.is_empty() {
            return Err(ModelError::OutOfShape("it is not complete".to_owned()));
        }
        Ok(self.text)
    }
}

type BuiltPipeline = (Arc<tokio::sync::Mutex<dyn Pipeline>>, SchedulerConfig);

async fn build_pipeline(place: &Place, device: Device) -> anyhow::Result<BuiltPipeline> {
    let may_use_gpu = device == Device::Auto && mistralrs::paged_attn_supported();
    let gpu_cache = MemoryGpuConfig::ContextSize(N_PARALLEL_ON_GPU * GPU_CONTEXT_TOKENS);
    let gpu = if may_use_gpu { Some(PagedAttentionMetaBuilder::default().with_gpu_memory(gpu_cache).build()?) } else { None };
    let (pipeline, scheduler, _) = match place {
        Place::Gguf { folder, file } => {
            let builder = GgufModelBuilder::new(folder.display(), vec![file]).with_max_num_seqs(N_PARALLEL_ON_GPU);
            let builder = match gpu {
                Some(paged) => builder.with_paged_attn(paged),
                None => builder.with_force_cpu(),
            };
            build_gguf_pipeline(builder).await?
        }
        Place::Folder(_) | Place::Hub(_) => {
            let builder = ModelBuilder::new(place.to_string()).with_max_num_seqs(N_PARALLEL_ON_GPU);
            let builder = match gpu {
                Some(paged) => builder.with_paged_attn(paged),
                None => builder.with_force_cpu(),
            };
            build_auto_pipeline(builder).await?
        }
    };
    Ok((pipeline, scheduler))
}

/// The deterministic sampler resets every other sampler setting, so it comes first.
fn messages(system: &str, user: &str) -> RequestBuilder {
    RequestBuilder::new()
        .set_deterministic_sampler()
        .enable_thinking(false)
        .add_message(TextMessageRole::System, system)
        .add_message(TextMessageRole::User, user)
}

fn constraint(shape: &Shape, end_ids: &[u32]) -> Constraint {
    match shape {
        Shape::Json(schema) => {
            let mut schema = schema.clone();
            if let Value::Object(schema) = &mut schema {
                schema.entry("x-guidance").or_insert_with(|| json!({"whitespace_flexible": false}));
            }
            Constraint::JsonSchema(schema)
        }
        Shape::Lark(grammar) => Constraint::Lark(ending_with(grammar, end_ids)),
    }
}

/// The grammar with the model's own end-of-turn token behind its start rule: the library knows another end token, which the model
/// hardly ever chooses, so that without this it writes on where the grammar allows it.
fn ending_with(grammar: &str, end_ids: &[u32]) -> String {
    let start = grammar.lines().position(|line| line.strip_prefix("start").is_some_and(|rest| rest.trim_start().starts_with(':')));
    let (Some(start), false) = (start, end_ids.is_empty()) else { return grammar.to_owned() };
    let ids: Vec<String> = end_ids.iter().map(u32::to_string).collect();
    let mut lines: Vec<String> = grammar.lines().map(str::to_owned).collect();
    lines[start] = lines[start].replacen("start", "whole_answer", 1);
    lines.insert(start, format!("start: whole_answer <[{}]>", ids.join(",")));
    lines.join("\n")
}

/// Whether the whole text is one of the grammar.
///
/// # Errors
/// Where it leaves the grammar, or that the grammar is none.
pub(super) fn obeys_lark(grammar: &str, text: &str) -> Result<(), String> {
    let environment = ApproximateTokEnv::single_byte_env();
    let factory = ParserFactory::new_simple(&environment).map_err(|error| error.to_string())?;
    let parser = factory.create_parser(TopLevelGrammar::from_lark(grammar.to_owned())).map_err(|error| error.to_string())?;
    let mut matcher = Matcher::new(Ok(parser));
    let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
    let n_taken = matcher.try_consume_tokens(&bytes).map_err(|error| error.to_string())?;
    if n_taken < bytes.len() {
        let rest: String = String::from_utf8_lossy(&text.as_bytes()[n_taken..]).chars().take(20).collect();
        return Err(format!("the grammar does not allow `{rest}` at byte {n_taken}"));
    }
    match matcher.is_accepting() {
        Ok(true) => Ok(()),
        Ok(false) if matcher.is_stopped() && !matcher.is_error() => Ok(()),
        Ok(false) => Err("it is not complete".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn stopped(reason: impl ToString) -> ModelError {
    ModelError::Unavailable(format!("the model stopped: {}", one_line(reason)))
}

/// An error of the library in one line, without the stack that it may hold.
fn one_line(reason: impl ToString) -> String {
    let text = reason.to_string();
    let is_frame = |line: &&str| line.trim_start().split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    text.lines().take_while(|line| !is_frame(line)).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn invalid(reason: &str) -> ModelError {
    if reason.contains("sequence length") { ModelError::TooLong } else { ModelError::OutOfShape(reason.to_owned()) }
}

#[cfg(test)]
mod tests;
