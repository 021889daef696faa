//! The settings as they stand in the file; unknown keys are errors that name key and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::{EmbedSettings, VectorSettings, cache_folder};
use crate::run::Direction;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    #[serde(default)]
    pub(super) data: RawData,
    #[serde(default)]
    pub(super) source: Vec<RawSource>,
    #[serde(default)]
    pub(super) embed: RawEmbed,
    #[serde(default)]
    pub(super) index: RawIndex,
    #[serde(default)]
    pub(super) catalog: RawDatabase,
    #[serde(default)]
    pub(super) state: RawDatabase,
    #[serde(default)]
    pub(super) model: toml::Table,
    #[serde(default)]
    pub(super) prompts: toml::Table,
    #[serde(default)]
    pub(super) terminal: RawTerminal,
    #[serde(default)]
    pub(super) channels: BTreeMap<String, RawChannel>,
    pub(super) channel_files: Option<PathBuf>,
    pub(super) direct: Option<RawDirect>,
    #[serde(default)]
    pub(super) people: BTreeMap<String, RawPerson>,
    #[serde(default)]
    pub(super) slack: Option<toml::Table>,
    pub(super) discord: Option<toml::Table>,
    #[serde(default)]
    pub(super) limits: toml::Table,
    #[serde(default)]
    pub(super) serve: toml::Table,
    #[serde(default)]
    pub(super) metrics: BTreeMap<String, RawMetric>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    pub(super) path: Option<PathBuf>,
}

/// One `[[source]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) path: Option<PathBuf>,
    pub(super) url: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password_env: Option<String>,
    pub(super) token_env: Option<String>,
    pub(super) timeout_s: Option<u64>,
    pub(super) repository: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) space: String,
    #[serde(default)]
    pub(super) rule: Vec<RawRule>,
}

/// One `[[source.rule]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) path: Option<String>,
    pub(super) project: Option<String>,
    pub(super) space: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmbed {
    kind: Option<String>,
    model: Option<PathBuf>,
    runtime: Option<PathBuf>,
}

impl RawEmbed {
    pub(super) fn settings(self, folder: &Path) -> Result<EmbedSettings, String> {
        let models = cache_folder().join("models");
        match self.kind.as_deref().unwrap_or("onnx") {
            "onnx" => Ok(EmbedSettings::Onnx {
                model: self.model.map_or_else(|| models.join("embed"), |path| folder.join(path)),
                runtime: self.runtime.map_or_else(|| models.join("onnxruntime/libonnxruntime.so.1.31.1"), |path| folder.join(path)),
            }),
            "hashed" => Ok(EmbedSettings::Hashed),
            other => Err(format!("[embed] kind is `{other}`; allowed are onnx, hashed")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIndex {
    vectors: Option<String>,
    url: Option<String>,
    api_key_env: Option<String>,
    replicas: Option<u32>,
    shards: Option<u32>,
}

impl RawIndex {
    pub(super) fn settings(self) -> Result<VectorSettings, String> {
        match self.vectors.as_deref().unwrap_or("edge") {
            "edge" => Ok(VectorSettings::Edge),
            "qdrant" => {
                let url = self.url.ok_or("[index] url is missing; vectors = \"qdrant\" needs one, such as http://127.0.0.1:6334")?;
                let secret = |name: String| {
                    std::env::var(&name)
                        .map(SecretString::from)
                        .map_err(|_| format!("[index] api_key_env: the environment has no `{name}`"))
                };
                let api_key = self.api_key_env.map(secret).transpose()?;
                Ok(VectorSettings::Qdrant { url, api_key, replicas: self.replicas.unwrap_or(1), shards: self.shards.unwrap_or(1) })
            }
            other => Err(format!("[index] vectors is `{other}`; allowed are edge, qdrant")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTerminal {
    pub(super) spaces: Vec<String>,
}

impl Default for RawTerminal {
    fn default() -> Self {
        Self { spaces: vec!["*".to_owned()] }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChannel {
    pub(super) spaces: Vec<String>,
    pub(super) slack: Option<String>,
    pub(super) discord: Option<String>,
    #[serde(default)]
    pub(super) askers: Vec<String>,
    #[serde(default)]
    pub(super) guests: bool,
    #[serde(default)]
    pub(super) shared: bool,
    pub(super) brief: Option<String>,
    pub(super) brief_zone: Option<String>,
}

/// `[direct]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDirect {
    pub(super) spaces: Vec<String>,
}

/// One `[people.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPerson {
    pub(super) spaces: Vec<String>,
    pub(super) slack: Option<String>,
    pub(super) discord: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetric {
    pub(super) direction: Direction,
}
