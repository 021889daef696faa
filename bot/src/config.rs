//! The bot's own settings: the tables `[model]` and `[prompts]` of the settings file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runlore_indexer::config::{self, ConfigError, Settings, cache_folder};
use secrecy::SecretString;
use serde::Deserialize;

use crate::model::{Device, GrammarField, LocalSettings, ModelSettings, ServerSettings, Weights};

#[cfg(test)]
mod tests;

/// The chat model that is used where the settings name none, in the folder of models.
const DEFAULT_MODEL: &str = "chat-1.5b/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf";

/// Longest wait for a server's answer where the settings say nothing, in seconds.
const DEFAULT_TIMEOUT_S: u64 = 60;

/// What only the bot needs to know.
#[derive(Debug, Clone)]
pub struct BotSettings {
    /// Which model.
    pub model: ModelSettings,
    /// Folder with the team's own prompt files; one that is not there is taken from the binary.
    pub prompts: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    #[serde(default)]
    kind: Kind,
    path: Option<PathBuf>,
    hub: Option<String>,
    device: Option<RawDevice>,
    url: Option<String>,
    name: Option<String>,
    api_key_env: Option<String>,
    timeout_s: Option<u64>,
    grammar: Option<RawGrammar>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Mistralrs,
    Openai,
    None,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawDevice {
    Auto,
    Cpu,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawGrammar {
    None,
    Mistralrs,
    Vllm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrompts {
    path: Option<PathBuf>,
}

/// The two tables alone, to find the line of a wrong key.
#[derive(Deserialize)]
struct BotTables {
    #[expect(dead_code, reason = "read only for its errors")]
    #[serde(default)]
    model: RawModel,
    #[expect(dead_code, reason = "read only for its errors")]
    #[serde(default)]
    prompts: RawPrompts,
}

impl BotSettings {
    /// Reads the two tables; paths are relative to the settings file's folder.
    ///
    /// # Errors
    /// Where a key is unknown, missing or wrong; the message names it, its line and what is allowed.
    pub fn from(settings: &Settings) -> Result<Self, ConfigError> {
        let wrong = |message: String| ConfigError::Wrong { file: settings.file.clone(), message };
        let placed = |e: toml::de::Error| wrong(with_line(&settings.file, &e));
        let model: RawModel = settings.model.clone().try_into().map_err(placed)?;
        let prompts: RawPrompts = settings.prompts.clone().try_into().map_err(placed)?;
        let folder = settings.file.parent().unwrap_or(Path::new("."));
        let prompts = prompts.path.map(|path| folder.join(path));
        if let Some(missing) = prompts.as_ref().filter(|path| !path.is_dir()) {
            return Err(wrong(format!("[prompts] path: there is no folder `{}`", missing.display())));
        }
        Ok(Self { model: model.settings(folder).map_err(wrong)?, prompts })
    }
}

impl RawModel {
    fn settings(self, folder: &Path) -> Result<ModelSettings, String> {
        if let Some((key, kind)) = self.misplaced() {
            return Err(format!("[model] `{key}` belongs to kind = \"{kind}\"; take it out or change `kind`"));
        }
        match self.kind {
            Kind::None => Ok(ModelSettings::None),
            Kind::Mistralrs => self.local(folder).map(ModelSettings::Mistralrs),
            Kind::Openai => self.server().map(ModelSettings::Openai),
        }
    }

    /// A key that the kind does not have, and the kind that has it.
    fn misplaced(&self) -> Option<(&'static str, &'static str)> {
        let local = [("path", self.path.is_some()), ("hub", self.hub.is_some()), ("device", self.device.is_some())];
        let server = [
            ("url", self.url.is_some()),
            ("name", self.name.is_some()),
            ("api_key_env", self.api_key_env.is_some()),
            ("timeout_s", self.timeout_s.is_some()),
            ("grammar", self.grammar.is_some()),
        ];
        let given = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, is_given)| *is_given).map(|(key, _)| *key);
        match self.kind {
            // What model there would be may stay in the file while it is switched off.
            Kind::None => None,
            Kind::Mistralrs => given(&server).map(|key| (key, "openai")),
            Kind::Openai => given(&local).map(|key| (key, "mistralrs")),
        }
    }

    fn local(self, folder: &Path) -> Result<LocalSettings, String> {
        let weights = match (self.path, self.hub) {
            (Some(_), Some(_)) => return Err("[model] gives both `path` and `hub`; keep one of them".to_owned()),
            (Some(path), None) => Weights::Path(folder.join(path)),
            (None, Some(hub)) => Weights::Hub(hub),
            (None, None) => Weights::Path(default_model()),
        };
        let device = match self.device {
            Some(RawDevice::Cpu) => Device::Cpu,
            Some(RawDevice::Auto) | None => Device::Auto,
        };
        Ok(LocalSettings { weights, device })
    }

    fn server(self) -> Result<ServerSettings, String> {
        let url = self.url.ok_or("[model] url is missing; kind = \"openai\" needs one, such as http://127.0.0.1:8000/v1")?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!("[model] url is `{url}`; it must begin with http:// or https://"));
        }
        let model = self.name.ok_or("[model] name is missing; kind = \"openai\" needs the model's name on that server")?;
        let secret = |name: String| {
            std::env::var(&name).map(SecretString::from).map_err(|_| format!("[model] api_key_env: the environment has no `{name}`"))
        };
        let timeout_s = self.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S);
        if timeout_s == 0 {
            return Err("[model] timeout_s is 0; it must be 1 or more".to_owned());
        }
        let grammar = match self.grammar {
            Some(RawGrammar::Mistralrs) => GrammarField::Mistralrs,
            Some(RawGrammar::Vllm) => GrammarField::Vllm,
            Some(RawGrammar::None) | None => GrammarField::None,
        };
        Ok(ServerSettings {
            url,
            model,
            api_key: self.api_key_env.map(secret).transpose()?,
            timeout: Duration::from_secs(timeout_s),
            grammar,
        })
    }
}

/// Where the default chat model lies once `runlore models` has fetched it.
pub fn default_model() -> PathBuf {
    cache_folder().join("models").join(DEFAULT_MODEL)
}

/// The error as the file's own text gives it, with the line; as it is where the file cannot be read again.
fn with_line(file: &Path, error: &toml::de::Error) -> String {
    let again = std::fs::read_to_string(file).ok().and_then(|text| toml::from_str::<BotTables>(&text).err());
    again.map_or_else(|| config::said(error), |placed| placed.to_string().trim().to_owned())
}
