//! Briefs of many made-up catalogs: every number resolves, and what is counted is what was written.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use runlore_bot::app::{App, ModelUse};
use runlore_bot::brief::{self, Brief, Period};
use runlore_bot::facts::{Fact, Value as Shown};
use runlore_bot::model::{CancellationToken, LanguageModel};
use runlore_indexer::config::Settings;
use runlore_indexer::pipeline::{self, Deletions, Order};
use runlore_indexer::space::Audience;
use runlore_tests::dice::Dice;
use serde_json::{Value, json};

use super::Lab;

/// Briefs in CI, and of one catalog; `RUNLORE_BRIEFS` says another number (500 in the longer form).
const BRIEFS: usize = 40;
const WEEKS: [&str; 4] = ["2025-W10", "2025-W11", "2025-W12", "2025-W13"];

const SOURCES: &str = "[[source]]\nname = \"told\"\nkind = \"push\"\npath = \"told.jsonl\"\nspace = \"team\"\n";
/// Monday 3 March 2025, and how long the catalogs go on.
const BEGIN_MS: i64 = 1_740_960_000_000;
const HOUR_MS: i64 = 3_600_000;
const N_HOURS: usize = 26 * 24;

/// Names that look like numbers, and numbers that look like names.
const PROJECTS: [&str; 4] = ["glucose", "tide 2", "3d-boats", "v1.5"];
const STEMS: [&str; 6] = ["gru-wide", "lr1e-3", "2e-5", "run 7", "[1] seed", "1.2.3"];
const METRICS: [&str; 3] = ["val/acc", "val/top5", "loss@10"];
const ERRORS: [&str; 3] = ["CUDA out of memory. Tried to allocate 2.00 GiB", "ValueError: shape [3, 4] at 0x7f", "step 3"];
const SAID: [&str; 5] = ["keep 3 seeds", "lr 2e-5 from now on, not 1.2e-5", "see [2] and #12", "at 10:30, 4.5 %", "1-2-3 go"];

fn clock() -> Timestamp {
    Timestamp::constant(BEGIN_MS / 1_000 + 35 * 24 * 3_600, 0)
}

fn moment(dice: &mut Dice) -> i64 {
    BEGIN_MS + dice.below(N_HOURS) as i64 * HOUR_MS + dice.below(3_600) as i64 * 1_000
}

fn run(dice: &mut Dice, i: usize) -> Value {
    let (project, began) = (*dice.pick(&PROJECTS), moment(dice));
    let status = *dice.pick(&["finished", "finished", "finished", "failed", "crashed", "killed", "running"]);
    let mut metrics = json!({});
    for metric in METRICS {
        if dice.is_in(70) {
            let points: Vec<Value> = (0..4).map(|step| json!([step * 10, dice.share() * 1e-4, began + step * 1_000])).collect();
            metrics[metric] = points.into();
        }
    }
    let mut run = json!({
        "type": "run", "id": format!("r{i}"), "project": project, "name": format!("{}-{i}", dice.pick(&STEMS)), "status": status,
        "started": began, "params": {"lr": *dice.pick(&["2e-5", "0.10", "[1, 2]"]), "seed": dice.below(4), "gpus": 1 + dice.below(8)},
        "metrics": metrics, "texts": [{"path": "out.log", "text": *dice.pick(&ERRORS)}],
    });
    if status != "running" {
        run["ended"] = (began + (1 + dice.below(90) as i64) * HOUR_MS).into();
    }
    if dice.is_in(50) {
        run["notes"] = "why".into();
    }
    run
}

fn note(dice: &mut Dice, i: usize) -> Value {
    let (decided, open) = (*dice.pick(&SAID), *dice.pick(&SAID));
    let text = format!("# Week {i}\n\n## Decisions\n- {decided} ({i})\n\n## Open items\n- {open} ({i})\n- [x] done {i}\n");
    json!({"type": "note", "id": format!("2025/{i}.md"), "title": format!("Week {i}"), "created": moment(dice), "text": text})
}

fn pull(dice: &mut Dice, i: usize) -> Value {
    let files: Vec<Value> = (0..dice.below(9)).map(|n| json!({"path": format!("src{n}/a.py"), "added": n})).collect();
    json!({
        "type": "pull", "repository": "boats", "number": i + 1, "title": *dice.pick(&SAID), "author": "mira 2",
        "merged": moment(dice), "files": files,
    })
}

/// Indexes what chance writes, and opens it.
async fn opened(dice: &mut Dice) -> Result<(Lab, Vec<Value>, App)> {
    let lab = Lab::new(SOURCES)?;
    let mut told: Vec<Value> = (0..dice.below(60)).map(|i| run(dice, i)).collect();
    told.extend((0..dice.below(8)).map(|i| note(dice, i)));
    told.extend((0..dice.below(12)).map(|i| pull(dice, i)));
    let lines: Vec<String> = told.iter().map(ToString::to_string).collect();
    std::fs::write(lab.path().join("told.jsonl"), lines.join("\n") + "\n")?;
    let settings = Settings::read(&lab.path().join("runlore.toml"))?;
    let corpus = pipeline::open(&settings).await?;
    let order = Order { deletions: Deletions::Accept, ..Order::default() };
    let report = pipeline::index(&settings, &corpus, &order, &|_| {}).await?;
    let complaints: Vec<_> = report.sources.iter().flat_map(|source| &source.complaints).collect();
    ensure!(complaints.is_empty(), "{complaints:?}");
    drop(corpus);
    let none: Option<Arc<dyn LanguageModel>> = None;
    Ok((lab, told, App::open(settings, ModelUse::None).await?.with(none, clock)))
}

/// Whether a number of the text is a fact's, or stands in a name: written apart from the program's own check.
fn resolves(number: &str, facts: &[Fact]) -> bool {
    let plain = number.trim_start_matches('-');
    let names = |fact: &Fact| fact.name.contains(plain) || fact.label.as_deref().is_some_and(|label| label.contains(plain));
    let value = |fact: &Fact| match (&fact.value, number.parse::<f64>()) {
        (Some(Shown::Number(value)), Ok(shown)) => (value.abs() - shown.abs()).abs() <= 1e-5 * value.abs(),
        _ => false,
    };
    facts.iter().any(|fact| names(fact) || value(fact))
}

fn check_numbers(brief: &Brief) -> Result<usize> {
    let (numbers, marks) = (Regex::new(r"-?\d+(?:[.,]\d+)*(?:e-?\d+)?")?, Regex::new(r"(?m)^Sources: .*$")?);
    let text = brief.text();
    // Sources are numbered and named by their keys, which the facts name too as far as they fit.
    let text = marks.replace_all(&text, "");
    let strange: Vec<&str> = numbers.find_iter(&text).map(|found| found.as_str()).filter(|found| !resolves(found, &brief.facts)).collect();
    ensure!(strange.is_empty(), "{strange:?} come from nowhere in\n{text}");
    Ok(numbers.find_iter(&text).count())
}

/// What the lines say, counted again.
fn check_counts(brief: &Brief, told: &[Value], period: &Period) -> Result<()> {
    let is_in = |line: &Value, key: &str| line[key].as_i64().is_some_and(|at| (period.start_ms..period.end_ms).contains(&at));
    let n = |kind: &str, key: &str, status: &str| {
        let fits = |line: &&Value| line["type"] == kind && is_in(line, key) && (status.is_empty() || line["status"] == status);
        told.iter().filter(fits).count()
    };
    let shown = |what: &str| {
        let fact = brief.facts.iter().find(|fact| fact.name == what && fact.label.is_none());
        fact.map_or(0.0, |fact| if let Some(Shown::Number(n)) = fact.value { n } else { -1.0 })
    };
    for (what, expected) in [
        ("runs", n("run", "started", "")),
        ("runs finished", n("run", "ended", "finished")),
        ("runs failed", n("run", "ended", "failed")),
        ("merged pulls", n("pull", "merged", "")),
        ("decisions", n("note", "created", "")),
        ("open items", n("note", "created", "")),
    ] {
        ensure!(brief.is_empty || shown(what) == expected as f64, "{}: {expected} {what}, and not {}", period.key(), brief.reply.headline);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_number_of_generated_briefs_resolves() -> Result<()> {
    let n_briefs = std::env::var("RUNLORE_BRIEFS").ok().and_then(|n| n.parse().ok()).unwrap_or(BRIEFS);
    let (mut n_done, mut n_numbers, mut seed) = (0, 0, 0);
    while n_done < n_briefs {
        let mut dice = Dice::new(seed);
        seed += 1;
        let (_lab, told, app) = opened(&mut dice).await?;
        for week in WEEKS {
            let period = Period::parse(week, &clock().to_zoned(TimeZone::UTC)).context("no week")?;
            let brief = brief::make(&app, &Audience::Terminal, &period, &CancellationToken::new()).await;
            let brief = brief.with_context(|| format!("{week} of seed {seed}"))?;
            n_numbers += check_numbers(&brief).with_context(|| format!("{week} of seed {seed}"))?;
            check_counts(&brief, &told, &period).with_context(|| format!("seed {seed}"))?;
            n_done += 1;
        }
    }
    println!("{n_done} briefs, {n_numbers} numbers: each resolves");
    ensure!(n_numbers > n_done * 10, "only {n_numbers} numbers in {n_done} briefs");
    Ok(())
}
