//! Answers calls of the Web API: what the stand-in does well is passed on, the rest corrected or done here.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::faults::{Reply, What, finish};
use super::history::{Order, page};
use super::listener::Wire;
use super::lock;
use super::workings::{Posted, Workings, fine, missing_field, refused};
use super::workspace::TEAM;

/// Where people see the workspace.
const WORKSPACE_URL: &str = "https://runlore-test.slack.com";

/// Answers one call.
pub(super) async fn serve(
    State(workings): State<Arc<Workings>>,
    Path(method): Path<String>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let at = Instant::now();
    let call = Call::read(method, request).await;
    let fault = workings.faults.take(&call.method);
    if let Some(What::Slow(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let reply = match fault.as_ref().and_then(What::instead) {
        Some(reply) => reply,
        None => Reply { status: 200, retry_after_s: None, body: workings.answer(&call).await },
    };
    let Call { method, arguments: body, .. } = call;
    workings.record(Posted { method, at, body, answer: reply.body.clone(), fault: fault.clone() });
    let mut response = finish(fault, &wire, reply).await;
    if let Some(scopes) = lock(&workings.kept).scopes.as_ref().and_then(|scopes| scopes.parse().ok()) {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    response
}

impl Workings {
    async fn answer(&self, call: &Call) -> Value {
        if let Some(error) = self.refused_token(call) {
            return refused(error);
        }
        match self.perform(call).await {
            Ok(answer) => answer,
            Err(error) => json!({ "ok": false, "error": "internal_error", "proxy": format!("{error:#}") }),
        }
    }

    fn refused_token(&self, call: &Call) -> Option<&'static str> {
        let Some(token) = &call.token else { return Some("not_authed") };
        if let Some(error) = lock(&self.kept).revoked_tokens.get(token) {
            return Some(error);
        }
        let needed = if call.method == "apps.connections.open" { "xapp-" } else { "xoxb-" };
        match token.starts_with(needed) {
            true => None,
            false if token.starts_with("xapp-") || token.starts_with("xoxb-") => Some("not_allowed_token_type"),
            false => Some("invalid_auth"),
        }
    }

    async fn perform(&self, call: &Call) -> Result<Value> {
        match call.method.as_str() {
            "apps.connections.open" => Ok(fine(json!({ "url": format!("{}/socket/{}", self.socket_url, self.fresh_number()) }))),
            "auth.test" => self.test_token(call).await,
            "chat.postMessage" => self.post_message(call).await,
            "chat.postEphemeral" => self.post_ephemeral(call).await,
            "chat.update" => self.update_message(call).await,
            "chat.delete" => self.delete_message(call).await,
            "reactions.add" | "reactions.remove" => self.react(call).await,
            "chat.getPermalink" => self.link_to_message(call).await,
            "chat.startStream" => self.start_stream(call).await,
            "chat.appendStream" => self.append_stream(call).await,
            "chat.stopStream" => self.stop_stream(call).await,
            "conversations.history" => self.history(call, Order::NewestFirst).await,
            "conversations.replies" => self.history(call, Order::OldestFirst).await,
            "conversations.list" | "users.conversations" => self.list_channels(call).await,
            "conversations.info" | "conversations.create" => self.describe_channel(call).await,
            "conversations.members" => self.list_members(call).await,
            // The stand-in would open a direct message with the first of several.
            "conversations.open" if call.text("users").contains(',') => Ok(refused("not_in_the_stand_in")),
            "users.info" | "users.lookupByEmail" | "users.list" => self.describe_users(call).await,
            "usergroups.users.list" => Ok(self.list_user_group(call)),
            "assistant.threads.setStatus" | "assistant.threads.setTitle" => Ok(self.needing(call, &["channel_id", "thread_ts"])),
            "assistant.threads.setSuggestedPrompts" => Ok(self.needing(call, &["channel_id", "prompts"])),
            "agents.sessions.setStatus" => {
                Ok(fine(json!({ "status": call.arguments["status"], "agent_status": call.arguments["status"] })))
            }
            "views.open" | "views.push" | "views.update" | "views.publish" => self.show_view(call).await,
            _ => self.pass_on(call).await,
        }
    }

    pub(super) async fn pass_on(&self, call: &Call) -> Result<Value> {
        self.forward(&call.method, &call.arguments, call.token.as_deref()).await
    }

    async fn test_token(&self, call: &Call) -> Result<Value> {
        let mut answer = self.pass_on(call).await?;
        answer["url"] = format!("{WORKSPACE_URL}/").into();
        Ok(answer)
    }

    async fn link_to_message(&self, call: &Call) -> Result<Value> {
        let mut answer = self.pass_on(call).await?;
        if let Some(link) = answer["permalink"].as_str() {
            answer["permalink"] = link.replace(&self.own, WORKSPACE_URL).into();
        }
        Ok(answer)
    }

    async fn show_view(&self, call: &Call) -> Result<Value> {
        match super::limits::check_blocks(&call.arguments["view"]["blocks"], 100) {
            Ok(()) => self.pass_on(call).await,
            Err(refusal) => Ok(refusal.answer()),
        }
    }

    async fn list_channels(&self, call: &Call) -> Result<Value> {
        let mut answer =
            self.forward(&call.method, &json!({ "types": "public_channel,private_channel,mpim,im" }), call.token.as_deref()).await?;
        let mut channels = answer["channels"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let types = if call.has("types") { call.text("types") } else { "public_channel" };
        let members_only = call.method == "users.conversations";
        let no_archived = call.flag("exclude_archived");
        self.directory
            .correct_channels(&mut channels, types, |flags| (members_only && !flags.is_member) || (no_archived && flags.is_archived));
        let (channels, next) = page(channels, call, 100);
        Ok(fine(json!({ "channels": channels, "response_metadata": { "next_cursor": next } })))
    }

    async fn describe_channel(&self, call: &Call) -> Result<Value> {
        // One may look at a public channel without being in it.
        let refusal = self.directory.channel(call.text("channel")).refusal();
        if refusal == Some("channel_not_found") {
            return Ok(refused("channel_not_found"));
        }
        let mut answer = self.pass_on(call).await?;
        if answer["ok"] == true {
            self.directory.correct_channel(&mut answer["channel"]);
        }
        Ok(answer)
    }

    async fn list_members(&self, call: &Call) -> Result<Value> {
        let flags = self.directory.channel(call.text("channel"));
        if flags.refusal() == Some("channel_not_found") {
            return Ok(refused("channel_not_found"));
        }
        let mut answer = self.pass_on(call).await?;
        let Some(members) = answer["members"].as_array_mut() else { return Ok(answer) };
        let members = match flags.members {
            Some(members) => members.into_iter().map(Value::from).collect(),
            None => std::mem::take(members),
        };
        let (members, next) = page(members, call, 100);
        Ok(fine(json!({ "members": members, "response_metadata": { "next_cursor": next } })))
    }

    async fn describe_users(&self, call: &Call) -> Result<Value> {
        let mut answer = self.pass_on(call).await?;
        if let Some(user) = answer.get_mut("user") {
            self.directory.correct_user(user);
        }
        if let Some(members) = answer.get_mut("members").and_then(Value::as_array_mut) {
            members.iter_mut().for_each(|user| self.directory.correct_user(user));
            let (members, next) = page(std::mem::take(members), call, 1_000);
            answer["members"] = members.into();
            answer["response_metadata"] = json!({ "next_cursor": next });
        }
        Ok(answer)
    }

    fn list_user_group(&self, call: &Call) -> Value {
        match lock(&self.kept).user_groups.get(call.text("usergroup")) {
            Some(users) => fine(json!({ "users": users, "team_id": TEAM })),
            None => refused("no_such_subteam"),
        }
    }

    /// All is well where the arguments are there; the call itself is in the record.
    fn needing(&self, call: &Call, needed: &[&str]) -> Value {
        match needed.iter().find(|name| !call.has(name)) {
            None => fine(json!({})),
            Some(missing) => missing_field(missing),
        }
    }
}
