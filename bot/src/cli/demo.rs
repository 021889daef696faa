//! `runlore demo`: a made-up team, which this binary holds, indexed and asked three questions.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use include_dir::{Dir, DirEntry, include_dir};
use runlore_indexer::config::{Settings, cache_folder};
use runlore_indexer::pipeline::Order;
use runlore_indexer::space::Audience;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::models::{DEFAULT_SETS, FileState, sets, state};
use super::{Asking, Exit, Form, Options, index, models, open_corpus, out};
use crate::chat::{Answer, Question};
use crate::surface::Surface;
use crate::terminal::Terminal;

static TEAM: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures");

/// What the demo makes itself, or what only the makers of the team need.
const NOT_UNPACKED: [&str; 4] = ["data", "generate.py", "texts.py", "__pycache__"];

/// The digest of the team that was unpacked last.
const SEAL: &str = ".unpacked";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Facts and passages alone, without the model
    #[arg(long)]
    no_model: bool,
}

#[derive(Serialize)]
struct DemoJson {
    settings: String,
    answers: Vec<Answer>,
}

/// Shows the whole of it.
pub(super) async fn demo(args: &DemoArgs, options: &Options) -> anyhow::Result<Exit> {
    let folder = cache_folder().join("demo");
    unpack(&folder)?;
    let settings = Settings::read(&folder.join("runlore.toml"))?;
    let no_model = args.no_model || !fetch_models(options.form).await?;
    let corpus = open_corpus(&settings).await?;
    let report = index::read_sources(&settings, &corpus, &Order::default()).await?;
    if options.form == Form::Text {
        index::print(&report, options.form)?;
    }
    drop(corpus);
    let file = settings.file.display().to_string();
    let asking = Asking { as_channel: None, no_model };
    let terminal = asking.open(settings).await?;
    let mut answers = Vec::new();
    for text in questions() {
        let question = Question::new(text, Audience::Terminal);
        answers.push(show(&terminal, question, options).await?);
    }
    let failed = answers.iter().any(|answer| answer.reference.is_some());
    match options.form {
        Form::Json => out::json(&DemoJson { settings: file, answers })?,
        Form::Text => out::line(&format!("\nAsk on: runlore --config {file} chat"))?,
    }
    // The made-up team has its broken file too; that is no failure of the demo.
    Ok(if failed || report.is_failure() { Exit::Failure } else { Exit::Fine })
}

async fn show(terminal: &Terminal, question: Question, options: &Options) -> anyhow::Result<Answer> {
    let cancel = CancellationToken::new();
    if options.form == Form::Json {
        return terminal.answer(Surface::Ask, &question, &cancel).await;
    }
    out::line(&format!("\n> {}", question.text))?;
    if io::stdout().is_terminal() {
        return terminal.show(&question, options.color, &cancel).await;
    }
    let answer = terminal.answer(Surface::Ask, &question, &cancel).await?;
    out::line(&answer.answer)?;
    Ok(answer)
}

fn questions() -> Vec<String> {
    let text = TEAM.get_file("questions.txt").and_then(|file| file.contents_utf8()).unwrap_or_default();
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// Fetches what is missing; `false` where the chat model could not be had.
async fn fetch_models(form: Form) -> anyhow::Result<bool> {
    let folder = cache_folder().join("models");
    let sets: Vec<_> = sets()?.into_iter().filter(|set| DEFAULT_SETS.contains(&set.name.as_str())).collect();
    let lacks = |set: &models::Set| set.files.iter().any(|pin| state(&folder.join(&set.name).join(&pin.name), pin) != FileState::Whole);
    let missing: Vec<&models::Set> = sets.iter().filter(|set| lacks(set)).collect();
    if missing.is_empty() {
        return Ok(true);
    }
    let bytes: u64 = missing.iter().flat_map(|set| &set.files).map(|pin| pin.bytes).sum();
    eprintln!("fetching {} MB of models into `{}`, once", bytes / 1_000_000, folder.display());
    let mut arguments = vec!["--into".to_owned(), folder.display().to_string()];
    arguments.extend(missing.iter().map(|set| set.name.clone()));
    match models::fetch(&arguments, form).await {
        Ok(Exit::Fine) => {}
        Ok(_) => eprintln!("note: not every model could be fetched; going on with what is there"),
        Err(e) => eprintln!("note: {e:#}; going on with what is there"),
    }
    Ok(sets.iter().filter(|set| set.name.starts_with("chat")).all(|set| !lacks(set)))
}

/// Writes the team to a folder, unless the same one lies there.
fn unpack(folder: &Path) -> anyhow::Result<()> {
    let files = files(&TEAM);
    let mut digest = Sha256::new();
    for (path, contents) in &files {
        digest.update(path.as_os_str().as_encoded_bytes());
        digest.update(contents);
    }
    let seal: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if std::fs::read_to_string(folder.join(SEAL)).is_ok_and(|found| found == seal) {
        return Ok(());
    }
    // An earlier version's files would be indexed with this one's; the index itself stays and is brought up to date.
    for entry in TEAM.entries().iter().filter(|entry| is_wanted(entry.path())) {
        match entry {
            DirEntry::Dir(_) => drop(std::fs::remove_dir_all(folder.join(entry.path()))),
            DirEntry::File(_) => drop(std::fs::remove_file(folder.join(entry.path()))),
        }
    }
    for (path, contents) in files {
        let target = folder.join(path);
        let written = target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&target, contents));
        written.with_context(|| format!("cannot write `{}`", target.display()))?;
    }
    std::fs::write(folder.join(SEAL), seal).with_context(|| format!("cannot write into `{}`", folder.display()))
}

fn files(dir: &'static Dir<'static>) -> Vec<(PathBuf, &'static [u8])> {
    let mut found = Vec::new();
    for entry in dir.entries().iter().filter(|entry| is_wanted(entry.path())) {
        match entry {
            DirEntry::Dir(dir) => found.extend(files(dir)),
            DirEntry::File(file) => found.push((file.path().to_owned(), file.contents())),
        }
    }
    found
}

fn is_wanted(path: &Path) -> bool {
    path.components().next().is_some_and(|first| NOT_UNPACKED.iter().all(|name| first.as_os_str() != *name))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_team_is_unpacked_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        let settings = Settings::read(&folder.path().join("runlore.toml")).unwrap();
        assert!(!settings.sources.is_empty() && !folder.path().join("generate.py").exists());
        let notes = folder.path().join("notes/onboarding.md");
        std::fs::write(&notes, "changed by its reader").unwrap();
        unpack(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), "changed by its reader");
        std::fs::write(folder.path().join(SEAL), "an earlier version").unwrap();
        std::fs::write(folder.path().join("notes/old.md"), "of an earlier version").unwrap();
        unpack(folder.path()).unwrap();
        assert!(!folder.path().join("notes/old.md").exists() && std::fs::read_to_string(&notes).unwrap() != "changed by its reader");
    }

    #[test]
    fn three_questions_are_asked() {
        assert_eq!(questions().len(), 3);
    }
}
