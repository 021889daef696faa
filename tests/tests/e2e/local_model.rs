//! The real small model in this process: it keeps to its shapes, stops when told, and keeps nothing of a question.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use runlore_bot::model::mistral::MistralModel;
use runlore_bot::model::{CancellationToken, Device, LanguageModel, LocalSettings, ModelError, Prompt, Request, Shape, Weights};
use serde_json::{Value, json};

const TOOLS: &str = "You plan look-ups for a bot that answers questions about an ML team's runs. Reply with one JSON object.\n\
    Tools: best (the run with the best value of a metric), compare (two runs), search (notes that talk about something).\n\
    Question: which run has the lowest val/loss in gpt-small?\n{\"tool\":\"best\",\"metric\":\"val/loss\",\"order\":\"min\"}";

/// Growth that allocators explain: 1 MiB was measured, and 34 where every second question was kept.
const MAX_GROWTH_MIB: u64 = 20;

fn folder() -> Option<PathBuf> {
    let cache =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("runlore/models/chat-0.5b")).filter(|folder| folder.is_dir())
}

fn request(varying: &str, shape: Shape) -> Request {
    let prompt = Prompt { fixed: TOOLS.to_owned(), scope_id: "scope-1".to_owned(), varying: varying.to_owned() };
    Request { prompt, shape, max_tokens: 60 }
}

fn plan(question: &str) -> Request {
    let properties = json!({
        "tool": {"enum": ["best", "compare", "search"]},
        "metric": {"enum": ["val/accuracy"]},
        "order": {"enum": ["min", "max"]},
    });
    request(question, Shape::Json(json!({"type": "object", "properties": properties, "required": ["tool"], "additionalProperties": false})))
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_model_keeps_its_promises() {
    let Some(folder) = folder() else {
        runlore_tests::not_run::not_run("local_model", "the model chat-0.5b is not in the cache folder (`runlore models` fetches it)");
        return;
    };
    let settings = LocalSettings { weights: Weights::Path(folder), device: Device::Cpu };
    let model = MistralModel::load(&settings).await.unwrap();

    let started = Instant::now();
    obeys_the_schema(&model).await;
    eprintln!("first plan, prefix not yet cached: {:.2?}", started.elapsed());
    let started = Instant::now();
    obeys_the_schema(&model).await;
    eprintln!("second plan: {:.2?}", started.elapsed());
    obeys_the_grammar(&model).await;
    is_free_after_a_cancel(&model).await;
    names_a_bad_grammar(&model).await;
    keeps_nothing(&model).await;
}

async fn obeys_the_schema(model: &MistralModel) {
    let text = model.generate(&plan("Question: which run has the best val/accuracy?"), &|_| (), &CancellationToken::new()).await.unwrap();
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert!(["best", "compare", "search"].contains(&plan["tool"].as_str().unwrap()), "{text}");
    assert!(!text.contains("\": ") && !text.contains('\n'), "without spaces: {text}");
}

async fn obeys_the_grammar(model: &MistralModel) {
    let grammar = "start: (WORDS | MARK)+ \".\"\nWORDS: /[A-Za-z ,]{1,40}/\nMARK: \"{a}\" | \"{b}\"";
    let request = request("Say that run {a} is better than run {b}, whose loss is 0.25.", Shape::Lark(grammar.to_owned()));
    let text = match model.generate(&request, &|_| (), &CancellationToken::new()).await {
        Ok(text) => text,
        Err(ModelError::OutOfShape(reason)) => panic!("did not end: {reason}"),
        Err(error) => panic!("{error}"),
    };
    assert!(text.ends_with('.') && !text.contains(|c: char| c.is_ascii_digit()), "{text}");
    assert!(!text.replace("{a}", "").replace("{b}", "").contains(['{', '}']), "{text}");
}

async fn is_free_after_a_cancel(model: &MistralModel) {
    let cancel = CancellationToken::new();
    let n_pieces = AtomicUsize::new(0);
    let stop_at_second = |_: &str| {
        if n_pieces.fetch_add(1, Ordering::Relaxed) == 1 {
            cancel.cancel();
        }
    };
    // A question that waits its turn is stopped as well, without having been run.
    let (asked, waited) = (plan("Question: compare all runs"), plan("Question: and again"));
    let (first, second) = tokio::join!(model.generate(&asked, &stop_at_second, &cancel), model.generate(&waited, &|_| (), &cancel));
    assert_eq!((first, second), (Err(ModelError::Cancelled), Err(ModelError::Cancelled)));
    assert_eq!(n_pieces.load(Ordering::Relaxed), 2, "nothing comes after the cancel");
    obeys_the_schema(model).await;
}

async fn names_a_bad_grammar(model: &MistralModel) {
    let result = model.generate(&request("x", Shape::Lark("start: (".to_owned())), &|_| (), &CancellationToken::new()).await;
    assert!(matches!(&result, Err(ModelError::OutOfShape(reason)) if reason.contains("grammar")), "{result:?}");
    obeys_the_schema(model).await;
}

/// The library would keep the cache of each question, and share it with whoever asks the like.
async fn keeps_nothing(model: &MistralModel) {
    let before = resident_mib();
    for n in 0..12 {
        let question = plan(&format!("Question {n}: best?"));
        let cut = Request { max_tokens: if n % 2 == 0 { 2 } else { 60 }, ..question };
        let result = model.generate(&cut, &|_| (), &CancellationToken::new()).await;
        assert_eq!(result.is_err(), n % 2 == 0, "an answer that is cut is none: {result:?}");
    }
    let grown = resident_mib().saturating_sub(before);
    eprintln!("12 questions took {grown} MiB more");
    assert!(grown < MAX_GROWTH_MIB, "12 questions took {grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_short_is_a_complaint() {
    let Some(folder) = folder() else {
        runlore_tests::not_run::not_run("local_model", "the model chat-0.5b is not in the cache folder (`runlore models` fetches it)");
        return;
    };
    let whole =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "gguf"));
    let scratch = tempfile::tempdir().unwrap();
    let cut = scratch.path().join("cut.gguf");
    let mut head = std::io::Read::take(std::fs::File::open(whole.unwrap()).unwrap(), 20_000_000);
    std::io::copy(&mut head, &mut std::fs::File::create(&cut).unwrap()).unwrap();
    let settings = LocalSettings { weights: Weights::Path(cut.clone()), device: Device::Cpu };
    let error = MistralModel::load(&settings).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains(&cut.display().to_string()) && error.contains("run `runlore models`"), "{error}");
}
