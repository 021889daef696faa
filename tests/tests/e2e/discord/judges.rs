//! discord.py on the same bridge, and the bridge's own judgements, each of which can fail.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use runlore_indexer::config::cache_folder;
use runlore_tests::not_run::not_run;
use tokio::process::Command;

/// The environment and the schemas that `scripts/test-discord-sdk` makes.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let (python, schemas) = (cache_folder().join("venv-discord/bin/python"), cache_folder().join("discord-schemas"));
    if !python.exists() || !schemas.exists() {
        not_run("discord.py and the schemas", "they are not installed (scripts/test-discord-sdk)");
        return None;
    }
    Some((python, schemas))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

#[tokio::test]
async fn the_bridge_speaks_the_protocol_that_discord_py_speaks() -> Result<()> {
    let Some((python, schemas)) = installed() else { return Ok(()) };
    let output = Command::new(python).arg(script("discordpy_check.py")).arg(schemas).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.lines().filter(|line| line.starts_with("ok ")).count() >= 10,
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn each_judgement_of_the_bridge_can_fail() -> Result<()> {
    let Some((python, schemas)) = installed() else { return Ok(()) };
    let output = Command::new(python).arg(script("discord_double.py")).args(["--self-test", "--schemas"]).arg(schemas).output().await?;
    ensure!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok(())
}
