//! What Slack and Discord send: any JSON gives events that can be stored, and none that the bot would answer itself for.

use anyhow::Result;
use runlore_bot::chat::{Event, Incoming, Platform};
use runlore_bot::{discord, slack};
use runlore_tests::fuzz::{Format, Outcome, Target, fuzz};
use serde_json::Value;

const SLACK_BOT: &str = "U0BOT";
const DISCORD_BOT: &str = "900000000000000001";

const WORDS: [&str; 62] = [
    "type",
    "event",
    "subtype",
    "message",
    "message_changed",
    "message_deleted",
    "app_mention",
    "block_actions",
    "view_submission",
    "message_action",
    "tombstone",
    "thread_ts",
    "ts",
    "channel",
    "channel_type",
    "im",
    "mpim",
    "user",
    "bot_id",
    "text",
    "U0BOT",
    "<@U0BOT>",
    "<@U0BOT|x>",
    "<@",
    "<!channel>",
    "<https://h.example|x>",
    "&amp;",
    "trigger_id",
    "response_url",
    "actions",
    "action_id",
    "runlore_useful",
    "runlore_delete",
    "runlore_share",
    "value",
    "view",
    "state",
    "values",
    "private_metadata",
    "not_useful",
    "hidden",
    "app_home_opened",
    "tokens_revoked",
    "member_joined_channel",
    "explain_run",
    "mpdm-",
    "D1",
    "guild_id",
    "author",
    "content",
    "id",
    "referenced_message",
    "edited_timestamp",
    "webhook_id",
    "custom_id",
    "options",
    "resolved",
    "components",
    "mentions",
    "900000000000000001",
    "<@900000000000000001>",
    "<t:1>",
];

/// Slack's own samples, where they are there; what both platforms send to the bot lies in tests/data/fuzz/events.
fn seeds() -> Vec<Vec<u8>> {
    let shared = std::env::var_os("RUNLORE_SHARED").map(|shared| std::path::Path::new(&shared).join("data/slack/events"));
    let files = shared.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut files: Vec<_> = files.map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(file).ok()).filter(|text| text.len() < 8_000).collect()
}

#[test]
fn events() -> Result<()> {
    fuzz(&Target { name: "events", format: Format::Json, seeds: seeds(), words: &WORDS, check: &check })
}

fn check(input: &[u8]) -> Outcome {
    let Ok(told) = serde_json::from_slice::<Value>(input) else { return Ok("no JSON".to_owned()) };
    let slack_me = slack::incoming::Me { user: SLACK_BOT.to_owned(), team: "T1".to_owned() };
    let discord_me = discord::incoming::Me { user: DISCORD_BOT.to_owned(), application: "9".to_owned() };
    let of_slack = [
        slack::incoming::event(&told, &slack_me),
        slack::incoming::command(&told),
        slack::incoming::interaction(&told),
        slack::incoming::missed(&told, "C1", &slack_me),
    ];
    let of_discord = discord::incoming::anything(&told, &told["channel"], &discord_me);
    let all: Vec<Incoming> = of_slack.into_iter().flatten().chain(of_discord).collect();
    for incoming in &all {
        sound(incoming)?;
    }
    Ok(all.iter().map(shape).collect::<Vec<_>>().join(" "))
}

/// What the inbox relies on.
fn sound(incoming: &Incoming) -> Result<(), String> {
    let kept = serde_json::to_string(&incoming.event).map_err(|e| format!("cannot be stored: {e}"))?;
    let read: Event = serde_json::from_str(&kept).map_err(|e| format!("what was stored cannot be read: {e}"))?;
    if read != incoming.event {
        return Err(format!("what was stored is read as something else: {read:?}"));
    }
    if incoming.key.is_empty() || incoming.id().len() != 36 {
        return Err("it has no id".to_owned());
    }
    match &incoming.event {
        Event::Asked(asked) if asked.asker == bot(asked.place.platform) && asked.private_to.is_none() => {
            Err("the bot asks itself".to_owned())
        }
        Event::Asked(asked) if asked.message.is_empty() => Err("a question has no id".to_owned()),
        Event::Pressed(press) if press.trigger.is_empty() => Err("a press has nothing that makes it one".to_owned()),
        _ => Ok(()),
    }
}

fn bot(platform: Platform) -> &'static str {
    match platform {
        Platform::Slack => SLACK_BOT,
        Platform::Discord => DISCORD_BOT,
    }
}

fn shape(incoming: &Incoming) -> String {
    let place = incoming.event.place();
    let more = match &incoming.event {
        Event::Asked(asked) => format!("{:?} {} {}", asked.way, asked.follows.is_some(), asked.text.is_empty()),
        Event::Pressed(press) => format!("{:?}", press.button),
        _ => String::new(),
    };
    format!("{} {:?} {} {more}", incoming.event.kind(), place.map(|place| place.kind), place.is_some_and(|place| place.thread.is_some()))
}
