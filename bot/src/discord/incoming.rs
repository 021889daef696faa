//! From Discord's JSON to events. Pure; what is not for the bot gives nothing, and nothing here can fail.

use serde_json::Value;

use super::commands;
use super::rooms::Room;
use crate::chat::{Asked, BESIDE, Button, Event, Incoming, PlaceKind, Platform, Press, Way};

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its user id.
    pub user: String,
    /// The application's id.
    pub application: String,
}

/// Types of a message that are somebody's words: an ordinary one, and a reply.
const WORDS: [i64; 2] = [0, 19];

/// Longest part of a message that the message command reads, in characters.
const READ_OF_MESSAGE: usize = 2_000;

/// Stands for the one conversation that direct messages are.
const DIRECT: &str = "direct";

/// Somebody's message.
pub(super) fn message(message: &Value, room: &Room, me: &Me) -> Option<Incoming> {
    let id = text(&message["id"]);
    if is_program(message, me) || !WORDS.contains(&message["type"].as_i64().unwrap_or(0)) || id.is_empty() {
        return None;
    }
    let before = &message["referenced_message"];
    let replies_to_me = text(&before["author"]["id"]) == me.user;
    let place = room.place(Some(conversation(room, &id)));
    let way = match place.kind {
        PlaceKind::Direct => Way::Direct,
        _ if names(message, &me.user) || replies_to_me => Way::Mention,
        // Without the intent for it, what was said stays unknown.
        PlaceKind::Channel if room.is_thread() && !text(&message["content"]).is_empty() => Way::Overheard,
        PlaceKind::Channel | PlaceKind::Group => return None,
    };
    let follows = Some(text(&before["id"])).filter(|_| replies_to_me && place.kind == PlaceKind::Channel && !room.is_thread());
    let (asker, text) = (text(&message["author"]["id"]), words(message, me));
    Some(Incoming::message(Asked { place, message: id, asker, text, way, private_to: None, follows, is_late: false }))
}

/// A question found in a channel's history.
pub(super) fn missed(found: &Value, room: &Room, me: &Me) -> Option<Incoming> {
    let mut incoming = message(found, room, me)?;
    if let Event::Asked(asked) = &mut incoming.event {
        asked.is_late = true;
    }
    Some(incoming)
}

/// A message that has other words now. What only gained a preview comes without words, and is none.
pub(super) fn edited(message: &Value, room: &Room, me: &Me) -> Option<Incoming> {
    let (id, at) = (text(&message["id"]), text(&message["edited_timestamp"]));
    if !message["content"].is_string() || at.is_empty() || is_program(message, me) {
        return None;
    }
    let event = Event::Edited { place: room.place(Some(conversation(room, &id))), message: id.clone(), text: words(message, me) };
    Some(Incoming { key: format!("edited {id} {at}"), event })
}

/// A message that is gone.
pub(super) fn deleted(id: &str, room: &Room) -> Incoming {
    let event = Event::Deleted { place: room.place(Some(conversation(room, id))), message: id.to_owned() };
    Incoming { key: format!("deleted {id}"), event }
}

/// A channel that is gone, or that the bot may not see any more.
pub(super) fn left(room: &Room) -> Incoming {
    Incoming { key: format!("left {}", room.id), event: Event::Left { place: room.place(None) } }
}

/// All that a piece of JSON could be taken for, in the room that another piece describes: the door of the tests that throw anything at it.
pub fn anything(told: &Value, room: &Value, me: &Me) -> Vec<Incoming> {
    let room = Room::read(room, &text(&told["guild_id"]));
    // Names for who types: read, and nothing stored.
    _ = commands::typing(&told["data"]);
    let told_of = [message(told, &room, me), missed(told, &room, me), edited(told, &room, me), interaction(told, &room)];
    let gone = [deleted(&text(&told["id"]), &room), left(&room)];
    told_of.into_iter().flatten().chain(gone).collect()
}

/// A command, a button, a window that was sent.
pub(super) fn interaction(told: &Value, room: &Room) -> Option<Incoming> {
    let (id, token) = (text(&told["id"]), text(&told["token"]));
    let event = match told["type"].as_i64()? {
        2 => Event::Asked(asked(told, room, &id, &token)?),
        3 => Event::Pressed(pressed(told, room, &id, &token)?),
        5 => reasoned(told)?,
        _ => return None,
    };
    Some(Incoming { key: format!("interaction {id}"), event })
}

fn asked(told: &Value, room: &Room, id: &str, token: &str) -> Option<Asked> {
    let data = &told["data"];
    let (way, words) = match data["type"].as_i64()? {
        1 => commands::words(data)?,
        3 => {
            let message = &data["resolved"]["messages"][text(&data["target_id"])];
            (Way::Shortcut, plain(message).chars().take(READ_OF_MESSAGE).collect())
        }
        _ => return None,
    };
    Some(Asked {
        place: room.place(None),
        message: format!("command {id}"),
        asker: person(told),
        text: words,
        way,
        private_to: Some(token.to_owned()),
        follows: None,
        is_late: false,
    })
}

fn pressed(told: &Value, room: &Room, id: &str, token: &str) -> Option<Press> {
    let (button, question) = button(told["data"]["custom_id"].as_str()?)?;
    Some(Press {
        place: room.place(None),
        person: person(told),
        button,
        question,
        trigger: format!("{id}/{token}"),
        private_to: Some(token.to_owned()),
    })
}

fn reasoned(told: &Value) -> Option<Event> {
    let data = &told["data"];
    let question = data["custom_id"].as_str()?.strip_prefix("not_useful:")?.to_owned();
    let rows = data["components"].as_array().into_iter().flatten();
    let inputs: Vec<&Value> = rows.flat_map(|row| row["components"].as_array().into_iter().flatten()).collect();
    let typed = |name: &str| inputs.iter().find(|input| input["custom_id"] == name).map(|input| text(&input["value"])).unwrap_or_default();
    let (reason, note) = (typed("reason"), typed("remark"));
    Some(Event::Reasoned { platform: Platform::Discord, person: person(told), question, reason, note })
}

/// Who did it: in a server a member, elsewhere a user.
pub(super) fn person(told: &Value) -> String {
    let member = text(&told["member"]["user"]["id"]);
    if member.is_empty() { text(&told["user"]["id"]) } else { member }
}

/// The button and the question of a component's id, `runlore_useful:QUESTION`.
pub(super) fn button(id: &str) -> Option<(Button, String)> {
    let (action, question) = id.split_once(':')?;
    Some((Button::of_action(action)?, question.to_owned()))
}

/// What a message belongs to where it is in no thread: all direct messages are one conversation, a question in a channel begins one.
fn conversation(room: &Room, message: &str) -> String {
    if room.guild.is_empty() { DIRECT.to_owned() } else { format!("{BESIDE}{message}") }
}

/// Whether a program wrote it, this one included.
fn is_program(message: &Value, me: &Me) -> bool {
    let author = &message["author"];
    let has_webhook = message["webhook_id"].as_str().is_some_and(|id| !id.is_empty());
    author["bot"] == true || has_webhook || text(&author["id"]) == me.user || text(&author["id"]).is_empty()
}

fn names(message: &Value, user: &str) -> bool {
    let content = text(&message["content"]);
    content.contains(&format!("<@{user}>")) || content.contains(&format!("<@!{user}>"))
}

/// The words of a message without the bot's name.
fn words(message: &Value, me: &Me) -> String {
    let content = text(&message["content"]).replace(&format!("<@{}>", me.user), " ").replace(&format!("<@!{}>", me.user), " ");
    seen(&content, message)
}

fn plain(message: &Value) -> String {
    seen(&text(&message["content"]), message)
}

/// Discord's marks for people, channels and pictures as the words that people saw, as far as the message tells them.
fn seen(content: &str, message: &Value) -> String {
    let mut plain = String::new();
    let mut rest = content;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        match from.find('>').and_then(|end| Some((mark(&from[1..end], message)?, end))) {
            Some((words, end)) => {
                plain.push_str(&words);
                rest = &from[end + 1..];
            }
            None => {
                plain.push('<');
                rest = &from[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

/// What people see of `@1`, `@&1`, `#1`, `:smile:1`, `t:1`, `https://...`; nothing where it is no mark.
fn mark(inside: &str, message: &Value) -> Option<String> {
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
    if let Some(user) = inside.strip_prefix('@') {
        let user = user.trim_start_matches('!');
        if !is_id(user.trim_start_matches('&')) {
            return None;
        }
        let person = message["mentions"].as_array().into_iter().flatten().find(|person| person["id"] == user);
        return Some(person.map(|person| text(&person["username"])).unwrap_or_default());
    }
    if inside.strip_prefix('#').is_some_and(is_id)
        || inside.strip_prefix("t:").is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Some(String::new());
    }
    if let Some((name, id)) = inside.trim_start_matches('a').strip_prefix(':').and_then(|rest| rest.split_once(':')) {
        return is_id(id).then(|| format!(":{name}:"));
    }
    inside.starts_with("http").then(|| inside.to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
