//! Vectors without a model: words and character trigrams hashed into a fixed number of places.
//!
//! For tests, and for machines on which the model is missing: texts that share words come out near each other, nothing more.

use sha2::{Digest, Sha256};

use super::{EmbedError, Embedder};

#[cfg(test)]
mod tests;

/// A whole word says more than one of its trigrams.
const WORD_WEIGHT: f32 = 3.0;

/// Hashes features of a text into a unit vector; the same text always gives the same one.
pub struct HashedEmbedder {
    dimensions: usize,
    name: String,
}

impl HashedEmbedder {
    /// Vectors of this length, at least 1.
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        Self { dimensions, name: format!("hashed-{dimensions}-1") }
    }

    fn embed_one(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimensions];
        let lower = text.to_lowercase();
        for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            self.add(&mut vector, word, WORD_WEIGHT);
            let framed: Vec<char> = std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
            for trigram in framed.windows(3) {
                self.add(&mut vector, &trigram.iter().collect::<String>(), 1.0);
            }
        }
        to_unit(vector)
    }

    /// Adds a feature at the place that its hash says, with the sign that its hash says, so that collisions cancel out.
    fn add(&self, vector: &mut [f32], feature: &str, weight: f32) {
        let digest = Sha256::digest(feature.as_bytes());
        let number = digest[..8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let place = usize::try_from(number % self.dimensions as u64).unwrap_or_default();
        let sign = if digest[8] & 1 == 0 { 1.0 } else { -1.0 };
        vector[place] += sign * weight;
    }
}

impl Embedder for HashedEmbedder {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        Ok(texts.iter().map(|text| self.embed_one(text)).collect())
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Scales to length 1; a text without a word gets the first axis, since a vector of zeros has no direction.
fn to_unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length == 0.0 {
        vector[0] = 1.0;
        return vector;
    }
    vector.iter().map(|number| number / length).collect()
}
