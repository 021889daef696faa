//! Corrects events on their way to the bot, and makes those that the stand-in does not send: the bot's own echo.

use serde_json::{Value, json};

use super::lock;
use super::workings::{Echo, Workings};
use super::workspace::{APP, BOT, BOT_ID, TEAM};

impl Workings {
    /// Puts into an event what Slack's has and the stand-in's lacks. False where Slack would not send it at all.
    pub(super) fn correct_event(&self, payload: &mut Value) -> bool {
        let channel = ["channel", "channel_id"].iter().find_map(|name| payload["event"][*name].as_str());
        let channel = channel.or_else(|| payload["event"]["item"]["channel"].as_str()).unwrap_or_default().to_owned();
        let flags = self.directory.channel(&channel);
        payload["is_ext_shared_channel"] = flags.is_ext_shared.into();
        payload["context_team_id"] = TEAM.into();
        payload["context_enterprise_id"] = Value::Null;
        let event = &mut payload["event"];
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        if kind == "message" && !channel.is_empty() {
            event["channel_type"] = flags.channel_type().into();
            if matches!(event["subtype"].as_str(), Some("message_changed" | "message_deleted")) {
                event["hidden"] = true.into();
            }
        }
        self.name_team(event);
        let seen = flags.refusal().is_none() || !matches!(kind.as_str(), "message" | "app_mention" | "reaction_added" | "reaction_removed");
        // There are no mentions in direct messages.
        seen && !(kind == "app_mention" && flags.is_im)
    }

    /// Messages and mentions name the author's team, and for people of other organisations both teams.
    fn name_team(&self, event: &mut Value) {
        let Some(user) = event["user"].as_str().map(str::to_owned) else { return };
        if matches!(event["type"].as_str(), Some("message" | "app_mention")) && event.get("team").is_none() {
            let team = self.directory.user(&user).team_id;
            if team != TEAM {
                event["user_team"] = team.clone().into();
                event["source_team"] = team.clone().into();
            }
            event["team"] = team.into();
        }
    }

    /// Slack says of a press in an ephemeral message that it was one, and does not show the message.
    pub(super) fn correct_interaction(&self, payload: &mut Value) {
        self.hooks.issued(payload["response_url"].as_str());
        let Some(payload) = payload.as_object_mut() else { return };
        if payload.get("message").is_some_and(|message| message["subtype"] == "ephemeral") {
            payload.remove("message");
            payload["container"]["is_ephemeral"] = true.into();
        }
    }

    /// Tells the bot of a message that it posted itself.
    pub(super) fn echo_posted(&self, channel: &str, message: &Value) {
        let mut event = message.clone();
        let ts = event["ts"].clone();
        if let Some(event) = event.as_object_mut() {
            event.remove("metadata");
            event.insert("channel".to_owned(), channel.into());
            event.insert("event_ts".to_owned(), ts);
            event.insert("bot_profile".to_owned(), bot_profile());
        }
        self.echo(event);
    }

    /// Tells the bot of a message that it changed itself.
    pub(super) fn echo_changed(&self, channel: &str, message: &Value, before: &Value) {
        let mut message = message.clone();
        message["bot_profile"] = bot_profile();
        let ts = message["edited"]["ts"].as_str().or(message["ts"].as_str()).unwrap_or_default().to_owned();
        self.echo(json!({
            "type": "message", "subtype": "message_changed", "channel": channel, "ts": ts, "event_ts": ts,
            "message": message, "previous_message": before,
        }));
    }

    /// Tells the bot of a message that it deleted itself.
    pub(super) fn echo_deleted(&self, channel: &str, before: &Value) {
        let ts = self.now_ts();
        self.echo(json!({
            "type": "message", "subtype": "message_deleted", "channel": channel, "ts": ts, "event_ts": ts, "deleted_ts": before["ts"],
            "previous_message": before,
        }));
    }

    fn echo(&self, event: Value) {
        if *lock(&self.echo) == Echo::On {
            self.send_event(event);
        }
    }
}

fn bot_profile() -> Value {
    json!({
        "id": BOT_ID, "name": "runlore", "app_id": APP, "user_id": BOT, "team_id": TEAM, "deleted": false, "updated": 1_700_000_000,
        "icons": {
            "image_36": "https://example.com/36.png", "image_48": "https://example.com/48.png", "image_72": "https://example.com/72.png",
        },
    })
}
