//! The hashed embedder: steady, of unit length, and near where words are shared.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn vector(text: &str) -> Vec<f32> {
    HashedEmbedder::new(128).embed_one(text)
}

fn cosine(left: &str, right: &str) -> f32 {
    vector(left).iter().zip(vector(right)).map(|(a, b)| a * b).sum()
}

#[test]
fn every_text_gets_a_unit_vector() {
    for text in ["", "   ", "—", "lr", "The loss diverged at step 300", "ошибка NCCL"] {
        let length = vector(text).iter().map(|number| number * number).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-5, "`{text}` has squared length {length}");
    }
}

#[test]
fn the_same_text_gives_the_same_numbers() {
    assert_eq!(vector("warm-up of 500 steps"), vector("warm-up of 500 steps"));
    assert_eq!(vector("Adam"), vector("adam"));
}

#[test]
fn shared_words_are_nearer_than_none() {
    let near = cosine("the learning rate was too high", "a learning rate that is high");
    let far = cosine("the learning rate was too high", "tokenizer vocabulary merge");
    assert!(near > far + 0.2, "near {near}, far {far}");
    assert!(cosine("checkpoint", "checkpoints") > 0.3);
}

#[test]
fn one_place_is_enough_and_none_is_taken_as_one() {
    assert_eq!(HashedEmbedder::new(0).embed(&["a"]).unwrap()[0].len(), 1);
}
