//! From a linked question to the look-ups that answer it.
//!
//! Where the words settle which look-up is meant, `rules` chooses it; where they leave a choice, the model makes it, under a schema
//! that holds only what is possible here. Arguments always come from the linked names.

mod calls;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use minijinja::context;
use serde::Deserialize;
use serde_json::json;

use super::link::Links;
use crate::directions::Directions;
use crate::model::{CancellationToken, LanguageModel, ModelError, Prompt, Request, Shape};
use crate::prompts::Prompts;
use crate::tools::{Call, Which};

pub use rules::{Choice, Tool, choose};

/// What is to be done about a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Look these up.
    Calls(Vec<Call>),
    /// Nothing here can answer it, or only if the person says more; with a sentence.
    Say(String),
}

/// Longest plan, in tokens.
const MAX_TOKENS: usize = 40;

/// The model's choice.
#[derive(Debug, Deserialize)]
struct Chosen {
    tool: Tool,
    which: ChosenWhich,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChosenWhich {
    Best,
    Final,
    Points,
}

/// Turns a choice into look-ups.
pub fn plan(question: &str, links: &Links, choice: &Choice, directions: &Directions) -> Plan {
    calls::calls(question, links, choice, directions)
}

/// Asks the model to choose where the words leave a choice.
///
/// # Errors
/// Where the model does not serve; the rules' own first choice stands then.
pub async fn ask_model(question: &str, links: &Links, choice: &Choice, asking: &Asking<'_>) -> Result<Choice, ModelError> {
    let tools: Vec<&str> = choice.possible.iter().map(|tool| tool.as_str()).collect();
    let schema = json!({
        "type": "object",
        "properties": {"tool": {"enum": tools}, "which": {"enum": ["best", "final", "points"]}},
        "required": ["tool", "which"],
        "additionalProperties": false,
    });
    let runs: Vec<&str> = links.runs.iter().map(|mention| mention.typed.as_str()).collect();
    let metrics: Vec<&String> = links.metrics.iter().take(3).collect();
    let values = context! { question, metrics, runs, params => links.params };
    let prompt = asking.prompts.render("plan", asking.scope_id, values).map_err(|e| ModelError::OutOfShape(e.to_string()))?;
    let request = Request { prompt, shape: Shape::Json(schema), max_tokens: MAX_TOKENS };
    let text = asking.ask(&request).await?;
    let chosen: Chosen = serde_json::from_str(&text).map_err(|e| ModelError::OutOfShape(e.to_string()))?;
    let which = match (choice.which, chosen.which) {
        // What the words say stands.
        (which, _) if which != Which::Best => which,
        (_, ChosenWhich::Final) if chosen.tool == Tool::History => Which::Final,
        (_, ChosenWhich::Points) if chosen.tool == Tool::History => Which::Points,
        _ => Which::Best,
    };
    Ok(Choice { tool: chosen.tool, which, ..choice.clone() })
}

/// What it takes to ask the model.
pub struct Asking<'a> {
    /// The model.
    pub model: &'a dyn LanguageModel,
    /// The templates.
    pub prompts: &'a Prompts,
    /// The scope's id.
    pub scope_id: &'a str,
    /// Stops it.
    pub cancel: &'a CancellationToken,
    /// What it was given so far.
    pub given: &'a Given,
}

impl Asking<'_> {
    /// The model's text for a request, whose prompt counts as given whatever becomes of it.
    ///
    /// # Errors
    /// Where the model does not serve or was stopped.
    pub async fn ask(&self, request: &Request) -> Result<String, ModelError> {
        self.given.note(&request.prompt);
        self.model.generate(request, &|_| {}, self.cancel).await
    }
}

/// The hashes of the prompts that the model was given for one answer, in order.
#[derive(Debug, Default)]
pub struct Given(Mutex<Vec<String>>);

impl Given {
    /// All of them.
    pub fn hashes(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, prompt: &Prompt) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.hash());
    }
}
