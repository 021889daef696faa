//! The rows of buttons under a reply. All of them quiet: a red one under every answer would be the first thing to be seen.

use serde_json::{Value, json};

use crate::chat::Button;

/// Buttons in a row.
const PER_ROW: usize = 5;

/// Types of components, and a button's style, in Discord's numbers.
const ROW: u8 = 1;
const BUTTON: u8 = 2;
const SECONDARY: u8 = 2;

/// The buttons in their order, each once, all with the question behind the action; nothing where there is none.
pub(super) fn rows(buttons: &[Button], question: &str, n_more: usize) -> Vec<Value> {
    let all: Vec<Value> = Button::each_once(buttons).map(|button| element(button, question, n_more)).collect();
    all.chunks(PER_ROW).map(|row| json!({"type": ROW, "components": row})).collect()
}

fn element(button: Button, question: &str, n_more: usize) -> Value {
    let id = format!("{}:{question}", button.action());
    json!({"type": BUTTON, "style": SECONDARY, "label": button.label(n_more), "custom_id": id})
}
