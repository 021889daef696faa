//! The made-up team of fixtures/ in a folder of its own, with the settings that a test asks for, and the program to run on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// A copy of the team that a test may change.
pub struct Team {
    folder: TempDir,
}

impl Team {
    /// The team with a hashed embedder and no model; `more` is appended to its settings.
    ///
    /// # Errors
    /// Where the fixtures cannot be copied.
    pub fn new(more: &str) -> Result<Self> {
        let team = Self { folder: tempfile::tempdir()? };
        copy(&fixtures(), team.folder())?;
        let settings = std::fs::read_to_string(team.folder().join("runlore.toml"))?;
        let mut table: toml::Table = settings.parse()?;
        let data = team.data().display().to_string();
        table.insert("data".to_owned(), toml::Table::from_iter([("path".to_owned(), data.into())]).into());
        table.insert("embed".to_owned(), toml::Table::from_iter([("kind".to_owned(), "hashed".into())]).into());
        table.insert("model".to_owned(), toml::Table::from_iter([("kind".to_owned(), "none".into())]).into());
        std::fs::write(team.config(), format!("{table}\n{more}"))?;
        Ok(team)
    }

    /// Where its sources lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its settings.
    pub fn config(&self) -> PathBuf {
        self.folder().join("runlore.toml")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("the-data")
    }

    /// The program with these arguments, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--config").arg(self.config()).args(arguments).env_remove("RUNLORE_CONFIG").env("TZ", "UTC");
        command
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments).output().with_context(|| format!("cannot run {}", program().display()))
    }

    /// What a clean build of the sources as they are now holds. Removes the data folder before and after.
    ///
    /// # Errors
    /// Where it cannot be built.
    pub fn clean_build(&self) -> Result<Value> {
        self.forget()?;
        self.json(&["index", "--json"], &[0, 1])?;
        let verified = self.json(&["verify"], &[0])?;
        self.forget()?;
        Ok(verified)
    }

    /// Removes the data folder.
    ///
    /// # Errors
    /// Where that is not allowed.
    pub fn forget(&self) -> Result<()> {
        if self.data().exists() {
            std::fs::remove_dir_all(self.data())?;
        }
        Ok(())
    }

    /// Runs the program and reads its standard output as JSON; its exit code must be one of `codes`.
    ///
    /// # Errors
    /// Where it ends otherwise or prints no JSON.
    pub fn json(&self, arguments: &[&str], codes: &[i32]) -> Result<Value> {
        let output = self.run(arguments)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code().is_some_and(|code| codes.contains(&code)), "{arguments:?} ended with {}: {errors}", output.status);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{arguments:?} printed no JSON: {}", String::from_utf8_lossy(&output.stdout)))
    }
}

/// The built program: beside the test binary's folder.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    folder.join("runlore")
}

/// The folder `fixtures` of the repository.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
