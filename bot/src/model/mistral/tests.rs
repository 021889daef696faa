//! Tests of the model in this process that need no weights; those with weights are end-to-end tests.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use super::*;
use crate::model::Weights;

async fn complaint_about(path: PathBuf) -> String {
    let settings = LocalSettings { weights: Weights::Path(path), device: Device::Cpu };
    match MistralModel::load(&settings).await {
        Ok(_) => "loaded".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_broken_weights_are_complaints() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(complaint_about(path("none.gguf")).await.starts_with("there is no model at `"));
    assert!(complaint_about(folder.path().to_owned()).await.starts_with("there is no model in `"));

    std::fs::write(path("page.gguf"), "<html>not found</html>").unwrap();
    assert!(complaint_about(path("page.gguf")).await.contains("page.gguf` is not a GGUF file"));
    // One file in a folder is found; two are a question.
    assert!(complaint_about(folder.path().to_owned()).await.contains("page.gguf` is not a GGUF file"));
    std::fs::write(path("other.gguf"), "GGUF\x03\0\0\0").unwrap();
    let complaint = complaint_about(path("other.gguf")).await;
    assert!(complaint.starts_with("cannot load the model from `") && complaint.contains("failed to fill whole buffer"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint_about(folder.path().to_owned()).await.ends_with("holds 2 GGUF files: name one of them"));
}

#[test]
fn a_grammar_may_end_with_the_models_own_token() {
    let grammar = "%llguidance {}\nstart: a\na: \"x\"";
    assert_eq!(ending_with(grammar, &[7, 9]), "%llguidance {}\nstart: whole_answer <[7,9]>\nwhole_answer: a\na: \"x\"");
    assert_eq!(ending_with(grammar, &[]), grammar);
    assert_eq!(ending_with("starting: \"x\"", &[7]), "starting: \"x\"");
}

#[test]
fn a_text_is_held_to_the_whole_grammar() {
    let grammar = "start: \"a\" /[b-d]+/ \".\"?";
    assert_eq!(obeys_lark(grammar, "abcd"), Ok(()));
    assert_eq!(obeys_lark(grammar, "abc."), Ok(()));
    assert_eq!(obeys_lark(grammar, "a"), Err("it is not complete".to_owned()));
    assert_eq!(obeys_lark(grammar, "abx"), Err("the grammar does not allow `x` at byte 2".to_owned()));
    assert!(obeys_lark("start: nothing_of_that_name", "a").is_err());
}

#[test]
fn json_is_written_without_spaces_unless_the_schema_says_so() {
    let Constraint::JsonSchema(schema) = constraint(&Shape::Json(json!({"type": "object"})), &[]) else { panic!("not JSON") };
    assert_eq!(schema["x-guidance"]["whitespace_flexible"], false);
}
