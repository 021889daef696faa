//! Slack's own JSON, and what it says to the bot.

#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

fn me() -> Me {
    Me { user: "U0BOT".to_owned(), team: "T1".to_owned() }
}

fn said(event: serde_json::Value) -> Option<Incoming> {
    super::event(&json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}), &me())
}

fn asked(incoming: Option<Incoming>) -> Asked {
    match incoming.unwrap().event {
        Event::Asked(asked) => asked,
        other => panic!("no question: {other:?}"),
    }
}

#[test]
fn a_mention_and_its_message_are_one_question() {
    let mention = said(json!({"type": "app_mention", "user": "U1", "text": "<@U0BOT> best run?", "ts": "5.1", "channel": "C1"})).unwrap();
    let message = said(json!({"type": "message", "user": "U1", "text": "<@U0BOT|runlore> best run?", "ts": "5.1", "channel": "C1", "channel_type": "channel"})).unwrap();
    assert_eq!(mention.id(), message.id());
    let asked = asked(Some(mention));
    assert_eq!((asked.text.as_str(), asked.way, asked.place.thread.as_deref()), ("best run?", Way::Mention, Some("5.1")));
}

#[test]
fn what_is_said_in_a_thread_is_overheard_and_in_a_channel_passed_over() {
    let message = |more: serde_json::Value| {
        let mut event =
            json!({"type": "message", "user": "U1", "text": "and the worst?", "ts": "6.1", "channel": "C1", "channel_type": "channel"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said(event)
    };
    assert_eq!(asked(message(json!({"thread_ts": "5.1"}))).way, Way::Overheard);
    assert_eq!(message(json!({})), None);
    assert_eq!(asked(message(json!({"channel": "D1", "channel_type": "im"}))).way, Way::Direct);
    let group = asked(message(json!({"channel": "G1", "channel_type": "mpim", "text": "<@U0BOT> hi"})));
    assert_eq!(group.place.kind, PlaceKind::Group);
}

#[test]
fn programs_are_not_answered_and_the_bot_not_itself() {
    let message = json!({"type": "message", "text": "<@U0BOT> hi", "ts": "6.1", "channel": "C1"});
    for sender in
        [json!({"user": "U0BOT"}), json!({"user": "U9", "bot_id": "B9"}), json!({"subtype": "bot_message", "user": "U9"}), json!({})]
    {
        let mut event = message.clone();
        event.as_object_mut().unwrap().extend(sender.as_object().unwrap().clone());
        assert_eq!(said(event), None, "{sender}");
    }
}

#[test]
fn edits_and_deletions_name_the_message() {
    let edited = said(json!({"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "7.1",
        "message": {"user": "U1", "text": "<@U0BOT> worst run?", "ts": "5.1"}}));
    let expected =
        Event::Edited { place: Place { thread: None, ..asked_place() }, message: "5.1".to_owned(), text: "worst run?".to_owned() };
    assert_eq!(edited.unwrap().event, expected);
    let deleted = said(json!({"type": "message", "subtype": "message_deleted", "channel": "C1", "ts": "8.1", "deleted_ts": "5.1",
        "previous_message": {"user": "U1", "text": "x", "ts": "5.1"}}));
    assert!(matches!(deleted.unwrap().event, Event::Deleted { message, .. } if message == "5.1"));
    let own = json!({"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "7.1", "message": {"user": "U0BOT", "bot_id": "B1", "ts": "5.2"}});
    assert_eq!(said(own), None);
}

fn asked_place() -> Place {
    Place { platform: Platform::Slack, workspace: "T1".to_owned(), channel: "C1".to_owned(), kind: PlaceKind::Channel, thread: None }
}

#[test]
fn slacks_marks_are_the_words_that_people_saw() {
    let plain = |text: &str| super::words(text, &me());
    assert_eq!(plain("<@U0BOT>  is a &lt; b &amp;&amp; c?"), "is a < b && c?");
    assert_eq!(plain("see <https://h.example/x|the run> in <#C1|general> <!here> by <@U2|ada>"), "see the run in #general  by ada");
    assert_eq!(plain("<https://h.example/x>"), "https://h.example/x");
    assert_eq!(plain("a < b and <unclosed"), "a < b and <unclosed");
}

#[test]
fn commands_presses_and_reasons_have_keys_of_their_own() {
    let command = json!({"team_id": "T1", "channel_id": "C1", "channel_name": "general", "user_id": "U1", "command": "/runlore", "text": "best loss",
        "response_url": "https://h.example/r", "trigger_id": "t1"});
    let asked = asked(super::command(&command));
    assert_eq!((asked.text.as_str(), asked.way, asked.private_to.as_deref()), ("best loss", Way::Command, Some("https://h.example/r")));
    let press = json!({"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1", "name": "general"},
        "message": {"ts": "6.0", "thread_ts": "5.1"}, "trigger_id": "t2", "response_url": "https://h.example/p",
        "actions": [{"action_id": "runlore_not_useful", "value": "q"}]});
    assert!(
        matches!(super::interaction(&press).unwrap().event, Event::Pressed(press) if press.button == Button::NotUseful && press.question == "q")
    );
    let mut unnamed = press.clone();
    unnamed["trigger_id"] = json!("");
    assert_eq!(super::interaction(&unnamed), None, "two of them could not be told apart");
    let reason = json!({"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1"}, "view": {"id": "V1", "callback_id": "not_useful",
        "private_metadata": "q", "state": {"values": {"reason": {"reason": {"type": "static_select", "selected_option": {"value": "wrong_number"}}},
        "remark": {"remark": {"type": "plain_text_input", "value": "it was 3"}}}}}});
    let Event::Reasoned { reason, note, question, .. } = super::interaction(&reason).unwrap().event else { panic!("no reason") };
    assert_eq!((reason.as_str(), note.as_str(), question.as_str()), ("wrong_number", "it was 3", "q"));
    assert_eq!(super::interaction(&json!({"type": "shortcut"})), None);
}

/// Whatever Slack sends, nothing here breaks off.
#[test]
fn shapes_that_nobody_expects_give_nothing() {
    for payload in [
        json!(null),
        json!([]),
        json!({"event": 5}),
        json!({"event": {"type": "message", "subtype": "message_changed"}}),
        json!({"type": "block_actions", "actions": []}),
    ] {
        assert_eq!(super::event(&payload, &me()), None, "{payload}");
        assert_eq!(super::interaction(&payload), None, "{payload}");
        assert_eq!(super::command(&payload), None, "{payload}");
        assert_eq!(super::missed(&payload, "C1", &me()), None, "{payload}");
    }
}
