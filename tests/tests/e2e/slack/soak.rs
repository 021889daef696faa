//! `kill -9` at random moments under traffic with doubled and reordered events: nothing acknowledged is lost, nothing is answered twice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use runlore_tests::slack::workspace::{ADA, BOT, DIRECT, GENERAL, GRACE, LEADS};

use runlore_tests::slack::desk::Desk;

/// How many kills; `RUNLORE_SLACK_KILLS` says another number (`make soak`: 300).
fn n_kills() -> u64 {
    std::env::var("RUNLORE_SLACK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

/// A random number below `n`, the same for the same seed.
fn random(state: &mut u64, n: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % n
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_under_traffic_lose_and_double_nothing() -> Result<()> {
    let more = "[serve]\nwaiting = 10000\nwaiting_per_asker = 10000\n";
    let Some(mut desk) = Desk::open(more).await? else { return Ok(()) };
    let settings = std::fs::read_to_string(desk.team.config())?.replace("= 600\n", "= 100000\n");
    std::fs::write(desk.team.config(), settings)?;
    desk.proxy.redeliver_after(Duration::from_millis(700));
    let seed = std::env::var("RUNLORE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed_u64);
    let mut state = seed;
    let mut asked = Vec::new();
    for kill in 0..n_kills() {
        for i in 0..3 {
            desk.proxy.duplicate_next(random(&mut state, 3) as usize);
            desk.proxy.reorder_next(random(&mut state, 3) as usize);
            // Three channels, since each is posted to at its own pace.
            let (channel, asker) = [(GENERAL, GRACE), (LEADS, ADA), (DIRECT, ADA)][i];
            let ts = desk.stand_in.say(channel, asker, &format!("<@{BOT}> count in vessel-detect"), None).await?;
            asked.push((channel, ts));
            tokio::time::sleep(Duration::from_millis(random(&mut state, 120))).await;
        }
        tokio::time::sleep(Duration::from_millis(random(&mut state, 400))).await;
        desk.kill()?;
        desk.serve().await?;
        if kill % 10 == 9 {
            println!("{} of {} kills", kill + 1, n_kills());
        }
    }
    let begun = Instant::now();
    loop {
        let counts = answers(&desk, &asked).await?;
        if counts.values().all(|n| *n >= 1) || begun.elapsed() > Duration::from_secs(60 + 4 * asked.len() as u64) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // What would come twice comes within the time of a second look.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let counts = answers(&desk, &asked).await?;
    let silent: Vec<_> = counts.iter().filter(|(_, n)| **n == 0).map(|(ts, _)| ts).collect();
    let twice: Vec<_> = counts.iter().filter(|(_, n)| **n > 1).collect();
    println!("{} questions, {} kills: {} silent, {} twice (seed {seed})", asked.len(), n_kills(), silent.len(), twice.len());
    ensure!(silent.is_empty(), "no answer to {silent:?}");
    ensure!(twice.is_empty(), "answered twice: {twice:?}");
    Ok(())
}

/// How many messages of the bot stand in the thread of each question.
async fn answers(desk: &Desk, asked: &[(&'static str, String)]) -> Result<BTreeMap<String, usize>> {
    let mut counts: BTreeMap<String, usize> = asked.iter().map(|(_, ts)| (ts.clone(), 0)).collect();
    for channel in [GENERAL, LEADS, DIRECT] {
        for message in desk.stand_in.messages(channel).await? {
            let thread = message["thread_ts"].as_str().filter(|_| message["user"] == BOT);
            if let Some(count) = thread.and_then(|thread| counts.get_mut(thread)) {
                *count += 1;
            }
        }
    }
    Ok(counts)
}
