//! Both platforms in one program under load, and names offered from a catalog of a hundred thousand runs.
//!
//! `cargo bench --workspace --profile dev --bench discord [-- load [none | chat-0.5b] | names]`: the real program against the stand-ins on
//! this machine. `load` prints how fast Slack's events and Discord's interactions are acknowledged while both ask; `names` how fast names
//! are offered while somebody types.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_tests::discord::{DiscordDesk, Double, id};
use runlore_tests::slack::desk::Desk;
use runlore_tests::slack::workspace::{ADA, BOT, GENERAL};
use serde_json::{Value, json};

/// Events a second on each platform, and for how long.
const PER_SECOND: u64 = 25;
const SECONDS: u64 = 20;

/// Runs of the large catalog, and how often a name is typed.
const N_RUNS: usize = 100_000;
const N_TYPED: usize = 400;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match words.first().map(String::as_str) {
        Some("names") => runtime.block_on(names()),
        Some("load") => runtime.block_on(load(words.get(1).map_or("none", String::as_str))),
        _ => runtime.block_on(async {
            load("none").await?;
            names().await
        }),
    }
}

async fn load(model: &str) -> Result<()> {
    let double = Double::start(&["message_content"]).await?.map_err(anyhow::Error::msg)?;
    let discord = format!(
        "[serve]\nwaiting = 100000\nwaiting_per_asker = 100000\n[discord]\nguild = \"{}\"\n[channels.lab]\ndiscord = \"{}\"\nspaces = [\"team\"]\n",
        id(&double.ready, "guild")?,
        double.id("channels", "general")?
    );
    let mut desk = Desk::closed(&discord).await?.context("the stand-in is not installed: scripts/test-slack-install")?;
    let settings = std::fs::read_to_string(desk.team.config())?.replace("= 600\n", "= 1000000\n");
    std::fs::write(desk.team.config(), settings)?;
    ensure!(model == "none" || desk.use_model(model)?, "no model {model}: scripts/fetch-models {model}");
    let mut command = desk.command();
    command.env("DISCORD_API_BASE", double.api_url()).env("DISCORD_BOT_TOKEN", id(&double.ready, "token")?);
    desk.serve_with(command).await?;
    let general = double.id("channels", "general")?;
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PER_SECOND));
    for i in 0..PER_SECOND * SECONDS {
        ticks.tick().await;
        let question = if i % 2 == 0 { "count in vessel-detect" } else { "Which run in vessel-detect has the best val/map?" };
        let option = json!({"name": "question", "type": 3, "value": question});
        let typed = json!({"do": "slash", "user": "ada", "channel": general, "name": "runlore", "options": [{"name": "ask", "type": 1, "options": [option]}]});
        let text = format!("<@{BOT}> {question}");
        let (said, typed) = tokio::join!(desk.stand_in.say(GENERAL, ADA, &text, None), double.ctl(typed));
        said?;
        typed?;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let acks = desk.proxy.acks();
    let mut slack: Vec<f64> = acks.iter().filter_map(|ack| Some((ack.acked? - ack.delivered).as_secs_f64() * 1_000.0)).collect();
    let told = double.told("interactions").await?;
    let told = told.as_array().context("no interactions")?;
    let mut discord: Vec<f64> = told.iter().filter_map(|told| told["answer_ms"].as_f64()).collect();
    println!("model {model}, {PER_SECOND} events a second on each platform for {SECONDS} s");
    println!(
        "not acknowledged: {} of {} on Slack, {} of {} on Discord",
        acks.len() - slack.len(),
        acks.len(),
        told.len() - discord.len(),
        told.len()
    );
    print("Slack acknowledged", &mut slack);
    print("Discord acknowledged", &mut discord);
    Ok(())
}

async fn names() -> Result<()> {
    let mut desk = DiscordDesk::closed("", &[]).await?.context("the bridge is not installed: scripts/test-discord-sdk")?;
    let mut lines = String::new();
    for n in 0..N_RUNS {
        let (project, run) = (n % 40, json!({"val/loss": n as f64 / 1e5, format!("val/metric_{}", n % 300): 1.0}));
        let line = json!({"v": 1, "type": "run", "id": format!("r-{n:06}"), "project": format!("large-{project}"), "name": format!("sweep-{n:06}-lr"), "status": "finished", "metrics": run});
        writeln!(lines, "{line}")?;
    }
    let file = desk.team.data().with_file_name("large.jsonl");
    std::fs::write(&file, lines)?;
    let settings = std::fs::read_to_string(desk.team.config())?;
    let source = format!("{settings}\n[[source]]\nname = \"large\"\nkind = \"push\"\npath = \"{}\"\nspace = \"team\"\n", file.display());
    std::fs::write(desk.team.config(), source)?;
    println!("indexing {N_RUNS} runs");
    desk.team.json(&["index", "--json"], &[0, 1])?;
    desk.serve().await?;
    let general = desk.double.id("channels", "general")?;
    let mut times = Vec::new();
    for i in 0..N_TYPED {
        let (subcommand, name, typed) = match i % 4 {
            0 => ("run", "run", format!("sweep-0{:02}", i % 100)),
            1 => ("run", "run", format!("{:04}-lr", i)),
            2 => ("best", "metric", format!("val/metric_{}", i % 30)),
            _ => ("count", "project", "large-1".to_owned()),
        };
        let focused = json!({"name": name, "type": 3, "value": typed, "focused": true});
        let options = json!([{"name": subcommand, "type": 1, "options": [focused]}]);
        let told: Value = desk
            .double
            .ctl(json!({"do": "autocomplete", "user": "ada", "channel": general, "name": "runlore", "options": options}))
            .await?;
        ensure!(told["choices"].as_array().is_some_and(|choices| !choices.is_empty()), "{typed}: {told}");
        times.extend(told["ms"].as_f64());
    }
    println!("first: {:.1} ms, the names being read", times[0]);
    print("names offered", &mut times[1..]);
    Ok(())
}

fn print(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
    println!("{what}: n {}, p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, most {:.1} ms", times.len(), at(0.5), at(0.95), at(0.99), at(1.0));
}
