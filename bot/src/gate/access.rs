//! From where a question was asked, and by whom, to the audience that the settings name for it. Whatever is not known is refused.

use jiff::tz::TimeZone;
use runlore_indexer::config::{AccessSettings, ChannelSettings, PersonSettings};
use runlore_indexer::leak;
use runlore_indexer::space::Audience;

use super::Circumstances;
use crate::chat::{Place, PlaceKind, Platform};
use crate::refusal::Refusal;
use crate::zones;

/// What the platform says of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// A guest of the workspace.
    pub is_guest: bool,
    /// Somebody of another organisation.
    pub is_stranger: bool,
    /// Another program.
    pub is_bot: bool,
    /// The name of its time zone, where the platform tells it.
    pub zone: Option<String>,
    /// Ids of the roles that it has.
    pub roles: Vec<String>,
}

impl PersonFacts {
    /// The time zone; that of UTC where nothing is told.
    pub fn time_zone(&self) -> TimeZone {
        self.zone.as_deref().and_then(zones::named).unwrap_or(TimeZone::UTC)
    }
}

/// What the platform says of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFacts {
    /// Its name, for sentences.
    pub name: String,
    /// Members of another organisation are in it.
    pub is_shared: bool,
    /// A conversation of a few people, whatever its id looks like.
    pub is_group: bool,
    /// What it lies in, the nearest first: a category, a server. Their entries in the settings hold for it too.
    pub within: Vec<String>,
    /// Read by people beyond the team, such as an announcement channel or one that every member of a public server sees: what it lies in
    /// says nothing of it.
    pub is_open: bool,
}

/// Who will see an answer at this place.
pub(super) fn audience(place: &Place, person: &str, circumstances: &Circumstances, access: &AccessSettings) -> Result<Audience, Refusal> {
    if circumstances.person.is_stranger && place.kind != PlaceKind::Channel {
        return Err(Refusal::new("I answer members of this workspace alone."));
    }
    let may_read_more = || direct(place.platform, person, circumstances, access);
    match place.kind {
        PlaceKind::Channel if leak::is_seeded("access.channel_as_asker") => may_read_more(),
        PlaceKind::Direct if leak::is_seeded("access.direct_reads_all") => Ok(Audience::Terminal),
        PlaceKind::Channel if circumstances.channel.is_group => {
            audience(&Place { kind: PlaceKind::Group, ..place.clone() }, person, circumstances, access)
        }
        PlaceKind::Group => Err(Refusal::new("I do not answer in group conversations, since who may read what hangs on the channel.")
            .with_hint("Ask me in a channel or in a direct message.")),
        PlaceKind::Direct => direct(place.platform, person, circumstances, access),
        PlaceKind::Channel => channel(place, person, circumstances, access),
    }
}

fn direct(platform: Platform, person: &str, circumstances: &Circumstances, access: &AccessSettings) -> Result<Audience, Refusal> {
    // What the settings say of an account itself goes first; a guest's counts alone.
    let linked = circumstances.linked.as_ref().filter(|_| !circumstances.person.is_guest);
    let by_link = || linked.and_then(|other| named(other.platform, &other.person, access));
    if let Some(name) = named(platform, person, access).or_else(by_link) {
        return Ok(Audience::Direct(Some(name.clone())));
    }
    if circumstances.person.is_guest {
        return Err(Refusal::new("Guests of the workspace get no answers in direct messages.")
            .with_hint("Whoever runs me can name you under `[people]` in my settings."));
    }
    let audience = Audience::Direct(None);
    if access.policy.scope_for(&audience).is_none() {
        return Err(Refusal::new("I am not set up for direct messages, so I may read nothing here.")
            .with_hint("Ask me in a channel that I am set up for; whoever runs me can add `[direct]` to my settings."));
    }
    Ok(audience)
}

/// The person whom the settings name by this id.
pub(super) fn named<'a>(platform: Platform, person: &str, access: &'a AccessSettings) -> Option<&'a String> {
    let is_meant = |(_, ids): &(&String, &PersonSettings)| platform.of(&ids.slack, &ids.discord) == Some(person);
    access.people.iter().find(is_meant).map(|(name, _)| name)
}

/// Who reads what is posted at this place by itself, as nobody's answer: the members of a channel that the settings name.
pub(super) fn readers(place: &Place, facts: &ChannelFacts, access: &AccessSettings) -> Result<Audience, Refusal> {
    if place.kind != PlaceKind::Channel || facts.is_group {
        return Err(Refusal::new("I post by myself in channels alone."));
    }
    let (name, _) = known(place, facts, access)?;
    Ok(Audience::Channel(name.clone()))
}

fn channel(place: &Place, person: &str, circumstances: &Circumstances, access: &AccessSettings) -> Result<Audience, Refusal> {
    let (name, channel) = known(place, &circumstances.channel, access)?;
    if circumstances.person.is_stranger && !channel.shared {
        return Err(Refusal::new("I answer members of this workspace alone."));
    }
    if circumstances.person.is_guest && !channel.guests {
        return Err(Refusal::new("Guests of the workspace cannot ask me here.")
            .with_hint(format!("Whoever runs me can set `guests = true` under `[channels.{name}]`.")));
    }
    let is_asker = |id: &String| id == person || circumstances.person.roles.contains(id);
    if !channel.askers.is_empty() && !channel.askers.iter().any(is_asker) {
        return Err(Refusal::new("In this channel only some people may ask me, and you are not among them.")
            .with_hint(format!("Whoever runs me names them under `[channels.{name}]`.")));
    }
    Ok(Audience::Channel(name.clone()))
}

/// The channel's entry in the settings, where they let its members read anything.
fn known<'a>(place: &Place, facts: &ChannelFacts, access: &'a AccessSettings) -> Result<(&'a String, &'a ChannelSettings), Refusal> {
    let Some((name, channel)) = find(place, facts, access) else {
        let hint = format!(
            "Whoever runs me can add it to my settings: a table `[channels.{}]` with `spaces` and `{} = \"{}\"`.",
            table_name(&facts.name),
            place.platform.as_str(),
            place.channel
        );
        return Err(Refusal::new("I am not set up for this channel, so I may read nothing here.").with_hint(hint));
    };
    if facts.is_shared && !channel.shared {
        return Err(Refusal::new(
            "This channel is shared with another organisation, and I answer in such a channel only where my settings say so.",
        )
        .with_hint(format!("Whoever runs me can set `shared = true` under `[channels.{name}]`.")));
    }
    Ok((name, channel))
}

/// The channel's entry in the settings, or the entry of the nearest thing that it lies in.
fn find<'a>(place: &Place, facts: &ChannelFacts, access: &'a AccessSettings) -> Option<(&'a String, &'a ChannelSettings)> {
    let entry = |id: &str| access.channels.iter().find(|(_, channel)| place.platform.of(&channel.slack, &channel.discord) == Some(id));
    let around = facts.within.iter().filter(|_| !facts.is_open);
    std::iter::once(&place.channel).chain(around).find_map(|id| entry(id))
}

/// A name that can stand in a TOML table's head.
fn table_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    if name.is_empty() { "NAME".to_owned() } else { name }
}
