//! A model behind an OpenAI-compatible server: vLLM, mistralrs-server, llama.cpp, Ollama and the like.
//!
//! Servers differ in how far they hold a model to a shape, so the shape is asked for in the server's way and the text is checked here:
//! what stands around the JSON is cut off, and a text that does not fit is asked for once more, with the shape in words.

mod stream;

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{GrammarField, LanguageModel, ModelError, Request, ServerSettings, Shape, shape};

/// The longest wait for a connection, where the whole request may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a server's complaint is repeated, in characters.
const MAX_EXCERPT: usize = 200;

/// A model behind a server.
pub struct ServerModel {
    settings: ServerSettings,
    endpoint: Url,
    client: reqwest::Client,
    /// The server has said that it does not know shapes.
    refuses_shapes: AtomicBool,
}

/// How the shape is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asking {
    /// In the server's own field.
    in_field: bool,
    /// In the prompt.
    in_words: bool,
}

/// Why a request brought no text.
enum Failed {
    /// The server does not take the field with the shape.
    ShapeRefused(String),
    /// Anything else.
    Model(ModelError),
}

impl From<ModelError> for Failed {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl ServerModel {
    /// A client for the server; nothing is sent yet.
    ///
    /// # Errors
    /// `ModelError::Unavailable` where the address is none.
    pub fn new(settings: ServerSettings) -> Result<Self, ModelError> {
        let base = settings.url.trim_end_matches('/').trim_end_matches("/v1");
        let not_an_address = || ModelError::Unavailable(format!("`{}` is not an address such as `http://localhost:8000`", settings.url));
        let endpoint = Url::parse(&format!("{base}/v1/chat/completions")).map_err(|_| not_an_address())?;
        let host = endpoint.host_str().ok_or_else(not_an_address)?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(not_an_address());
        }
        let is_loopback = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let mut builder =
            reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT.min(settings.timeout)).redirect(reqwest::redirect::Policy::none());
        if is_loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| ModelError::Unavailable(format!("cannot make a web client: {}", causes(&error))))?;
        Ok(Self { settings, endpoint, client, refuses_shapes: AtomicBool::new(false) })
    }

    /// The text in its shape, after two tries at most.
    async fn write(&self, request: &Request, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<String, ModelError> {
        let mut asking = self.first_asking(&request.shape);
        let mut text = self.ask(request, asking, on_text).await;
        if let Err(Failed::ShapeRefused(_)) = text {
            self.refuses_shapes.store(true, Ordering::Relaxed);
            asking = Asking { in_field: false, in_words: true };
            text = self.ask(request, asking, on_text).await;
        }
        if let Ok(fitted) = shape::fit(&request.shape, &text.map_err(|failed| self.explained(failed))?) {
            return Ok(fitted);
        }
        let again = self.ask(request, Asking { in_words: true, ..asking }, on_text).await;
        shape::fit(&request.shape, &again.map_err(|failed| self.explained(failed))?).map_err(ModelError::OutOfShape)
    }

    fn first_asking(&self, shape: &Shape) -> Asking {
        let has_field = matches!(shape, Shape::Json(_)) || self.settings.grammar != GrammarField::None;
        let in_field = has_field && !self.refuses_shapes.load(Ordering::Relaxed);
        Asking { in_field, in_words: !in_field }
    }

    async fn ask(&self, request: &Request, asking: Asking, on_text: &(dyn Fn(&str) + Send + Sync)) -> Result<String, Failed> {
        let body = self.body(request, asking);
        let response = self.send(&body).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(stream::read(response, on_text).await.map_err(|reason| self.unavailable(&reason))?);
        }
        let complaint = excerpt(&response.text().await.unwrap_or_default());
        let is_bad_request = matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_IMPLEMENTED);
        if is_bad_request && says_too_long(&complaint) {
            return Err(Failed::Model(ModelError::TooLong));
        }
        if is_bad_request && asking.in_field {
            return Err(Failed::ShapeRefused(complaint));
        }
        Err(Failed::Model(self.refused(status, &complaint)))
    }

    async fn send(&self, body: &Value) -> Result<reqwest::Response, ModelError> {
        let mut request = self.client.post(self.endpoint.clone()).json(body);
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        request.send().await.map_err(|error| {
            let error = error.without_url();
            let advice = if error.is_connect() { ": is it running, and is `[model] url` right?" } else { "" };
            self.unavailable(&format!("cannot be reached ({}){advice}", causes(&error)))
        })
    }

    fn body(&self, request: &Request, asking: Asking) -> Value {
        let prompt = &request.prompt;
        let mut user = prompt.message();
        if asking.in_words {
            user.push_str("\n\n");
            user.push_str(&shape::in_words(&request.shape));
        }
        let mut body = self.bare_body(&prompt.fixed, &user, request.max_tokens);
        if !asking.in_field {
            return body;
        }
        match (&request.shape, self.settings.grammar) {
            (Shape::Json(schema), _) => {
                let named = json!({"name": "answer", "strict": true, "schema": schema});
                body["response_format"] = json!({"type": "json_schema", "json_schema": named});
            }
            (Shape::Lark(grammar), GrammarField::Mistralrs) => body["grammar"] = json!({"type": "lark", "value": grammar}),
            (Shape::Lark(grammar), GrammarField::Vllm) => body["structured_outputs"] = json!({"grammar": grammar}),
            (Shape::Lark(_), GrammarField::None) => {}
        }
        body
    }

    fn bare_body(&self, system: &str, user: &str, max_tokens: usize) -> Value {
        json!({
            "model": self.settings.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "stream": true,
            "temperature": 0,
            "max_tokens": max_tokens,
        })
    }

    async fn within_timeout<T>(&self, work: impl Future<Output = Result<T, ModelError>>) -> Result<T, ModelError> {
        let timeout = self.settings.timeout;
        let late = || {
            self.unavailable(&format!(
                "gave no answer within {} s: is it overloaded, or `[model] timeout` too short?",
                timeout.as_secs_f64()
            ))
        };
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(late()))
    }

    fn explained(&self, failed: Failed) -> ModelError {
        match failed {
            Failed::Model(error) => error,
            Failed::ShapeRefused(complaint) => self.refused(StatusCode::BAD_REQUEST, &complaint),
        }
    }

    fn refused(&self, status: StatusCode, complaint: &str) -> ModelError {
        let advice = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "refused the key: check the API key".to_owned(),
            StatusCode::NOT_FOUND => format!("does not know the model `{}`: check `[model] model` and `[model] url`", self.settings.model),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "is busy: try again later".to_owned(),
            status if status.is_redirection() => "points elsewhere: check `[model] url`".to_owned(),
            _ => "refused the request".to_owned(),
        };
        let said = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
        self.unavailable(&format!("{advice} ({}{said})", status.as_u16()))
    }

    fn unavailable(&self, what: &str) -> ModelError {
        ModelError::Unavailable(format!("the model server at `{}` {what}", self.settings.url))
    }
}

impl LanguageModel for ServerModel {
    fn name(&self) -> &str {
        &self.settings.model
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
                result = self.within_timeout(self.write(request, on_text)) => result,
            }
        }
        .boxed()
    }

    /// One token is asked for, so that a server with a prefix cache has the prefix.
    fn warm<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>> {
        let work = async move {
            let response = self.send(&self.bare_body(prefix, "", 1)).await?;
            let status = response.status();
            let body = response.text().await.unwrap_or_default();
            if status.is_success() { Ok(()) } else { Err(self.refused(status, &excerpt(&body))) }
        };
        self.within_timeout(work).boxed()
    }
}

/// The server's own words, where it sent an error object or plain text.
fn excerpt(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let message = [&json["error"]["message"], &json["message"], &json["error"], &json["detail"]].into_iter().find_map(Value::as_str);
    let is_page = body.trim_start().starts_with('<');
    let text = message.unwrap_or(if is_page { "a web page" } else { body });
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(MAX_EXCERPT).collect()
}

fn says_too_long(complaint: &str) -> bool {
    let complaint = complaint.to_lowercase();
    ["context length", "context size", "context window", "sequence length", "too long", "too many tokens"]
        .iter()
        .any(|words| complaint.contains(words))
}

/// The error with its causes, in one line.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
