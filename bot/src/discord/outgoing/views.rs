//! The window that asks why an answer was not useful, and what is offered while somebody types.

use serde_json::{Value, json};

use crate::chat::text::visible;

/// Characters that a person can write about an answer.
const MAX_REMARK: usize = 500;

/// What is offered at once, and the units of each.
const N_CHOICES: usize = 25;
const MAX_CHOICE: usize = 100;

/// Types of components and styles of a text input, in Discord's numbers.
const ROW: u8 = 1;
const TEXT_INPUT: u8 = 4;
const SHORT: u8 = 1;
const PARAGRAPH: u8 = 2;

/// The data of a callback of type 9: the window that asks for the reason. Its values come back as `reason` and `remark`, the question
/// behind the window's id.
pub fn reason_modal(question: &str) -> Value {
    let reason = input("reason", SHORT, "What was wrong?", "a number, the run, out of date…");
    let remark = input("remark", PARAGRAPH, "What should it have said?", "in your own words");
    json!({"custom_id": format!("not_useful:{question}"), "title": "Not useful", "components": [reason, remark]})
}

fn input(id: &str, style: u8, label: &str, placeholder: &str) -> Value {
    let input = json!({
        "type": TEXT_INPUT,
        "custom_id": id,
        "style": style,
        "label": label,
        "placeholder": placeholder,
        "required": false,
        "max_length": MAX_REMARK,
    });
    json!({"type": ROW, "components": [input]})
}

/// The data of a callback of type 8: the first of these names that Discord can offer. One that is too long is left out, because what is
/// cut would be the name of something else.
pub fn choices(names: &[String]) -> Value {
    let mut offered: Vec<&String> = Vec::new();
    for name in names.iter().filter(|name| can_be_offered(name)) {
        if offered.len() < N_CHOICES && !offered.contains(&name) {
            offered.push(name);
        }
    }
    let choices: Vec<Value> = offered.iter().map(|name| json!({"name": visible(name), "value": name})).collect();
    json!({"choices": choices})
}

fn can_be_offered(name: &str) -> bool {
    name.encode_utf16().count() <= MAX_CHOICE && !visible(name).trim().is_empty()
}
