//! Calls to Discord's REST API as JSON in and out, with a deadline, within its limits, and its errors by what is to be done next.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::chat::SendError;

/// Longest time for one call, and for a connection to stand.
const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// What Discord asks every program to say of itself.
const USER_AGENT: &str = concat!("DiscordBot (https://github.com/runlore/runlore, ", env!("CARGO_PKG_VERSION"), ")");

/// Codes that say that the bot may not, or that something is not there any more: nothing of it will ever be delivered.
pub(super) const UNKNOWN_CHANNEL: i64 = 10_003;
pub(super) const UNKNOWN_MEMBER: i64 = 10_007;
pub(super) const UNKNOWN_MESSAGE: i64 = 10_008;
pub(super) const CLOSED: i64 = 50_007;
pub(super) const THREAD_EXISTS: i64 = 160_004;
const OVER: [i64; 3] = [10_015, 10_062, 50_027];

/// A client with its token.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: SecretString,
    /// Of each route and what it is about: when it may be called again.
    closed_until: Mutex<HashMap<String, Instant>>,
}

/// One call.
pub(super) struct Call<'a> {
    pub method: Method,
    /// Below the base, with a leading slash.
    pub path: String,
    pub body: Option<&'a Value>,
    /// A file that goes with the body, and its name.
    pub file: Option<(&'a str, &'a [u8])>,
    /// Calls that share a limit have the same; none where there is no limit of that kind.
    pub bucket: Option<String>,
}

impl<'a> Call<'a> {
    /// A call whose limit is that of its method and path.
    pub(super) fn new(method: Method, path: String, body: Option<&'a Value>) -> Self {
        // Ids below the first two parts are of one message, member or thread: they share the limit of their channel or server.
        let bucket = format!("{method} {}", path.split('?').next().unwrap_or_default().split('/').take(4).collect::<Vec<_>>().join("/"));
        Self { method, path, body, file: None, bucket: Some(bucket) }
    }

    /// A call by the token of an interaction, which is a secret and has no limit of its own.
    pub(super) fn of_interaction(method: Method, path: String, body: Option<&'a Value>) -> Self {
        Self { method, path, body, file: None, bucket: None }
    }

    pub(super) fn with_file(self, file: Option<(&'a str, &'a [u8])>) -> Self {
        Self { file, ..self }
    }
}

impl Client {
    /// A client for a base such as `https://discord.com/api/v10`.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be read.
    pub(super) fn new(base: &str, token: SecretString) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(DEADLINE).connect_timeout(CONNECT).user_agent(USER_AGENT);
        let http = http.redirect(reqwest::redirect::Policy::none()).build().context("cannot make a client for Discord")?;
        Ok(Self { http, base: base.to_owned(), token, closed_until: Mutex::default() })
    }

    /// Reads.
    pub(super) async fn get(&self, path: impl Into<String>) -> Result<Value, SendError> {
        self.call(Call::new(Method::GET, path.into(), None)).await
    }

    /// Makes one call. The path may hold a secret and is not logged.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Value, SendError> {
        if let Some(wait) = call.bucket.as_deref().and_then(|bucket| self.closed_for(bucket)) {
            return Err(SendError::Pause { after_ms: wait.as_millis() as i64 + 1 });
        }
        let mut request = self.http.request(call.method.clone(), format!("{}{}", self.base, call.path));
        if call.bucket.is_some() {
            request = request.header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret()));
        }
        request = match (call.body, call.file) {
            (Some(body), Some((name, bytes))) => {
                let (kind, bytes) = multipart(body, name, bytes);
                request.header(CONTENT_TYPE, kind).body(bytes)
            }
            (Some(body), None) => request.json(body),
            (None, _) => request,
        };
        let answer = request.send().await.map_err(|error| broken(&error))?;
        if let Some(bucket) = &call.bucket {
            self.note_limit(bucket, answer.headers());
        }
        self.read(answer, call.bucket.as_deref()).await
    }

    async fn read(&self, answer: Response, bucket: Option<&str>) -> Result<Value, SendError> {
        let status = answer.status();
        let text = answer.text().await.map_err(|error| broken(&error))?;
        let body: Option<Value> = serde_json::from_str(&text).ok();
        if status.as_u16() == 204 {
            return Ok(Value::Null);
        }
        if status.is_success() {
            // A page of something in between is no answer of Discord's.
            return body.ok_or_else(|| SendError::Ambiguous("the answer is not Discord's".to_owned()));
        }
        let body = body.unwrap_or_default();
        if status.as_u16() == 429 {
            let wait = Duration::from_secs_f64(body["retry_after"].as_f64().unwrap_or(1.0).clamp(0.0, 3_600.0));
            // A global limit closes every route; that of one interaction none but its own.
            match bucket {
                _ if body["global"] == true => self.close("", wait),
                Some(bucket) => self.close(bucket, wait),
                None => {}
            }
            return Err(SendError::Pause { after_ms: wait.as_millis() as i64 + 1 });
        }
        Err(refused(status.as_u16(), &body))
    }

    fn closed_for(&self, bucket: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        closed.retain(|_, until| *until > now);
        ["", bucket].iter().filter_map(|name| closed.get(*name)).max().map(|until| until.duration_since(now))
    }

    fn close(&self, bucket: &str, wait: Duration) {
        self.closed_until.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), Instant::now() + wait);
    }

    /// Where the answer says that nothing is left of the route's limit, it is closed until that begins anew.
    fn note_limit(&self, bucket: &str, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<f64>().ok());
        if let (Some(remaining), Some(after)) = (number("x-ratelimit-remaining"), number("x-ratelimit-reset-after"))
            && remaining < 1.0
        {
            self.close(bucket, Duration::from_secs_f64(after.clamp(0.0, 3_600.0)));
        }
    }
}

/// Where no connection came about nothing was delivered; otherwise nobody knows. Texts of errors hold addresses and are left out.
fn broken(error: &reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::NotDelivered("cannot connect to Discord".to_owned())
    } else if error.is_timeout() {
        SendError::Ambiguous(format!("no answer within {DEADLINE:?}"))
    } else {
        SendError::Ambiguous("the connection to Discord broke".to_owned())
    }
}

fn refused(status: u16, body: &Value) -> SendError {
    let code = body["code"].as_i64().unwrap_or(0);
    let told = format!("{} {}", answers(status, code), advice(status, code));
    match (status, code) {
        (500.., _) => SendError::Ambiguous(told),
        // An address for one answer that is too old answers so too, with a code.
        (401, 0) | (407 | 408 | 421 | 425, _) => SendError::NotDelivered(told),
        _ => SendError::Refused(told),
    }
}

/// Whether the time for that answer is over.
pub(super) fn is_over(error: &SendError) -> bool {
    OVER.iter().any(|code| is_code(error, *code))
}

/// Whether Discord does not take the token.
pub(super) fn is_unknown_token(error: &SendError) -> bool {
    matches!(error, SendError::NotDelivered(told) if told.starts_with(&answers(401, 0)))
}

fn answers(status: u16, code: i64) -> String {
    format!("Discord answers {status} with code {code}:")
}

/// Whether Discord refused with this code.
pub(super) fn is_code(error: &SendError, code: i64) -> bool {
    matches!(error, SendError::Refused(told) if told.contains(&format!("with code {code}:")))
}

/// What whoever runs the program can do about it.
fn advice(status: u16, code: i64) -> &'static str {
    match (status, code) {
        (401, 0) => "the token is wrong or was taken back; make a new one on the app's page and put it into the environment",
        (_, 10_003) => "the channel is not there any more, or the bot may not see it",
        (_, 10_008) => "the message is not there any more",
        (_, 10_015 | 10_062 | 50_027) => "the time for that answer is over",
        (_, 40_060) => "this was answered already",
        (_, 50_001) => "the bot may not see that channel; give it `View Channel` there",
        (_, 50_007) => "the person takes no direct messages from it",
        (_, 50_013) => "the bot lacks a permission there; compare it with docs/discord.md",
        (_, 50_083) => "the thread is archived",
        (_, 50_035) => "the message is not to Discord's liking",
        _ => "docs/discord.md says more",
    }
}

/// A body with one file, as `multipart/form-data` (RFC 7578), and its content type.
fn multipart(body: &Value, name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    let boundary = format!("runlore-{}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, bytes).simple());
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    let mut all = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n{body}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    all.extend_from_slice(bytes);
    all.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_is_to_be_done() {
        assert!(matches!(refused(401, &json!({"code": 0})), SendError::NotDelivered(why) if why.contains("token")));
        assert!(matches!(refused(401, &json!({"code": 50_027})), SendError::Refused(_)));
        assert!(matches!(refused(502, &Value::Null), SendError::Ambiguous(_)));
        let closed = refused(403, &json!({"code": 50_007, "message": "secret words"}));
        assert!(is_code(&closed, 50_007) && !is_code(&closed, 5_000) && !closed.to_string().contains("secret"));
    }

    #[test]
    fn calls_about_one_channel_share_a_limit() {
        let bucket = |path: &str| Call::new(Method::GET, path.to_owned(), None).bucket;
        assert_eq!(bucket("/channels/1/messages/2"), bucket("/channels/1/messages/3?x=y"));
        assert_ne!(bucket("/channels/1/messages"), bucket("/channels/2/messages"));
    }

    #[test]
    fn a_file_goes_with_its_body() {
        let (kind, bytes) = multipart(&json!({"content": "x"}), "a\"b\r\n.png", &[0, 255]);
        let boundary = kind.split_once('=').map(|(_, boundary)| boundary).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("filename=\"ab.png\"") && text.ends_with(&format!("\r\n--{boundary}--\r\n")), "{text}");
    }
}
