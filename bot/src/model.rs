//! The language model: it plans and narrates inside a fixed shape, and is never asked for a number.
//!
//! `mistral` runs one in this process, `openai` asks a server, `scripted` plays one in tests.

pub mod mistral;
pub mod openai;
pub mod scripted;
mod shape;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use tokio_util::sync::CancellationToken;

/// What the model reads, in the order in which it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Byte for byte the same for every question of one task, so that it is computed once.
    pub fixed: String,
    /// Stands right behind the fixed part, so that no cache of what follows is shared across scopes.
    pub scope_id: String,
    /// This question, short.
    pub varying: String,
}

impl Prompt {
    /// What the model reads behind the fixed part.
    pub fn message(&self) -> String {
        format!("{}\n{}", self.scope_id, self.varying)
    }

    /// The SHA-256, in hex, of all that the model reads: the fixed part, a line feed and the message. It names the prompt without its text.
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.fixed, self.message()));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The shape that the model's text must have.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// One JSON value of this JSON schema, its properties in the schema's order, without spaces.
    Json(Value),
    /// A text of this Lark grammar (llguidance's dialect) with the rule `start`.
    Lark(String),
}

/// One request to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What it reads.
    pub prompt: Prompt,
    /// What it may write.
    pub shape: Shape,
    /// How much it may write, in tokens.
    pub max_tokens: usize,
}

/// Writes text of a given shape. Deterministic where the model allows it.
pub trait LanguageModel: Send + Sync {
    /// Names the model, for status and logs.
    fn name(&self) -> &str;

    /// The text that answers `request`; it has the asked shape. Pieces go to `on_text` as they come: they are provisional, for
    /// where a first try does not fit, the text of the second comes after it. Ends soon after `cancel` fires.
    ///
    /// # Errors
    /// See [`ModelError`].
    fn generate<'a>(
        &'a self,
        request: &'a Request,
        on_text: &'a (dyn Fn(&str) + Send + Sync),
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String, ModelError>>;

    /// Runs the fixed part of a prompt once, so that its cache is warm.
    ///
    /// # Errors
    /// Where the model cannot run.
    fn warm<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>>;
}

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The model or its server does not run; the sentence says what to do.
    #[error("{0}")]
    Unavailable(String),
    /// The asker stopped it.
    #[error("the model was stopped")]
    Cancelled,
    /// The text has not the asked shape, or the shape is not one.
    #[error("the model's text has the wrong shape: {0}")]
    OutOfShape(String),
    /// The prompt is longer than the model reads.
    #[error("the prompt is longer than the model can read")]
    TooLong,
}

/// Which model there is.
#[derive(Debug, Clone)]
pub enum ModelSettings {
    /// No model: typed commands and plain facts.
    None,
    /// One in this process.
    Mistralrs(LocalSettings),
    /// One behind an OpenAI-compatible server.
    Openai(ServerSettings),
}

/// A model in this process.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Where its weights are.
    pub weights: Weights,
    /// What it runs on.
    pub device: Device,
}

/// Where a model's weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// A GGUF file, a folder with one, or a folder with `config.json` and safetensors.
    Path(PathBuf),
    /// `ORGANISATION/NAME` on the model hub.
    Hub(String),
}

/// What a model in this process runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The first GPU where this binary is built for one and finds one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
}

/// A model behind an OpenAI-compatible server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Its address, with or without `/v1`.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// Sent as a bearer token.
    pub api_key: Option<SecretString>,
    /// The longest that one request may take, a second try included.
    pub timeout: Duration,
    /// How the server takes a Lark grammar.
    pub grammar: GrammarField,
}

/// How a server takes a Lark grammar: there is no standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GrammarField {
    /// It does not: the text is checked when it is there.
    #[default]
    None,
    /// `grammar: {type: "lark", value}`, as mistralrs-server.
    Mistralrs,
    /// `structured_outputs: {grammar}`, as vLLM.
    Vllm,
}

/// The model that the settings name; `None` where they name none. Loading one in this process takes seconds.
///
/// # Errors
/// `ModelError::Unavailable` where its weights are missing or broken, or the address is none.
pub async fn load(settings: &ModelSettings) -> Result<Option<Arc<dyn LanguageModel>>, ModelError> {
    match settings {
        ModelSettings::None => Ok(None),
        ModelSettings::Mistralrs(local) => Ok(Some(Arc::new(mistral::MistralModel::load(local).await?))),
        ModelSettings::Openai(server) => Ok(Some(Arc::new(openai::ServerModel::new(server.clone())?))),
    }
}
