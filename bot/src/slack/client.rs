//! Calls to Slack's Web API as JSON in and out, with a deadline, and its errors by what is to be done next.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::*;
use slack_morphism::{SlackClientApiCallContext, SlackClientHttpConnector};

use crate::chat::SendError;

/// Longest time for one call.
const DEADLINE: Duration = Duration::from_secs(10);

/// Longest time for a connection to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// What Slack says when it is Slack's own fault, so that nobody knows how far it came.
const OF_SLACK: [&str; 5] = ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"];

/// What Slack says when the app is not allowed in any more: whoever runs the program can mend that, and nothing is lost meanwhile.
const OF_LOGIN: [&str; 8] = [
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "missing_scope",
    "no_permission",
    "org_login_required",
];

/// A client with its token.
pub(super) struct Client {
    /// Slack's client.
    pub(super) client: Arc<SlackHyperClient>,
    token: SlackApiToken,
}

impl Client {
    /// A client for `api_url`, such as `https://slack.com/api`.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be read.
    pub(super) fn new(api_url: &str, token: &str) -> anyhow::Result<Self> {
        let mut http = hyper_util::client::legacy::connect::HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT));
        http.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .context("cannot read the machine's certificates")?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let connector: SlackClientHyperHttpsConnector = SlackClientHyperConnector::with_connector(https).with_slack_api_url(api_url);
        Ok(Self { client: Arc::new(SlackClient::new(connector)), token: SlackApiToken::new(SlackApiTokenValue::from(token)) })
    }

    /// The token, for the socket.
    pub(super) fn token(&self) -> &SlackApiToken {
        &self.token
    }

    /// Calls a method that changes something.
    pub(super) async fn post(&self, method: &str, body: &Value) -> Result<Value, SendError> {
        let session = self.client.open_session(&self.token);
        let call = session.http_session_api.http_post::<Value, Value>(method, body, None);
        said_ok(within(call).await?)
    }

    /// Calls a method that reads.
    pub(super) async fn get(&self, method: &str, params: &[(&str, &str)]) -> Result<Value, SendError> {
        let session = self.client.open_session(&self.token);
        let params: Vec<(&str, Option<&str>)> = params.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let call = session.http_session_api.http_get::<Value, _, _>(method, &params, None);
        said_ok(within(call).await?)
    }

    /// Posts bytes to an address that Slack gave for a file.
    pub(super) async fn put_bytes(&self, address: &str, bytes: &[u8]) -> Result<(), SendError> {
        let url = address.parse().map_err(|_| SendError::NotDelivered("the address for the file is none".to_owned()))?;
        let session = self.client.open_session(&self.token);
        let call = session.http_session_api.http_post_uri_binary::<Value>(url, "image/png".to_owned(), bytes, None);
        match within(call).await {
            // Slack answers `OK`, which is no JSON; nothing is to be seen before the upload is completed.
            Ok(_) => Ok(()),
            Err(SendError::Ambiguous(why)) if why == NO_JSON => Ok(()),
            Err(SendError::Ambiguous(why)) => Err(SendError::NotDelivered(why)),
            Err(error) => Err(error),
        }
    }

    /// Posts to an address that Slack gave for one answer. The address is a secret, and is not logged.
    pub(super) async fn post_to(&self, address: &str, body: &Value) -> Result<(), SendError> {
        let url = address.parse().map_err(|_| SendError::Refused("the address for the answer is none".to_owned()))?;
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext { rate_control_params: None, token: None, tracing_span: &span, is_sensitive_url: true };
        let call = self.client.http_api.connector.http_post_uri::<Value, Value>(url, body, context);
        match within(call).await {
            // Slack answers `ok` as plain text, which is no JSON: posted all the same.
            Err(SendError::Ambiguous(why)) if why == NO_JSON => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

/// An answer of Slack's; a page of something in between is none, and nothing may be concluded from what it does not say.
fn said_ok(answer: Value) -> Result<Value, SendError> {
    if answer["ok"] == true { Ok(answer) } else { Err(SendError::Ambiguous("the answer is not Slack's".to_owned())) }
}

/// What `classify` says of an answer that is no JSON.
const NO_JSON: &str = "the answer is no JSON";

async fn within(call: impl Future<Output = Result<Value, SlackClientError>>) -> Result<Value, SendError> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(answer) => answer.map_err(|error| classify(&error)),
        Err(_) => Err(SendError::Ambiguous(format!("no answer within {DEADLINE:?}"))),
    }
}

/// What is to be done after an error. Texts of errors that may hold a body of Slack's are left out.
fn classify(error: &SlackClientError) -> SendError {
    match error {
        SlackClientError::RateLimitError(limit) => {
            SendError::Pause { after_ms: limit.retry_after.map_or(1_000, |after| after.as_millis() as i64) }
        }
        SlackClientError::ApiError(error) => match (by_code(&error.code), needed(error.http_response_body.as_deref())) {
            (SendError::NotDelivered(why), Some(needed)) => SendError::NotDelivered(format!("{why} (it needs `{needed}`)")),
            (said, _) => said,
        },
        SlackClientError::HttpError(error) if error.status_code.is_server_error() => {
            SendError::Ambiguous(format!("Slack answers {}", error.status_code))
        }
        SlackClientError::HttpError(error) if [407, 408, 421, 425].contains(&error.status_code.as_u16()) => {
            SendError::NotDelivered(format!("Slack answers {}", error.status_code))
        }
        SlackClientError::HttpError(error) => SendError::Refused(format!("Slack answers {}", error.status_code)),
        SlackClientError::HttpProtocolError(error) => {
            let cause = error.cause.as_ref().and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>());
            // Where no connection came about nothing was delivered.
            if cause.is_some_and(hyper_util::client::legacy::Error::is_connect) {
                SendError::NotDelivered("cannot connect to Slack".to_owned())
            } else {
                SendError::Ambiguous("the connection to Slack broke".to_owned())
            }
        }
        SlackClientError::ProtocolError(_) => SendError::Ambiguous(NO_JSON.to_owned()),
        SlackClientError::EndOfStream(_) | SlackClientError::SystemError(_) | SlackClientError::SocketModeProtocolError(_) => {
            SendError::Ambiguous("the connection to Slack broke".to_owned())
        }
    }
}

fn by_code(code: &str) -> SendError {
    match code {
        "ratelimited" | "rate_limited" => SendError::Pause { after_ms: 2_000 },
        code if OF_SLACK.contains(&code) => SendError::Ambiguous(format!("Slack says `{code}`")),
        code if OF_LOGIN.contains(&code) => SendError::NotDelivered(format!("Slack says `{code}`: {}", advice(code))),
        code => SendError::Refused(format!("Slack says `{code}`: {}", advice(code))),
    }
}

/// The scope that an answer says is missing.
fn needed(body: Option<&str>) -> Option<String> {
    let body: Value = serde_json::from_str(body?).ok()?;
    let needed: String = body["needed"].as_str()?.chars().filter(|c| c.is_ascii_alphanumeric() || ":,._".contains(*c)).collect();
    (!needed.is_empty()).then_some(needed)
}

/// What whoever runs the program can do about it.
pub(super) fn advice(code: &str) -> &'static str {
    match code {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" => {
            "the token is wrong or was taken back; make a new one on the app's page and put it into the environment"
        }
        "account_inactive" => "the app was taken out of the workspace; install it again",
        "missing_scope" | "no_permission" => "the app lacks a scope; compare it with config/slack-manifest.yaml and install it again",
        "not_in_channel" | "channel_not_found" => "the app is not in that channel; invite it there",
        "is_archived" => "the channel is archived",
        "restricted_action" => "the workspace's settings keep apps from posting there",
        _ => "docs/slack.md says more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_is_to_be_done() {
        assert!(matches!(by_code("ratelimited"), SendError::Pause { .. }));
        assert!(matches!(by_code("internal_error"), SendError::Ambiguous(_)));
        assert!(matches!(by_code("token_revoked"), SendError::NotDelivered(_)));
        assert!(matches!(by_code("not_in_channel"), SendError::Refused(why) if why.contains("invite it")));
    }
}
