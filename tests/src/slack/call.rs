//! A call of the Web API, whichever way its arguments came.

use axum::body::to_bytes;
use axum::extract::Request;
use serde_json::{Map, Value};

/// The most that a body may have.
const MOST_BYTES: usize = 64 << 20;

/// Arguments that are JSON, which forms carry as text.
const STRUCTURED: [&str; 9] = ["blocks", "attachments", "view", "metadata", "files", "chunks", "prompts", "loading_messages", "unfurls"];

/// One call.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) token: Option<String>,
    /// The arguments by name, without the token.
    pub(super) arguments: Value,
}

impl Call {
    pub(super) async fn read(method: String, request: Request) -> Self {
        let (head, body) = request.into_parts();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
        let mut arguments = pairs(head.uri.query().unwrap_or_default());
        if header("content-type").starts_with("application/json") {
            if let Ok(Value::Object(more)) = serde_json::from_slice(&body) {
                arguments.extend(more);
            }
        } else {
            arguments.extend(pairs(&String::from_utf8_lossy(&body)));
        }
        let in_arguments = arguments.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        let token = header("authorization").strip_prefix("Bearer ").map(str::to_owned).or(in_arguments);
        Self { method, token, arguments: arguments.into() }
    }

    /// An argument as text; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.arguments[name].as_str().unwrap_or_default()
    }

    /// Whether an argument is set and true, be it JSON or text.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.arguments[name] == true || matches!(self.text(name), "true" | "1")
    }

    /// An argument as a number, be it JSON or text.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let value = &self.arguments[name];
        value.as_u64().and_then(|number| usize::try_from(number).ok()).or_else(|| value.as_str()?.parse().ok())
    }

    /// Whether an argument is there and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.arguments[name] {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        }
    }
}

fn pairs(form: &str) -> Map<String, Value> {
    let Ok(url) = reqwest::Url::parse(&format!("http://localhost/?{form}")) else { return Map::new() };
    let value = |name: &str, text: String| {
        let structured = STRUCTURED.contains(&name).then(|| serde_json::from_str(&text).ok()).flatten();
        structured.unwrap_or(Value::String(text))
    };
    url.query_pairs().map(|(name, text)| (name.to_string(), value(&name, text.into_owned()))).collect()
}
