//! Any reply, as both platforms render it: within their limits, with nothing live in it and no link but those of its sources.

use anyhow::Result;
use runlore_bot::chat::{Button, Citation, Form, Quote, Reply, Setting};
use runlore_bot::{discord, slack};
use runlore_tests::fuzz::{Format, Outcome, Target, fuzz};
use serde::{Deserialize, Serialize};

/// A reply and how it stands in its place.
#[derive(Serialize, Deserialize)]
struct Case {
    reply: Reply,
    has_asker: bool,
    has_facts_alone: bool,
}

const WORDS: [&str; 44] = [
    "```",
    "`",
    "\n```\n",
    "<!channel>",
    "<!here|x>",
    "<@U123>",
    "<#C1|c>",
    "<@123>",
    "<@&123>",
    "</cmd:123>",
    "<:e:1>",
    "<t:1:R>",
    "<id:guide>",
    "&lt;!here&gt;",
    "@everyone",
    "@here",
    "https://evil.example/?q=1",
    "steam://x",
    "www.evil.example",
    "discord.gg/abc",
    "[ok](https://evil.example)",
    "](<https://evil.example>)",
    "[a](<",
    "<https://evil.example|ok>",
    "*_~`_*",
    "**a** __b__ ~~c~~ ||d||",
    "\n> quote\n>>> all\n",
    "\n# head\n-# small\n- item\n1. one\n",
    ":smile:",
    "¯\\_(ツ)_/¯",
    "\\",
    "\\\\`",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://a.test/x",
    "useful",
    "not_useful",
    "details",
    "more",
    "share",
    "delete",
    "stop",
    "&#60;",
    "%3C",
];

fn seeds() -> Vec<Vec<u8>> {
    let text = |words: &str| words.to_owned();
    let citation = |mark: &str, url: Option<&str>| Citation {
        mark: text(mark),
        record: format!("vessel-detect/run-{mark}"),
        title: text("A run"),
        url: url.map(str::to_owned),
    };
    let full = Reply {
        headline: text("The best val/map in vessel-detect is 0.7312, of vd-mosaic-s2."),
        lines: vec![text("run            val/map"), text("vd-mosaic-s2    0.7312"), text("vd-base-s1      0.6904")],
        quotes: vec![Quote { text: text("We keep mosaic off.\nIt costs an hour."), record: text("vessel-detect/run-1") }],
        narration: Some(text("Nothing else in the project comes near 0.7312.")),
        notices: vec![text("A day is a day of UTC.")],
        citations: vec![citation("1", Some("https://runs.example:8080/#/experiments/1/runs/ab?x=1&y=(2)")), citation("2", None)],
        buttons: Button::ALL.to_vec(),
        picture: None,
    };
    let long =
        Reply { headline: "many words ".repeat(90), lines: vec!["x = 1".repeat(9); 120], notices: vec![text("n"); 30], ..full.clone() };
    let sentence = Reply { headline: text("I know nothing named that."), ..Reply::default() };
    let cases = [full, long, sentence, Reply::default()];
    let write = |(at, reply): (usize, Reply)| Case { reply, has_asker: at % 2 == 0, has_facts_alone: at == 1 };
    cases.into_iter().enumerate().map(write).filter_map(|case| serde_json::to_vec(&case).ok()).collect()
}

#[test]
fn renderers() -> Result<()> {
    fuzz(&Target { name: "renderers", format: Format::Json, seeds: seeds(), words: &WORDS, check: &check })
}

fn check(input: &[u8]) -> Outcome {
    let Ok(case) = serde_json::from_slice::<Case>(input) else { return Ok("no reply".to_owned()) };
    let allowed: Vec<String> = case.reply.citations.iter().filter_map(|citation| citation.url.clone()).collect();
    let form = if case.has_facts_alone { Form::Facts } else { Form::Whole };
    let setting = |asker: &'static str| Setting {
        asker: Some(asker).filter(|_| case.has_asker),
        question: "0f0e0d0c-0b0a-5908-8706-050403020100",
        form,
    };
    let of_slack = on_slack(&case.reply, &setting("U0123ABC"), &allowed)?;
    let of_discord = on_discord(&case.reply, &setting("100000000000000001"), &allowed)?;
    Ok(format!("{} {} {of_slack} {of_discord}", case.reply.buttons.len(), case.reply.citations.len()))
}

/// The message and every part of it; how many parts there are.
fn on_slack(reply: &Reply, setting: &Setting, allowed: &[String]) -> Result<usize, String> {
    let parts = slack::outgoing::parts(reply);
    let later = Setting { asker: None, ..*setting };
    let mut found = slack::outgoing::violations_with_links(&slack::outgoing::message(reply, setting), allowed);
    for part in &parts {
        found.extend(slack::outgoing::violations_with_links(&slack::outgoing::message(part, &later), allowed));
    }
    found.extend(slack::outgoing::violations(&slack::outgoing::sentence(&reply.headline)));
    found.extend(slack::outgoing::view_violations(&slack::outgoing::home(&reply.lines, &[])));
    if found.is_empty() { Ok(parts.len().min(9)) } else { Err(format!("on Slack {}", found.join("; "))) }
}

fn on_discord(reply: &Reply, setting: &Setting, allowed: &[String]) -> Result<usize, String> {
    let parts = discord::outgoing::parts(reply);
    let later = Setting { asker: None, ..*setting };
    let mut found = discord::outgoing::violations_with_links(&discord::outgoing::message(reply, setting), allowed);
    for part in &parts {
        found.extend(discord::outgoing::violations_with_links(&discord::outgoing::message(part, &later), allowed));
    }
    found.extend(discord::outgoing::violations(&discord::outgoing::sentence(&reply.headline)));
    found.extend(discord::outgoing::window_violations(&discord::outgoing::choices(&reply.lines)));
    if found.is_empty() { Ok(parts.len().min(9)) } else { Err(format!("on Discord {}", found.join("; "))) }
}
