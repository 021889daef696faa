//! What counts as a word, a part, an identifier and a phrase.

use super::*;

#[track_caller]
fn check(text: &str, identifiers: &[&str], phrases: &[&[&str]]) {
    let asked = Asked::read(text);
    assert_eq!(asked.identifiers, identifiers, "identifiers of {text:?}");
    assert_eq!(asked.phrases, phrases, "phrases of {text:?}");
}

#[test]
fn prose_has_no_identifiers() {
    check("Why did the learning-rate sweep diverge, and who's on it?", &[], &[]);
    check("", &[], &[]);
    check("...  -- - !!", &[], &[]);
}

#[test]
fn names_are_identifiers() {
    check("what does `optimizer.lr` do in tr11-176B?", &["optimizer.lr", "tr11-176b"], &[]);
    check("NCCL timeout", &["nccl"], &[]);
    check("best val/acc with --flag=3 (ResNet50, prod-v3).", &["val/acc", "--flag", "resnet50", "prod-v3"], &[]);
    check("RuntimeError: CUDA_ERROR_X", &["runtimeerror", "cuda_error_x"], &[]);
    check("lr=3e-4 or 0.001", &["3e-4", "0.001"], &[]);
}

#[test]
fn quotes_make_phrases() {
    check("runs that say \"out of memory\" twice: \"out of memory\"", &[], &[&["out", "of", "memory"]]);
    check("“NCCL timeout: rank 3” please", &["nccl"], &[&["nccl", "timeout", "rank", "3"]]);
    check("the \"sampler\" setting", &["sampler"], &[]);
    check("an \"open quote and 'more", &[], &[]);
    check("\"\" and \"...\"", &[], &[]);
}

#[test]
fn compound_words_have_parts() {
    assert_eq!(parts("train.optimizer.lr"), ["train", "optimizer", "lr", "optimizer.lr"]);
    assert_eq!(parts("runs/tr11-176B.yaml"), ["runs", "tr11-176B.yaml", "tr11-176B", "yaml"]);
    assert_eq!(parts("--flag"), ["flag"]);
    assert!(parts("0.001").is_empty());
    assert!(parts("plain").is_empty());
}

#[test]
fn long_questions_are_bounded() {
    let text: Vec<String> = (0..500).map(|i| format!("name_{i}")).collect();
    assert_eq!(Asked::read(&text.join(" ")).identifiers.len(), MAX_EXACT);
    assert!(exact_words(&"x".repeat(5_000)).next().is_none());
}
