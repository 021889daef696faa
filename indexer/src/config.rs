//! Settings: one TOML file, read into raw tables, checked, and turned into values that cannot be wrong.

mod access;
mod raw;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use secrecy::SecretString;
use thiserror::Error;

use crate::record::Record;
use crate::run::Direction;
use crate::source::{GitRepository, MlflowLogin, MlflowServer, Place, Source};
use crate::space::Space;
pub use access::{AccessSettings, ChannelSettings, PersonSettings};
use raw::{RawConfig, RawSource};

/// Everything that the indexer and the readers of its corpus need to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file that they come from.
    pub file: PathBuf,
    /// Folder of catalog, state and indexes.
    pub data: PathBuf,
    /// The sources, in the order of the file.
    pub sources: Vec<PlacedSource>,
    /// Which embedder.
    pub embed: EmbedSettings,
    /// Where vectors are kept.
    pub vectors: VectorSettings,
    /// Database of the catalog.
    pub catalog_url: String,
    /// Database of the state.
    pub state_url: String,
    /// Who may read and ask what.
    pub access: AccessSettings,
    /// Directions of metrics that a person declared, by key.
    pub directions: BTreeMap<String, Direction>,
    /// The table `[model]`, for the bot to read.
    pub model: toml::Table,
    /// The table `[prompts]`, for the bot to read.
    pub prompts: toml::Table,
    /// The table `[slack]`, for the bot to read, where there is one.
    pub slack: Option<toml::Table>,
    /// The table `[discord]`, likewise.
    pub discord: Option<toml::Table>,
    /// The table `[limits]`, for the bot to read.
    pub limits: toml::Table,
    /// The table `[serve]`, for the bot to read.
    pub serve: toml::Table,
}

/// A source and where its records belong.
#[derive(Debug, Clone)]
pub struct PlacedSource {
    /// The source.
    pub source: Source,
    space: Space,
    rules: Vec<SpaceRule>,
    /// Changes when these settings place records differently.
    pub placement: String,
}

#[derive(Debug, Clone)]
struct SpaceRule {
    path: Option<GlobSet>,
    project: Option<GlobSet>,
    space: Space,
}

/// Which embedder, and where its files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbedSettings {
    /// all-MiniLM-L6-v2 by onnxruntime: the model's folder and the library.
    Onnx { model: PathBuf, runtime: PathBuf },
    /// Feature hashing: no model, weaker search.
    Hashed,
}

/// Where vectors are kept.
#[derive(Debug, Clone)]
pub enum VectorSettings {
    /// In the data folder.
    Edge,
    /// On a Qdrant server or cluster.
    Qdrant { url: String, api_key: Option<SecretString>, replicas: u32, shards: u32 },
}

/// What is wrong with the settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No file.
    #[error("no settings: none of {0} is there; `runlore demo` shows a made-up team, config/runlore.toml is an example to copy")]
    Missing(String),
    /// A file that cannot be read.
    #[error("cannot read `{file}`: {reason}")]
    Unreadable { file: PathBuf, reason: String },
    /// A key that is unknown or has a wrong value; the message names key, line and what is allowed.
    #[error("{file}: {message}")]
    Wrong { file: PathBuf, message: String },
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it is not there, is no TOML, or a key is unknown, missing or wrong.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|e| ConfigError::Unreadable { file: file.to_owned(), reason: e.to_string() })?;
        Self::parse(file, &text)
    }

    /// Reads the text of a file; paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// As `read`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |message: String| ConfigError::Wrong { file: file.to_owned(), message };
        let placed = |e: toml::de::Error| match e.span() {
            Some(_) => e.to_string().trim().to_owned(),
            None => format!("the file cannot be read as TOML: {}", said(&e)),
        };
        let mut raw: RawConfig = toml::from_str(text).map_err(|e| wrong(placed(e)))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let data = raw.data.path.take().map_or_else(default_data, |path| folder.join(path));
        let mut sources = Vec::new();
        for source in std::mem::take(&mut raw.source) {
            let name = source.name.clone();
            let placed = placed_source(folder, source).map_err(|message| wrong(format!("source `{name}`: {message}")))?;
            if sources.iter().any(|other: &PlacedSource| other.source.name == name) {
                return Err(wrong(format!("two sources are named `{name}`; give one of them another `name`")));
            }
            sources.push(placed);
        }
        let every_space: BTreeSet<Space> = sources.iter().flat_map(PlacedSource::spaces).cloned().collect();
        let access = access::access(folder, &mut raw, every_space).map_err(&wrong)?;
        let sqlite = |name: &str| format!("sqlite://{}", data.join(name).display());
        Ok(Self {
            file: file.to_owned(),
            embed: raw.embed.settings(folder).map_err(&wrong)?,
            vectors: raw.index.settings().map_err(&wrong)?,
            catalog_url: raw.catalog.url.unwrap_or_else(|| sqlite("catalog.db")),
            state_url: raw.state.url.unwrap_or_else(|| sqlite("bot.db")),
            access,
            directions: raw.metrics.into_iter().map(|(metric, m)| (metric, m.direction)).collect(),
            model: raw.model,
            prompts: raw.prompts,
            slack: raw.slack,
            discord: raw.discord,
            limits: raw.limits,
            serve: raw.serve,
            data,
            sources,
        })
    }

    /// The folder of channel files that a settings file names, as far as it can be read.
    pub fn channel_files(file: &Path) -> Option<PathBuf> {
        let text = std::fs::read_to_string(file).ok()?;
        let path = text.parse::<toml::Table>().ok()?.get("channel_files")?.as_str().map(PathBuf::from)?;
        Some(file.parent().unwrap_or(Path::new(".")).join(path))
    }

    /// The folder of the indexes.
    pub fn index_folder(&self) -> PathBuf {
        self.data.join("index")
    }

    /// Finds the settings file: the given one, else `./runlore.toml`, else the one in the user's configuration folder.
    ///
    /// # Errors
    /// `Missing`, naming the places that were tried.
    pub fn find(given: Option<&Path>) -> Result<PathBuf, ConfigError> {
        if let Some(file) = given {
            return Ok(file.to_owned());
        }
        let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".config")));
        let places: Vec<PathBuf> =
            [Some(PathBuf::from("runlore.toml")), home.map(|home| home.join("runlore/runlore.toml"))].into_iter().flatten().collect();
        let listed = || places.iter().map(|place| format!("`{}`", place.display())).collect::<Vec<_>>().join(", ");
        places.iter().find(|place| place.exists()).cloned().ok_or_else(|| ConfigError::Missing(listed()))
    }
}

impl PlacedSource {
    /// The space of a record: of the first rule that fits, else the source's.
    pub fn space_of(&self, record: &Record) -> &Space {
        let fits = |rule: &&SpaceRule| {
            let path = rule.path.as_ref().is_none_or(|glob| glob.is_match(&record.native_id) || glob.is_match(&record.key));
            let project = rule.project.as_ref().is_none_or(|glob| record.project.as_ref().is_some_and(|project| glob.is_match(project)));
            path && project
        };
        self.rules.iter().find(fits).map_or(&self.space, |rule| &rule.space)
    }

    /// The spaces that its records may stand in.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        std::iter::once(&self.space).chain(self.rules.iter().map(|rule| &rule.space))
    }
}

/// What is wrong with a table that was read already, on one line and with the key: where it stands in the file is not known any more.
pub fn said(error: &toml::de::Error) -> String {
    error.to_string().trim().replace("\nin `", " in `")
}

/// The cache folder of models, builds and test installations.
pub fn cache_folder() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cache")));
    cache.unwrap_or_else(|| PathBuf::from(".cache")).join("runlore")
}

fn default_data() -> PathBuf {
    let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".local/share")));
    home.unwrap_or_else(|| PathBuf::from(".")).join("runlore")
}

fn placed_source(folder: &Path, raw: RawSource) -> Result<PlacedSource, String> {
    let space = Space::new(&raw.space)?;
    let rule = |rule: &raw::RawRule| {
        let (path, project) = (matcher("path", &rule.path)?, matcher("project", &rule.project)?);
        Ok::<_, String>(SpaceRule { path, project, space: Space::new(&rule.space)? })
    };
    let rules = raw.rule.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let placement = crate::pipeline::placement_hash(&format!("{raw:?}"));
    Ok(PlacedSource { source: Source { name: raw.name.clone(), place: place(folder, &raw)? }, space, rules, placement })
}

/// The pattern under this key of a rule. A set of one, because a single one panics where it is too long or nested too deep.
fn matcher(key: &str, pattern: &Option<String>) -> Result<Option<GlobSet>, String> {
    let compile = |pattern: &String| GlobSetBuilder::new().add(Glob::new(pattern)?).build();
    pattern.as_ref().map(compile).transpose().map_err(|e| format!("`{key}`: {e}"))
}

fn place(folder: &Path, raw: &RawSource) -> Result<Place, String> {
    let path =
        || raw.path.as_ref().map(|path| folder.join(path)).ok_or_else(|| format!("`path` is missing; kind `{}` needs one", raw.kind));
    Ok(match raw.kind.as_str() {
        "mlflow" => Place::MlflowRest(mlflow_server(raw)?),
        "mlflow-db" => Place::MlflowSqlite(path()?),
        "mlruns" => Place::Mlruns(path()?),
        "notes" => Place::Notes(path()?),
        "configs" => Place::Configs(path()?),
        "git" => {
            let path = path()?;
            let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let repository = raw.repository.clone().unwrap_or_else(stem);
            Place::Git(GitRepository { path, repository, branch: raw.branch.clone() })
        }
        "push" => Place::Push(path()?),
        other => return Err(format!("`kind` is `{other}`; allowed are mlflow, mlflow-db, mlruns, notes, configs, git, push")),
    })
}

fn mlflow_server(raw: &RawSource) -> Result<MlflowServer, String> {
    let url = raw.url.as_ref().ok_or("`url` is missing; kind `mlflow` needs one")?.trim_end_matches('/').to_owned();
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(format!("`url` is `{url}`; it must begin with http:// or https://"));
    }
    let secret = |key: &str, name: &String| {
        std::env::var(name).map(SecretString::from).map_err(|_| format!("`{key}`: the environment has no `{name}`"))
    };
    let login = match (&raw.username, &raw.password_env, &raw.token_env) {
        (Some(username), Some(password), None) => {
            MlflowLogin::Basic { username: username.clone(), password: secret("password_env", password)? }
        }
        (None, None, Some(token)) => MlflowLogin::Token(secret("token_env", token)?),
        (None, None, None) => MlflowLogin::Nobody,
        _ => return Err("give `username` with `password_env`, or `token_env` alone, or none of them".to_owned()),
    };
    Ok(MlflowServer { url, login, timeout: Duration::from_secs(raw.timeout_s.unwrap_or(30)) })
}
