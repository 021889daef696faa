//! Slack's limits on what is posted, which the stand-in does not check.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::call::Call;

/// A refusal: Slack's error, and what it says in `response_metadata.messages`.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    error: &'static str,
    messages: Vec<String>,
}

/// What a body goes to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    Post,
    Update,
}

impl Refusal {
    fn plain(error: &'static str) -> Self {
        Self { error, messages: Vec::new() }
    }

    pub(super) fn answer(&self) -> Value {
        let mut answer = json!({ "ok": false, "error": self.error });
        if !self.messages.is_empty() {
            answer["errors"] = self.messages.clone().into();
            let said: Vec<String> = self.messages.iter().map(|message| format!("[ERROR] {message}")).collect();
            answer["response_metadata"] = json!({ "messages": said });
        }
        answer
    }
}

/// Checks a message.
pub(super) fn check_message(call: &Call, used_for: Use) -> Result<(), Refusal> {
    if !["text", "blocks", "attachments", "markdown_text"].iter().any(|name| call.has(name)) {
        return Err(Refusal::plain("no_text"));
    }
    if call.has("markdown_text") && (call.has("text") || call.has("blocks")) {
        return Err(Refusal::plain("markdown_text_conflict"));
    }
    let too_long = call.text("markdown_text").chars().count() > 12_000;
    // A post's text is cut at 40,000 characters, an update's is refused above 4,000.
    if too_long || (used_for == Use::Update && call.text("text").chars().count() > 4_000) {
        return Err(Refusal::plain("msg_too_long"));
    }
    check_metadata(&call.arguments["metadata"])?;
    check_blocks(&call.arguments["blocks"], 50)
}

fn check_metadata(metadata: &Value) -> Result<(), Refusal> {
    let fits = metadata.is_null() || (metadata["event_type"].is_string() && metadata["event_payload"].is_object());
    if fits { Ok(()) } else { Err(Refusal::plain("invalid_metadata_format")) }
}

/// Checks blocks; null is none.
pub(super) fn check_blocks(blocks: &Value, most: usize) -> Result<(), Refusal> {
    if blocks.is_null() {
        return Ok(());
    }
    let Some(list) = blocks.as_array() else { return Err(Refusal::plain("invalid_blocks_format")) };
    let mut found = Findings::default();
    found.expect(list.len() <= most, "/blocks", &format!("no more than {most} items allowed"));
    let mut ids = HashSet::new();
    for (number, block) in list.iter().enumerate() {
        let place = format!("/blocks/{number}");
        let id = block["block_id"].as_str();
        found.expect(id.is_none_or(|id| id.chars().count() <= 255 && ids.insert(id)), &place, "block_id too long or not unique");
        found.check_block(block, &place);
    }
    let markdown = list.iter().filter(|block| block["type"] == "markdown").map(|block| length(&block["text"])).sum::<usize>();
    if markdown > 12_000 || (found.0.is_empty() && n_characters(blocks) > 13_200) {
        return Err(Refusal::plain("msg_blocks_too_long"));
    }
    if found.0.is_empty() { Ok(()) } else { Err(Refusal { error: "invalid_blocks", messages: found.0 }) }
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn expect(&mut self, holds: bool, place: &str, message: &str) {
        if !holds {
            self.0.push(format!("{message} [json-pointer:{place}]"));
        }
    }

    fn expect_length(&mut self, text: &Value, most: usize, place: &str) {
        let fits = text.is_string() && (1..=most).contains(&length(text));
        self.expect(fits, place, &format!("must be 1 to {most} characters"));
    }

    fn expect_at_most(&mut self, text: &Value, most: usize, place: &str) {
        self.expect(length(text) <= most, place, &format!("must be less than {} characters", most + 1));
    }

    fn check_block(&mut self, block: &Value, place: &str) {
        match block["type"].as_str().unwrap_or_default() {
            "section" => self.check_section(block, place),
            "header" => self.expect_length(&block["text"]["text"], 150, place),
            "markdown" => self.expect_length(&block["text"], 12_000, place),
            "context" => self.check_elements(block, 10, place),
            "actions" | "context_actions" => self.check_elements(block, 25, place),
            "table" => self.check_table(block, place),
            "image" => {
                self.expect_at_most(&block["image_url"], 3_000, place);
                self.expect_length(&block["alt_text"], 2_000, place);
            }
            "input" => {
                self.expect_length(&block["label"]["text"], 2_000, place);
                self.check_element(&block["element"], place);
            }
            "divider" | "rich_text" | "video" | "file" | "task_card" | "plan" | "card" | "carousel" | "alert" | "container"
            | "data_table" | "data_visualization" => {}
            other => self.expect(false, place, &format!("unsupported type: {other}")),
        }
    }

    fn check_section(&mut self, block: &Value, place: &str) {
        if block.get("fields").is_none() || block.get("text").is_some() {
            self.expect_length(&block["text"]["text"], 3_000, &format!("{place}/text/text"));
        }
        let fields = list(&block["fields"]);
        self.expect(fields.len() <= 10, &format!("{place}/fields"), "no more than 10 items allowed");
        for field in fields {
            self.expect_length(&field["text"], 2_000, &format!("{place}/fields"));
        }
        if block.get("accessory").is_some() {
            self.check_element(&block["accessory"], &format!("{place}/accessory"));
        }
    }

    fn check_elements(&mut self, block: &Value, most: usize, place: &str) {
        let (elements, mut ids) = (list(&block["elements"]), HashSet::new());
        self.expect((1..=most).contains(&elements.len()), place, &format!("must have 1 to {most} elements"));
        for element in elements {
            let id = element["action_id"].as_str();
            self.expect(id.is_none_or(|id| ids.insert(id)), place, "action_id is not unique");
            self.check_element(element, &format!("{place}/elements"));
        }
    }

    fn check_element(&mut self, element: &Value, place: &str) {
        self.expect_at_most(&element["action_id"], 255, place);
        self.expect_at_most(&element["value"], 2_000, place);
        self.expect_at_most(&element["url"], 3_000, place);
        if element["type"] == "button" {
            self.expect_length(&element["text"]["text"], 75, place);
        }
        let options = list(&element["options"]);
        let most = if element["type"] == "overflow" { 5 } else { 100 };
        self.expect(options.len() <= most, place, &format!("no more than {most} options allowed"));
        for option in options {
            self.expect_length(&option["text"]["text"], 75, place);
            self.expect_length(&option["value"], 150, place);
        }
    }

    fn check_table(&mut self, block: &Value, place: &str) {
        let rows = list(&block["rows"]);
        self.expect((1..=100).contains(&rows.len()), place, "must have 1 to 100 rows");
        self.expect(rows.iter().all(|row| list(row).len() <= 20), place, "no more than 20 columns allowed");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}

/// All characters of text in blocks, at whatever depth.
fn n_characters(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| if name == "text" { length(field) } else { 0 } + n_characters(field)).sum()
        }
        Value::Array(items) => items.iter().map(n_characters).sum(),
        _ => 0,
    }
}
