//! What is known of channels, threads and servers: told by the gateway as they change, and read where they are not known yet.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::client::Client;
use crate::chat::believed::Believed;
use crate::chat::{Place, PlaceKind, Platform, SendError};
use crate::gate::ChannelFacts;

/// How long what was read of a channel, and of a server, is believed where it decides who reads an answer.
const CHANNEL_BELIEVED: Duration = Duration::from_secs(4);
const GUILD_BELIEVED: Duration = Duration::from_secs(60);

/// The permission to see a channel.
const VIEW_CHANNEL: u64 = 1 << 10;

/// Kinds of channels.
const DIRECT: i64 = 1;
const GROUP: i64 = 3;
pub(super) const CATEGORY: i64 = 4;
const FORUMS: [i64; 2] = [15, 16];
const ANNOUNCEMENT: i64 = 5;
const STAGE: i64 = 13;
const THREADS: [i64; 3] = [10, 11, 12];

/// A channel or a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub id: String,
    /// Empty for direct messages.
    pub guild: String,
    pub kind: i64,
    pub name: String,
    /// Of a thread its channel, of a channel its category.
    pub parent: Option<String>,
    /// What the role of everybody is allowed and denied there.
    pub everyone: (u64, u64),
}

/// A server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Guild {
    /// Whoever likes can come in.
    is_public: bool,
    /// What the role of everybody may.
    everyone: u64,
}

/// All that is known.
pub(super) struct Rooms {
    client: Arc<Client>,
    rooms: Believed<Room>,
    guilds: Believed<Guild>,
}

impl Room {
    /// A group of people of which an interaction tells. The bot is in none, so that Discord says nothing else of it.
    pub(super) fn group(interaction: &Value) -> Option<Self> {
        let id = interaction["channel_id"].as_str().filter(|_| interaction["channel"]["type"] == GROUP)?;
        Some(Self { id: id.to_owned(), kind: GROUP, ..Self::default() })
    }

    pub(super) fn is_thread(&self) -> bool {
        THREADS.contains(&self.kind)
    }

    /// Holds threads and no messages of its own.
    pub(super) fn is_forum(&self) -> bool {
        FORUMS.contains(&self.kind)
    }

    pub(super) fn is_category(&self) -> bool {
        self.kind == CATEGORY
    }

    /// Where something is said there. What is said in a channel itself has a conversation of its own.
    pub(super) fn place(&self, conversation: Option<String>) -> Place {
        let kind = match self.kind {
            DIRECT => PlaceKind::Direct,
            GROUP => PlaceKind::Group,
            _ => PlaceKind::Channel,
        };
        let (channel, thread) = match &self.parent {
            Some(parent) if self.is_thread() => (parent.clone(), Some(self.id.clone())),
            _ => (self.id.clone(), conversation),
        };
        Place { platform: Platform::Discord, workspace: self.guild.clone(), channel, kind, thread }
    }

    pub(super) fn read(channel: &Value, guild: &str) -> Self {
        let text = |name: &str| channel[name].as_str().unwrap_or_default().to_owned();
        let guild = if text("guild_id").is_empty() { guild.to_owned() } else { text("guild_id") };
        let overwrites = listed(&channel["permission_overwrites"]);
        let of_everyone = overwrites.iter().find(|overwrite| overwrite["id"] == guild.as_str());
        let everyone = of_everyone.map_or((0, 0), |overwrite| (bits(&overwrite["allow"]), bits(&overwrite["deny"])));
        let parent = Some(text("parent_id")).filter(|parent| !parent.is_empty());
        Self { id: text("id"), guild, kind: channel["type"].as_i64().unwrap_or(0), name: text("name"), parent, everyone }
    }
}

impl Rooms {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, rooms: Believed::new(CHANNEL_BELIEVED), guilds: Believed::new(GUILD_BELIEVED) }
    }

    /// Takes over what an event of the gateway tells of channels and servers.
    pub(super) fn learn(&self, kind: &str, told: &Value) {
        let guild = told["guild_id"].as_str().unwrap_or_default();
        match kind {
            "GUILD_CREATE" => {
                let id = told["id"].as_str().unwrap_or_default();
                self.guilds.keep(id, guild_of(told));
                for channel in listed(&told["channels"]).into_iter().chain(listed(&told["threads"])) {
                    self.keep(Room::read(channel, id));
                }
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => self.keep(Room::read(told, guild)),
            "THREAD_LIST_SYNC" => listed(&told["threads"]).into_iter().for_each(|thread| self.keep(Room::read(thread, guild))),
            "CHANNEL_DELETE" | "THREAD_DELETE" => self.rooms.forget(told["id"].as_str().unwrap_or_default()),
            _ => {}
        }
    }

    fn keep(&self, room: Room) {
        self.rooms.keep(&room.id.clone(), room);
    }

    /// A channel or thread in which something was said, as it was told or read last. What is said without a server is a direct message:
    /// what people say in a group never comes to a bot.
    pub(super) async fn room(&self, id: &str, guild: &str) -> Result<Room, SendError> {
        if guild.is_empty() && self.rooms.last(id).is_none() {
            return Ok(Room { id: id.to_owned(), kind: DIRECT, ..Room::default() });
        }
        self.known(id).await
    }

    /// A channel or thread of which nothing but the id is at hand.
    pub(super) async fn known(&self, id: &str) -> Result<Room, SendError> {
        match self.rooms.last(id) {
            Some(room) => Ok(room),
            None => self.read(id).await,
        }
    }

    async fn read(&self, id: &str) -> Result<Room, SendError> {
        let channel = self.client.get(format!("/channels/{id}")).await?;
        if channel["id"] != id {
            return Err(SendError::Ambiguous("Discord tells of another channel".to_owned()));
        }
        let room = Room::read(&channel, "");
        self.keep(room.clone());
        Ok(room)
    }

    /// A channel as it is now.
    async fn fresh(&self, id: &str) -> Result<Room, SendError> {
        match self.rooms.fresh(id) {
            Some(room) => Ok(room),
            None => self.read(id).await,
        }
    }

    /// What decides who reads an answer in the channel, asked of Discord itself.
    pub(super) async fn facts(&self, place: &Place) -> Result<ChannelFacts, SendError> {
        let room = self.fresh(&place.channel).await?;
        let guild = match self.guilds.fresh(&room.guild) {
            Some(guild) => guild,
            None => {
                let guild = guild_of(&self.client.get(format!("/guilds/{}", room.guild)).await?);
                self.guilds.keep(&room.guild, guild);
                guild
            }
        };
        Ok(facts(&room, guild))
    }

    /// The same from what the gateway told last; none where it has told nothing.
    pub(super) fn told_facts(&self, place: &Place) -> Option<ChannelFacts> {
        if place.kind == PlaceKind::Direct {
            return Some(ChannelFacts::default());
        }
        let room = self.rooms.last(&place.channel)?;
        Some(facts(&room, self.guilds.last(&room.guild)?))
    }
}

fn facts(room: &Room, guild: Guild) -> ChannelFacts {
    let (allowed, denied) = room.everyone;
    let everyone_sees = (guild.everyone & !denied | allowed) & VIEW_CHANNEL != 0;
    ChannelFacts {
        name: room.name.clone(),
        is_shared: false,
        is_group: room.kind == GROUP,
        within: room.parent.iter().cloned().chain([room.guild.clone()]).collect(),
        is_open: matches!(room.kind, ANNOUNCEMENT | STAGE) || guild.is_public && everyone_sees,
    }
}

fn guild_of(told: &Value) -> Guild {
    let features = listed(&told["features"]);
    let is_public = features.iter().any(|feature| *feature == "COMMUNITY" || *feature == "DISCOVERABLE");
    let everyone = listed(&told["roles"]).into_iter().find(|role| role["id"] == told["id"]).map_or(0, |role| bits(&role["permissions"]));
    Guild { is_public, everyone }
}

/// The items of a list, or of a table of them by their ids.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(items) => items.values().collect(),
        _ => Vec::new(),
    }
}

/// Permissions are numbers written as text.
fn bits(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_channel_of_a_public_server_is_open_where_everybody_sees_it() {
        let guild = |features: Value| guild_of(&json!({"id": "9", "features": features, "roles": [{"id": "9", "permissions": "1024"}]}));
        let room = |kind: i64, deny: &str| {
            let overwrites = json!([{"id": "9", "type": 0, "allow": "0", "deny": deny}]);
            Room::read(&json!({"id": "1", "type": kind, "parent_id": "5", "name": "x", "permission_overwrites": overwrites}), "9")
        };
        let community = guild(json!(["COMMUNITY"]));
        assert!(facts(&room(0, "0"), community).is_open && !facts(&room(0, "1024"), community).is_open);
        assert!(!facts(&room(0, "0"), guild(json!([]))).is_open && facts(&room(5, "1024"), guild(json!([]))).is_open);
        assert_eq!(facts(&room(0, "0"), community).within, ["5", "9"]);
    }

    #[test]
    fn a_thread_lies_in_its_channel() {
        let thread = Room::read(&json!({"id": "7", "type": 11, "parent_id": "1", "guild_id": "9"}), "");
        let place = thread.place(Some("re:3".to_owned()));
        assert_eq!((&*place.channel, place.thread.as_deref(), &*place.workspace), ("1", Some("7"), "9"));
        let direct = Room { id: "4".to_owned(), kind: DIRECT, ..Room::default() }.place(Some("dm".to_owned()));
        assert_eq!((direct.kind, direct.thread.as_deref()), (PlaceKind::Direct, Some("dm")));
    }
}
