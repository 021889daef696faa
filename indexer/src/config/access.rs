//! Who may read and ask what: the tables `[terminal]`, `[channels.*]`, `[direct]` and `[people.*]`, and the folder of channel files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::raw::{RawChannel, RawConfig};
use crate::space::{Grant, Policy, Space};

/// What the settings say of a channel, beside its spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Its id on Slack.
    pub slack: Option<String>,
    /// Its id on Discord.
    pub discord: Option<String>,
    /// Who may ask, by id; everybody in it where nobody is named.
    pub askers: BTreeSet<String>,
    /// Guests of the workspace may ask.
    pub guests: bool,
    /// It may be shared with another organisation.
    pub shared: bool,
    /// When the weekly brief comes, as cron writes it, for the bot to read; no brief comes by itself where nothing is given.
    pub brief: Option<String>,
    /// The name of the time zone in which that is, and in which the brief's week begins; UTC where none is given.
    pub brief_zone: Option<String>,
}

/// Which accounts are one person's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonSettings {
    /// The id on Slack.
    pub slack: Option<String>,
    /// The id on Discord.
    pub discord: Option<String>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct AccessSettings {
    /// The spaces of each audience.
    pub policy: Policy,
    /// Channels by their name in the settings.
    pub channels: BTreeMap<String, ChannelSettings>,
    /// People by their name in the settings.
    pub people: BTreeMap<String, PersonSettings>,
}

/// Evaluates the tables.
///
/// # Errors
/// A sentence that names the table and what is allowed.
pub(super) fn access(folder: &Path, raw: &mut RawConfig, every_space: BTreeSet<Space>) -> Result<AccessSettings, String> {
    if let Some(path) = &raw.channel_files {
        read_files(&folder.join(path), &mut raw.channels)?;
    }
    let terminal = grant(&raw.terminal.spaces, &every_space).map_err(|m| format!("[terminal] spaces: {m}"))?;
    let direct = raw.direct.as_ref().map(|direct| grant(&direct.spaces, &every_space));
    let direct = direct.transpose().map_err(|m| format!("[direct] spaces: {m}"))?;
    let (mut grants, mut channels) = (BTreeMap::new(), BTreeMap::new());
    for (name, channel) in &raw.channels {
        grants.insert(name.clone(), grant(&channel.spaces, &every_space).map_err(|m| format!("[channels.{name}] spaces: {m}"))?);
        channels.insert(name.clone(), channel_settings(channel));
    }
    let (mut people_grants, mut people) = (BTreeMap::new(), BTreeMap::new());
    for (name, person) in &raw.people {
        people_grants.insert(name.clone(), grant(&person.spaces, &every_space).map_err(|m| format!("[people.{name}] spaces: {m}"))?);
        people.insert(name.clone(), PersonSettings { slack: person.slack.clone(), discord: person.discord.clone() });
    }
    twice("channels", channels.iter().map(|(name, c)| (name, [&c.slack, &c.discord])))?;
    twice("people", people.iter().map(|(name, p)| (name, [&p.slack, &p.discord])))?;
    let policy = Policy::new(every_space, terminal, grants).with_direct(direct, people_grants);
    Ok(AccessSettings { policy, channels, people })
}

fn channel_settings(raw: &RawChannel) -> ChannelSettings {
    ChannelSettings {
        slack: raw.slack.clone(),
        discord: raw.discord.clone(),
        askers: raw.askers.iter().cloned().collect(),
        guests: raw.guests,
        shared: raw.shared,
        brief: raw.brief.clone(),
        brief_zone: raw.brief_zone.clone(),
    }
}

/// One file a channel, named like it.
fn read_files(folder: &Path, channels: &mut BTreeMap<String, RawChannel>) -> Result<(), String> {
    let listing = std::fs::read_dir(folder).map_err(|e| format!("channel_files: cannot read `{}`: {e}", folder.display()))?;
    let mut files: Vec<_> =
        listing.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).map_err(|e| format!("cannot read `{}`: {e}", file.display()))?;
        let channel = toml::from_str(&text).map_err(|e| format!("{}: {}", file.display(), e.to_string().trim()))?;
        if channels.insert(name.clone(), channel).is_some() {
            return Err(format!("{}: [channels.{name}] stands in the settings too; keep one of them", file.display()));
        }
    }
    Ok(())
}

/// No id may stand twice: who is who would hang on the order.
fn twice<'a>(table: &str, entries: impl Iterator<Item = (&'a String, [&'a Option<String>; 2])>) -> Result<(), String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, ids) in entries {
        for id in ids.into_iter().flatten() {
            if let Some(other) = seen.insert(id, name) {
                return Err(format!("[{table}.{other}] and [{table}.{name}] both have the id `{id}`; keep one of them"));
            }
        }
    }
    Ok(())
}

fn grant(labels: &[String], every_space: &BTreeSet<Space>) -> Result<Grant, String> {
    if labels.iter().any(|label| label == "*") {
        return Ok(Grant::All);
    }
    let spaces = labels.iter().map(|label| Space::new(label)).collect::<Result<BTreeSet<_>, _>>()?;
    if let Some(unknown) = spaces.iter().find(|space| !every_space.contains(space)) {
        let known: Vec<&str> = every_space.iter().map(Space::as_str).collect();
        return Err(format!("no source puts anything into `{unknown}`; there are {}", known.join(", ")));
    }
    Ok(Grant::Spaces(spaces))
}
