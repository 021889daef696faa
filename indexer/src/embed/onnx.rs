//! The embedding model: a sentence transformer in ONNX form, run by fastembed on an onnxruntime library loaded at start.
//!
//! Texts are embedded one at a time, several at once on sessions of one thread each. The model's int8 layers take their
//! range from the whole batch, so a text's vector would depend on its neighbours: alone, the same text always gets the
//! same vector. It is also quicker, since nothing is padded.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use ort::environment::Environment;
use sha2::{Digest, Sha256};

use super::{EmbedError, Embedder};

#[cfg(test)]
mod tests;

/// Tokens that the model reads of a text; the rest is cut off.
const MAX_TOKENS: usize = 256;

/// Most sessions, each with its own copy of the weights (some 60 MB).
const MAX_SESSIONS: usize = 8;

/// One onnxruntime environment per process: a second one is refused, and the first must outlive every session.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Embeds with a model from a folder.
pub struct OnnxEmbedder {
    sessions: Vec<Mutex<TextEmbedding>>,
    dimensions: usize,
    name: String,
}

impl OnnxEmbedder {
    /// Loads `model.onnx`, `tokenizer.json`, `config.json`, `special_tokens_map.json` and `tokenizer_config.json` from
    /// `model_folder`, to be run by the onnxruntime library `runtime`. One library serves the whole process: the first
    /// that is loaded.
    ///
    /// # Errors
    /// `EmbedError::Load` with the file that is missing, cut short or not what it should be.
    pub fn load(model_folder: &Path, runtime: &Path) -> Result<Self, EmbedError> {
        let n_sessions = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_SESSIONS);
        let environment = environment(runtime)?;
        let model = read_model(model_folder)?;
        let name = model_name(&model);
        let open = |_| open_session(&model, &environment, model_folder);
        let mut sessions = (0..n_sessions).map(open).collect::<Result<Vec<_>, _>>()?;
        let dimensions = sessions.first_mut().map_or(Ok(0), probe).map_err(|error| broken(model_folder, &error.to_string()))?;
        Ok(Self { sessions: sessions.into_iter().map(Mutex::new).collect(), dimensions, name })
    }

    /// Embeds what `next` hands out until nothing is left, and returns it with its places.
    fn work(&self, texts: &[&str], order: &[usize], next: &AtomicUsize) -> Result<Vec<(usize, Vec<f32>)>, EmbedError> {
        let mut session = self.free_session();
        let mut done = Vec::new();
        while let Some(place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*place, embed_one(&mut session, texts[*place])?));
        }
        Ok(done)
    }

    /// A session that nobody uses, else the first to become free of those tried.
    fn free_session(&self) -> MutexGuard<'_, TextEmbedding> {
        for session in &self.sessions {
            match session.try_lock() {
                Ok(free) => return free,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.sessions[0].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Embedder for OnnxEmbedder {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let order = longest_first(texts);
        let next = AtomicUsize::new(0);
        let n_workers = self.sessions.len().min(texts.len());
        let parts = std::thread::scope(|scope| {
            let others: Vec<_> = (1..n_workers).map(|_| scope.spawn(|| self.work(texts, &order, &next))).collect();
            let mut parts = vec![self.work(texts, &order, &next)];
            parts.extend(others.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(panicked()))));
            parts
        });
        let mut vectors = vec![Vec::new(); texts.len()];
        for part in parts {
            for (place, vector) in part? {
                vectors[place] = vector;
            }
        }
        Ok(vectors)
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Places of the texts, long ones first, so that the sessions end at about the same time.
fn longest_first(texts: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(texts[*place].len()));
    order
}

fn embed_one(session: &mut TextEmbedding, text: &str) -> Result<Vec<f32>, EmbedError> {
    let vectors = session.embed([text], Some(1)).map_err(|error| EmbedError::Run(error.to_string()))?;
    let vector = vectors.into_iter().next().unwrap_or_default();
    if vector.is_empty() || vector.iter().any(|number| !number.is_finite()) {
        return Err(EmbedError::Run("the model gave no finite vector".to_owned()));
    }
    Ok(vector)
}

fn panicked() -> EmbedError {
    EmbedError::Run("a worker stopped unexpectedly".to_owned())
}

/// The length of the model's vectors, found by running it once.
fn probe(session: &mut TextEmbedding) -> Result<usize, EmbedError> {
    embed_one(session, "probe").map(|vector| vector.len())
}

fn open_session(model: &UserDefinedEmbeddingModel, environment: &Environment, folder: &Path) -> Result<TextEmbedding, EmbedError> {
    let options = InitOptionsUserDefined::new().with_environment(environment.clone()).with_max_length(MAX_TOKENS).with_intra_threads(1);
    TextEmbedding::try_new_from_user_defined(model.clone(), options).map_err(|error| match error {
        fastembed::Error::Ort(error) => broken(&folder.join("model.onnx"), &error.to_string()),
        error => broken(folder, &error.to_string()),
    })
}

fn read_model(folder: &Path) -> Result<UserDefinedEmbeddingModel, EmbedError> {
    let tokenizer = TokenizerFiles {
        tokenizer_file: read_json(folder, "tokenizer.json")?,
        config_file: read_json(folder, "config.json")?,
        special_tokens_map_file: read_json(folder, "special_tokens_map.json")?,
        tokenizer_config_file: read_json(folder, "tokenizer_config.json")?,
    };
    Ok(UserDefinedEmbeddingModel::new(read(&folder.join("model.onnx"))?, tokenizer).with_pooling(Pooling::Mean))
}

/// Reads a JSON file and sees that it is whole.
fn read_json(folder: &Path, file: &str) -> Result<Vec<u8>, EmbedError> {
    let path = folder.join(file);
    let bytes = read(&path)?;
    match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(broken(&path, &error.to_string())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EmbedError> {
    let bytes = std::fs::read(path).map_err(|error| broken(path, &error.to_string()))?;
    if bytes.is_empty() {
        return Err(broken(path, "the file is empty"));
    }
    Ok(bytes)
}

/// Names the model by what it is made of: other weights, other words or another length are another model.
fn model_name(model: &UserDefinedEmbeddingModel) -> String {
    let mut digest = Sha256::new();
    digest.update(&model.onnx_file);
    digest.update(&model.tokenizer_files.tokenizer_file);
    let hash: String = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("onnx-{hash}-{MAX_TOKENS}")
}

/// Loads the library, the first time, and makes the environment that every session shares.
fn environment(runtime: &Path) -> Result<Environment, EmbedError> {
    let path = runtime.canonicalize().map_err(|error| broken(runtime, &error.to_string()))?;
    check_library(&path)?;
    let mut made = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = made.as_ref() {
        return Ok(environment.clone());
    }
    let builder = ort::init_from(&path).map_err(|error| broken(runtime, &error.to_string()))?;
    let environment = builder.build().map_err(|error| broken(runtime, &error.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    *made = Some(environment.clone());
    Ok(environment)
}

/// A library that was cut short can end the process when it is mapped, so its length is held against its own header:
/// in an ELF file of 64 bits the table of sections, whose offset, entry size and count stand at bytes 40, 58 and 60,
/// comes last (System V ABI, ELF header). Other kinds of library are left to the loader.
fn check_library(path: &Path) -> Result<(), EmbedError> {
    let bytes = std::fs::File::open(path).and_then(|file| read_start(file, 64)).map_err(|error| broken(path, &error.to_string()))?;
    let length = std::fs::metadata(path).map_err(|error| broken(path, &error.to_string()))?.len();
    if bytes.len() < 64 {
        return Err(broken(path, &format!("the file is cut short: {length} bytes")));
    }
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Ok(());
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let offset = bytes[40..48].iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let whole = offset.saturating_add(short(58) * short(60));
    if length < whole {
        return Err(broken(path, &format!("the file is cut short: {length} of {whole} bytes")));
    }
    Ok(())
}

fn read_start(file: std::fs::File, n_bytes: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    file.take(n_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn broken(place: &Path, reason: &str) -> EmbedError {
    EmbedError::Load { place: place.display().to_string(), reason: reason.to_owned() }
}
