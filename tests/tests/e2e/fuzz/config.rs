//! Any settings file: settings, or an error that names the key or the line; never anything else.

use std::path::Path;

use anyhow::{Result, ensure};
use runlore_bot::config::BotSettings;
use runlore_bot::discord::DiscordSettings;
use runlore_bot::serve::ServeSettings;
use runlore_bot::slack::SlackSettings;
use runlore_indexer::config::{ConfigError, Settings};
use runlore_tests::fuzz::{Format, Outcome, Target, fuzz};
use runlore_tests::team::fixtures;

use super::kind_of;

/// Every table and key that there is; an error has to name one of them or a line.
const KEYS: [&str; 64] = [
    "data",
    "path",
    "source",
    "name",
    "kind",
    "url",
    "username",
    "password_env",
    "token_env",
    "timeout_s",
    "repository",
    "branch",
    "space",
    "rule",
    "project",
    "embed",
    "model",
    "runtime",
    "index",
    "vectors",
    "api_key_env",
    "replicas",
    "shards",
    "catalog",
    "state",
    "prompts",
    "terminal",
    "spaces",
    "channels",
    "channel_files",
    "direct",
    "people",
    "slack",
    "discord",
    "askers",
    "guests",
    "shared",
    "brief",
    "brief_zone",
    "limits",
    "per_asker",
    "per_channel",
    "per_workspace",
    "serve",
    "health",
    "at_once",
    "deadline_s",
    "waiting",
    "waiting_per_asker",
    "metrics",
    "direction",
    "hub",
    "device",
    "grammar",
    "mode",
    "bot_token_env",
    "app_token_env",
    "signing_secret_env",
    "listen",
    "api_url",
    "silence_s",
    "guild",
    "message_content",
    "TOML",
];

const WORDS: [&str; 44] = [
    "[[source]]\n",
    "[[source.rule]]\n",
    "[channels.x]\n",
    "[people.x]\n",
    "[slack]\n",
    "[discord]\n",
    "[direct]\n",
    "[serve]\n",
    "[limits]\n",
    "[model]\n",
    "[index]\n",
    "[prompts]\n",
    "[metrics.\"a/b\"]\n",
    "spaces = [\"team\"]\n",
    "spaces = [\"*\"]\n",
    "space = \"team\"\n",
    "kind = \"mlflow\"\n",
    "kind = \"push\"\n",
    "path = \"**/{a,b}[!c]*\"\n",
    "path = \"{{\"\n",
    "url = \"http://h\"\n",
    "mode = \"http\"\n",
    "listen = \"[::]:0\"\n",
    "guild = \"1\"\n",
    "slack = \"C1\"\n",
    "brief = \"0 9 * * MON\"\n",
    "brief = \"*/0 L W#? 31,2 MON#L\"\n",
    "brief_zone = \"Europe/Berlin\"\n",
    "bot_token_env = \"PATH\"\n",
    "timeout_s = 0\n",
    "direction = \"min\"\n",
    "health = \"127.0.0.1:1\"\n",
    "channel_files = \".\"\n",
    "1979-05-27T07:32:00Z",
    "0x1f",
    "'''",
    "\"\"\"",
    "{ a = 1 }",
    "inf",
    "team",
    "leads",
    "general",
    "= [",
    "\"\"",
];

/// The samples of the repository.
fn seeds() -> Vec<Vec<u8>> {
    let root = fixtures().join("..");
    let files = ["config/runlore.toml", "config/scaled-out.toml", "fixtures/runlore.toml"];
    let mut texts: Vec<String> = files.iter().filter_map(|file| std::fs::read_to_string(root.join(file)).ok()).collect();
    for page in ["docs/configuration.md", "docs/slack.md", "docs/discord.md", "docs/models.md", "docs/scaling.md"] {
        let page = std::fs::read_to_string(root.join(page)).unwrap_or_default();
        texts.extend(page.split("```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next().map(str::to_owned)));
    }
    texts.into_iter().map(String::into_bytes).collect()
}

#[test]
fn config() -> Result<()> {
    fuzz(&Target { name: "config", format: Format::Toml, seeds: seeds(), words: &WORDS, check: &check })
}

fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let Err(error) = read(&text) else { return Ok("settings".to_owned()) };
    let ConfigError::Wrong { message, .. } = &error else { return Err(format!("not an error of the text: {error}")) };
    let is_named = message.contains("line ") || KEYS.iter().any(|key| message.contains(key));
    if is_named { Ok(kind_of(message)) } else { Err(format!("names neither a key nor a line: {message}")) }
}

/// All that reads settings.
fn read(text: &str) -> Result<(), ConfigError> {
    let settings = Settings::parse(Path::new("runlore.toml"), text)?;
    ServeSettings::from(&settings)?;
    BotSettings::from(&settings)?;
    SlackSettings::from(&settings)?;
    DiscordSettings::from(&settings).map(drop)
}

/// Whatever stands in a key's place, an error about it names that key.
#[test]
fn a_wrong_value_is_named() -> Result<()> {
    let odd = [
        toml::Value::Integer(-5),
        toml::Value::Boolean(true),
        toml::Value::Array(Vec::new()),
        toml::Value::String("{nonsense\n".to_owned()),
    ];
    let mut n_errors = 0;
    for seed in seeds() {
        // Tokens and passwords come from the environment, which a sample cannot have.
        let seed: String = String::from_utf8(seed)?.lines().filter(|line| !line.contains("_env")).map(|line| format!("{line}\n")).collect();
        let table: toml::Table = seed.parse()?;
        let good = read(&table.to_string()).err().map(|error| error.to_string());
        for path in paths(&toml::Value::Table(table.clone())) {
            for value in &odd {
                let mut changed = toml::Value::Table(table.clone());
                put(&mut changed, &path, value);
                let Err(error) = read(&toml::to_string(&changed)?) else { continue };
                let (error, key) = (error.to_string(), path.iter().rfind(|key| key.parse::<usize>().is_err()));
                // What the sample lacks of the rest of a file, such as a source, it lacks still.
                let is_named = Some(&error) == good.as_ref() || key.is_some_and(|key| error.contains(key.as_str()));
                ensure!(is_named, "{path:?} = {value}: {error}");
                n_errors += 1;
            }
        }
    }
    ensure!(n_errors > 200, "only {n_errors} errors were seen");
    Ok(())
}

/// The paths of all values that are no tables.
fn paths(value: &toml::Value) -> Vec<Vec<String>> {
    let below =
        |key: String, value: &toml::Value| paths(value).into_iter().map(move |path| [vec![key.clone()], path].concat()).collect::<Vec<_>>();
    match value {
        toml::Value::Table(table) => table.iter().flat_map(|(key, value)| below(key.clone(), value)).collect(),
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            items.iter().enumerate().flat_map(|(at, value)| below(at.to_string(), value)).collect()
        }
        _ => vec![Vec::new()],
    }
}

fn put(root: &mut toml::Value, path: &[String], value: &toml::Value) {
    let mut at = root;
    for key in path {
        at = match at {
            toml::Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
            other => &mut other[key.as_str()],
        };
    }
    *at = value.clone();
}
