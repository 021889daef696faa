//! What is deleted, edited or moved away leaves everything that was made of it: shown by searching every file of the data folder for words
//! that stood nowhere else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use regex::bytes::RegexSet;
use runlore_bot::chat::{Event, Question};
use runlore_bot::model::CancellationToken;
use runlore_bot::serve::{Named, Typing};
use runlore_indexer::index::vector::Filter;
use runlore_indexer::space::{Audience, ReadScope, Space};
use runlore_tests::team::Team;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::Row;

use crate::core::platform::asked;
use crate::core::service::Bench;

/// How long it may take until a running service has forgotten.
const WITHIN: Duration = Duration::from_secs(30);

/// What becomes of a record.
const FATES: [&str; 3] = ["deleted", "edited", "moved"];

/// Where a word stands, each a place of its own in what is stored.
const PLACES: [&str; 9] = ["note", "config", "name", "param", "tag", "log", "run-note", "pull", "description"];

/// A word of letters that stands nowhere else, too disorderly to be compressed.
fn word(fate: &str, place: &str) -> String {
    let digest = Sha256::digest(format!("{fate} {place}").as_bytes());
    digest[..14].iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'b' + half)).collect()
}

fn words_of(fate: &str) -> Vec<String> {
    PLACES.iter().map(|place| word(fate, place)).collect()
}

/// Sources of their own, with rules that move something once `not-yet-` is taken out; and a channel for each question, so that none waits
/// for another.
fn settings() -> Result<String> {
    let mut text = String::new();
    for (name, kind, path, rule) in [
        ("more-notes", "notes", "more-notes", "not-yet-moved.md"),
        ("more-configs", "configs", "more-configs", "not-yet-moved.yaml"),
        ("more-runs", "push", "more-runs.jsonl", "not-yet-run-moved"),
        ("more-pulls", "push", "more-pulls.jsonl", "not-yet-#903"),
    ] {
        write!(text, "[[source]]\nname = \"{name}\"\nkind = \"{kind}\"\npath = \"{path}\"\nspace = \"team\"\n")?;
        writeln!(text, "[[source.rule]]\npath = \"{rule}\"\nspace = \"leads\"")?;
    }
    for n in 0..FATES.len() * PLACES.len() {
        writeln!(text, "[channels.c{n}]\nslack = \"C{n}\"\nspaces = [\"team\"]")?;
    }
    text.push_str("[limits]\nper_asker = 1000\nper_channel = 1000\nper_workspace = 1000\n");
    text.push_str("[serve]\nat_once = 2\nwaiting = 1000\nwaiting_per_asker = 1000\n");
    Ok(text)
}

/// Writes the sources; of a fate the words that `of` gives it, and nothing where it gives none.
fn write_sources(team: &Team, of: impl Fn(&str, &str) -> Option<String>) -> Result<()> {
    let (notes, configs) = (team.folder().join("more-notes"), team.folder().join("more-configs"));
    let (mut runs, mut pulls) = (String::new(), String::new());
    for folder in [&notes, &configs] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    // A folder that is all at once empty is not believed.
    fs::write(notes.join("stays.md"), "# Stays\n\nThis note stays.\n")?;
    fs::write(configs.join("stays.yaml"), "stage:\n  name: stays\n")?;
    writeln!(
        runs,
        "{}",
        json!({"v": 1, "type": "run", "id": "run-stays", "project": "forgetting", "name": "stays", "status": "finished"})
    )?;
    for (n, fate) in FATES.iter().enumerate() {
        let Some(at) = PLACES.iter().map(|place| of(fate, place)).collect::<Option<Vec<String>>>() else { continue };
        let [note, config, name, param, tag, log, run_note, pull, description] = at.as_slice() else { continue };
        fs::write(notes.join(format!("{fate}.md")), format!("# Protocol\n\nThe {note} rule holds for every gauge.\n"))?;
        fs::write(configs.join(format!("{fate}.yaml")), format!("stage:\n  name: {config}\n"))?;
        let run = json!({
            "v": 1, "type": "run", "id": format!("run-{fate}"), "project": "forgetting", "name": name, "status": "finished",
            "params": {"kind": param}, "tags": {"label": tag}, "notes": format!("It went {run_note} in the end."),
            "texts": [{"path": "logs/out.log", "text": format!("step 1\nRuntimeError: {log}\n")}], "metrics": {"val/score": [[0, 0.5]]},
        });
        writeln!(runs, "{run}")?;
        let pull = json!({
            "v": 1, "type": "pull", "repository": "harbor/forgetting", "number": 901 + n, "title": format!("Turn {pull} off"),
            "description": format!("Because of {description}."),
        });
        writeln!(pulls, "{pull}")?;
    }
    writeln!(pulls, "{}", json!({"v": 1, "type": "pull", "repository": "harbor/forgetting", "number": 900, "title": "Stays"}))?;
    fs::write(team.folder().join("more-runs.jsonl"), runs)?;
    fs::write(team.folder().join("more-pulls.jsonl"), pulls)?;
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Which of these words stand in the files of a folder: as they are, in capitals, in base64.
fn standing_in(folder: &Path, words: &[String]) -> Result<BTreeSet<(String, PathBuf)>> {
    let set = RegexSet::new(words.iter().map(|word| format!("(?i){word}")))?;
    let mut standing = BTreeSet::new();
    for path in files(folder)? {
        // A file may go while it is looked for.
        let Ok(bytes) = fs::read(&path) else { continue };
        standing.extend(set.matches(&bytes).into_iter().map(|at| (words[at].clone(), path.clone())));
    }
    Ok(standing)
}

fn space(label: &str) -> Result<Space> {
    Space::new(label).map_err(anyhow::Error::msg)
}

/// Of these words those that the keyword index of a space holds in any form, though no search may find them.
fn indexed(bench: &Bench, label: &str, words: &[String]) -> Result<Vec<String>> {
    let held = bench.service.app.corpus.keyword.every_word(&space(label)?)?;
    let is_held = |word: &&String| held.iter().any(|term| term.contains(word.as_str()));
    // What belongs to no segment of the index is read by nobody, and must not lie there.
    let folder = bench.team.data().join("index/keyword").join(label);
    let meta = fs::read_to_string(folder.join("meta.json"))?.replace('-', "");
    for path in files(&folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let segment: String = name.chars().take_while(char::is_ascii_hexdigit).collect();
        ensure!(segment.len() != 32 || meta.contains(&segment), "{} belongs to no segment", path.display());
    }
    Ok(words.iter().filter(is_held).cloned().collect())
}

/// Asks about every word in a channel of its own, and lets the answers be judged.
async fn ask_about_all(bench: &Bench) -> Result<()> {
    let questions = FATES.iter().flat_map(|fate| PLACES.iter().map(move |place| (*place, word(fate, place))));
    for (n, (place, word)) in questions.enumerate() {
        let text = match place {
            "name" => format!("run forgetting/{word}"),
            "param" => format!("count kind={word}"),
            _ => format!("What do we know about {word}?"),
        };
        bench.service.take_in(&asked(&format!("C{n}"), &n.to_string(), "ada", &text)).await?;
    }
    bench.until_ended("answered", (FATES.len() * PLACES.len()) as i64).await
}

/// No answer, no search and no completion has any of these words but by repeating what was asked.
async fn is_unknown(bench: &Bench, audience: &Audience, words: &[String]) -> Result<()> {
    let app = &bench.service.app;
    for word in words {
        let question = Question::new(format!("What do we know about {word}?"), audience.clone());
        let answer = app.answer(&question, &|_| {}, &CancellationToken::new()).await;
        let told = format!("{:?} {:?} {:?}", answer.records, answer.quotes, answer.facts);
        ensure!(!words.iter().any(|word| told.contains(word.as_str())), "{word}: {told}");
        let found = app.search(audience, word, &Filter::default(), 20).await?;
        ensure!(!words.iter().any(|word| format!("{:?}", found.passages).contains(word.as_str())), "{word}: {:?}", found.passages);
        let vocabulary = format!("{:?}", app.vocabulary(audience).await?);
        ensure!(!vocabulary.contains(word.as_str()), "{word} is a name yet");
        let Event::Asked(asked) = asked("C0", "0", "ada", "").event else { anyhow::bail!("a question") };
        let typing =
            Typing { place: &asked.place, person: "ada", circumstances: None, named: Named::Run, typed: &word[..4], project: None };
        ensure!(!bench.service.complete(&typing, 25).await.iter().any(|name| name.contains(word.as_str())), "{word} is offered");
    }
    Ok(())
}

/// Vectors are kept for the texts that there are, and no others.
async fn vectors_are_of_texts(team: &Team) -> Result<()> {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("sqlite://{}", team.data().join("catalog.db").display())).await?;
    let n = |query: &'static str| sqlx::query(query).fetch_one(&pool);
    let n_vectors: i64 = n("SELECT COUNT(*) FROM vectors").await?.try_get(0)?;
    let n_texts: i64 = n("SELECT COUNT(DISTINCT embed) FROM chunks").await?.try_get(0)?;
    ensure!(n_vectors == n_texts, "{n_vectors} vectors are kept for {n_texts} texts");
    Ok(())
}

async fn until_none_stands(folder: &Path, words: &[String]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let standing = standing_in(folder, words)?;
        if standing.is_empty() {
            return Ok(());
        }
        ensure!(begun.elapsed() < WITHIN, "after {WITHIN:?} there still stand {standing:#?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_edited_or_moved_leaves_no_trace() -> Result<()> {
    let team = Team::new(&settings()?)?;
    write_sources(&team, |fate, place| Some(word(fate, place)))?;
    team.json(&["index", "--json"], &[0, 1])?;
    let bench = Bench::over(team, Vec::new()).await?;
    let (data, [deleted, edited, moved]) = (bench.team.data(), FATES.map(words_of));
    let all: Vec<String> = [&deleted, &edited, &moved].into_iter().flatten().cloned().collect();
    let ids = record_ids(&bench, &deleted).await?;
    ask_about_all(&bench).await?;

    // The search finds what is there: in the catalog, in the state, and in the words of the index.
    let standing = standing_in(&data, &all)?;
    for word in &all {
        let is_in_catalog = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("catalog.db"));
        ensure!(standing.iter().any(|(other, path)| other == word && is_in_catalog(path)), "{word} is not in the catalog");
    }
    ensure!(standing.iter().any(|(_, path)| path.starts_with(&data) && path.to_string_lossy().contains("bot.db")), "{standing:#?}");
    ensure!(indexed(&bench, "team", &all)? == all, "{:?}", indexed(&bench, "team", &all)?);

    write_sources(&bench.team, |fate, place| match fate {
        "deleted" => None,
        "edited" => Some(word("anew", place)),
        fate => Some(word(fate, place)),
    })?;
    let settings = fs::read_to_string(bench.team.config())?;
    fs::write(bench.team.config(), settings.replace("not-yet-", ""))?;
    let report = bench.team.json(&["index", "--json"], &[0, 1])?;
    ensure!(!report.to_string().contains("--accept-deletions"), "{report}");

    let gone = [deleted.clone(), edited.clone()].concat();
    until_none_stands(&data, &gone).await?;
    until_none_stands(&data.join("index/vector"), &ids).await?;
    ensure!(indexed(&bench, "team", &all)?.is_empty(), "{:?}", indexed(&bench, "team", &all)?);
    ensure!(indexed(&bench, "leads", &gone)?.is_empty());
    is_unknown(&bench, &Audience::Terminal, &gone).await?;
    vectors_are_of_texts(&bench.team).await?;

    // What moved is in its new space, and nowhere in the old one or in what was answered from it.
    ensure!(indexed(&bench, "leads", &moved)? == moved, "{:?}", indexed(&bench, "leads", &moved)?);
    for place in ["index/keyword/team", "index/vector/team"] {
        until_none_stands(&data.join(place), &moved).await?;
    }
    let left = standing_in(&data, &moved)?;
    ensure!(left.iter().all(|(_, path)| !path.to_string_lossy().contains("bot.db")), "{left:#?}");
    is_unknown(&bench, &Audience::Channel("general".to_owned()), &moved).await?;
    ensure!(bench.team.json(&["verify"], &[0])?["agree"] == true);
    bench.end().await
}

/// The ids under which indexes know the records that bear these words.
async fn record_ids(bench: &Bench, words: &[String]) -> Result<Vec<String>> {
    let catalog = &bench.service.app.corpus.catalog;
    let scope = ReadScope::for_maintenance(catalog.spaces().await?.into_iter().collect());
    let names = ["deleted.md".to_owned(), "deleted.yaml".to_owned(), "#901".to_owned(), format!("forgetting/{}", words[2])];
    let bearers = catalog.bearers(&scope, &names).await?;
    ensure!(bearers.len() == names.len(), "{bearers:?}");
    Ok(bearers.into_iter().map(|(_, record)| record.to_string()).collect())
}

/// Killed before what is gone was cleared away, the next run clears it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_leaves_the_clearing_to_the_next() -> Result<()> {
    let team = Team::new(&settings()?)?;
    write_sources(&team, |fate, place| Some(word(fate, place)))?;
    team.json(&["index", "--json"], &[0, 1])?;
    write_sources(&team, |fate, place| (fate != "deleted").then(|| word(fate, place)))?;
    let killed = team.command(&["index", "--json"]).env("RUNLORE_FAILPOINT", "purge.before").output()?;
    ensure!(killed.status.code().is_none(), "it was not killed: {killed:?}");
    team.json(&["index", "--json"], &[0, 1])?;
    let left = standing_in(&team.data(), &words_of("deleted"))?;
    ensure!(left.is_empty(), "{left:#?}");
    Ok(())
}

/// What is older than the state is to keep goes, whether or not it was judged; its words leave the file.
#[tokio::test]
async fn what_is_old_is_forgotten() -> Result<()> {
    let team = Team::new("[channels.public]\nslack = \"C1\"\nspaces = [\"team\"]\n")?;
    team.json(&["index", "--json"], &[0, 1])?;
    let bench = Bench::over(team, Vec::new()).await?;
    let question = asked("C1", "1", "ada", "best val/map in vessel-detect");
    bench.service.take_in(&question).await?;
    bench.until_ended("answered", 1).await?;
    let store = &bench.service.store;
    store.judge(&question.id(), "ada", runlore_bot::store::Verdict::NotUseful, 5).await?;
    store.add_reason(&question.id(), "ada", "other", "qvzkwjxhpfbtm").await?;
    store.prune(0).await?;
    ensure!(store.kept(&question.id()).await?.is_some() && store.feedback().await?.len() == 1);
    store.prune(i64::MAX).await?;
    ensure!(store.kept(&question.id()).await?.is_none() && store.feedback().await?.is_empty());
    ensure!(store.scrub(i64::MAX).await?, "the file is not cleared");
    let words = ["vessel-detect".to_owned(), "qvzkwjxhpfbtm".to_owned()];
    let left = standing_in(&bench.team.data(), &words)?;
    ensure!(left.iter().all(|(_, path)| !path.to_string_lossy().contains("bot.db")), "{left:#?}");
    let _ = store.kept(&question.id()).await.context("the state serves")?;
    bench.end().await
}
