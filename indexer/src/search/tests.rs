//! Both legs together: what each adds, and what happens when vectors are down.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::embed::EmbedError;
use crate::index::keyword::KeywordChunk;
use crate::index::vector::{EmbeddedChunk, VectorError};
use crate::record::{RecordId, RecordKind};

/// Gives every text the same vector, or none.
struct OneVector(Result<(), &'static str>);

impl Embedder for OneVector {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.0.map_err(|reason| EmbedError::Run(reason.to_owned()))?;
        Ok(vec![vec![1.0, 0.0]; texts.len()])
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn name(&self) -> &str {
        "one"
    }
}

/// Gives the same hits to every question, and keeps the spaces that it was asked for.
#[derive(Default)]
struct FixedHits {
    hits: Vec<Hit>,
    asked: Mutex<Vec<Space>>,
}

impl VectorIndex for FixedHits {
    fn apply(&self, _: &Space, _: &[RecordId], _: &[EmbeddedChunk]) -> Result<(), VectorError> {
        Ok(())
    }

    fn mark_applied(&self, _: &Space, _: i64) -> Result<(), VectorError> {
        Ok(())
    }

    fn applied(&self, _: &Space) -> Result<i64, VectorError> {
        Ok(0)
    }

    fn search(&self, space: &Space, _: &[f32], _: &Filter, limit: usize) -> Result<Vec<Hit>, VectorError> {
        self.asked.lock().unwrap().push(space.clone());
        if self.hits.is_empty() {
            return Err(VectorError::Unavailable { place: "here".into(), reason: "it is down".into() });
        }
        Ok(self.hits.iter().filter(|hit| hit.space == *space).take(limit).cloned().collect())
    }

    fn contents(&self, _: &Space) -> Result<Vec<(RecordId, u32, String)>, VectorError> {
        Ok(Vec::new())
    }
}

fn record(n: u128) -> RecordId {
    RecordId::from(Uuid::from_u128(n))
}

fn space(label: &str) -> Space {
    Space::new(label).unwrap()
}

fn hit(label: &str, n: u128, score: f64) -> Hit {
    Hit { space: space(label), record: record(n), position: 0, text_hash: "h".into(), score }
}

fn chunk(n: u128, text: &str) -> KeywordChunk {
    KeywordChunk {
        record: record(n),
        position: 0,
        text_hash: "h".into(),
        kind: RecordKind::Note,
        project: None,
        created_ms: None,
        title: String::new(),
        heading: String::new(),
        text: text.into(),
    }
}

fn legs(folder: &TempDir, vectors: FixedHits, embedder: OneVector) -> (Legs, Arc<FixedHits>) {
    let keyword = KeywordIndex::open(folder.path()).unwrap();
    keyword.apply(&space("a"), &[], &[chunk(1, "loss spike"), chunk(2, "another loss")], 1).unwrap();
    keyword.apply(&space("b"), &[], &[chunk(3, "loss spike")], 1).unwrap();
    let vectors = Arc::new(vectors);
    (Legs { keyword: Arc::new(keyword), vectors: Arc::clone(&vectors) as Arc<dyn VectorIndex>, embedder: Arc::new(embedder) }, vectors)
}

async fn search(legs: &Legs, labels: &[&str], query: &str) -> LegHits {
    legs.search(labels.iter().map(|label| space(label)).collect(), query, &Filter::default()).await.unwrap()
}

fn records(hits: &[Hit]) -> Vec<RecordId> {
    hits.iter().map(|hit| hit.record).collect()
}

#[tokio::test]
async fn both_legs_are_fused_over_the_spaces_asked_for() {
    let folder = TempDir::new().unwrap();
    let vectors = FixedHits { hits: vec![hit("a", 2, 0.6), hit("b", 3, 0.9), hit("c", 4, 0.99)], asked: Mutex::default() };
    let (legs, vectors) = legs(&folder, vectors, OneVector(Ok(())));
    let found = search(&legs, &["a", "b"], "spike").await;
    assert_eq!(records(&found.keyword), [record(1), record(3)]);
    assert_eq!(records(&found.vector), [record(3), record(2)], "nearest first over both spaces");
    assert_eq!(found.best_cosine(), Some(0.9));
    assert_eq!(found.notice, None);
    assert_eq!(found.fused(FUSION, 10)[0].record, record(3), "best in both");
    assert_eq!(*vectors.asked.lock().unwrap(), [space("a"), space("b")]);
}

#[tokio::test]
async fn without_vectors_there_are_keyword_hits_and_a_notice() {
    let folder = TempDir::new().unwrap();
    for embedder in [OneVector(Ok(())), OneVector(Err("no model"))] {
        let (legs, _) = legs(&folder, FixedHits::default(), embedder);
        let found = search(&legs, &["a"], "spike").await;
        assert_eq!(records(&found.fused(FUSION, 10)), [record(1)]);
        assert_eq!(found.best_cosine(), None);
        let notice = found.notice.unwrap();
        assert!(
            notice.starts_with("vectors are not available: ") && (notice.contains("it is down") || notice.contains("no model")),
            "{notice}"
        );
    }
}

#[tokio::test]
async fn nothing_is_asked_without_words_or_spaces() {
    let folder = TempDir::new().unwrap();
    let (legs, vectors) = legs(&folder, FixedHits::default(), OneVector(Ok(())));
    assert_eq!(search(&legs, &["a"], "  ").await, LegHits::default());
    assert_eq!(search(&legs, &[], "spike").await, LegHits::default());
    assert!(vectors.asked.lock().unwrap().is_empty());
}
