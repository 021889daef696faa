//! Fusion does not depend on the order in which hits come, and keeps to its bounds.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::record::{Body, Record, RecordId};
use crate::space::Space;

fn record(n: u32) -> RecordId {
    let record = Record {
        native_id: n.to_string(),
        key: String::new(),
        title: String::new(),
        project: None,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: String::new(),
        body: Body::Note(String::new()),
    };
    RecordId::of("notes", &Space::new("team").unwrap(), &record)
}

fn hit(n: u32, position: u32, score: f64) -> Hit {
    Hit { space: Space::new("team").unwrap(), record: record(n), position, text_hash: "h".into(), score }
}

fn hits() -> impl Strategy<Value = Vec<Hit>> {
    // Few records and few scores, so that there are ties and repetitions.
    prop::collection::vec((0u32..12, 0u32..2, 0u8..5).prop_map(|(n, position, score)| hit(n, position, f64::from(score) / 4.0)), 0..20)
}

fn fusions() -> impl Strategy<Value = Fusion> {
    prop_oneof![(1.0f64..100.0).prop_map(|k| Fusion::Rrf { k }), (0.0f64..=1.0).prop_map(|vector_weight| Fusion::MinMax { vector_weight })]
}

proptest! {
    #[test]
    fn order_of_the_input_does_not_matter(
        (keyword, keyword_shuffled) in hits().prop_flat_map(|hits| (Just(hits.clone()), Just(hits).prop_shuffle())),
        (vector, vector_shuffled) in hits().prop_flat_map(|hits| (Just(hits.clone()), Just(hits).prop_shuffle())),
        how in fusions(),
    ) {
        prop_assert_eq!(fuse(&keyword, &vector, how, 10), fuse(&keyword_shuffled, &vector_shuffled, how, 10));
    }

    #[test]
    fn scores_fall_from_one_at_most_to_zero_at_least(keyword in hits(), vector in hits(), how in fusions()) {
        let fused = fuse(&keyword, &vector, how, 100);
        prop_assert!(fused.iter().all(|hit| (0.0..=1.0 + 1e-12).contains(&hit.score)));
        prop_assert!(fused.is_sorted_by(|a, b| best_first(a, b) == Ordering::Less));
        for hit in keyword.iter().chain(&vector) {
            prop_assert!(fused.iter().any(|other| chunk_key(other) == chunk_key(hit)));
        }
    }
}

#[test]
fn both_lists_beat_one() {
    let fused = fuse(&[hit(1, 0, 9.0), hit(2, 0, 8.0)], &[hit(2, 0, 0.9), hit(3, 0, 0.8)], Fusion::Rrf { k: 60.0 }, 3);
    assert_eq!(fused[0].record, record(2));
    let best_of_both = fuse(&[hit(1, 0, 9.0)], &[hit(1, 0, 0.9)], Fusion::Rrf { k: 60.0 }, 3);
    assert_eq!(best_of_both[0].score, 1.0);
}

#[test]
fn min_max_weighs_the_lists() {
    let (keyword, vector) = ([hit(1, 0, 9.0), hit(2, 0, 1.0)], [hit(2, 0, 0.9), hit(1, 0, 0.1)]);
    let first = |vector_weight| fuse(&keyword, &vector, Fusion::MinMax { vector_weight }, 1)[0].record;
    assert_eq!(first(0.1), record(1));
    assert_eq!(first(0.9), record(2));
}

#[test]
fn a_stale_text_is_another_chunk() {
    let stale = Hit { text_hash: "old".into(), ..hit(1, 0, 0.5) };
    assert_eq!(fuse(&[hit(1, 0, 2.0)], &[stale], Fusion::Rrf { k: 60.0 }, 10).len(), 2);
}
