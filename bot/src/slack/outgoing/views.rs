//! The view that asks why an answer was not useful, and the app's home.

use serde_json::{Value, json};

use super::{blocks, cut};
use crate::chat::text;

/// Characters that a person can write about an answer.
const MAX_REMARK: usize = 500;

/// Lines and examples that the home shows, and the units of each.
const N_STATUS: usize = 20;
const N_EXAMPLES: usize = 10;
const MAX_HOME_LINE: usize = 300;

/// Values and words of the reasons.
const REASONS: [(&str, &str); 5] = [
    ("wrong_number", "A number is wrong"),
    ("wrong_place", "Wrong run or project"),
    ("out_of_date", "It is out of date"),
    ("not_answered", "It did not answer my question"),
    ("other", "Something else"),
];

const ABOUT: &str = "I answer questions about this team's runs, notes and pull requests. The numbers come from the records themselves, \
    and every answer names the records that it rests on.";

const HOW: &str = "Mention me in a channel, write to me here, or use /runlore. In a channel I answer from what everyone in it may see.";

/// The view that asks for the reason. Its values come back as `reason/reason` and `remark/remark`, the question as its metadata.
pub fn reason_modal(question: &str) -> Value {
    let options: Vec<Value> = REASONS.iter().map(|(value, words)| json!({"text": plain(words), "value": value})).collect();
    json!({
        "type": "modal",
        "callback_id": "not_useful",
        "private_metadata": question,
        "title": plain("What was wrong?"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": "reason", "label": plain("Reason"), "element": {
                "type": "static_select", "action_id": "reason", "placeholder": plain("Choose a reason"), "options": options,
            }},
            {"type": "input", "block_id": "remark", "optional": true, "label": plain("What should it have said?"), "element": {
                "type": "plain_text_input", "action_id": "remark", "multiline": true, "max_length": MAX_REMARK,
            }},
        ],
    })
}

/// The app's home: what it is, how to ask, examples, and how things stand.
pub fn home(status_lines: &[String], examples: &[&str]) -> Value {
    let status = told(status_lines.iter().map(String::as_str), N_STATUS);
    let examples = told(examples.iter().copied(), N_EXAMPLES);
    let mut blocks = vec![header("Runlore"), blocks::paragraph(ABOUT), header("How to ask"), blocks::paragraph(HOW)];
    blocks.extend(listed("Examples", &examples));
    blocks.extend(listed("Status", &status));
    json!({"type": "home", "blocks": blocks})
}

fn listed(title: &str, points: &[String]) -> Vec<Value> {
    if points.is_empty() {
        return Vec::new();
    }
    vec![header(title), blocks::list(points)]
}

fn told<'a>(lines: impl Iterator<Item = &'a str>, most: usize) -> Vec<String> {
    let inert = lines.map(|line| cut::shortened(&text::inert(line), MAX_HOME_LINE));
    inert.filter(|line| !line.is_empty()).take(most).collect()
}

fn header(words: &str) -> Value {
    json!({"type": "header", "text": plain(words)})
}

fn plain(words: &str) -> Value {
    json!({"type": "plain_text", "text": words, "emoji": false})
}
