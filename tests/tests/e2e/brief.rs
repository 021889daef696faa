//! The weekly brief, over real history, over notes of our own, and over many catalogs that chance made.

mod generated;
mod history;
mod notes;
mod troubles;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use runlore_tests::not_run::not_run;
use runlore_tests::team::{fixtures, program};
use serde_json::Value;
use sqlx::{AnyPool, Row};
use tempfile::TempDir;

/// A data folder of its own, with the sources that a test names.
struct Lab {
    folder: TempDir,
}

impl Lab {
    /// An empty one whose settings name these sources.
    fn new(sources: &str) -> Result<Self> {
        let lab = Self { folder: tempfile::tempdir()? };
        let settings = "[data]\npath = \"data\"\n[embed]\nkind = \"hashed\"\n[model]\nkind = \"none\"\n";
        std::fs::write(lab.path().join("runlore.toml"), format!("{settings}{sources}"))?;
        Ok(lab)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program, with days of UTC.
    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(program());
        command.arg("--config").arg(self.path().join("runlore.toml")).args(arguments).env_remove("RUNLORE_CONFIG").env("TZ", "UTC");
        let output = command.output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?} ended with {}: {errors}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    fn index(&self) -> Result<()> {
        self.run(&["index", "--json"]).map(|_| ())
    }

    /// The brief of a week.
    fn brief(&self, week: &str) -> Result<Value> {
        let printed = self.run(&["brief", "--json", "--no-model", "--period", week])?;
        serde_json::from_str(&printed).with_context(|| format!("no JSON: {printed}"))
    }
}

/// What the facts count of something; 0 where they do not speak of it.
fn counted(brief: &Value, what: &str) -> f64 {
    let facts = brief["facts"].as_array().into_iter().flatten();
    let mut found = facts.filter(|fact| fact["kind"] == "count" && fact["name"] == what && fact["label"].is_null());
    found.next().and_then(|fact| fact["value"].as_f64()).unwrap_or(0.0)
}

/// The lines of a section.
fn lines<'a>(brief: &'a Value, title: &str) -> Vec<&'a str> {
    let section = brief["sections"].as_array().into_iter().flatten().find(|section| section["title"] == title);
    section.and_then(|section| section["lines"].as_array()).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The folder of real data, where these files of it are there.
fn shared_data(test: &str, files: &[&str]) -> Option<PathBuf> {
    let shared = std::env::var_os("RUNLORE_SHARED").map_or_else(|| fixtures().join("../../shared"), PathBuf::from);
    let data = shared.join("data");
    if let Some(missing) = files.iter().find(|file| !data.join(file).exists()) {
        not_run(test, &format!("data/{missing} is not there (RUNLORE_SHARED)"));
        return None;
    }
    Some(data)
}

fn unpack(packed: &Path, to: &Path) -> Result<()> {
    let script = "import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], 'wb'))";
    let done = Command::new("python3").args(["-c", script]).arg(packed).arg(to).status()?;
    ensure!(done.success(), "cannot unpack {}", packed.display());
    Ok(())
}

async fn open(lab: &Lab, file: &str) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    Ok(AnyPool::connect(&format!("sqlite://{}", lab.path().join(file).display())).await?)
}

async fn number(pool: &AnyPool, sql: &str) -> Result<i64> {
    Ok(sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(pool).await?.try_get(0)?)
}
