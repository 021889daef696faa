//! The workspace that the stand-in plays: one team, one app, four people's worth of channels, all with fixed ids.

use serde_json::{Value, json};

/// The team.
pub const TEAM: &str = "T01RUNLORE";
/// The app.
pub const APP: &str = "A01RUNLORE";
/// The bot's user.
pub const BOT: &str = "U0BOT";
/// The bot as the author of messages.
pub const BOT_ID: &str = "B0BOT";
/// The token for the Web API.
pub const BOT_TOKEN: &str = "xoxb-test-bot";
/// The token for Socket Mode.
pub const APP_TOKEN: &str = "xapp-test-app";

/// A member of everything.
pub const ADA: &str = "U0ADA";
/// A member of everything but the private channel.
pub const GRACE: &str = "U0GRACE";
/// A guest, in the public channel only.
pub const GUEST: &str = "U0GUEST";

/// The public channel `general`.
pub const GENERAL: &str = "C0GENERAL";
/// The private channel `leads`, with Ada and the bot.
pub const LEADS: &str = "C0LEADS";
/// The direct messages of Ada and the bot.
pub const DIRECT: &str = "D0ADA";
/// The group direct message of Ada, Grace and the bot.
pub const TRIO: &str = "G0TRIO";

/// What the stand-in is told at its start.
pub(super) fn config() -> Value {
    json!({
        "workspace": { "name": "Runlore Test", "domain": "runlore-test", "teamId": TEAM },
        "apps": [{
            "appId": APP, "botUserId": BOT, "botName": "runlore", "botToken": BOT_TOKEN, "appToken": APP_TOKEN,
            "signingSecret": "test-signing-secret", "mode": "socket",
        }],
        "users": [
            { "id": ADA, "name": "ada", "real_name": "Ada Test", "email": "ada@example.com", "tz": "Europe/Berlin" },
            { "id": GRACE, "name": "grace", "real_name": "Grace Test", "email": "grace@example.com", "tz": "America/New_York" },
            { "id": GUEST, "name": "guest", "real_name": "Guest Test", "email": "guest@example.org", "tz": "Asia/Tokyo" },
        ],
        "channels": [
            { "id": GENERAL, "name": "general", "members": [ADA, GRACE, GUEST, BOT] },
            { "id": LEADS, "name": "leads", "is_private": true, "members": [ADA, BOT] },
            { "id": DIRECT, "name": "dm-ada", "is_channel": false, "is_im": true, "is_private": true, "members": [ADA, BOT] },
            { "id": TRIO, "name": "mpdm-ada--grace--runlore-1", "is_channel": false, "is_private": true, "members": [ADA, GRACE, BOT] },
        ],
    })
}
