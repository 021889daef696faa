//! Records that came and went, or moved to where they may not be read, leave no trace in what the others are to a reader: not in a score, an
//! order, a count, a number or a name.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use runlore_bot::app::{App, ModelUse};
use runlore_bot::chat::Question;
use runlore_bot::model::CancellationToken;
use runlore_indexer::config::Settings;
use runlore_indexer::index::vector::Filter;
use runlore_indexer::pipeline::{self, Deletions, Order};
use runlore_indexer::space::Audience;
use serde_json::json;

/// A note of words, or a run with a loss.
#[derive(Debug, Clone)]
enum Told {
    Note(Vec<&'static str>),
    Run(u32, &'static str),
}

/// What becomes of those that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Deleted,
    Moved,
}

const WORDS: [&str; 12] =
    ["loss", "spike", "warmup", "optimizer.lr", "NCCL", "timeout", "accuracy", "tr11-176B", "diverged", "schedule", "seed", "batch"];

const SEARCHES: [&str; 4] = ["loss spike", "NCCL timeout of the schedule", "optimizer.lr diverged", "accuracy tr11-176B \"loss spike\""];

const COMMANDS: [&str; 7] =
    ["best val/loss in one", "mean val/loss in one", "count", "count in one", "runs in one limit 3", "search loss spike", "run #1 in one"];

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        2 => proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 1..40).prop_map(Told::Note),
        1 => (0..50_u32, proptest::sample::select(WORDS.to_vec())).prop_map(|(loss, word)| Told::Run(loss, word)),
    ]
}

fn lines(beginning: &str, told: &[Told]) -> Result<String> {
    let mut lines = String::new();
    for (n, told) in told.iter().enumerate() {
        let id = format!("{beginning}-{n:02}");
        let line = match told {
            Told::Note(words) => json!({"v": 1, "type": "note", "id": format!("{id}.md"), "title": words[0], "text": words.join(" ")}),
            Told::Run(loss, word) => json!({
                "v": 1, "type": "run", "id": id, "project": "one", "name": format!("{word}-{id}"), "status": "finished",
                "started": 1_780_000_000_000_u64 + n as u64 * 1_000, "params": {"kind": word}, "metrics": {"val/loss": [[0, f64::from(*loss) / 7.0]]},
            }),
        };
        writeln!(lines, "{line}")?;
    }
    Ok(lines)
}

/// Writes settings that put those that came into this space, and reads them.
fn settings(folder: &Path, space: &str) -> Result<Settings> {
    let text = format!(
        "[data]\npath = \"data\"\n[embed]\nkind = \"hashed\"\n[model]\nkind = \"none\"\n[[source]]\nname = \"all\"\nkind = \"push\"\n\
         path = \"all.jsonl\"\nspace = \"team\"\n[[source.rule]]\npath = \"came-*\"\nspace = \"{space}\"\n[[source.rule]]\n\
         path = \"none\"\nspace = \"other\"\n[channels.team]\nspaces = [\"team\"]\n"
    );
    let file = folder.join("runlore.toml");
    std::fs::write(&file, text)?;
    Ok(Settings::read(&file)?)
}

/// Indexes these lines, and gives all that a reader of the space sees of them.
async fn seen(folder: &Path, lines: &str, space: &str) -> Result<Vec<String>> {
    std::fs::write(folder.join("all.jsonl"), lines)?;
    let settings = settings(folder, space)?;
    let corpus = pipeline::open(&settings).await?;
    let order = Order { deletions: Deletions::Accept, only: None };
    let report = pipeline::index(&settings, &corpus, &order, &|_| {}).await?;
    anyhow::ensure!(report.vectors_failure.is_none() && report.sources[0].complaints.is_empty(), "{report:?}");
    let app = App::open(settings, ModelUse::None).await?;
    let team = || Audience::Channel("team".to_owned());
    let mut seen = vec![format!("{:?}", app.vocabulary(&team()).await?)];
    for words in SEARCHES {
        let found = app.search(&team(), words, &Filter::default(), 10).await?;
        let hits = found.passages.iter().map(|passage| format!("{} {:x}", passage.key(), passage.score().to_bits()));
        seen.push(format!("{words}: {:?} {:?}", found.best_cosine.map(f64::to_bits), hits.collect::<Vec<_>>()));
    }
    for command in COMMANDS {
        let answer = app.answer(&Question::new(command, team()), &|_| {}, &CancellationToken::new()).await;
        seen.push(format!("{command}: {} {:?}", answer.answer, answer.facts));
    }
    Ok(seen)
}

async fn come_and_go(stay: &[Told], come: &[Told], fate: Fate) -> Result<(Vec<String>, Vec<String>)> {
    let folder = tempfile::tempdir()?;
    let (staying, coming) = (lines("stays", stay)?, lines("came", come)?);
    let before = seen(folder.path(), &staying, "team").await.context("before")?;
    seen(folder.path(), &format!("{staying}{coming}"), "team").await.context("while they are there")?;
    let after = match fate {
        Fate::Deleted => seen(folder.path(), &staying, "team").await,
        Fate::Moved => seen(folder.path(), &format!("{staying}{coming}"), "other").await,
    };
    Ok((before, after.context("after")?))
}

#[test]
fn what_came_and_went_leaves_no_trace_in_the_others() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut runner = TestRunner::new(ProptestConfig { cases: 10, max_shrink_iters: 20, ..ProptestConfig::default() });
    let stay = proptest::collection::vec(told(), 6..20);
    let come = proptest::collection::vec(told(), 1..8);
    let fate = prop_oneof![Just(Fate::Deleted), Just(Fate::Moved)];
    runner.run(&(stay, come, fate), |(stay, come, fate)| {
        let (before, after) =
            runtime.block_on(come_and_go(&stay, &come, fate)).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert_eq!(before, after);
        Ok(())
    })?;
    Ok(())
}

/// Whether they are there, from the beginning, or not at all: who may not read them sees the same.
#[test]
fn what_may_not_be_read_leaves_no_trace_in_the_others() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut runner = TestRunner::new(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() });
    let worlds = (proptest::collection::vec(told(), 6..20), proptest::collection::vec(told(), 1..8));
    runner.run(&worlds, |(seen_ones, hidden)| {
        let both = async {
            let (without, with) = (tempfile::tempdir()?, tempfile::tempdir()?);
            let (seen_lines, hidden_lines) = (lines("stays", &seen_ones)?, lines("came", &hidden)?);
            let without = seen(without.path(), &seen_lines, "other").await?;
            anyhow::Ok((without, seen(with.path(), &format!("{hidden_lines}{seen_lines}"), "other").await?))
        };
        let (without, with) = runtime.block_on(both).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert_eq!(without, with);
        Ok(())
    })?;
    Ok(())
}
