//! How good and how quick search is: `cargo bench --profile dev -p runlore-indexer --bench search -- scifact` or `-- hundred-thousand`.
//!
//! `scifact` needs the data set of that name (RUNLORE_SHARED), both need the embedding model in the cache folder. docs/benchmarks.md
//! has what came out.

#[path = "search/generated.rs"]
mod generated;
#[path = "search/scifact.rs"]
mod scifact;

use std::path::PathBuf;
use std::sync::Arc;

use runlore_indexer::embed::Embedder;
use runlore_indexer::embed::onnx::OnnxEmbedder;
use runlore_indexer::index::keyword::KeywordIndex;
use runlore_indexer::index::vector::VectorIndex;
use runlore_indexer::index::vector_edge::EdgeVectors;
use runlore_indexer::search::Legs;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    // Cargo adds `--bench` to what was asked for.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["scifact"] => scifact::run(),
        ["hundred-thousand"] => generated::run(),
        _ => {
            println!("say which: `scifact` or `hundred-thousand`");
            Ok(())
        }
    }
}

/// Both legs over empty indexes in a folder.
fn empty_legs(folder: &std::path::Path) -> Outcome<Legs> {
    let models = cache_folder()?.join("models");
    let runtime = models.join("onnxruntime/libonnxruntime.so.1.31.1");
    let embedder: Arc<dyn Embedder> = Arc::new(OnnxEmbedder::load(&models.join("embed"), &runtime)?);
    let vectors: Arc<dyn VectorIndex> = Arc::new(EdgeVectors::open(&folder.join("vectors"), embedder.dimensions())?);
    Ok(Legs { keyword: Arc::new(KeywordIndex::open(&folder.join("keyword"))?), vectors, embedder })
}

fn cache_folder() -> Outcome<PathBuf> {
    if let Some(folder) = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder).join("runlore"));
    }
    let home = std::env::var_os("HOME").ok_or("there is neither XDG_CACHE_HOME nor HOME")?;
    Ok(PathBuf::from(home).join(".cache/runlore"))
}
