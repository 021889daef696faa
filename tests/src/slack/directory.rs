//! What the proxy says of channels and people beyond what the stand-in knows; a test can change all of it.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::lock;
use super::workspace::{ADA, DIRECT, GRACE, GUEST, LEADS, TEAM, TRIO};

/// What is so of a channel.
#[derive(Clone, Debug)]
pub struct ChannelFlags {
    /// When it was made, in seconds.
    pub created: i64,
    /// Another organisation is in it.
    pub is_ext_shared: bool,
    /// It is shared, with whomever.
    pub is_shared: bool,
    /// It is shared within an enterprise grid.
    pub is_org_shared: bool,
    /// Another organisation was asked in.
    pub is_pending_ext_shared: bool,
    /// Only members see it.
    pub is_private: bool,
    /// It is a direct message.
    pub is_im: bool,
    /// It is a group direct message.
    pub is_mpim: bool,
    /// The bot is in it. A private channel that it is not in does not exist for it.
    pub is_member: bool,
    /// It is archived.
    pub is_archived: bool,
    /// It was deleted: `channel_not_found`.
    pub is_gone: bool,
    /// Who is in it, where not whom the stand-in names.
    pub members: Option<Vec<String>>,
    /// How many are in it, where not as many as the list has.
    pub num_members: Option<usize>,
}

/// What is so of a person.
#[derive(Clone, Debug)]
pub struct UserFlags {
    /// A guest of several channels.
    pub is_restricted: bool,
    /// A guest of one channel.
    pub is_ultra_restricted: bool,
    /// Someone of another organisation.
    pub is_stranger: bool,
    /// A bot, where not what the stand-in says.
    pub is_bot: Option<bool>,
    /// An administrator.
    pub is_admin: bool,
    /// The account is closed.
    pub deleted: bool,
    /// The time zone, where not what the stand-in says.
    pub tz: Option<String>,
    /// Seconds east of UTC.
    pub tz_offset: i64,
    /// The team, which is another one for strangers.
    pub team_id: String,
}

/// The two tables.
#[derive(Default)]
pub(super) struct Directory {
    channels: Mutex<HashMap<String, ChannelFlags>>,
    users: Mutex<HashMap<String, UserFlags>>,
}

impl ChannelFlags {
    /// What is so of a channel that no test touched.
    fn of(channel: &str) -> Self {
        let is_im = channel.starts_with('D');
        Self {
            created: 1_700_000_000,
            is_ext_shared: false,
            is_shared: false,
            is_org_shared: false,
            is_pending_ext_shared: false,
            is_private: is_im || channel == LEADS || channel.starts_with('G'),
            is_im,
            is_mpim: channel == TRIO,
            is_member: true,
            is_archived: false,
            is_gone: false,
            members: None,
            num_members: None,
        }
    }

    /// The `channel_type` of its messages.
    pub(super) fn channel_type(&self) -> &'static str {
        match self {
            Self { is_im: true, .. } => "im",
            Self { is_mpim: true, .. } => "mpim",
            Self { is_private: true, .. } => "group",
            _ => "channel",
        }
    }

    /// Its type in the argument `types` of `conversations.list`.
    fn listed_as(&self) -> &'static str {
        match self.channel_type() {
            "group" => "private_channel",
            "channel" => "public_channel",
            direct => direct,
        }
    }

    /// The error for whoever reads or writes it, if any.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self { is_gone: true, .. } | Self { is_member: false, is_private: true, .. } => Some("channel_not_found"),
            Self { is_member: false, .. } => Some("not_in_channel"),
            _ => None,
        }
    }
}

impl UserFlags {
    fn of(user: &str) -> Self {
        let tz_offset = match user {
            ADA => 3_600,
            GRACE => -18_000,
            GUEST => 32_400,
            _ => -28_800,
        };
        Self {
            is_restricted: user == GUEST,
            is_ultra_restricted: false,
            is_stranger: false,
            is_bot: None,
            is_admin: false,
            deleted: false,
            tz: None,
            tz_offset,
            team_id: TEAM.to_owned(),
        }
    }
}

impl Directory {
    pub(super) fn set_channel(&self, channel: &str, change: impl FnOnce(&mut ChannelFlags)) {
        change(lock(&self.channels).entry(channel.to_owned()).or_insert_with(|| ChannelFlags::of(channel)));
    }

    pub(super) fn set_user(&self, user: &str, change: impl FnOnce(&mut UserFlags)) {
        change(lock(&self.users).entry(user.to_owned()).or_insert_with(|| UserFlags::of(user)));
    }

    pub(super) fn channel(&self, channel: &str) -> ChannelFlags {
        lock(&self.channels).get(channel).cloned().unwrap_or_else(|| ChannelFlags::of(channel))
    }

    pub(super) fn user(&self, user: &str) -> UserFlags {
        lock(&self.users).get(user).cloned().unwrap_or_else(|| UserFlags::of(user))
    }

    /// Puts the flags into a channel as the stand-in describes it.
    pub(super) fn correct_channel(&self, channel: &mut Value) {
        let flags = self.channel(channel["id"].as_str().unwrap_or_default());
        let kind = flags.channel_type();
        let more = json!({
            "created": flags.created, "creator": ADA, "is_ext_shared": flags.is_ext_shared, "is_org_shared": flags.is_org_shared,
            "is_shared": flags.is_shared || flags.is_ext_shared || flags.is_org_shared,
            "is_pending_ext_shared": flags.is_pending_ext_shared, "is_private": flags.is_private, "is_im": flags.is_im,
            "is_mpim": flags.is_mpim, "is_channel": kind == "channel" || kind == "group", "is_group": kind == "group",
            "is_member": flags.is_member, "is_archived": flags.is_archived, "is_general": false, "context_team_id": TEAM,
            "shared_team_ids": [TEAM],
        });
        merge(channel, more);
        if let Some(n_members) = flags.num_members.or(flags.members.map(|members| members.len())) {
            channel["num_members"] = n_members.into();
        }
        if flags.is_im {
            correct_direct(channel);
        }
    }

    /// Puts the flags into a person as the stand-in describes them.
    pub(super) fn correct_user(&self, user: &mut Value) {
        let flags = self.user(user["id"].as_str().unwrap_or_default());
        let more = json!({
            "is_restricted": flags.is_restricted, "is_ultra_restricted": flags.is_ultra_restricted, "is_stranger": flags.is_stranger,
            "is_admin": flags.is_admin, "is_owner": false, "is_primary_owner": false, "is_app_user": false, "deleted": flags.deleted,
            "tz_offset": flags.tz_offset, "team_id": flags.team_id, "updated": 1_700_000_000,
        });
        merge(user, more);
        if let Some(is_bot) = flags.is_bot {
            user["is_bot"] = is_bot.into();
        }
        if let Some(tz) = flags.tz {
            user["tz"] = tz.into();
        }
    }

    /// Keeps of a list of channels what `types` and `exclude_archived` ask for, and corrects it.
    pub(super) fn correct_channels(&self, channels: &mut Vec<Value>, types: &str, drops: impl Fn(&ChannelFlags) -> bool) {
        channels.retain(|channel| {
            let flags = self.channel(channel["id"].as_str().unwrap_or_default());
            let seen = !flags.is_gone && (flags.is_member || !flags.is_private);
            seen && !drops(&flags) && types.split(',').any(|wanted| wanted.trim() == flags.listed_as())
        });
        channels.iter_mut().for_each(|channel| self.correct_channel(channel));
    }
}

/// Direct messages have a partner and no name. The stand-in names those that it makes by the partner's id.
fn correct_direct(channel: &mut Value) {
    let name = channel["name"].as_str().unwrap_or_default().to_owned();
    let partner = if channel["id"] == DIRECT { Some(ADA) } else { name.strip_prefix("dm-") };
    channel["user"] = partner.into();
    if let Some(channel) = channel.as_object_mut() {
        channel.remove("name");
    }
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
