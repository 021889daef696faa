//! `kill -9` at random moments under traffic with doubled events and lost connections: no message is lost after the history was read,
//! no interaction that was acknowledged, and nothing is answered twice.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use runlore_tests::discord::DiscordDesk;
use serde_json::{Value, json};

/// How many kills; `RUNLORE_DISCORD_KILLS` says another number (`make soak`: 300).
fn n_kills() -> u64 {
    std::env::var("RUNLORE_DISCORD_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
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
    let Some(mut desk) = DiscordDesk::open("[serve]\nwaiting = 10000\nwaiting_per_asker = 10000\n").await? else { return Ok(()) };
    let settings = std::fs::read_to_string(desk.team.config())?.replace("= 600\n", "= 100000\n");
    std::fs::write(desk.team.config(), settings)?;
    let mut state = std::env::var("RUNLORE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0xd15c_u64);
    let (general, experiments) = (desk.double.id("channels", "general")?, desk.double.id("channels", "experiments")?);
    // Before the first question nobody knows since when to look.
    desk.ask(&general, "ada", &format!("{} help", desk.bot())).await?;
    desk.ask(&experiments, "ada", &format!("{} help", desk.bot())).await?;
    let mut asked = Vec::new();
    for kill in 0..n_kills() {
        for (channel, asker) in [(&general, "grace"), (&experiments, "ada")] {
            if random(&mut state, 3) == 0 {
                desk.double.ctl(json!({"do": "gateway", "action": "duplicate", "times": 2})).await?;
            }
            asked.push((channel.clone(), desk.double.say(channel, asker, &format!("{} count in vessel-detect", desk.bot())).await?));
            tokio::time::sleep(Duration::from_millis(random(&mut state, 120))).await;
        }
        let typed = json!({"name": "help", "type": 1, "options": []});
        desk.double.ctl(json!({"do": "slash", "user": "ada", "channel": general, "name": "runlore", "options": [typed]})).await?;
        tokio::time::sleep(Duration::from_millis(random(&mut state, 400))).await;
        desk.kill()?;
        if random(&mut state, 3) == 0 {
            desk.double.ctl(json!({"do": "gateway", "action": "invalidate"})).await?;
        }
        desk.serve().await?;
        if kill % 10 == 9 {
            println!("{} of {} kills", kill + 1, n_kills());
        }
    }
    let begun = Instant::now();
    let patience = Duration::from_secs(60 + 4 * asked.len() as u64);
    let mut counts = answers(&desk, &asked).await?;
    while counts.contains(&0) && begun.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(500)).await;
        counts = answers(&desk, &asked).await?;
    }
    desk.until_settled().await?;
    // What would come twice comes within the time of a second look.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let counts = answers(&desk, &asked).await?;
    let (silent, twice) = (counts.iter().filter(|n| **n == 0).count(), counts.iter().filter(|n| **n > 1).count());
    let interactions = desk.double.told("interactions").await?;
    let acknowledged: Vec<&Value> = interactions.as_array().into_iter().flatten().filter(|told| !told["answer_ms"].is_null()).collect();
    let shown = desk.answers(&general).await?;
    let lost = acknowledged.iter().filter(|told| !shown.iter().any(|answer| answer["interaction"] == told["id"])).count();
    println!(
        "{} messages, {} commands acknowledged, {} kills: {silent} silent, {twice} twice, {lost} commands lost",
        asked.len(),
        acknowledged.len(),
        n_kills()
    );
    ensure!(silent == 0 && twice == 0 && lost == 0);
    Ok(())
}

/// How many messages of the bot answer each question.
async fn answers(desk: &DiscordDesk, asked: &[(String, String)]) -> Result<Vec<usize>> {
    let mut counts = Vec::new();
    let mut all: std::collections::HashMap<&str, Vec<Value>> = std::collections::HashMap::new();
    for (channel, message) in asked {
        if !all.contains_key(channel.as_str()) {
            all.insert(channel, desk.answers(channel).await?);
        }
        counts.push(all[channel.as_str()].iter().filter(|answer| answer["reply_to"] == message.as_str()).count());
    }
    Ok(counts)
}
