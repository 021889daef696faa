//! Tables [model] and [prompts], right and wrong.

#![expect(clippy::unwrap_used, reason = "tests")]

use expect_test::{Expect, expect};

use super::*;

fn read(text: &str) -> Result<BotSettings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runlore.toml");
    std::fs::write(&file, text).unwrap();
    let settings = Settings::read(&file).unwrap();
    BotSettings::from(&settings).map_err(|e| e.to_string().replace(&folder.path().display().to_string(), ""))
}

fn check_error(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).unwrap_err());
}

#[test]
fn without_a_table_the_model_of_the_cache_folder_runs_here() {
    let ModelSettings::Mistralrs(local) = read("").unwrap().model else { panic!("another kind") };
    assert_eq!(local.weights, Weights::Path(default_model()));
}

#[test]
fn a_server_is_read_with_its_limits() {
    let text = "[model]\nkind = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\nname = \"m\"\ntimeout_s = 7\ngrammar = \"vllm\"";
    let ModelSettings::Openai(server) = read(text).unwrap().model else { panic!("another kind") };
    assert_eq!((server.timeout, server.grammar, server.model.as_str()), (Duration::from_secs(7), GrammarField::Vllm, "m"));
}

#[test]
fn the_model_can_be_switched_off_in_place() {
    assert!(matches!(read("[model]\nkind = \"none\"\npath = \"m.gguf\"").unwrap().model, ModelSettings::None));
}

#[test]
fn wrong_keys_are_named_with_their_line_and_what_is_allowed() {
    check_error(
        "[data]\n[model]\nkid = \"none\"",
        expect![[r#"
        /runlore.toml: TOML parse error at line 3, column 1
          |
        3 | kid = "none"
          | ^^^
        unknown field `kid`, expected one of `kind`, `path`, `hub`, `device`, `url`, `name`, `api_key_env`, `timeout_s`, `grammar`"#]],
    );
    check_error(
        "[model]\nkind = \"gpt\"",
        expect![[r#"
        /runlore.toml: TOML parse error at line 2, column 8
          |
        2 | kind = "gpt"
          |        ^^^^^
        unknown variant `gpt`, expected one of `mistralrs`, `openai`, `none`"#]],
    );
    check_error(
        "[model]\nkind = \"openai\"",
        expect!["/runlore.toml: [model] url is missing; kind = \"openai\" needs one, such as http://127.0.0.1:8000/v1"],
    );
    check_error(
        "[model]\nurl = \"http://h\"",
        expect!["/runlore.toml: [model] `url` belongs to kind = \"openai\"; take it out or change `kind`"],
    );
    check_error("[model]\npath = \"a\"\nhub = \"b/c\"", expect!["/runlore.toml: [model] gives both `path` and `hub`; keep one of them"]);
    check_error("[prompts]\npath = \"mine\"", expect!["/runlore.toml: [prompts] path: there is no folder `/mine`"]);
}
