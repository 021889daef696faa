//! What must hold for every reply, however nasty.

use proptest::prelude::*;

use super::*;
use crate::chat::cut::pieces;
use crate::chat::text::{inert, visible};

const NASTY: [&str; 38] = [
    "```",
    "`",
    "``x`",
    "\n```\n",
    "@everyone",
    "@here @silent",
    "<@123> <@!123>",
    "<@&123>",
    "<#123>",
    "</cmd sub:123>",
    "<:emoji:123> <a:e:1>",
    "<t:1618953630:R>",
    "<id:guide>",
    "<+15551234567> <a@b.test>",
    "👩\u{200d}👧👍🏽🇩🇪",
    "\u{202e}abc\u{202c}",
    "https://evil.com/?q=1",
    "steam://x",
    "www.evil.com",
    "discord.gg/abc https://discord.com/invite/x",
    "[ok](https://evil.com)",
    "](<https://evil.com>)",
    "[a](<",
    "<https://evil.com>",
    "*_~`_*",
    "**a** __b__ ~~c~~ ||d||",
    "\n> quote\n>>> all\n",
    "\n# head\n-# small\n- item\n1. one\n",
    "\n  - item\n   # head\n 1. one",
    "\n-",
    ":smile: :+1:",
    "¯\\_(ツ)_/¯",
    "\\",
    "\\\\`",
    "(x) a:b 12:30",
    "\0\u{200b}\t\r\n",
    "a\u{301}\u{301}",
    " ",
];

const BUTTONS: [Button; 7] =
    [Button::Useful, Button::NotUseful, Button::Details, Button::More, Button::Share, Button::Delete, Button::Stop];

fn short() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => proptest::sample::select(&NASTY[..]).prop_map(str::to_owned), 1 => ".{0,30}", 1 => "[a-z ]{0,40}"];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn nasty() -> impl Strategy<Value = String> {
    let long = (proptest::sample::select(&NASTY[..]), 0..40_000_usize).prop_map(|(piece, n)| piece.repeat(n / piece.len()));
    let plain = ("[a-z&.]{1,9} ?", 0..40_000_usize).prop_map(|(word, n)| word.repeat(n / word.len()));
    prop_oneof![40 => short(), 1 => long, 1 => plain]
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let many = (nasty(), 0..300_usize).prop_map(|(line, n)| vec![line.chars().take(50).collect(); n]);
    prop_oneof![8 => proptest::collection::vec(nasty(), 0..12), 1 => many]
}

fn citations() -> impl Strategy<Value = Vec<Citation>> {
    let good = "https://[a-z]{1,9}\\.test(:[1-9]{1,4})?/[a-z#?=/&_*()]{0,300}";
    let ending = short().prop_map(|rest| Some(format!("https://a.test/{rest}")));
    let url = prop_oneof![2 => good.prop_map(Some), 1 => short().prop_map(Some), 1 => ending, 1 => Just(None)];
    let key = prop_oneof![30 => short(), 20 => "[a-z]{1,9}/run_[0-9]{1,3}", 1 => nasty()];
    let one = (short(), key, url).prop_map(|(mark, record, url)| Citation { mark, title: record.clone(), record, url });
    proptest::collection::vec(one, 0..20)
}

fn replies() -> impl Strategy<Value = Reply> {
    let quotes = (proptest::collection::vec((nasty(), nasty()), 0..8), citations());
    let buttons = proptest::collection::vec(proptest::sample::select(&BUTTONS[..]), 0..9);
    (nasty(), lines(), quotes, proptest::option::of(nasty()), lines(), buttons).prop_map(
        |(headline, lines, (quotes, citations), narration, notices, buttons)| {
            let quote = |(i, (text, record)): (usize, (String, String))| Quote {
                text,
                record: citations.get(i * 2).map_or(record, |citation| citation.record.clone()),
            };
            let quotes = quotes.into_iter().enumerate().map(quote).collect();
            Reply { headline, lines, quotes, narration, notices: notices.into_iter().take(20).collect(), citations, buttons, picture: None }
        },
    )
}

/// Characters in order, without the line borders that cutting moves.
fn characters<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().map(|text| visible(text).replace('\n', "")).collect()
}

/// Letters of what is told in order, inert, without the spaces at the cuts.
fn letters<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().flat_map(|text| inert(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn unescaped(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        told.push(if c == '\\' { rest.next().unwrap() } else { c });
    }
    told
}

fn assert_good(message: &Message, allowed: &[String], asker: Option<&str>) {
    assert_eq!(violations_with_links(message, allowed), Vec::<String>::new(), "{}", message.content);
    let body = message.body();
    assert_eq!(body["flags"].as_u64().unwrap() & 4, 4);
    assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
    assert_eq!(body["allowed_mentions"].get("users").is_some(), asker.is_some());
    assert!(body["content"].as_str().unwrap().encode_utf16().count() <= 2_000);
    let fences = message.content.lines().filter(|line| line.starts_with("```")).count();
    assert!(fences.is_multiple_of(2) && fences == message.content.matches("```").count(), "{}", message.content);
    let n_mentions = read(&message.content).iter().filter(|piece| matches!(piece, Piece::Angled(_))).count();
    assert_eq!(n_mentions, usize::from(asker.is_some()));
}

proptest! {
    #[test]
    fn every_part_is_good(reply in replies(), asked in any::<bool>(), facts in any::<bool>()) {
        let asker = asked.then_some(ASKER);
        let setting = Setting { asker, question: QUESTION, form: if facts { Form::Facts } else { Form::Whole } };
        let allowed: Vec<String> = reply.citations.iter().filter_map(|citation| citation.url.clone()).collect();
        let whole = message(&reply, &setting);
        assert_good(&whole, &allowed, asker);
        let parts = parts(&reply);
        let later = Setting { asker: None, ..setting };
        for part in &parts {
            prop_assert_eq!(&super::parts(part), std::slice::from_ref(part));
            assert_good(&message(part, &later), &allowed, None);
        }
        let first = message(&parts[0], &setting);
        prop_assert_eq!(&first.content, &whole.content);
        prop_assert_eq!(first.components.len(), whole.components.len());
        let has_more = parts[0].buttons.contains(&Button::More);
        prop_assert_eq!(has_more, parts.len() > 1 || reply.buttons.contains(&Button::More));
    }

    #[test]
    fn parts_lose_nothing(reply in replies()) {
        let parts = parts(&reply);
        prop_assert_eq!(characters(parts.iter().flat_map(|part| &part.lines)), characters(&reply.lines));
        let quotes = |reply: &Reply| reply.quotes.iter().map(|quote| quote.text.clone()).collect::<Vec<_>>();
        let shown: Vec<String> = parts.iter().flat_map(quotes).collect();
        prop_assert_eq!(characters(&shown), characters(&quotes(&reply)));
        prop_assert_eq!(letters(parts.iter().map(|part| &part.headline)), letters([&reply.headline]));
        prop_assert_eq!(letters(parts.iter().filter_map(|part| part.narration.as_ref())), letters(&reply.narration));
        prop_assert_eq!(letters(parts.iter().flat_map(|part| &part.notices)), letters(&reply.notices));
        let named = reply.citations.iter().filter(|citation| !links::label(&citation.record).is_empty());
        prop_assert!(parts.iter().flat_map(|part| &part.citations).eq(named));
    }

    #[test]
    fn shown_is_what_the_part_holds(reply in replies()) {
        for part in parts(&reply) {
            let shown = shown(&message(&part, &setting()).content);
            let lines = part.lines.iter().map(|line| line.replace("```", "ˋˋˋ"));
            let quotes = part.quotes.iter().map(|quote| quote.text.trim_end().to_owned());
            let notices = part.notices.iter().flat_map(|notice| notice.lines()).map(|line| line.trim().to_owned());
            for text in lines.chain(quotes).chain(notices).chain([part.headline.clone()]).chain(part.narration.clone()) {
                prop_assert!(text.trim().is_empty() || shown.contains(&text), "{text:?} in {shown:?}");
            }
        }
    }

    #[test]
    fn escaping_is_undone(text in nasty()) {
        prop_assert_eq!(unescaped(&escape(&text)), visible(&text));
        let n_units = escape(&text).encode_utf16().count();
        prop_assert!(n_units <= cut::units(&visible(&text), escape::width));
    }

    #[test]
    fn sentences_are_good(text in nasty()) {
        assert_good(&sentence(&text), &[], None);
    }

    #[test]
    fn choices_are_good(names in lines()) {
        let offered = choices(&names);
        prop_assert_eq!(window_violations(&offered), Vec::<String>::new());
        let values = offered["choices"].as_array().unwrap().iter().map(|choice| choice["value"].as_str().unwrap());
        prop_assert!(values.into_iter().all(|value| names.iter().any(|name| name == value)));
    }

    #[test]
    fn pieces_are_the_text(text in nasty(), most in 5..3_000_usize) {
        let pieces = pieces(&text, most, escape::width);
        prop_assert_eq!(&pieces.concat(), &text);
        prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && cut::units(piece, escape::width) <= most));
    }
}
