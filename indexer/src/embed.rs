//! Text to vectors.

pub mod hashed;
pub mod onnx;

use thiserror::Error;

/// Turns texts into unit vectors. Blocking: call it on a blocking thread.
pub trait Embedder: Send + Sync {
    /// One unit vector of `dimensions()` numbers a text, in the same order.
    ///
    /// # Errors
    /// Where the model cannot run.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// Length of a vector.
    fn dimensions(&self) -> usize;

    /// Names the model and its version: vectors of different names are never compared.
    fn name(&self) -> &str;
}

/// Why there are no vectors.
#[derive(Debug, Error)]
pub enum EmbedError {
    /// A file of the model is missing or broken.
    #[error("cannot load the embedding model from `{place}`: {reason}")]
    Load { place: String, reason: String },
    /// The model did not run.
    #[error("the embedding model failed: {0}")]
    Run(String),
}
