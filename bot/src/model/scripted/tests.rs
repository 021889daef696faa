//! Tests of the scripted model.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::model::{Prompt, Shape};

fn request(varying: &str) -> Request {
    let prompt = Prompt { fixed: "fixed".to_owned(), scope_id: "s1".to_owned(), varying: varying.to_owned() };
    Request { prompt, shape: Shape::Json(json!({})), max_tokens: 8 }
}

#[tokio::test]
async fn turns_come_in_order_and_requests_are_kept() {
    let model = ScriptedModel::new(["first of two", "second"]);
    model.push(Turn::Computed(Box::new(|request| Ok(request.prompt.varying.to_uppercase()))));
    let pieces = Mutex::new(Vec::new());
    let on_text = |piece: &str| pieces.lock().unwrap().push(piece.to_owned());
    let cancel = CancellationToken::new();

    assert_eq!(model.generate(&request("a"), &on_text, &cancel).await, Ok("first of two".to_owned()));
    assert_eq!(*pieces.lock().unwrap(), ["first ", "of ", "two"]);
    assert_eq!(model.n_unused(), 2);
    assert_eq!(model.generate(&request("b"), &|_| (), &cancel).await, Ok("second".to_owned()));
    assert_eq!(model.generate(&request("c"), &|_| (), &cancel).await, Ok("C".to_owned()));
    assert!(matches!(model.generate(&request("d"), &|_| (), &cancel).await, Err(ModelError::Unavailable(_))));
    let asked: Vec<String> = model.requests().into_iter().map(|request| request.prompt.varying).collect();
    assert_eq!(asked, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_hanging_turn_ends_when_cancelled() {
    let model = ScriptedModel::new([Turn::Hangs]);
    let cancel = CancellationToken::new();
    let request = request("a");
    let (result, ()) = tokio::join!(model.generate(&request, &|_| (), &cancel), async { cancel.cancel() });
    assert_eq!(result, Err(ModelError::Cancelled));
}
