//! The row of buttons under a reply.

use serde_json::{Value, json};

use super::Setting;
use crate::chat::Button;

/// The buttons in their order, each once, all with the question as their value; nothing where there is none.
pub(super) fn row(buttons: &[Button], setting: &Setting, n_more: usize) -> Option<Value> {
    let mut elements: Vec<Value> = Vec::new();
    for (i, &button) in buttons.iter().enumerate() {
        if !buttons[..i].contains(&button) {
            elements.push(element(button, setting, n_more));
        }
    }
    (!elements.is_empty()).then(|| json!({"type": "actions", "elements": elements}))
}

fn element(button: Button, setting: &Setting, n_more: usize) -> Value {
    let (action, label, help) = words(button);
    let label = match button {
        Button::More if n_more == 1 => "… 1 more line".to_owned(),
        Button::More if n_more > 1 => format!("… {n_more} more lines"),
        _ => label.to_owned(),
    };
    let mut element = json!({
        "type": "button",
        "action_id": action,
        "text": {"type": "plain_text", "text": label, "emoji": true},
        "value": setting.question,
        "accessibility_label": help,
    });
    if button == Button::Delete {
        element["style"] = json!("danger");
    }
    element
}

/// The action's id, what stands on the button, and what a screen reader says.
fn words(button: Button) -> (&'static str, &'static str, &'static str) {
    match button {
        Button::Useful => ("runlore_useful", "👍 Useful", "This answer was useful"),
        Button::NotUseful => ("runlore_not_useful", "Not useful", "This answer was not useful; asks for the reason"),
        Button::Details => ("runlore_details", "Details", "Show all facts and how they were looked up, to you alone"),
        Button::More => ("runlore_more", "More", "Show the rest of this answer"),
        Button::Share => ("runlore_share", "Share to channel", "Ask the same again for everyone in this channel to see"),
        Button::Delete => ("runlore_delete", "Delete", "Delete this answer; only the asker can"),
        Button::Stop => ("runlore_stop", "Stop", "Stop this answer; only the asker can"),
    }
}
