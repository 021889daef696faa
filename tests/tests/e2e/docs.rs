//! What the docs show is so: every sample of settings parses, every command that is named exists.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use runlore_bot::config::BotSettings;
use runlore_indexer::config::Settings;
use runlore_tests::team::{fixtures, program};

fn root() -> PathBuf {
    fixtures().join("..")
}

fn pages() -> Result<Vec<PathBuf>> {
    let mut pages: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)).to_vec();
    for entry in fs::read_dir(root().join("docs"))? {
        pages.push(entry?.path());
    }
    Ok(pages)
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("\n```").next().map(str::to_owned)).collect()
}

fn parse(place: &Path, text: &str) -> Result<()> {
    // Secrets come from the environment, which a sample cannot have.
    let text: String = text
        .lines()
        .filter(|line| !line.contains("_env") && !line.trim_start().starts_with("username"))
        .map(|line| format!("{line}\n"))
        .collect();
    // A sample that shows other tables has no source; the spaces that it names need one.
    let sources = "\n[[source]]\nname = \"some\"\nkind = \"notes\"\npath = \"n\"\nspace = \"team\"\n[[source.rule]]\npath = \"p/**\"\nspace = \"leads\"\n";
    let text = if text.contains("[[source]]") { text } else { format!("{text}{sources}") };
    let settings = Settings::parse(&root().join("sample.toml"), &text).with_context(|| format!("{}:\n{text}", place.display()))?;
    BotSettings::from(&settings).with_context(|| format!("{}:\n{text}", place.display()))?;
    Ok(())
}

#[test]
fn every_sample_of_settings_parses() -> Result<()> {
    let mut n_samples = 0;
    for page in pages()? {
        for block in blocks(&fs::read_to_string(&page)?, "toml") {
            parse(&page, &block)?;
            n_samples += 1;
        }
    }
    for entry in fs::read_dir(root().join("config"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        parse(&path, &fs::read_to_string(&path)?)?;
        n_samples += 1;
    }
    ensure!(n_samples >= 4, "only {n_samples} samples were found");
    Ok(())
}

#[test]
fn every_command_of_the_readme_has_help() -> Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    for command in
        ["index", "watch", "ask", "chat", "serve", "feedback", "audit", "search", "runs", "brief", "status", "doctor", "models", "demo"]
    {
        ensure!(readme.contains(&format!("`{command}")), "the README does not name `{command}`");
        let output = std::process::Command::new(program()).args([command, "--help"]).output()?;
        ensure!(output.status.success(), "`runlore {command} --help` ended with {}", output.status);
    }
    Ok(())
}

/// The invitation to Discord asks for what the code uses: to see channels, to send, to send in threads, to open them, to attach files, to
/// read the history.
#[test]
fn the_invitation_asks_for_no_more_than_the_code_uses() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/discord.md"))?;
    let asked = page.split("permissions=").nth(1).and_then(|rest| rest.split_whitespace().next()).context("no invitation")?;
    let used: u64 = [10, 11, 38, 35, 15, 16].iter().map(|bit| 1_u64 << bit).sum();
    ensure!(asked.parse::<u64>()? == used, "{asked}, and not {used}");
    ensure!(page.contains("scope=bot+applications.commands"));
    Ok(())
}
