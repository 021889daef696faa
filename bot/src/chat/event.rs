//! What happens on a platform, without the platform: the adapters' `incoming` makes these, the inbox keeps them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Slack.
    Slack,
    /// Discord.
    Discord,
}

impl Platform {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Slack, Self::Discord];

    /// As in settings and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Slack => Self::Discord,
            Self::Discord => Self::Slack,
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Discord => "Discord",
        }
    }

    /// Of two ids the one on this platform.
    pub fn of<'a>(self, slack: &'a Option<String>, discord: &'a Option<String>) -> Option<&'a str> {
        match self {
            Self::Slack => slack.as_deref(),
            Self::Discord => discord.as_deref(),
        }
    }
}

/// One of something for each platform.
#[derive(Debug, Default)]
pub struct PerPlatform<T> {
    slack: T,
    discord: T,
}

impl<T> PerPlatform<T> {
    /// That of a platform.
    pub fn of(&self, platform: Platform) -> &T {
        match platform {
            Platform::Slack => &self.slack,
            Platform::Discord => &self.discord,
        }
    }
}

/// Who can see what is posted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaceKind {
    /// The members of a channel.
    Channel,
    /// One person.
    Direct,
    /// A few people who made a conversation of their own.
    Group,
}

/// Where something is said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The platform.
    pub platform: Platform,
    /// The workspace's or server's id.
    pub workspace: String,
    /// The channel's id.
    pub channel: String,
    /// Who can see it.
    pub kind: PlaceKind,
    /// The thread in it: the id of its first message. A conversation that is in no thread has that id behind `BESIDE`.
    pub thread: Option<String>,
}

/// Somebody's account on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The platform.
    pub platform: Platform,
    /// The workspace's id; empty on Discord, where an id is the same in every server and in direct messages.
    pub workspace: String,
    /// The person's id.
    pub person: String,
}

impl Account {
    /// That of somebody who is at a place.
    pub fn at(place: &Place, person: &str) -> Self {
        let workspace = match place.platform {
            Platform::Slack => place.workspace.clone(),
            Platform::Discord => String::new(),
        };
        Self { platform: place.platform, workspace, person: person.to_owned() }
    }
}

/// How somebody addressed the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By name.
    Mention,
    /// In a thread, without its name: a question only where the two talk alone.
    Overheard,
    /// In a direct message.
    Direct,
    /// By the slash command; the asker alone sees the answer.
    Command,
    /// By the slash command, with the answer for all who read there.
    PublicCommand,
    /// By the shortcut on a message; the asker alone sees the answer.
    Shortcut,
}

/// A question as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where.
    pub place: Place,
    /// The message's id; of a command, its own.
    pub message: String,
    /// The asker's id.
    pub asker: String,
    /// The words, without the bot's name.
    pub text: String,
    /// How.
    pub way: Way,
    /// Where something for the asker alone goes; a secret of some minutes.
    pub private_to: Option<String>,
    /// The bot's message that it replies to: what was asked there is what this follows.
    #[serde(default)]
    pub follows: Option<String>,
    /// Found only after having been away.
    #[serde(default)]
    pub is_late: bool,
}

/// Stands before the message that began a conversation, where a platform keeps it in the channel itself.
pub const BESIDE: &str = "re:";

/// Begins the id of a question that the button which shares an answer asks again.
pub(crate) const SHARED: &str = "shared ";

impl Asked {
    /// Whether its conversation begins with it, so that nobody else has said anything there.
    pub fn begins(&self) -> bool {
        let thread = self.place.thread.as_deref().unwrap_or_default();
        self.place.kind == PlaceKind::Direct || thread.strip_prefix(BESIDE).unwrap_or(thread) == self.message
    }

    /// Asked again by the button that shares an answer.
    pub fn is_shared(&self) -> bool {
        self.message.starts_with(SHARED)
    }

    /// Whether the asker alone sees the answer.
    pub fn is_private(&self) -> bool {
        self.private_to.is_some() && self.way != Way::PublicCommand
    }
}

/// A button that was pressed under a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// Where the reply stands.
    pub place: Place,
    /// Who pressed.
    pub person: String,
    /// Which.
    pub button: super::Button,
    /// Under the answer to this question.
    pub question: String,
    /// Opens a window; a secret of seconds.
    pub trigger: String,
    /// Where something for the presser alone goes.
    pub private_to: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody asks.
    Asked(Asked),
    /// A message has other words now.
    Edited { place: Place, message: String, text: String },
    /// A message is gone.
    Deleted { place: Place, message: String },
    /// A button was pressed.
    Pressed(Press),
    /// Why an answer was not useful.
    Reasoned { platform: Platform, person: String, question: String, reason: String, note: String },
    /// The bot was added to a channel.
    Joined { place: Place },
    /// The bot was taken out of a channel, or the channel is gone.
    Left { place: Place },
    /// Somebody looks at the bot's own page.
    HomeOpened { platform: Platform, workspace: String, person: String },
    /// Somebody opened the talk with the bot.
    TalkOpened { place: Place, person: String },
    /// The app was taken out of the workspace, or its token back.
    ShutOut { platform: Platform, why: String },
}

/// An event and what makes it one: the same again has the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Unique on its platform.
    pub key: String,
    /// What happened.
    pub event: Event,
}

impl Incoming {
    /// Somebody's message: the channel and the message make it one, however many events tell of it.
    pub fn message(asked: Asked) -> Self {
        Self { key: format!("message {} {}", asked.place.channel, asked.message), event: Event::Asked(asked) }
    }

    /// The id under which the inbox keeps it.
    pub fn id(&self) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} {}", self.event.platform().as_str(), self.key).as_bytes()).to_string()
    }
}

impl Event {
    /// The word for it in the inbox.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Asked(_) => "question",
            Self::Edited { .. } => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Pressed(_) => "pressed",
            Self::Reasoned { .. } => "reasoned",
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
            Self::HomeOpened { .. } => "home_opened",
            Self::TalkOpened { .. } => "talk_opened",
            Self::ShutOut { .. } => "shut_out",
        }
    }

    /// Where it happened; nowhere in particular on somebody's own pages.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Asked(asked) => Some(&asked.place),
            Self::Pressed(press) => Some(&press.place),
            Self::Edited { place, .. }
            | Self::Deleted { place, .. }
            | Self::Joined { place }
            | Self::Left { place }
            | Self::TalkOpened { place, .. } => Some(place),
            Self::Reasoned { .. } | Self::HomeOpened { .. } | Self::ShutOut { .. } => None,
        }
    }

    /// The platform.
    pub fn platform(&self) -> Platform {
        match self {
            Self::Asked(Asked { place, .. })
            | Self::Pressed(Press { place, .. })
            | Self::Edited { place, .. }
            | Self::Deleted { place, .. }
            | Self::Joined { place }
            | Self::Left { place }
            | Self::TalkOpened { place, .. } => place.platform,
            Self::Reasoned { platform, .. } | Self::HomeOpened { platform, .. } | Self::ShutOut { platform, .. } => *platform,
        }
    }

    /// Who did it; empty where nobody is told.
    pub fn person(&self) -> &str {
        match self {
            Self::Asked(asked) => &asked.asker,
            Self::Pressed(press) => &press.person,
            Self::Reasoned { person, .. } | Self::HomeOpened { person, .. } | Self::TalkOpened { person, .. } => person,
            Self::Edited { .. } | Self::Deleted { .. } | Self::Joined { .. } | Self::Left { .. } | Self::ShutOut { .. } => "",
        }
    }

    /// The message that it is about; empty where there is none.
    pub fn message(&self) -> &str {
        match self {
            Self::Asked(asked) => &asked.message,
            Self::Edited { message, .. } | Self::Deleted { message, .. } => message,
            _ => "",
        }
    }
}
