//! How long a person on Slack waits, and how fast events are acknowledged while the model computes.
//!
//! `cargo bench --workspace --profile dev --bench slack [-- none | chat-0.5b | chat-1.5b]`: the real program with that model (by default the
//! smaller one), against the stand-in on this machine. Prints first sign, facts and whole answer of questions that are asked one by one,
//! then the acknowledgements of 50 events a second.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use runlore_tests::slack::desk::Desk;
use runlore_tests::slack::workspace::{ADA, BOT, GENERAL};

/// Questions that are asked one by one.
const QUESTIONS: [&str; 6] = [
    "Which run in vessel-detect has the best val/map?",
    "What did we decide about gauge 17?",
    "How many runs failed in vessel-detect?",
    "What is the mean val/map in vessel-detect?",
    "Which pull request turned mosaic off?",
    "best val/rmse in tide-forecast",
];

/// Events a second, and for how long.
const PER_SECOND: u64 = 50;
const SECONDS: u64 = 20;

fn main() -> Result<()> {
    let model = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_else(|| "chat-0.5b".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(&model))
}

async fn measure(model: &str) -> Result<()> {
    let limits = "[serve]\nwaiting = 100000\nwaiting_per_asker = 100000\n";
    let mut desk = Desk::closed(limits).await?.context("the stand-in is not installed: scripts/test-slack-install")?;
    let settings = std::fs::read_to_string(desk.team.config())?.replace("= 600\n", "= 1000000\n");
    std::fs::write(desk.team.config(), settings)?;
    anyhow::ensure!(model == "none" || desk.use_model(model)?, "no model {model}: scripts/fetch-models {model}");
    desk.serve().await?;
    // The model is loaded and its prompts are computed once.
    desk.ask(GENERAL, ADA, &format!("<@{BOT}> {}", QUESTIONS[0])).await?;
    let (mut signs, mut facts, mut wholes) = (Vec::new(), Vec::new(), Vec::new());
    for question in QUESTIONS.iter().cycle().take(4 * QUESTIONS.len()) {
        let (n_called, n_posted) = (desk.proxy.called().len(), desk.proxy.posted().len());
        let asked = Instant::now();
        desk.ask(GENERAL, ADA, &format!("<@{BOT}> {question}")).await?;
        let first =
            |method: &str| desk.proxy.called().into_iter().skip(n_called).find(|call| call.method == method).map(|call| call.at - asked);
        signs.extend(first("assistant.threads.setStatus").or_else(|| first("reactions.add")));
        let posted = desk.proxy.posted();
        let of_this: Vec<Instant> =
            posted[n_posted..].iter().filter(|posted| posted.method.starts_with("chat.")).map(|posted| posted.at).collect();
        facts.extend(of_this.first().map(|at| *at - asked));
        wholes.extend(of_this.last().map(|at| *at - asked));
    }
    println!("model {model}, {} questions one by one", 4 * QUESTIONS.len());
    print("first sign", &mut signs);
    print("facts", &mut facts);
    print("whole answer", &mut wholes);
    acknowledgements(&desk).await
}

/// Floods the service with questions while the model computes.
async fn acknowledgements(desk: &Desk) -> Result<()> {
    let n_before = desk.proxy.acks().len();
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PER_SECOND));
    for i in 0..PER_SECOND * SECONDS {
        ticks.tick().await;
        let text =
            if i % 2 == 0 { "nothing for the bot".to_owned() } else { format!("<@{BOT}> {}", QUESTIONS[i as usize % QUESTIONS.len()]) };
        desk.stand_in.say(GENERAL, ADA, &text, None).await?;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let acks = &desk.proxy.acks()[n_before..];
    let mut times: Vec<Duration> = acks.iter().filter_map(|ack| Some(ack.acked? - ack.delivered)).collect();
    println!("{} envelopes at {PER_SECOND} messages a second, {} not acknowledged", acks.len(), acks.len() - times.len());
    print("acknowledged", &mut times);
    Ok(())
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort();
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
    println!("{what}: n {}, p50 {:?}, p95 {:?}, p99 {:?}, most {:?}", times.len(), at(0.5), at(0.95), at(0.99), at(1.0));
}
