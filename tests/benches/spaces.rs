//! How long searches and answers take over the same records in one space, in twenty and in two hundred.
//!
//! `cargo bench --workspace --profile dev --bench spaces [-- 1 20 200]`: in this process, with the hashed embedder and without a model. Every
//! question is put to each world in turn, so that whatever else the machine does falls on all alike; and must be answered alike by all.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use runlore_bot::app::{App, ModelUse};
use runlore_bot::chat::Question;
use runlore_bot::model::CancellationToken;
use runlore_indexer::config::Settings;
use runlore_indexer::index::vector::Filter;
use runlore_indexer::pipeline::{self, Order};
use runlore_indexer::space::Audience;
use serde_json::json;
use tempfile::TempDir;

const N_NOTES: usize = 5_000;
const N_RUNS: usize = 2_000;

/// Records come in so many equal parts, which the settings deal out to the spaces.
const N_PARTS: usize = 200;

const N_PROJECTS: usize = 10;
const N_WORDS: usize = 4_000;

/// How often each thing is asked, and before that without being measured.
const N_ASKED: usize = 200;
const N_WARM_UP: usize = 20;

/// The same records in so many spaces.
struct World {
    n_spaces: usize,
    app: App,
    _folder: TempDir,
}

fn main() -> Result<()> {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![1, 20, 200] } else { counts };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut worlds = Vec::new();
        for n_spaces in counts {
            worlds.push(build(n_spaces).await?);
        }
        measure(&worlds).await
    })
}

/// Writes the sources, indexes them, and opens what answers.
async fn build(n_spaces: usize) -> Result<World> {
    let folder = tempfile::tempdir()?;
    let (notes, runs) = sources()?;
    std::fs::write(folder.path().join("notes.jsonl"), notes)?;
    std::fs::write(folder.path().join("runs.jsonl"), runs)?;
    let file = folder.path().join("runlore.toml");
    std::fs::write(&file, settings_text(n_spaces)?)?;
    let settings = Settings::read(&file)?;
    let started = Instant::now();
    let corpus = pipeline::open(&settings).await?;
    let report = pipeline::index(&settings, &corpus, &Order::default(), &|_| {}).await?;
    ensure!(report.sources.iter().all(|source| source.complaints.is_empty() && source.failure.is_none()), "{:?}", report.sources);
    ensure!(report.vectors_failure.is_none(), "{:?}", report.vectors_failure);
    println!("{n_spaces} spaces indexed in {:.1} s", started.elapsed().as_secs_f64());
    Ok(World { n_spaces, app: App::open(settings, ModelUse::None).await?, _folder: folder })
}

fn settings_text(n_spaces: usize) -> Result<String> {
    let mut text = "[data]\npath = \"data\"\n[embed]\nkind = \"hashed\"\n[model]\nkind = \"none\"\n".to_owned();
    for name in ["notes", "runs"] {
        write!(text, "[[source]]\nname = \"{name}\"\nkind = \"push\"\npath = \"{name}.jsonl\"\nspace = \"s0\"\n")?;
        for part in (0..N_PARTS).filter(|part| !part.is_multiple_of(n_spaces)) {
            writeln!(text, "[[source.rule]]\npath = \"p{part:03}/**\"\nspace = \"s{}\"", part % n_spaces)?;
        }
    }
    writeln!(text, "[channels.one]\nspaces = [\"s0\"]")?;
    Ok(text)
}

/// The same lines in every world.
fn sources() -> Result<(String, String)> {
    let mut generator = Generator(0x5EED);
    let (mut notes, mut runs) = (String::new(), String::new());
    for n in 0..N_NOTES {
        let text = format!("# {}\n\n{}\n", generator.text(4), generator.text(60));
        let id = format!("p{:03}/note-{n:05}.md", n % N_PARTS);
        writeln!(notes, "{}", json!({"v": 1, "type": "note", "id": id, "title": generator.text(4), "text": text}))?;
    }
    for n in 0..N_RUNS {
        let id = format!("p{:03}/run-{n:05}", n % N_PARTS);
        let losses: Vec<(usize, f64)> = (0..5).map(|step| (step * 100, generator.share())).collect();
        let run = json!({
            "v": 1, "type": "run", "id": id, "project": format!("project-{}", n / N_PARTS % N_PROJECTS), "name": format!("run-{n:05}"),
            "status": if n.is_multiple_of(9) { "failed" } else { "finished" }, "started": 1_780_000_000_000_u64 + n as u64 * 60_000,
            "params": {"lr": format!("{:.5}", generator.share() / 100.0), "batch_size": 1 << (n % 6)}, "metrics": {"val/loss": losses},
        });
        writeln!(runs, "{run}")?;
    }
    Ok((notes, runs))
}

/// Seeded: every run makes the same texts.
struct Generator(u64);

impl Generator {
    /// SplitMix64 (Steele, Lea, Flood 2014), as a share of 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Words by Zipf's law.
    fn text(&mut self, n_words: usize) -> String {
        let words: Vec<String> = (0..n_words).map(|_| letters((N_WORDS as f64).powf(self.share()) as usize)).collect();
        words.join(" ")
    }
}

fn letters(mut number: usize) -> String {
    let mut text = "w".to_owned();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}

/// What is asked, of whom.
enum Asked {
    Search(Audience),
    Answer(Audience, fn(usize, &str) -> String),
}

async fn measure(worlds: &[World]) -> Result<()> {
    let one = || Audience::Channel("one".to_owned());
    let best = |n: usize, _: &str| format!("best val/loss in project-{}", n % N_PROJECTS);
    let count = |n: usize, _: &str| format!("count in project-{}", n % N_PROJECTS);
    let search = |_: usize, words: &str| format!("search {words}");
    let asked = [
        ("search, all in scope", Asked::Search(Audience::Terminal)),
        ("search, one in scope", Asked::Search(one())),
        ("answer: best, all in scope", Asked::Answer(Audience::Terminal, best)),
        ("answer: best, one in scope", Asked::Answer(one(), best)),
        ("answer: count, all in scope", Asked::Answer(Audience::Terminal, count)),
        ("answer: search, all in scope", Asked::Answer(Audience::Terminal, search)),
        ("answer: search, one in scope", Asked::Answer(one(), search)),
    ];
    println!("{} notes and {} runs; p50 and p95 of {N_ASKED} in ms, and as a multiple of the first world's", N_NOTES, N_RUNS);
    for (name, asked) in &asked {
        let mut times = vec![Vec::new(); worlds.len()];
        let mut generator = Generator(7);
        for n in 0..N_WARM_UP + N_ASKED {
            let words = generator.text(3 + n % 5);
            let mut first = None;
            for turn in 0..worlds.len() {
                // Nobody is always the one that follows a pause.
                let at = (turn + n) % worlds.len();
                let (time, said) = ask(&worlds[at], asked, n, &words).await?;
                if n >= N_WARM_UP {
                    times[at].push(time);
                }
                let is_of_all = matches!(asked, Asked::Search(Audience::Terminal) | Asked::Answer(Audience::Terminal, _));
                let same = first.get_or_insert_with(|| said.clone());
                ensure!(!is_of_all || *same == said, "{name}, {words}: {same} and {said}");
            }
        }
        print(name, worlds, &mut times)?;
    }
    Ok(())
}

/// Asks once; how long it took, and what came out.
async fn ask(world: &World, asked: &Asked, n: usize, words: &str) -> Result<(Duration, String)> {
    let started = Instant::now();
    match asked {
        Asked::Search(audience) => {
            let found = world.app.search(audience, words, &Filter::default(), 10).await?;
            let time = started.elapsed();
            ensure!(found.notice.is_none(), "{:?}", found.notice);
            let hits = found.passages.iter().map(|passage| format!("{} {:x}", passage.key(), passage.score().to_bits()));
            Ok((time, hits.collect::<Vec<_>>().join(", ")))
        }
        Asked::Answer(audience, question) => {
            let question = Question::new(question(n, words), audience.clone());
            let answer = world.app.answer(&question, &|_| {}, &CancellationToken::new()).await;
            let time = started.elapsed();
            ensure!(answer.reference.is_none(), "{}", answer.answer);
            // Runs are numbered in their space, so that a count names others as examples.
            Ok((time, format!("{} {:?} {:?}", answer.reply.headline, answer.reply.lines, answer.reply.quotes)))
        }
    }
}

fn print(name: &str, worlds: &[World], times: &mut [Vec<Duration>]) -> Result<()> {
    let mut line = format!("{name:<30}");
    let mut first = None;
    for (world, times) in worlds.iter().zip(times) {
        times.sort();
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).map(|time| time.as_secs_f64() * 1_000.0);
        let (p50, p95) = (at(0.5).context("nothing was measured")?, at(0.95).context("nothing was measured")?);
        let (first_p50, first_p95) = *first.get_or_insert((p50, p95));
        write!(line, " | {:>3}: {p50:6.2} {p95:6.2} (x{:.2} x{:.2})", world.n_spaces, p50 / first_p50, p95 / first_p95)?;
    }
    println!("{line}");
    Ok(())
}
