//! What people do that the stand-in has no way to do.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::control::control;
use super::lock;
use super::proxy::Proxy;
use super::workings::OWN_COMMAND;
use super::workspace::{ADA, APP, BOT, BOT_ID, TEAM};

impl Proxy {
    /// Sends an event, as Slack wraps it. Returns its `event_id`.
    pub fn send_event(&self, event: Value) -> String {
        self.workings.send_event(event)
    }

    /// Sends any envelope of Socket Mode, `interactive` for one. Returns its id.
    pub fn send_envelope(&self, kind: &str, payload: Value) -> String {
        self.workings.send_envelope(kind, payload)
    }

    /// Somebody uses a message shortcut. The trigger and the response address in it are good. Returns the envelope's id.
    ///
    /// # Errors
    /// Where there is no such message.
    pub async fn message_shortcut(&self, channel: &str, user: &str, message_ts: &str, callback_id: &str) -> Result<String> {
        let message = self.workings.message_at(channel, message_ts).await?.context("no such message")?;
        let command = self.own_command(channel, user).await?;
        let payload = json!({
            "type": "message_action", "token": "verification-token", "action_ts": message_ts, "api_app_id": APP,
            "team": { "id": TEAM, "domain": "runlore-test" }, "is_enterprise_install": false, "enterprise": null,
            "user": { "id": user, "username": user.to_lowercase(), "name": user.to_lowercase(), "team_id": TEAM },
            "channel": { "id": channel, "name": command["channel_name"] }, "callback_id": callback_id,
            "trigger_id": command["trigger_id"], "response_url": command["response_url"], "message_ts": message_ts, "message": message,
        });
        Ok(self.send_envelope("interactive", payload))
    }

    /// Somebody opens the messages tab of the app's home. Returns the `event_id`.
    pub fn messages_tab_opened(&self, user: &str, direct_channel: &str) -> String {
        self.send_event(json!({
            "type": "app_home_opened", "user": user, "channel": direct_channel, "tab": "messages", "event_ts": self.workings.now_ts(),
        }))
    }

    /// Somebody, or the bot itself, comes into a channel. Returns the `event_id`.
    pub fn joined_channel(&self, channel: &str, user: &str) -> String {
        let kind = if self.workings.directory.channel(channel).is_private { "G" } else { "C" };
        self.send_event(json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": kind, "team": TEAM, "inviter": ADA,
            "event_ts": self.workings.now_ts(),
        }))
    }

    /// A question that mentions the bot was changed so that it only now does: Slack sends the mention again, with `edited`. Returns
    /// the `event_id`.
    pub fn edited_mention(&self, channel: &str, user: &str, ts: &str, text: &str) -> String {
        self.send_event(json!({
            "type": "app_mention", "user": user, "text": text, "ts": ts, "channel": channel, "event_ts": ts,
            "edited": { "user": user, "ts": ts },
        }))
    }

    /// Another app's message, in a channel. Returns the `event_id`.
    pub fn other_bot_said(&self, channel: &str, ts: &str, text: &str) -> String {
        self.send_event(json!({
            "type": "message", "subtype": "bot_message", "bot_id": "B0OTHER", "username": "other", "text": text, "ts": ts,
            "channel": channel, "event_ts": ts,
        }))
    }

    /// The person stops the agent. Returns the `event_id`.
    pub fn session_stopped(&self, channel: &str, user: &str, thread_ts: &str) -> String {
        self.send_event(json!({
            "type": "agent_session_stopped", "user": user, "channel": channel, "channel_id": channel, "thread_ts": thread_ts,
            "bot_user_id": BOT, "bot_id": BOT_ID, "event_ts": self.workings.now_ts(),
        }))
    }

    /// Has the stand-in make a slash command for us, for the sake of the trigger and the response address in it.
    async fn own_command(&self, channel: &str, user: &str) -> Result<Value> {
        let nonce = self.workings.fresh_number().to_string();
        let body = json!({ "channel": channel, "user": user, "command": OWN_COMMAND, "text": nonce });
        control(&self.workings.http, &self.workings.stand_in, "command", body).await?;
        let command = lock(&self.workings.kept).own_commands.remove(&nonce).context("the stand-in made no command")?;
        self.workings.hooks.issued(command["response_url"].as_str());
        Ok(command)
    }
}
