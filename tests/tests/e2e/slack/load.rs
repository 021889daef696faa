//! One asker's flood and a long day: others wait for one generation more at most, and memory stays what it is.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use runlore_bot::store::Store;
use runlore_indexer::config::Settings;
use runlore_tests::not_run::not_run;
use runlore_tests::slack::Posted;
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace::{ADA, BOT, DIRECT, GENERAL, GRACE};
use runlore_tests::slow_model::SlowModel;

/// How long the slow model takes for one generation.
const GENERATION: Duration = Duration::from_secs(2);

/// What is asked in the flood, and what the other one asks; each begins one generation.
const OF_FLOOD: &str = "Which run in vessel-detect has the best val/map?";
const OF_OTHER: &str = "Which run in vessel-detect has the lowest train/loss?";

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_adds_one_generation_to_anothers_wait() -> Result<()> {
    let Some(mut desk) = Desk::closed("").await? else { return Ok(()) };
    let model = SlowModel::start(GENERATION).await?;
    desk.use_server(&model.url)?;
    desk.serve().await?;
    // Warming asks the model too.
    let is_of = |part: &'static str| move |prompt: &String| prompt.contains(part);
    let begun = Instant::now();
    desk.ask(DIRECT, ADA, OF_OTHER).await?;
    let alone = begun.elapsed();
    ensure!(model.generations().iter().any(is_of(OF_OTHER)), "the model was not asked");

    for _ in 0..12 {
        desk.stand_in.say(GENERAL, GRACE, &format!("<@{BOT}> {OF_FLOOD}"), None).await?;
    }
    let flooded = Instant::now();
    let store = Store::open(&Settings::read(&desk.team.config())?.state_url).await?;
    // One is answered and five wait; the others are told that they cannot.
    let all_refused = || async {
        let refused = store.question_counts().await?.into_iter().find(|(state, _)| state == "refused");
        Ok(refused.is_some_and(|(_, n)| n == 6).then_some(()))
    };
    desk.until("what is too much is refused", all_refused).await?;
    let refused = flooded.elapsed();
    ensure!(refused < Duration::from_secs(1), "it took {refused:?} to refuse");
    let look = || async { Ok(model.generations().iter().any(is_of(OF_FLOOD)).then_some(())) };
    desk.until("the flood is being answered", look).await?;
    let n_before = model.generations().len();
    let begun = Instant::now();
    let ts = desk.stand_in.say(DIRECT, ADA, OF_OTHER, None).await?;
    desk.answer(DIRECT, &ts, 1).await?;
    let waited = begun.elapsed();
    let moved_up = |posted: &Posted| posted.method == "chat.update" && posted.body.to_string().contains("before yours");
    let look = || async { Ok(desk.proxy.posted().iter().any(moved_up).then_some(())) };
    desk.until("one that waits is told that it came forward", look).await?;
    let later = model.generations().split_off(n_before);
    let n_between = later.iter().take_while(|prompt| !prompt.contains(OF_OTHER)).count();
    println!("alone {alone:?}, beside a flood {waited:?}; {n_between} generations of the flood between; refused after {refused:?}");
    ensure!(later.iter().any(is_of(OF_OTHER)), "the model was not asked: {later:?}");
    ensure!(n_between <= 1, "{n_between} generations of the flood came first");
    Ok(())
}

/// Minutes that the memory is watched: `RUNLORE_MEMORY_MINUTES` (`make soak`: 60, at five questions a minute), else a minute at one question
/// every two seconds.
fn watch() -> (Duration, Duration) {
    match std::env::var("RUNLORE_MEMORY_MINUTES").ok().and_then(|text| text.parse::<u64>().ok()) {
        Some(minutes) => (Duration::from_secs(60 * minutes), Duration::from_secs(12)),
        None => (Duration::from_secs(60), Duration::from_secs(2)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_what_it_is() -> Result<()> {
    const ASKED: [&str; 8] = [
        "Which run in vessel-detect has the best val/map?",
        "What did we decide about gauge 17?",
        "count in vessel-detect",
        "How many runs failed?",
        "best val/map in vessel-detect",
        "Which run in vessel-detect has the lowest train/loss?",
        "search gauge",
        "help",
    ];
    let Some(mut desk) = Desk::closed("[serve]\ndeadline_s = 200\n").await? else { return Ok(()) };
    if !desk.use_model("chat-0.5b")? {
        not_run("memory with a real model", "the model chat-0.5b is not in the cache folder (scripts/fetch-models chat-0.5b)");
        return Ok(());
    }
    desk.serve().await?;
    let (length, every) = watch();
    let begun = Instant::now();
    let (mut first, mut n_asked) = (None, 0_usize);
    // On a busy machine the short form takes longer: every kind of question is asked twice after the first look.
    while begun.elapsed() < length || n_asked < 3 * ASKED.len() {
        let turn = Instant::now();
        let (channel, asker) = if n_asked % 3 == 0 { (DIRECT, ADA) } else { (GENERAL, GRACE) };
        let (_, answer) = desk.ask(channel, asker, &format!("<@{BOT}> {}", ASKED[n_asked % ASKED.len()])).await?;
        ensure!(!words(&answer).is_empty(), "{answer}");
        n_asked += 1;
        tokio::time::sleep(every.saturating_sub(turn.elapsed())).await;
        // Every kind of question was asked once, and a sixth of the time is over.
        if first.is_none() && n_asked > ASKED.len() && begun.elapsed() >= length / 6 {
            first = Some((begun.elapsed(), desk.memory_kb()?));
        }
        if n_asked % 25 == 0 {
            println!("{n_asked} questions in {:?}: {:?} kB", begun.elapsed(), desk.memory_kb()?);
        }
    }
    let (since, (before, anonymous_before)) = first.context("too short to say anything")?;
    let (after, anonymous_after) = desk.memory_kb()?;
    let growth = after as f64 / before as f64 - 1.0;
    println!(
        "{n_asked} questions in {:?}: {before} kB after {since:?}, {after} kB in the end: {:+.2} % (no files: {anonymous_before}, {anonymous_after} kB)",
        begun.elapsed(),
        100.0 * growth
    );
    ensure!(growth <= 0.05, "memory grew by {:.1} %", 100.0 * growth);
    Ok(())
}
