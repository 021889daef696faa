//! What is done in a scenario, on whichever platform.

use std::path::Path;

use anyhow::Result;
use runlore_bot::chat::Button;
use serde::Deserialize;

/// One thing that somebody does.
#[derive(Debug, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Say(Said),
    /// Under the answer to what was said last.
    Press {
        who: String,
        button: Button,
    },
    /// Into the window that asks why that answer was not useful.
    Reason {
        who: String,
        reason: String,
        remark: String,
    },
    /// Gives what was said last other words.
    Edit {
        who: String,
        text: String,
    },
    /// Takes back what was said last.
    Delete {
        who: String,
    },
}

/// Something that is said to the bot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    pub r#in: Place,
    pub who: String,
    pub text: String,
    /// In the conversation of what was said before.
    #[serde(default)]
    pub follows: bool,
    /// While the program does not run.
    #[serde(default)]
    pub while_away: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Public,
    Private,
    Direct,
    Command,
}

/// The steps of a file of `data/scenarios`.
pub fn scenario(name: &str) -> Result<Vec<Step>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/scenarios").join(name);
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}
