//! A model that gives back a hash of all it was given, in whatever shape is asked for: what reaches a prompt reaches the reply.

use futures::FutureExt;
use futures::future::BoxFuture;
use runlore_bot::model::{CancellationToken, LanguageModel, ModelError, Request, Shape};
use runlore_tests::dice::Dice;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The model.
pub struct Echo;

impl LanguageModel for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
        _on_text: &'a (dyn Fn(&str) + Send + Sync),
        _cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String, ModelError>> {
        async move { Ok(echo(request)) }.boxed()
    }

    fn warm<'a>(&'a self, _prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>> {
        async { Ok(()) }.boxed()
    }
}

/// Something of the asked shape that hangs on all of the request.
pub fn echo(request: &Request) -> String {
    let hash = Sha256::digest(format!("{request:?}").as_bytes());
    let mut dice = Dice::new(u64::from_be_bytes(hash[..8].try_into().unwrap()));
    match &request.shape {
        Shape::Json(schema) => value(schema, &mut dice).to_string(),
        Shape::Lark(_) => sentence(&request.prompt.varying, &mut dice),
    }
}

/// Some value of a schema.
fn value(schema: &Value, dice: &mut Dice) -> Value {
    if let Some(allowed) = schema["enum"].as_array() {
        return dice.pick(allowed).clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let all: Map<String, Value> = properties.iter().map(|(name, property)| (name.clone(), value(property, dice))).collect();
        return all.into();
    }
    let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
    let most = schema["maxItems"].as_u64().unwrap_or(least as u64) as usize;
    let n_items = least + dice.below(most - least + 1);
    (0..n_items).map(|_| value(&schema["items"], dice)).collect()
}

/// A sentence around the first mark, in a place that fits what the prompt says it stands for.
fn sentence(told: &str, dice: &mut Dice) -> String {
    let role = told.rsplit_once("{a} ").map_or("", |(_, role)| role);
    let before = match role {
        _ if role.starts_with("step") => "step",
        _ if role.starts_with("count") => "total",
        _ if role.starts_with("the best run") || role.starts_with("a run") => "with",
        _ => "near",
    };
    let mut word = || (0..8).map(|_| char::from(b'a' + dice.below(16) as u8)).collect::<String>();
    format!("{} {before} {{a}} {}.", word(), word())
}
