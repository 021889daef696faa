//! The app's manifests ask for what the code uses, and for nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use runlore_indexer::config::cache_folder;
use runlore_tests::not_run::not_run;
use runlore_tests::team::fixtures;
use serde_json::Value;

const MANIFESTS: [&str; 2] = ["config/slack-manifest.yaml", "config/slack-manifest-http.yaml"];

/// Each method that the code may call, and the scopes that Slack's documentation asks for it; a method that reads conversations asks for
/// one scope a kind of conversation.
const SCOPES: [(&str, &[&str]); 17] = [
    ("auth.test", &[]),
    ("apps.connections.open", &[]),
    ("chat.postMessage", &["chat:write"]),
    ("chat.postEphemeral", &["chat:write"]),
    ("assistant.threads.setSuggestedPrompts", &["assistant:write"]),
    ("chat.update", &["chat:write"]),
    ("chat.delete", &["chat:write"]),
    ("conversations.history", &["channels:history", "groups:history", "im:history", "mpim:history"]),
    ("conversations.replies", &["channels:history", "groups:history", "im:history", "mpim:history"]),
    ("conversations.info", &["channels:read", "groups:read", "im:read", "mpim:read"]),
    ("users.info", &["users:read"]),
    ("reactions.add", &["reactions:write"]),
    ("reactions.remove", &["reactions:write"]),
    ("assistant.threads.setStatus", &["assistant:write"]),
    ("files.getUploadURLExternal", &["files:write"]),
    ("files.completeUploadExternal", &["files:write"]),
    ("files.delete", &["files:write"]),
];

/// Methods that need no scope beside the features that the manifest switches on.
const WITHOUT: [&str; 2] = ["views.open", "views.publish"];

/// Scopes that come with features and events, and the event or feature.
const OF_FEATURES: [&str; 2] = ["app_mentions:read", "commands"];

/// Each event of the manifest, as the code knows it, and the scope that it asks for.
const EVENTS: [(&str, &str, Option<&str>); 13] = [
    ("app_home_opened", "app_home_opened", None),
    ("app_mention", "app_mention", Some("app_mentions:read")),
    ("app_uninstalled", "app_uninstalled", None),
    ("tokens_revoked", "tokens_revoked", None),
    ("channel_archive", "channel_archive", Some("channels:read")),
    ("group_archive", "group_archive", Some("groups:read")),
    ("channel_left", "channel_left", Some("channels:read")),
    ("group_left", "group_left", Some("groups:read")),
    ("member_joined_channel", "member_joined_channel", Some("channels:read")),
    ("message.channels", "message", Some("channels:history")),
    ("message.groups", "message", Some("groups:history")),
    ("message.im", "message", Some("im:history")),
    ("message.mpim", "message", Some("mpim:history")),
];

fn root() -> PathBuf {
    fixtures().join("..")
}

fn manifest(name: &str) -> Result<Value> {
    Ok(serde_saphyr::from_str(&fs::read_to_string(root().join(name))?)?)
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The adapter's code, without its tests and its pure renderer.
fn code() -> Result<String> {
    let mut code = String::new();
    for entry in fs::read_dir(root().join("bot/src/slack"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            code += &fs::read_to_string(path)?;
        }
    }
    Ok(code + &fs::read_to_string(root().join("bot/src/slack.rs"))?)
}

/// Literals of the code that look like names of methods.
fn methods(code: &str) -> BTreeSet<String> {
    let families =
        ["auth.", "apps.", "chat.", "conversations.", "users.", "reactions.", "assistant.", "views.", "files.", "usergroups.", "agents."];
    let code = code.replace("\\\"", "");
    let literals = code.split('"').skip(1).step_by(2);
    let is_method =
        |text: &&str| families.iter().any(|family| text.starts_with(family)) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    literals.filter(is_method).map(str::to_owned).collect()
}

#[test]
fn scopes_and_events_are_those_that_the_code_uses() -> Result<()> {
    let code = code()?;
    let used = methods(&code);
    ensure!(used.contains("chat.postMessage") && used.contains("users.info"), "the code is not found: {used:?}");
    let known: BTreeSet<String> = SCOPES.iter().map(|(method, _)| *method).chain(WITHOUT).map(str::to_owned).collect();
    ensure!(used == known, "methods: used {used:?}, known here {known:?}");
    let needed: BTreeSet<String> =
        SCOPES.iter().flat_map(|(_, scopes)| *scopes).chain(&OF_FEATURES).map(|scope| (*scope).to_owned()).collect();
    for name in MANIFESTS {
        let manifest = manifest(name)?;
        let scopes = texts(&manifest["oauth_config"]["scopes"]["bot"]);
        ensure!(scopes == needed, "{name}: asks for {scopes:?}, needs {needed:?}");
        let events = texts(&manifest["settings"]["event_subscriptions"]["bot_events"]);
        let expected: BTreeSet<String> = EVENTS.iter().map(|(event, ..)| (*event).to_owned()).collect();
        ensure!(events == expected, "{name}: {events:?}");
        for (event, in_code, scope) in EVENTS {
            ensure!(code.contains(&format!("\"{in_code}\"")), "no code knows the event `{event}`");
            ensure!(scope.is_none_or(|scope| scopes.contains(scope)), "{name}: `{event}` asks for {scope:?}");
        }
        let shortcut = manifest["features"]["shortcuts"][0]["callback_id"].as_str().context("a shortcut")?;
        ensure!(code.contains(&format!("\"{shortcut}\"")));
    }
    Ok(())
}

/// By Slack's own schema, where it is there.
#[test]
fn the_manifests_are_valid_by_slacks_schema() -> Result<()> {
    let shared = std::env::var("RUNLORE_SHARED").map_or_else(|_| root().join("../shared"), PathBuf::from);
    let (schema, python) = (shared.join("data/slack/manifest.schema.2.0.0.json"), cache_folder().join("venv-slack/bin/python"));
    if !schema.exists() || !python.exists() {
        not_run("the manifests by Slack's schema", "the schema or Python's jsonschema is not there");
        return Ok(());
    }
    for name in MANIFESTS {
        let (valid, said) = check(&python, &schema, &root().join(name))?;
        ensure!(valid, "{name}: {said}");
    }
    // A name that is too long shows that the schema judges.
    let folder = tempfile::tempdir()?;
    let wrong = folder.path().join("wrong.yaml");
    fs::write(
        &wrong,
        fs::read_to_string(root().join(MANIFESTS[0]))?.replace("  name: Runlore\n", &format!("  name: {}\n", "x".repeat(40))),
    )?;
    ensure!(!check(&python, &schema, &wrong)?.0);
    Ok(())
}

fn check(python: &Path, schema: &Path, manifest: &Path) -> Result<(bool, String)> {
    let program =
        "import json, sys, yaml, jsonschema; jsonschema.validate(yaml.safe_load(open(sys.argv[2])), json.load(open(sys.argv[1])))";
    let output = Command::new(python).args(["-c", program]).arg(schema).arg(manifest).output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()))
}
