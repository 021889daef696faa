//! Cases of Discord's JSON, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "tests")]

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn me() -> Me {
    Me { user: "900".to_owned(), application: "901".to_owned() }
}

fn channel() -> Room {
    Room { id: "10".to_owned(), guild: "1".to_owned(), name: "experiments".to_owned(), ..Room::default() }
}

fn thread() -> Room {
    Room { id: "70".to_owned(), kind: 11, parent: Some("10".to_owned()), ..channel() }
}

fn direct() -> Room {
    Room { id: "40".to_owned(), kind: 1, ..Room::default() }
}

fn group() -> Room {
    Room { id: "30".to_owned(), kind: 3, ..Room::default() }
}

fn said(content: &str) -> Value {
    json!({"id": "500", "type": 0, "content": content, "author": {"id": "2", "username": "ada"}, "mentions": [{"id": "3", "username": "grace"}]})
}

fn check(incoming: Option<Incoming>, expected: Expect) {
    let told = incoming.map(|incoming| match incoming.event {
        Event::Asked(asked) => {
            let Asked { place, text, way, follows, private_to, .. } = asked;
            format!(
                "{}: {way:?} in {} {:?} {:?}: {text:?} follows {follows:?} private {private_to:?}",
                incoming.key, place.channel, place.kind, place.thread
            )
        }
        other => format!("{}: {other:?}", incoming.key),
    });
    expected.assert_eq(&told.unwrap_or_else(|| "nothing".to_owned()));
}

#[test]
fn messages_for_the_bot() {
    check(
        message(&said("<@900> best loss of <@3> <#10> <:fire:12> <t:1> <tag> 1 < 2"), &channel(), &me()),
        expect![[
            r#"message 10 500: Mention in 10 Channel Some("re:500"): "best loss of grace  :fire:  <tag> 1 < 2" follows None private None"#
        ]],
    );
    check(
        message(&said("<@!900> help"), &thread(), &me()),
        expect![[r#"message 10 500: Mention in 10 Channel Some("70"): "help" follows None private None"#]],
    );
    check(
        message(&said("<@900> help"), &group(), &me()),
        expect![[r#"message 30 500: Mention in 30 Group Some("direct"): "help" follows None private None"#]],
    );
    check(message(&said("and the worst?"), &group(), &me()), expect!["nothing"]);
    check(
        message(&said("and the worst?"), &thread(), &me()),
        expect![[r#"message 10 500: Overheard in 10 Channel Some("70"): "and the worst?" follows None private None"#]],
    );
    check(
        message(&said("best loss"), &direct(), &me()),
        expect![[r#"message 40 500: Direct in 40 Direct Some("direct"): "best loss" follows None private None"#]],
    );
    let mut reply = said("and the worst?");
    reply["type"] = 19.into();
    reply["referenced_message"] = json!({"id": "499", "author": {"id": "900"}});
    check(
        message(&reply, &channel(), &me()),
        expect![[r#"message 10 500: Mention in 10 Channel Some("re:500"): "and the worst?" follows Some("499") private None"#]],
    );
}

#[test]
fn what_is_not_for_the_bot_gives_nothing() {
    for room in [channel(), thread()] {
        let mut other = said("<@900> help");
        other["author"]["bot"] = true.into();
        assert_eq!(message(&other, &room, &me()), None);
        let mut own = said("<@900> help");
        own["author"]["id"] = "900".into();
        assert_eq!(message(&own, &room, &me()), None);
        let mut hook = said("<@900> help");
        hook["webhook_id"] = "5".into();
        assert_eq!(message(&hook, &room, &me()), None);
        let mut system = said("<@900> help");
        system["type"] = 7.into();
        assert_eq!(message(&system, &room, &me()), None);
        assert_eq!(message(&said(""), &room, &me()), None);
        assert_eq!(message(&json!(null), &room, &me()), None);
    }
    assert_eq!(message(&said("hello all"), &channel(), &me()), None);
}

#[test]
fn edits_and_interactions() {
    let mut edit = said("<@900> new words");
    assert_eq!(edited(&edit, &channel(), &me()), None, "only a preview came");
    edit["edited_timestamp"] = "2026-01-01T00:00:00Z".into();
    assert!(matches!(edited(&edit, &channel(), &me()).unwrap().event, Event::Edited { text, .. } if text == "new words"));
    let by = |kind: i64, data: Value| json!({"id": "7", "token": "secret", "type": kind, "data": data, "member": {"user": {"id": "2"}}});
    check(
        interaction(&by(2, json!({"type": 1, "name": "runlore", "options": [{"name": "help"}]})), &thread()),
        expect![[r#"interaction 7: Command in 10 Channel Some("70"): "help" follows None private Some("secret")"#]],
    );
    check(
        interaction(&by(2, json!({"type": 3, "target_id": "5", "resolved": {"messages": {"5": {"content": "see run-3"}}}})), &channel()),
        expect![[r#"interaction 7: Shortcut in 10 Channel None: "see run-3" follows None private Some("secret")"#]],
    );
    let press = interaction(&by(3, json!({"custom_id": "runlore_share:Q1"})), &channel()).unwrap().event;
    assert!(
        matches!(press, Event::Pressed(Press { button: Button::Share, question, trigger, .. }) if question == "Q1" && trigger == "7/secret")
    );
    let rows =
        json!([{"components": [{"custom_id": "reason", "value": "a number"}]}, {"components": [{"custom_id": "remark", "value": ""}]}]);
    let window = interaction(&by(5, json!({"custom_id": "not_useful:Q1", "components": rows})), &channel()).unwrap().event;
    assert!(
        matches!(window, Event::Reasoned { question, reason, person, .. } if (&*question, &*reason, &*person) == ("Q1", "a number", "2"))
    );
    assert_eq!(interaction(&by(3, json!({"custom_id": "somebody elses"})), &channel()), None);
}
