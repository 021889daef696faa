//! Proof of non-interference: two worlds that differ only in what an audience may not read show it the same, byte for byte.
//!
//! Hritcu et al., Testing Noninterference, Quickly (JFP 2016) is the method. The model of both worlds gives back a hash of all it was
//! given, so that what reaches a prompt reaches the reply. What may differ stands in SECURITY.md by name: the place in the queue, how
//! long one waits, whether the service is up. `leaks` shows that the proof sees what it should.

pub mod echo;
mod leaks;
pub mod paper;
mod records;
mod run;
mod script;
mod surfaces;
mod words;
pub mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use runlore_bot::chat::{Button, Event, Question, Way};
use runlore_bot::command;
use runlore_bot::model::{CancellationToken, LanguageModel};
use runlore_bot::store::AuditFilter;
use runlore_bot::surface::Surface;
use runlore_indexer::space::Audience;
use runlore_tests::dice::Dice;

use self::echo::Echo;
use self::run::{difference, strange_wait};
use self::script::{Script, Step, script};
use self::words::Names;
use self::world::{Twins, World};

/// Cases in CI, and of one pair of worlds; `RUNLORE_PROOF_CASES` says another number (`make proof`: 100,000).
const CASES: usize = 2_016;
const CASES_A_PAIR: usize = 168;

fn clock() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn model() -> Arc<dyn LanguageModel> {
    Arc::new(Echo)
}

fn n_cases() -> usize {
    std::env::var("RUNLORE_PROOF_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES)
}

/// Two worlds, and the scripts that run in both.
pub struct Pair {
    twins: Twins,
    names: Names,
    scripts: Vec<Script>,
    seed: u64,
}

impl Pair {
    /// Of a seed.
    fn new(seed: u64, n_scripts: usize) -> Self {
        let twins = Twins::new(seed);
        let names = Names::of(&twins);
        let scripts = (0..n_scripts).map(|i| script(i, seed * 1_000_003 + i as u64, &names)).collect();
        Self { twins, names, scripts, seed }
    }

    async fn worlds(&self) -> Result<[World; 2]> {
        let open = |records| World::open(records, &self.twins.spaces, self.scripts.len(), model());
        let (one, other) = tokio::join!(open(&self.twins.one), open(&self.twins.other));
        Ok([one?, other?])
    }

    /// What differs in what was shown, by script.
    async fn differences(&self, [one, other]: &[World; 2]) -> Result<Vec<(usize, String)>> {
        run::others_talk(one, &self.names, self.seed).await?;
        run::others_talk(other, &self.names, self.seed + 1).await?;
        let (shown, shown_other) = tokio::join!(run::run(one, &self.scripts), run::run(other, &self.scripts));
        let both: Vec<_> = shown?.into_iter().zip(shown_other?).collect();
        let differ = |(i, (a, b)): (usize, &(run::Shown, run::Shown))| {
            let strange = strange_wait(a).or(strange_wait(b)).map(|text| format!("told while waiting: {text}"));
            Some((i, difference(a, b).or(strange)?))
        };
        Ok(both.iter().enumerate().filter_map(differ).collect())
    }
}

impl Pair {
    /// A question that takes more work in one world than in the other, one after another.
    async fn more_work(&self, worlds: &[World; 2], n_questions: usize) -> Result<Option<String>> {
        let mut dice = Dice::new(self.seed);
        for _ in 0..n_questions {
            let text = self.names.question(&mut dice);
            let question = Question::new(text.clone(), Audience::Channel("c0".to_owned()));
            let mut counts = Vec::new();
            for world in worlds {
                let work = &world.service.app.corpus.catalog.work;
                let before = work.worked();
                world.service.app.answer(&question, &|_| {}, &CancellationToken::new()).await;
                let after = work.worked();
                counts.push((after.n_reads - before.n_reads, after.n_rows - before.n_rows, after.n_hits - before.n_hits));
            }
            if counts[0] != counts[1] {
                return Ok(Some(format!("`{text}` takes (reads, rows, hits) {:?} or {:?}", counts[0], counts[1])));
            }
        }
        Ok(None)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_changes_no_byte() -> Result<()> {
    let (n_cases, mut n_done) = (n_cases(), 0);
    for seed in 0.. {
        let pair = Pair::new(seed, CASES_A_PAIR.min(n_cases - n_done));
        let worlds = pair.worlds().await?;
        let differences = pair.differences(&worlds).await?;
        if let Some((i, _)) = differences.first() {
            let told: Vec<String> = differences.iter().take(8).map(|(i, told)| format!("script {i}, {told}")).collect();
            let steps = &pair.scripts[*i].steps;
            anyhow::bail!("pair {seed}: {} scripts differ\n{}\nthe first: {steps:?}", differences.len(), told.join("\n"));
        }
        for world in worlds {
            let failed = world.slack.everything().into_iter().chain(world.discord.everything());
            ensure!(!failed.into_iter().any(|seen| seen.text.contains("went wrong on my side")), "something failed");
            world.end().await?;
        }
        n_done += pair.scripts.len();
        if n_done >= n_cases {
            break;
        }
    }
    println!("{n_done} cases over {} surfaces: no byte differs", surfaces::SURFACES.len());
    Ok(())
}

/// What the scripts do not come to, and why not.
const ELSEWHERE: [(Surface, &str); 5] = [
    (Surface::Failure, "nothing of ours fails here; its sentence holds a reference id and nothing else (core::service)"),
    (Surface::Ask, "the terminal's answers are compared as JSON, below what notes them"),
    (Surface::Search, "as those"),
    (Surface::Runs, "the typed command `runs`, which is asked in every other way"),
    (Surface::Brief, "compared as JSON and Markdown, below what notes it; the typed command `brief` is asked in every other way"),
];

/// A new surface, button, command or way to ask is tried here, or this fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_shown_is_missing_from_the_table() -> Result<()> {
    let pair = Pair::new(2, 3 * surfaces::SURFACES.len());
    let worlds = pair.worlds().await?;
    ensure!(pair.differences(&worlds).await?.is_empty());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for world in worlds {
        seen.extend(world.service.store.audit_rows(&AuditFilter::default(), i64::MAX).await?.into_iter().map(|row| row.surface));
        world.end().await?;
    }
    let is_elsewhere = |surface: &Surface| ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == surface);
    let missing: Vec<&str> = Surface::ALL.iter().filter(|s| !is_elsewhere(s) && !seen.contains(s.as_str())).map(|s| s.as_str()).collect();
    ensure!(missing.is_empty(), "no script shows {missing:?}; add a line to proof/surfaces.rs");
    let needless: Vec<&Surface> = ELSEWHERE.iter().map(|(surface, _)| surface).filter(|s| seen.contains(s.as_str())).collect();
    ensure!(needless.is_empty(), "{needless:?} are shown here after all");

    let steps = || pair.scripts.iter().flat_map(|script| &script.steps);
    let events: Vec<&Event> =
        steps().filter_map(|step| if let Step::Event(incoming) = step { Some(&incoming.event) } else { None }).collect();
    for button in Button::ALL {
        ensure!(events.iter().any(|event| matches!(event, Event::Pressed(press) if press.button == button)), "nobody presses {button:?}");
    }
    for way in [Way::Mention, Way::Overheard, Way::Direct, Way::Command, Way::PublicCommand, Way::Shortcut] {
        ensure!(events.iter().any(|event| matches!(event, Event::Asked(asked) if is_way(asked.way, way))), "nobody asks by {way:?}");
    }
    for command in command::COMMANDS {
        ensure!(words::FORMS.iter().any(|form| form.split(' ').next() == Some(command)), "nobody types {command}");
    }
    Ok(())
}

/// Compares; a new way does not compile until it stands here and above.
fn is_way(way: Way, wanted: Way) -> bool {
    match way {
        Way::Mention | Way::Overheard | Way::Direct | Way::Command | Way::PublicCommand | Way::Shortcut => way == wanted,
    }
}

/// How many rows and hits are looked at does not hang on what may not be read either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_work_is_done_whatever_may_not_be_read() -> Result<()> {
    for seed in [5, 6] {
        let pair = Pair::new(seed, 1);
        let [one, other] = pair.worlds().await?;
        let worlds = [one, other];
        if let Some(told) = pair.more_work(&worlds, 150).await? {
            anyhow::bail!("{told}");
        }
        let [one, other] = worlds;
        one.end().await?;
        other.end().await?;
    }
    Ok(())
}
