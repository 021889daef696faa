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
    let once = buttons.iter().enumerate().filter(|(i, button)| !buttons[..*i].contains(button));
    let all: Vec<Value> = once.map(|(_, &button)| element(button, question, n_more)).collect();
    all.chunks(PER_ROW).map(|row| json!({"type": ROW, "components": row})).collect()
}

fn element(button: Button, question: &str, n_more: usize) -> Value {
    let (action, label) = words(button);
    let label = match button {
        Button::More if n_more == 1 => "… 1 more line".to_owned(),
        Button::More if n_more > 1 => format!("… {n_more} more lines"),
        _ => label.to_owned(),
    };
    json!({"type": BUTTON, "style": SECONDARY, "label": label, "custom_id": format!("{action}:{question}")})
}

/// The action's id and what stands on the button.
fn words(button: Button) -> (&'static str, &'static str) {
    match button {
        Button::Useful => ("runlore_useful", "👍 Useful"),
        Button::NotUseful => ("runlore_not_useful", "Not useful"),
        Button::Details => ("runlore_details", "Details"),
        Button::More => ("runlore_more", "More"),
        Button::Share => ("runlore_share", "Share to channel"),
        Button::Delete => ("runlore_delete", "Delete"),
        Button::Stop => ("runlore_stop", "Stop"),
    }
}
