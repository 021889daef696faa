//! Who is admitted, and who is told why not.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroU32;
use std::path::Path;

use expect_test::{Expect, expect};
use runlore_indexer::config::Settings;

use super::*;
use crate::chat::{PlaceKind, Platform, Way};

const SETTINGS: &str = r#"
[[source]]
name = "notes"
kind = "notes"
path = "n"
space = "team"
[channels.vision]
slack = "C1"
spaces = ["team"]
[channels.few]
slack = "C2"
spaces = ["team"]
askers = ["U1"]
guests = true
shared = true
[direct]
spaces = ["team"]
[people.ada]
slack = "U1"
spaces = ["*"]
"#;

fn access() -> AccessSettings {
    Settings::parse(Path::new("runlore.toml"), SETTINGS).unwrap().access
}

fn place(kind: PlaceKind, channel: &str) -> Place {
    Place { platform: Platform::Slack, workspace: "T1".to_owned(), channel: channel.to_owned(), kind, thread: None }
}

fn asked(kind: PlaceKind, channel: &str, asker: &str) -> Asked {
    Asked {
        place: place(kind, channel),
        message: "1".to_owned(),
        asker: asker.to_owned(),
        text: "?".to_owned(),
        way: Way::Mention,
        private_to: None,
        follows: None,
        is_late: false,
    }
}

fn nobody_in_particular() -> Circumstances {
    let channel = ChannelFacts { name: "water-works".to_owned(), ..ChannelFacts::default() };
    Circumstances { person: PersonFacts::default(), channel, linked: None }
}

fn limits(n: u32) -> Limits {
    let n = NonZeroU32::new(n).unwrap();
    Limits::new(LimitSettings { per_asker: n, per_channel: n, per_workspace: n })
}

fn check(asked: &Asked, circumstances: &Circumstances, expected: Expect) {
    let said = match admit(asked, circumstances, &access(), &limits(9)) {
        Ok(admitted) => admitted.audience.to_string(),
        Err(refusal) => refusal.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn places_have_the_audience_of_the_settings() {
    let anybody = nobody_in_particular();
    check(&asked(PlaceKind::Channel, "C1", "U9"), &anybody, expect!["channel vision"]);
    check(&asked(PlaceKind::Direct, "D1", "U9"), &anybody, expect!["direct"]);
    check(&asked(PlaceKind::Direct, "D1", "U1"), &anybody, expect!["direct ada"]);
}

#[test]
fn what_is_not_known_is_refused_with_what_to_do() {
    let anybody = nobody_in_particular();
    check(
        &asked(PlaceKind::Channel, "C9", "U1"),
        &anybody,
        expect![[
            r#"I am not set up for this channel, so I may read nothing here. Whoever runs me can add it to my settings: a table `[channels.water-works]` with `spaces` and `slack = "C9"`."#
        ]],
    );
    check(
        &asked(PlaceKind::Group, "G1", "U1"),
        &anybody,
        expect![
            "I do not answer in group conversations, since who may read what hangs on the channel. Ask me in a channel or in a direct message."
        ],
    );
    check(
        &asked(PlaceKind::Channel, "C2", "U9"),
        &anybody,
        expect![
            "In this channel only some people may ask me, and you are not among them. Whoever runs me names them under `[channels.few]`."
        ],
    );
}

#[test]
fn guests_strangers_and_shared_channels_need_a_word_in_the_settings() {
    let guest = Circumstances { person: PersonFacts { is_guest: true, ..PersonFacts::default() }, ..nobody_in_particular() };
    let stranger = Circumstances { person: PersonFacts { is_stranger: true, ..PersonFacts::default() }, ..nobody_in_particular() };
    let shared = Circumstances { channel: ChannelFacts { is_shared: true, ..ChannelFacts::default() }, ..nobody_in_particular() };
    for refused in [&guest, &stranger, &shared] {
        assert!(admit(&asked(PlaceKind::Channel, "C1", "U1"), refused, &access(), &limits(9)).is_err(), "{refused:?}");
        assert!(admit(&asked(PlaceKind::Channel, "C2", "U1"), refused, &access(), &limits(9)).is_ok(), "{refused:?}");
    }
    assert!(admit(&asked(PlaceKind::Direct, "D1", "U9"), &guest, &access(), &limits(9)).is_err());
    assert!(admit(&asked(PlaceKind::Direct, "D1", "U1"), &stranger, &access(), &limits(9)).is_err());
}

#[test]
fn a_linked_account_reads_what_the_settings_give_the_other() {
    let with = |platform: Platform, person: &str| {
        let linked = Some(Account { platform, workspace: String::new(), person: person.to_owned() });
        Circumstances { linked, ..nobody_in_particular() }
    };
    let on_discord = |asker: &str| {
        let mut asked = asked(PlaceKind::Direct, "D1", asker);
        asked.place.platform = Platform::Discord;
        asked
    };
    let ada = with(Platform::Slack, "U1");
    check(&on_discord("7"), &nobody_in_particular(), expect!["direct"]);
    check(&on_discord("7"), &ada, expect!["direct ada"]);
    check(&on_discord("7"), &with(Platform::Slack, "U2"), expect!["direct"]);
    // The same id on another platform is somebody else.
    check(&on_discord("U1"), &nobody_in_particular(), expect!["direct"]);
    check(&on_discord("7"), &with(Platform::Discord, "U1"), expect!["direct"]);
    // In a channel it is the channel that counts, and a guest stays one.
    check(&asked(PlaceKind::Channel, "C1", "U9"), &ada, expect!["channel vision"]);
    let guest = Circumstances { person: PersonFacts { is_guest: true, ..PersonFacts::default() }, ..ada };
    assert!(admit(&on_discord("7"), &guest, &access(), &limits(9)).is_err());
}

#[test]
fn too_much_is_refused_until_the_bucket_fills_again() {
    let limits = limits(2);
    let anybody = nobody_in_particular();
    let ask = |asker: &str, channel: &str| admit(&asked(PlaceKind::Channel, channel, asker), &anybody, &access(), &limits);
    assert!(ask("U1", "C1").is_ok() && ask("U1", "C1").is_ok());
    let refusal = ask("U1", "C2").unwrap_err().to_string();
    assert!(refusal.starts_with("You have asked a lot within the last minute. Ask again in "), "{refusal}");
    let refusal = ask("U2", "C1").unwrap_err().to_string();
    assert!(refusal.starts_with("This channel has asked a lot"), "{refusal}");
}

#[test]
fn what_is_posted_by_itself_goes_to_the_members_of_a_channel_of_the_settings() {
    let facts = nobody_in_particular().channel;
    let readers = |kind, channel: &str, facts: &ChannelFacts| readers_of(&place(kind, channel), facts, &access()).ok();
    let named = |name: &str| Some(Audience::Channel(name.to_owned()));
    assert_eq!(readers(PlaceKind::Channel, "C1", &facts), named("vision"));
    // Who may ask there is another matter.
    assert_eq!(readers(PlaceKind::Channel, "C2", &facts), named("few"));
    assert_eq!(readers(PlaceKind::Channel, "C3", &facts), None);
    let shared = ChannelFacts { is_shared: true, ..facts.clone() };
    assert_eq!((readers(PlaceKind::Channel, "C1", &shared), readers(PlaceKind::Channel, "C2", &shared)), (None, named("few")));
    assert_eq!(readers(PlaceKind::Channel, "C1", &ChannelFacts { is_group: true, ..facts.clone() }), None);
    assert_eq!(readers(PlaceKind::Direct, "C1", &facts), None);
}
