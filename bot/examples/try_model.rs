//! Tries a prompt on a model in this process: prints the text and how long each run of it took.
//!
//! `cargo run --example try_model -- MODEL FIXED VARYING SHAPE [RUNS]`: MODEL is a GGUF file or its folder, FIXED the file with the
//! fixed part of the prompt, VARYING the text of the question, SHAPE a JSON schema (`.json`) or a Lark grammar (`.lark`).

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use runlore_bot::model::{Device, LocalSettings, ModelSettings, Prompt, Request, Shape, Weights, load};
use tokio_util::sync::CancellationToken;

const MAX_TOKENS: usize = 200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, fixed, varying, shape, rest @ ..] = arguments.as_slice() else {
        bail!("usage: try_model MODEL FIXED VARYING SHAPE [RUNS]");
    };
    let n_runs: usize = rest.first().map_or(Ok(2), |text| text.parse()).context("RUNS is not a number")?;
    let request = Request {
        prompt: Prompt { fixed: read(fixed)?, scope_id: "s1".to_owned(), varying: varying.clone() },
        shape: if shape.ends_with(".lark") { Shape::Lark(read(shape)?) } else { Shape::Json(serde_json::from_str(&read(shape)?)?) },
        max_tokens: MAX_TOKENS,
    };

    let started = Instant::now();
    let settings = LocalSettings { weights: Weights::Path(PathBuf::from(model)), device: Device::Auto };
    let model = load(&ModelSettings::Mistralrs(settings)).await?.context("no model")?;
    println!("loaded {} in {:.2?}", model.name(), started.elapsed());
    let started = Instant::now();
    model.warm(&request.prompt.fixed).await?;
    println!("prefix of {} characters run in {:.2?}", request.prompt.fixed.len(), started.elapsed());

    for _ in 0..n_runs {
        let started = Instant::now();
        let pieces: Mutex<Vec<Duration>> = Mutex::default();
        let on_text = |_: &str| {
            if let Ok(mut pieces) = pieces.lock() {
                pieces.push(started.elapsed());
            }
        };
        let result = model.generate(&request, &on_text, &CancellationToken::new()).await;
        let whole = started.elapsed();
        let pieces = pieces.into_inner().unwrap_or_default();
        let first = pieces.first().copied().unwrap_or(whole);
        let rate = pieces.len().saturating_sub(1) as f64 / (whole - first).as_secs_f64();
        println!("{:?}\n  first token {first:.2?}, whole {whole:.2?}, {} tokens, {rate:.1} a second, {}", result, pieces.len(), memory());
    }
    Ok(())
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))
}

/// What the process holds, where the system says so.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("memory unknown").split_whitespace().collect::<Vec<_>>().join(" ")
}
