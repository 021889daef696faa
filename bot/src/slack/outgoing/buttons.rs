//! The row of buttons under a reply.

use serde_json::{Value, json};

use crate::chat::{Button, Setting};

/// The buttons in their order, each once, all with the question as their value; nothing where there is none.
pub(super) fn row(buttons: &[Button], setting: &Setting, n_more: usize) -> Option<Value> {
    let elements: Vec<Value> = Button::each_once(buttons).map(|button| element(button, setting, n_more)).collect();
    (!elements.is_empty()).then(|| json!({"type": "actions", "elements": elements}))
}

fn element(button: Button, setting: &Setting, n_more: usize) -> Value {
    let mut element = json!({
        "type": "button",
        "action_id": button.action(),
        "text": {"type": "plain_text", "text": button.label(n_more), "emoji": true},
        "value": setting.question,
        "accessibility_label": help(button),
    });
    if button == Button::Delete {
        element["style"] = json!("danger");
    }
    element
}

/// What a screen reader says.
fn help(button: Button) -> &'static str {
    match button {
        Button::Useful => "This answer was useful",
        Button::NotUseful => "This answer was not useful; asks for the reason",
        Button::Details => "Show all facts and how they were looked up, to you alone",
        Button::More => "Show the rest of this answer",
        Button::Share => "Ask the same again for everyone in this channel to see",
        Button::Delete => "Delete this answer; only the asker can",
        Button::Stop => "Stop this answer; only the asker can",
    }
}
