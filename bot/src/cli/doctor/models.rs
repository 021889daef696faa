//! The models: are their files there, whole, and do they run.

use std::path::Path;
use std::time::Duration;

use runlore_indexer::config::EmbedSettings;
use runlore_indexer::embed::Embedder;
use runlore_indexer::embed::onnx::OnnxEmbedder;
use secrecy::ExposeSecret;

use super::Check;
use crate::cli::models::{FileState, Pin, sets, state};
use crate::model::{LocalSettings, ModelSettings, ServerSettings, Weights};

const EMBEDDING: &str = "embedding model";
const CHAT: &str = "chat model";

/// Longest wait for a model server's list of models.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether texts can be embedded.
pub(super) async fn embedding(settings: &EmbedSettings) -> Check {
    let EmbedSettings::Onnx { model, runtime } = settings.clone() else {
        return Check::warning(
            EMBEDDING,
            "hashed: words alone, no meanings",
            "set `[embed] kind = \"onnx\"` and run `runlore models embed onnxruntime`",
        );
    };
    let checked = tokio::task::spawn_blocking(move || {
        let advice = "run `runlore models embed onnxruntime`; without it keywords alone answer";
        let files = pins("embed").into_iter().map(|pin| (model.join(&pin.name), pin));
        let runtimes = pins("onnxruntime").into_iter().filter(|pin| runtime.ends_with(&pin.name)).map(|pin| (runtime.clone(), pin));
        for (path, pin) in files.chain(runtimes) {
            if let Some(wrong) = wrong(&path, &pin) {
                return Check::broken(EMBEDDING, wrong, advice);
            }
        }
        match OnnxEmbedder::load(&model, &runtime) {
            Ok(embedder) => Check::ok(
                EMBEDDING,
                format!("{}, {} dimensions, onnxruntime `{}`", embedder.name(), embedder.dimensions(), runtime.display()),
            ),
            Err(e) => Check::broken(EMBEDDING, e.to_string(), advice),
        }
    });
    checked
        .await
        .unwrap_or_else(|e| Check::broken(EMBEDDING, format!("it crashed: {e}"), "run `runlore models --verify embed onnxruntime`"))
}

/// Whether there is a model to plan and narrate. It is not loaded here: that takes seconds and memory.
pub(super) async fn chat(settings: &ModelSettings) -> Check {
    match settings {
        ModelSettings::None => Check::ok(CHAT, "none: typed commands and plain facts"),
        ModelSettings::Mistralrs(local) => local_model(local.clone()).await,
        ModelSettings::Openai(server) => served(server).await,
    }
}

async fn local_model(settings: LocalSettings) -> Check {
    let path = match settings.weights {
        Weights::Hub(name) => return Check::ok(CHAT, format!("`{name}` of the model hub, fetched when it is first used")),
        Weights::Path(path) => path,
    };
    let checked = tokio::task::spawn_blocking(move || {
        let named = |(_, pin): &(String, Pin)| path.file_name().is_some_and(|name| name == pin.name.as_str());
        let pinned: Vec<(String, Pin)> =
            sets().unwrap_or_default().into_iter().flat_map(|set| set.files.into_iter().map(move |pin| (set.name.clone(), pin))).collect();
        match pinned.iter().find(|pair| named(pair)) {
            Some((set, pin)) => match wrong(&path, pin) {
                Some(wrong) => Check::broken(CHAT, wrong, format!("run `runlore models {set}`; without it plain facts answer")),
                None => Check::ok(CHAT, format!("`{}`, {} MB, checksum right", path.display(), pin.bytes / 1_000_000)),
            },
            None => own_model(&path),
        }
    });
    checked.await.unwrap_or_else(|e| Check::broken(CHAT, format!("it could not be read: {e}"), "run `runlore models`"))
}

/// A model that the team chose itself: no checksum is known.
fn own_model(path: &Path) -> Check {
    let advice = "put a GGUF file there or change `[model] path`; `runlore models` fetches the default";
    let mut magic = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    match read {
        _ if path.is_dir() => Check::ok(CHAT, format!("the folder `{}`", path.display())),
        Err(e) => Check::broken(CHAT, format!("cannot read `{}`: {e}", path.display()), advice),
        Ok(()) if &magic == b"GGUF" => Check::ok(CHAT, format!("`{}`", path.display())),
        Ok(()) => Check::broken(CHAT, format!("`{}` is no GGUF file", path.display()), advice),
    }
}

async fn served(server: &ServerSettings) -> Check {
    let base = server.url.trim_end_matches('/');
    let base = if base.ends_with("/v1") { base.to_owned() } else { format!("{base}/v1") };
    let advice = "start the server, or check `[model] url`, `name` and `api_key_env`; without it plain facts answer";
    let answer = async {
        let client = reqwest::Client::builder().timeout(PATIENCE.min(server.timeout)).build()?;
        let mut request = client.get(format!("{base}/models"));
        if let Some(key) = &server.api_key {
            request = request.bearer_auth(key.expose_secret());
        }
        request.send().await?.error_for_status()?.text().await
    };
    match answer.await {
        Ok(text) if text.contains(&server.model) => Check::ok(CHAT, format!("`{}` at {base}", server.model)),
        Ok(_) => Check::warning(CHAT, format!("{base} answers but does not list `{}`", server.model), advice),
        Err(e) => Check::broken(CHAT, format!("{base} does not answer: {}", causes(&e)), advice),
    }
}

fn pins(set: &str) -> Vec<Pin> {
    sets().unwrap_or_default().into_iter().find(|other| other.name == set).map(|set| set.files).unwrap_or_default()
}

fn wrong(path: &Path, pin: &Pin) -> Option<String> {
    let shown = path.display();
    match state(path, pin) {
        FileState::Whole => None,
        FileState::Missing => Some(format!("`{shown}` is missing")),
        FileState::WrongSize => Some(format!("`{shown}` is not {} bytes long; it was cut short or is another file", pin.bytes)),
        FileState::WrongChecksum => Some(format!("`{shown}` has not the pinned checksum")),
    }
}

/// An error with its causes: what a client library says alone is often only that sending failed.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
