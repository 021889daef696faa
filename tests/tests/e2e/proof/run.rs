//! Runs scripts in a world, and gathers what their audience saw.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use futures::StreamExt;
use jiff::tz::TimeZone;
use runlore_bot::brief::{self, Period};
use runlore_bot::chat::{Event, Incoming, Platform, Question};
use runlore_bot::model::CancellationToken;
use runlore_bot::serve::Typing;
use runlore_indexer::index::vector::Filter;
use runlore_indexer::space::Audience;
use runlore_tests::dice::Dice;

use super::paper::Seen;
use super::script::{Script, Step, talk};
use super::words::Names;
use super::world::{World, on};

/// How many scripts run side by side.
const SIDE_BY_SIDE: usize = 24;

/// What the audience of one script saw: what stood last under each question, and everything else in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    pub all: BTreeMap<(String, &'static str), Vec<String>>,
    /// The facts, where they were seen before the whole answer: whether they are hangs on how fast it comes.
    pub facts: BTreeMap<String, String>,
    /// What was told while waiting.
    pub waiting: Vec<String>,
}

/// What the others ask meanwhile; in the two worlds something else.
pub async fn others_talk(world: &World, names: &Names, seed: u64) -> Result<()> {
    let mut dice = Dice::new(seed);
    for platform in Platform::ALL {
        for n in 0..2 + dice.below(3) {
            let text = names.filled("best {metric} in {project}", &mut dice);
            let incoming = Incoming::message(talk(platform, n, &text));
            world.take_in(&incoming).await?;
            world.until_done(&incoming).await?;
        }
    }
    Ok(())
}

/// Runs all of them, some side by side, and gathers what was seen when nothing is left to do.
pub async fn run(world: &World, scripts: &[Script]) -> Result<Vec<Shown>> {
    let told: Vec<Result<Vec<String>>> =
        futures::stream::iter(scripts.iter().map(|script| play(world, script))).buffered(SIDE_BY_SIDE).collect().await;
    until_quiet(world).await?;
    told.into_iter().zip(scripts).map(|(told, script)| Ok(gathered(world, script, told?))).collect()
}

/// Does what the script says; gives what was told directly.
async fn play(world: &World, script: &Script) -> Result<Vec<String>> {
    let mut told = Vec::new();
    for step in &script.steps {
        match step {
            Step::Event(incoming) => {
                world.take_in(incoming).await?;
                // A question that is reworded or taken back may be so before it is answered, too.
                if !matches!(incoming.event, Event::Edited { .. } | Event::Deleted { .. }) || script.number % 8 == 1 {
                    world.until_done(incoming).await.with_context(|| format!("{script:?}"))?;
                }
            }
            Step::Type { place, person, named, typed } => {
                let typing = Typing { place, person, circumstances: None, named: *named, typed, project: None };
                told.push(format!("{:?}", world.service.complete(&typing, 25).await));
            }
            Step::Ask(text) => {
                let question = Question::new(text.clone(), audience(script));
                let answer = world.service.app.answer(&question, &|_| {}, &CancellationToken::new()).await;
                let mut answer = serde_json::to_value(answer)?;
                answer["timings_ms"].take();
                told.push(answer.to_string());
            }
            Step::Brief(week) => {
                let app = &world.service.app;
                let period = Period::parse(week, &super::clock().to_zoned(TimeZone::UTC)).with_context(|| format!("{week} is no week"))?;
                let brief = brief::make(app, &audience(script), &period, &CancellationToken::new()).await?;
                told.push(format!("{} {}", brief.json(), brief.markdown()));
            }
            Step::Search(words) => {
                let found = world.service.app.search(&audience(script), words, &Filter::default(), 10).await?;
                told.push(format!("{found:?}"));
            }
        }
    }
    Ok(told)
}

/// The channel's name in the settings.
fn audience(script: &Script) -> Audience {
    Audience::Channel(format!("c{}", script.number))
}

/// Waits until every question has ended and everything is posted.
async fn until_quiet(world: &World) -> Result<()> {
    for _ in 0..6_000 {
        let is_open = !world.service.store.open_ids(1).await?.is_empty();
        if !is_open {
            return world.until_posted().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    anyhow::bail!("questions are open still: {:?}", world.service.store.question_counts().await?)
}

fn gathered(world: &World, script: &Script, told: Vec<String>) -> Shown {
    let paper = world.paper(script.platform);
    let page = |kind: &str| paper.page(&on(script.platform, &format!("{kind}{}", script.number)));
    let pages = ["C", "D", "U", "UNKNOWNC", "SHAREDC"].map(page);
    let mut shown = Shown::default();
    shown.all.insert((String::new(), "told"), told);
    for Seen { what, question, text } in pages.into_iter().flatten() {
        match what {
            "facts" => _ = shown.facts.insert(question, text),
            "waiting" => shown.waiting.push(text),
            // Only its last form stands there.
            "whole" => _ = shown.all.insert((question, what), vec![text]),
            _ => shown.all.entry((question, what)).or_default().push(text),
        }
    }
    shown
}

/// Where two worlds show something else; nothing where they do not.
pub fn difference(one: &Shown, other: &Shown) -> Option<String> {
    let mut keys: Vec<_> = one.all.keys().chain(other.all.keys()).collect();
    keys.sort();
    keys.dedup();
    if let Some(key) = keys.into_iter().find(|key| one.all.get(*key) != other.all.get(*key)) {
        let joined = |shown: &Shown| shown.all.get(key).map(|texts| texts.join("\n")).unwrap_or_default();
        return Some(format!("{key:?}: {}", beginning_of(&joined(one), &joined(other))));
    }
    let both = one.facts.iter().filter_map(|(question, text)| Some((text, other.facts.get(question)?)));
    both.filter(|(a, b)| a != b).map(|(a, b)| format!("facts: {}", beginning_of(a, b))).next()
}

/// Where two texts begin to differ.
fn beginning_of(one: &str, other: &str) -> String {
    let n_same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(n_same.saturating_sub(120)).take(360).collect::<String>();
    format!("after {n_same} characters\n  {}\nor\n  {}", around(one), around(other))
}

/// What is told while waiting beyond a place and a time.
pub fn strange_wait(shown: &Shown) -> Option<&String> {
    let is_known = |text: &str| {
        let plain: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        let before = ["questions are before yours", "One question is before yours"].iter().any(|known| plain.contains(known));
        let ends = ["yours.\"", "about  seconds.\"", "about  minutes.\"", "about a second.\""].iter().any(|end| plain.contains(end));
        before && ends
    };
    shown.waiting.iter().find(|text| !is_known(text))
}
