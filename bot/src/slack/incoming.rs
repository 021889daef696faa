//! From Slack's JSON to events. Pure; what is not for the bot gives nothing, and nothing here can fail.

use serde_json::Value;

use crate::chat::{Asked, Button, Event, Incoming, Place, PlaceKind, Platform, Press, Way};

/// Who the bot is in its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its user id.
    pub user: String,
    /// The workspace's id.
    pub team: String,
}

/// Subtypes of a message that are somebody's words all the same.
const WORDS: [&str; 4] = ["", "file_share", "thread_broadcast", "me_message"];

/// Longest part of a message that the shortcut reads, in characters.
const READ_OF_MESSAGE: usize = 2_000;

/// What an event of the Events API says; at most one thing.
pub fn event(payload: &Value, me: &Me) -> Option<Incoming> {
    let (event, team) = (&payload["event"], text(&payload["team_id"]));
    let team = if team.is_empty() { me.team.clone() } else { team };
    let key = format!("event {}", text(&payload["event_id"]));
    let at = |channel: &Value| Place {
        platform: Platform::Slack,
        workspace: team.clone(),
        channel: text(channel),
        kind: kind(&text(channel), &text(&event["channel_type"])),
        thread: None,
    };
    let is_me = text(&event["user"]) == me.user;
    match text(&event["type"]).as_str() {
        "app_mention" => asked(event, &team, me, Way::Mention),
        "message" => message(event, &key, &team, me),
        "app_home_opened" if text(&event["tab"]) == "messages" => {
            let event = Event::TalkOpened { place: at(&event["channel"]), person: text(&event["user"]) };
            Some(Incoming { key, event })
        }
        "app_home_opened" => {
            Some(Incoming { key, event: Event::HomeOpened { platform: Platform::Slack, workspace: team, person: text(&event["user"]) } })
        }
        "app_uninstalled" => {
            Some(Incoming { key, event: Event::ShutOut { platform: Platform::Slack, why: "the app was taken out of it".to_owned() } })
        }
        // A person's own token is none of ours.
        "tokens_revoked" if event["tokens"]["bot"].as_array().is_some_and(|tokens| !tokens.is_empty()) => {
            Some(Incoming { key, event: Event::ShutOut { platform: Platform::Slack, why: "the bot's token was taken back".to_owned() } })
        }
        "member_joined_channel" if is_me => Some(Incoming { key, event: Event::Joined { place: at(&event["channel"]) } }),
        "channel_archive" | "group_archive" | "channel_left" | "group_left" => {
            Some(Incoming { key, event: Event::Left { place: at(&event["channel"]) } })
        }
        _ => None,
    }
}

/// A message, in whatever state.
fn message(event: &Value, key: &str, team: &str, me: &Me) -> Option<Incoming> {
    let channel = text(&event["channel"]);
    let place = |thread: &Value| Place {
        platform: Platform::Slack,
        workspace: team.to_owned(),
        kind: kind(&channel, &text(&event["channel_type"])),
        channel: channel.clone(),
        thread: Some(text(thread)).filter(|thread| !thread.is_empty()),
    };
    match text(&event["subtype"]).as_str() {
        "message_changed" => {
            let message = &event["message"];
            if is_program(message, me) || text(&message["subtype"]) == "tombstone" {
                return None;
            }
            let text_now = words(&text(&message["text"]), me);
            let event = Event::Edited { place: place(&message["thread_ts"]), message: text(&message["ts"]), text: text_now };
            Some(Incoming { key: key.to_owned(), event })
        }
        "message_deleted" => {
            let before = &event["previous_message"];
            if is_program(before, me) {
                return None;
            }
            let event = Event::Deleted { place: place(&before["thread_ts"]), message: text(&event["deleted_ts"]) };
            Some(Incoming { key: key.to_owned(), event })
        }
        subtype if WORDS.contains(&subtype) => {
            let names_me = mentions(&text(&event["text"]), &me.user);
            let way = match kind(&channel, &text(&event["channel_type"])) {
                PlaceKind::Direct => Way::Direct,
                _ if names_me => Way::Mention,
                PlaceKind::Channel if !text(&event["thread_ts"]).is_empty() => Way::Overheard,
                PlaceKind::Channel | PlaceKind::Group => return None,
            };
            asked(event, team, me, way)
        }
        _ => None,
    }
}

/// Somebody's message to the bot; it is answered in the message's thread.
fn asked(event: &Value, team: &str, me: &Me, way: Way) -> Option<Incoming> {
    let (channel, ts) = (text(&event["channel"]), text(&event["ts"]));
    // A message whose words the library could not read comes again as a mention, with them.
    if is_program(event, me) || !event["text"].is_string() || event["hidden"].as_bool() == Some(true) || channel.is_empty() || ts.is_empty()
    {
        return None;
    }
    let thread = Some(text(&event["thread_ts"])).filter(|thread| !thread.is_empty()).unwrap_or_else(|| ts.clone());
    let kind = kind(&channel, &text(&event["channel_type"]));
    let place = Place { platform: Platform::Slack, workspace: team.to_owned(), channel, kind, thread: Some(thread) };
    let (asker, text) = (text(&event["user"]), words(&text(&event["text"]), me));
    Some(Incoming::message(Asked { place, message: ts, asker, text, way, private_to: None, follows: None, is_late: false }))
}

/// A question found in a channel's history.
pub fn missed(message: &Value, channel: &str, me: &Me) -> Option<Incoming> {
    let mut message = message.as_object()?.clone();
    message.insert("channel".to_owned(), channel.into());
    message.insert("type".to_owned(), "message".into());
    let mut incoming = event(&serde_json::json!({"team_id": me.team, "event": message}), me)?;
    match &mut incoming.event {
        Event::Asked(asked) => asked.is_late = true,
        _ => return None,
    }
    Some(incoming)
}

/// A slash command.
pub fn command(payload: &Value) -> Option<Incoming> {
    let (channel, trigger) = (text(&payload["channel_id"]), text(&payload["trigger_id"]));
    let kind = match text(&payload["channel_name"]).as_str() {
        "directmessage" => PlaceKind::Direct,
        name if name.starts_with("mpdm-") => PlaceKind::Group,
        _ => kind(&channel, ""),
    };
    let place = Place { platform: Platform::Slack, workspace: text(&payload["team_id"]), channel, kind, thread: None };
    let (way, text_of) = command_words(&plain(&text(&payload["text"])), kind);
    let asked = Asked {
        place,
        message: format!("command {trigger}"),
        asker: text(&payload["user_id"]),
        text: text_of,
        way,
        follows: None,
        private_to: Some(text(&payload["response_url"])),
        is_late: false,
    };
    Some(Incoming { key: format!("command {trigger}"), event: Event::Asked(asked) }).filter(|_| !trigger.is_empty())
}

/// How a command is answered, and its words: `public ...` in a channel for all who read there.
fn command_words(typed: &str, kind: PlaceKind) -> (Way, String) {
    match typed.split_once(char::is_whitespace) {
        Some((first, rest)) if first.eq_ignore_ascii_case("public") && kind == PlaceKind::Channel => {
            (Way::PublicCommand, rest.trim().to_owned())
        }
        _ => (Way::Command, typed.to_owned()),
    }
}

/// A button, a shortcut, a window that was sent.
pub fn interaction(payload: &Value) -> Option<Incoming> {
    match text(&payload["type"]).as_str() {
        "block_actions" => pressed(payload),
        "message_action" if text(&payload["callback_id"]) == "explain_run" => shortcut(payload),
        "view_submission" if text(&payload["view"]["callback_id"]) == "not_useful" => reasoned(payload),
        _ => None,
    }
}

fn pressed(payload: &Value) -> Option<Incoming> {
    let action = &payload["actions"][0];
    let button = Button::of_action(&text(&action["action_id"]))?;
    // What makes it one: without it two presses could not be told from one that came twice.
    let trigger = Some(text(&payload["trigger_id"])).filter(|trigger| !trigger.is_empty())?;
    let press = Press {
        place: place_of(payload, &payload["message"]),
        person: text(&payload["user"]["id"]),
        button,
        question: text(&action["value"]),
        private_to: Some(text(&payload["response_url"])).filter(|url| !url.is_empty()),
        trigger: trigger.clone(),
    };
    Some(Incoming { key: format!("press {trigger} {}", text(&action["action_id"])), event: Event::Pressed(press) })
}

fn shortcut(payload: &Value) -> Option<Incoming> {
    let message = &payload["message"];
    let trigger = Some(text(&payload["trigger_id"])).filter(|trigger| !trigger.is_empty())?;
    let asked = Asked {
        place: Place { thread: None, ..place_of(payload, message) },
        message: trigger.clone(),
        asker: text(&payload["user"]["id"]),
        text: plain(&text(&message["text"])).chars().take(READ_OF_MESSAGE).collect(),
        way: Way::Shortcut,
        follows: None,
        private_to: Some(text(&payload["response_url"])),
        is_late: false,
    };
    Some(Incoming { key: format!("shortcut {trigger}"), event: Event::Asked(asked) })
}

fn reasoned(payload: &Value) -> Option<Incoming> {
    let view = &payload["view"];
    let question = text(&view["private_metadata"]);
    let values = view["state"]["values"].as_object()?;
    let elements = || values.values().filter_map(Value::as_object).flat_map(|block| block.values());
    let reason = elements().map(|element| text(&element["selected_option"]["value"])).find(|value| !value.is_empty());
    let note = elements().map(|element| text(&element["value"])).find(|value| !value.is_empty());
    let person = text(&payload["user"]["id"]);
    let key = format!("reason {} {person} {question}", text(&view["id"]));
    let event =
        Event::Reasoned { platform: Platform::Slack, person, question, reason: reason.unwrap_or_default(), note: note.unwrap_or_default() };
    Some(Incoming { key, event })
}

fn place_of(payload: &Value, message: &Value) -> Place {
    let channel = text(&payload["channel"]["id"]);
    let thread = [&message["thread_ts"], &payload["container"]["thread_ts"], &message["ts"]].map(text);
    let kind = match text(&payload["channel"]["name"]).as_str() {
        name if name.starts_with("mpdm-") => PlaceKind::Group,
        _ => kind(&channel, ""),
    };
    let thread = thread.into_iter().find(|thread| !thread.is_empty());
    Place { platform: Platform::Slack, workspace: text(&payload["team"]["id"]), kind, channel, thread }
}

/// Direct messages have ids with `D`; conversations of a few are told apart by their type alone.
fn kind(channel: &str, channel_type: &str) -> PlaceKind {
    match channel_type {
        "im" => PlaceKind::Direct,
        "mpim" => PlaceKind::Group,
        _ if channel.starts_with('D') => PlaceKind::Direct,
        _ => PlaceKind::Channel,
    }
}

/// Whether a program wrote it, this one included.
fn is_program(message: &Value, me: &Me) -> bool {
    let has_bot = message["bot_id"].as_str().is_some_and(|id| !id.is_empty());
    has_bot || text(&message["user"]) == me.user || text(&message["user"]).is_empty() || text(&message["subtype"]) == "bot_message"
}

fn mentions(words: &str, user: &str) -> bool {
    words.contains(&format!("<@{user}>")) || words.contains(&format!("<@{user}|"))
}

/// The words of a message without the bot's name.
fn words(message: &str, me: &Me) -> String {
    let mut rest = message.to_owned();
    while let Some(start) = [format!("<@{}>", me.user), format!("<@{}|", me.user)].iter().filter_map(|form| rest.find(form)).min() {
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        rest.replace_range(start..end, " ");
    }
    plain(&rest)
}

/// Slack's marks for links, channels and people as the words that people saw, and its three escapes undone.
fn plain(marked: &str) -> String {
    let mut plain = String::new();
    let mut rest = marked;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('>') else {
            plain.push_str(&rest[start..]);
            rest = "";
            break;
        };
        plain.push_str(&seen(&rest[start + 1..start + length]));
        rest = &rest[start + length + 1..];
    }
    plain.push_str(rest);
    let plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    plain.trim().to_owned()
}

/// What people see of `@U1|ada`, `#C1|general`, `https://h|words`, `!here`.
fn seen(mark: &str) -> String {
    let (target, label) = mark.split_once('|').map_or((mark, None), |(target, label)| (target, Some(label)));
    match (target.chars().next(), label) {
        (Some('#'), Some(label)) => format!("#{label}"),
        (_, Some(label)) if !label.is_empty() => label.to_owned(),
        (Some('@' | '#' | '!'), _) => String::new(),
        _ => target.to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
