//! What an answer rests on moves away or goes: drafts are taken back, nothing more is shown behind it, and its thread forgets it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::{Button, Event, Incoming, Press};
use runlore_bot::model::scripted::Turn;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::space::Audience;
use runlore_tests::team::Team;
use serde_json::json;

use super::platform::asked;
use super::service::{Bench, CHANNELS, QUESTION};

/// How long it may take until what changed is seen everywhere.
const WITHIN: Duration = Duration::from_secs(5);

/// Puts the project of the questions into a space that the channel may not read, as `runlore index` of another process does.
fn move_away(bench: &Bench) -> Result<()> {
    let settings = std::fs::read_to_string(bench.team.config())?;
    ensure!(settings.contains("\"sonar-*\""), "{settings}");
    std::fs::write(bench.team.config(), settings.replace("\"sonar-*\"", "\"{sonar-*,vessel-detect}\""))?;
    bench.team.json(&["index", "--json"], &[0, 1])?;
    Ok(())
}

async fn until(what: &str, look: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !look().await? {
        ensure!(begun.elapsed() < WITHIN, "not within {WITHIN:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_record_moves_away_is_taken_back_while_the_model_thinks() -> Result<()> {
    let bench = Bench::open("[serve]\ndeadline_s = 25\n", vec![Turn::Hangs]).await?;
    bench.ask("1", "ada", QUESTION).await?;
    bench.until_standing(1).await?;
    ensure!(bench.headlines()[0].contains("val/map"), "{:?}", bench.headlines());
    move_away(&bench)?;
    until("the draft is taken back", async || anyhow::Ok(bench.headlines()[0].contains("changed while I answered"))).await?;
    let open = bench.service.store.question_counts().await?;
    ensure!(open.iter().any(|(state, n)| state == "open" && *n == 1), "the model had answered already: {open:?}");
    bench.until_ended("answered", 1).await?;
    ensure!(bench.headlines().len() == 1 && bench.headlines()[0].contains("changed while I answered"), "{:?}", bench.headlines());
    ensure!(bench.service.store.made().await?.is_empty(), "the answer is kept");
    bench.end().await
}

/// Presses `Details` under the answer to a question; the lines that are shown.
async fn details(bench: &Bench, question: &str, nth: usize) -> Result<Vec<String>> {
    let Event::Asked(asked) = asked("C1", "1", "ada", "").event else { anyhow::bail!("a question") };
    let press = Press {
        place: asked.place,
        person: "ada".to_owned(),
        button: Button::Details,
        question: question.to_owned(),
        trigger: String::new(),
        private_to: None,
    };
    bench.service.take_in(&Incoming { key: format!("press {nth}"), event: Event::Pressed(press) }).await?;
    until("the press is answered", async || anyhow::Ok(bench.platform.whispered().len() >= nth)).await?;
    Ok(bench.platform.last_whispered().context("nothing was said")?.lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_an_answer_and_what_its_thread_is_about_goes_with_the_record() -> Result<()> {
    let bench = Bench::open("", Vec::new()).await?;
    let question = asked("C1", "1", "ada", "best val/map in vessel-detect");
    bench.service.take_in(&question).await?;
    bench.until_ended("answered", 1).await?;
    ensure!(details(&bench, &question.id(), 1).await?.iter().any(|line| line.contains("vessel-detect")));
    ensure!(bench.service.store.subjects().await?.len() == 1);

    move_away(&bench)?;
    ensure!(details(&bench, &question.id(), 2).await?.is_empty(), "what moved away is shown behind an old answer");
    until("the answer is forgotten", async || anyhow::Ok(bench.service.store.made().await?.is_empty())).await?;
    ensure!(bench.service.store.kept(&question.id()).await?.is_none());

    // In its thread a follow-up reads like one in a thread of its own.
    let follow_up = "and what is its final val/map?";
    let mut below = asked("C1", "2", "ada", follow_up);
    if let Event::Asked(asked) = &mut below.event {
        asked.place.thread = Some("1".to_owned());
    }
    bench.service.take_in(&below).await?;
    bench.until_ended("answered", 2).await?;
    bench.ask("3", "ada", follow_up).await?;
    bench.until_ended("answered", 3).await?;
    let headlines = bench.headlines();
    ensure!(headlines.len() == 3 && headlines[1] == headlines[2] && !headlines[1].contains("vessel"), "{headlines:?}");
    bench.end().await
}

/// Logs runs of these names into a source beside the others, and indexes.
fn log_runs(team: &Team, names: &[&str]) -> Result<()> {
    let line =
        |name: &&str| format!("{}\n", json!({"v": 1, "type": "run", "id": name, "project": "more", "name": name, "status": "finished"}));
    std::fs::write(team.folder().join("more.jsonl"), names.iter().map(line).collect::<String>())?;
    team.json(&["index", "--json"], &[0, 1])?;
    Ok(())
}

/// Who types does not wait for names to be read again, and is offered none that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_before_are_offered_while_nothing_of_them_is_gone() -> Result<()> {
    let source = "[[source]]\nname = \"more\"\nkind = \"push\"\npath = \"more.jsonl\"\nspace = \"team\"\n";
    let team = Team::new(&format!("{source}{CHANNELS}"))?;
    log_runs(&team, &["first"])?;
    let bench = Bench::over(team, Vec::new()).await?;
    let names = async || bench.service.app.names_on_offer(&Audience::Channel("public".to_owned())).await;
    let has = |names: &Vocabulary, run: &str| names.runs.iter().any(|entry| entry.name == run);
    let before = names().await?;
    ensure!(has(&before, "first") && Arc::ptr_eq(&before, &names().await?));

    log_runs(&bench.team, &["first", "second"])?;
    ensure!(Arc::ptr_eq(&before, &names().await?), "who types waited");
    until("the new name is offered", async || anyhow::Ok(has(&*names().await?, "second"))).await?;

    let has_project = |names: &Vocabulary| names.projects.iter().any(|project| project.name == "vessel-detect");
    ensure!(has_project(&*names().await?));
    move_away(&bench)?;
    ensure!(!has_project(&*names().await?), "what moved away is offered");
    bench.end().await
}
