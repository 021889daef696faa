//! What must hold for every reply, however nasty.

use proptest::prelude::*;

use super::*;

const NASTY: [&str; 16] = [
    "```",
    "<!channel>",
    "<!here|x>",
    "<@U123>",
    "<#C1|c>",
    "&lt;!here&gt;",
    "@channel @everyone",
    "👩\u{200d}👧👍🏽🇩🇪",
    "\u{202e}abc\u{202c}",
    "https://evil.com/?q=1",
    "www.evil.com",
    "<https://evil.com|ok>",
    "*_~`_*",
    "\n> quote\n",
    "\0\u{200b}\t\r\n",
    "a\u{301}\u{301}",
];

fn short() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => proptest::sample::select(&NASTY[..]).prop_map(str::to_owned), 1 => ".{0,30}", 1 => "[a-z ]{0,40}"];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn nasty() -> impl Strategy<Value = String> {
    let long = (proptest::sample::select(&NASTY[..]), 0..40_000_usize).prop_map(|(piece, n)| piece.repeat(n / piece.len()));
    let plain = ("[a-z&.]{1,9} ?", 0..40_000_usize).prop_map(|(word, n)| word.repeat(n / word.len()));
    prop_oneof![20 => short(), 1 => long, 1 => plain]
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let many = (nasty(), 0..3_000_usize).prop_map(|(line, n)| vec![line.chars().take(50).collect(); n]);
    prop_oneof![8 => proptest::collection::vec(nasty(), 0..12), 1 => many]
}

fn citations() -> impl Strategy<Value = Vec<Citation>> {
    let good = "https://[a-z]{1,9}\\.test(:[1-9]{1,4})?/[a-z#?=/&]{0,900}";
    let ending = short().prop_map(|rest| Some(format!("https://a.test/{rest}")));
    let url = prop_oneof![2 => good.prop_map(Some), 1 => short().prop_map(Some), 1 => ending, 1 => Just(None)];
    let key = prop_oneof![50 => short(), 1 => nasty()];
    let one = (short(), key, url).prop_map(|(mark, record, url)| Citation { mark, title: record.clone(), record, url });
    proptest::collection::vec(one, 0..40)
}

fn replies() -> impl Strategy<Value = Reply> {
    let quotes = (proptest::collection::vec((nasty(), nasty()), 0..20), citations());
    let buttons = proptest::collection::vec(proptest::sample::select(&BUTTONS[..]), 0..9);
    (nasty(), lines(), quotes, proptest::option::of(nasty()), lines(), buttons).prop_map(
        |(headline, lines, (quotes, citations), narration, notices, buttons)| {
            let quote = |(i, (text, record)): (usize, (String, String))| Quote {
                text,
                record: citations.get(i * 2).map_or(record, |citation| citation.record.clone()),
            };
            let quotes = quotes.into_iter().enumerate().map(quote).collect();
            Reply { headline, lines, quotes, narration, notices: notices.into_iter().take(40).collect(), citations, buttons, picture: None }
        },
    )
}

const BUTTONS: [Button; 7] =
    [Button::Useful, Button::NotUseful, Button::Details, Button::More, Button::Share, Button::Delete, Button::Stop];

/// Characters in order, without the line borders that cutting moves.
fn characters<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.flat_map(|text| visible(text).replace('\n', "").chars().collect::<Vec<_>>()).collect()
}

fn mentions(value: &Value) -> usize {
    match value {
        Value::Object(object) => {
            usize::from(object.get("type").is_some_and(|kind| kind == "user")) + object.values().map(mentions).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(mentions).sum(),
        _ => 0,
    }
}

/// Nothing is ever sent as Slack's markup but the fallback text.
fn has_markup(value: &Value) -> bool {
    value.to_string().contains("\"mrkdwn\"")
}

fn assert_good(message: &Message, allowed: &[String], n_mentions: usize) {
    assert_eq!(violations_with_links(message, allowed), Vec::<String>::new());
    assert_eq!(message.blocks.iter().map(mentions).sum::<usize>(), n_mentions);
    assert_eq!(message.text.matches('<').count(), n_mentions);
    assert!(!message.blocks.iter().any(has_markup));
    assert!(message.text.encode_utf16().count() <= 3_000);
    let quiet = message.text.to_lowercase();
    assert!(["@here", "@channel", "@everyone", "://", "www.", "`", "*", "~"].iter().all(|live| !quiet.contains(live)), "{quiet}");
}

proptest! {
    #[test]
    fn every_part_is_good(reply in replies(), asked in any::<bool>(), facts in any::<bool>()) {
        let asker = asked.then_some("U0123ABC");
        let setting = Setting { asker, question: QUESTION, form: if facts { Form::Facts } else { Form::Whole } };
        let allowed: Vec<String> = reply.citations.iter().filter_map(|citation| citation.url.clone()).collect();
        let whole = message(&reply, &setting);
        assert_good(&whole, &allowed, usize::from(asked));
        let parts = parts(&reply);
        let later = Setting { asker: None, ..setting };
        for part in &parts {
            prop_assert_eq!(&super::parts(part), std::slice::from_ref(part));
            assert_good(&message(part, &later), &allowed, 0);
        }
        let first = message(&parts[0], &setting);
        prop_assert_eq!(&first.text, &whole.text);
        prop_assert_eq!(first.blocks.len(), whole.blocks.len());
        let has_more = parts[0].buttons.contains(&Button::More);
        prop_assert_eq!(has_more, parts.len() > 1 || reply.buttons.contains(&Button::More));
    }

    #[test]
    fn parts_lose_nothing(reply in replies()) {
        let parts = parts(&reply);
        prop_assert_eq!(characters(parts.iter().flat_map(|part| &part.lines)), characters(reply.lines.iter()));
        let shown = parts.iter().flat_map(|part| part.quotes.iter().map(|quote| &quote.text));
        prop_assert_eq!(characters(shown), characters(reply.quotes.iter().map(|quote| &quote.text)));
        let named = reply.citations.iter().filter(|citation| !links::label(&citation.record).is_empty());
        prop_assert!(parts.iter().flat_map(|part| &part.citations).eq(named));
    }

    #[test]
    fn shown_is_what_the_part_holds(reply in replies()) {
        let first = &parts(&reply)[0];
        let shown: String = message(&reply, &setting()).blocks.iter().flat_map(texts).collect();
        let evidence = first.lines.iter().chain(first.quotes.iter().map(|quote| &quote.text));
        for text in evidence.chain(&first.notices).chain([&first.headline]) {
            prop_assert!(text.trim().is_empty() || shown.contains(text.as_str()));
        }
    }

    #[test]
    fn sentences_are_good(text in nasty()) {
        assert_good(&sentence(&text), &[], 0);
    }

    #[test]
    fn views_are_good(status in lines(), examples in lines()) {
        let examples: Vec<&str> = examples.iter().map(String::as_str).collect();
        prop_assert_eq!(view_violations(&home(&status, &examples)), Vec::<String>::new());
    }

    #[test]
    fn pieces_are_the_text(text in nasty(), most in 5..3_000_usize) {
        let pieces = pieces(&text, most, cut::width);
        prop_assert_eq!(&pieces.concat(), &text);
        prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && cut::units(piece) <= most));
    }
}
