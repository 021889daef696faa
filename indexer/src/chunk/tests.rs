//! Chunks are verbatim, cover the text and stay short.

use proptest::prelude::*;

use super::*;

fn note(text: &str) -> Vec<Chunk> {
    chunk(&Record {
        native_id: "a.md".to_owned(),
        key: "a.md".to_owned(),
        title: "A".to_owned(),
        project: None,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: String::new(),
        body: Body::Note(text.to_owned()),
    })
}

#[test]
fn headings_make_a_path() {
    let chunks = note("# Log\nfirst\n## 2022-04-30 hang\nrace *condition*\n## 2022-05-01\nfine\n");
    let seen: Vec<(&str, &str)> = chunks.iter().map(|c| (c.heading.as_str(), c.text.as_str())).collect();
    assert_eq!(seen, [("Log", "first"), ("Log > 2022-04-30 hang", "race *condition*"), ("Log > 2022-05-01", "fine")]);
}

#[test]
fn a_long_list_is_cut_between_items() {
    let text: String = (0..60).map(|i| format!("- item {i} with some words to fill the line up\n")).collect();
    let chunks = note(&text);
    assert!(chunks.len() > 1);
    assert!(chunks.iter().all(|chunk| chunk.text.trim_start().starts_with("- item")), "{chunks:#?}");
}

#[test]
fn a_heading_with_nothing_below_it_is_found() {
    let chunks = note("# Log\ntext\n## Decided: no flips\n## Other\nmore\n# The end\n");
    let texts: Vec<&str> = chunks.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts, ["text", "## Decided: no flips", "more", "# The end"]);
}

proptest! {
    #[test]
    fn chunks_are_short_verbatim_and_cover_the_text(text in "([a-zé #*`\\-]{0,40}\n{1,2}|[a-z ]{0,2000}\n|## [a-z]{1,9}\n|```\n[a-z\n]{0,50}\n```\n){0,12}") {
        let chunks = note(&text);
        for chunk in &chunks {
            prop_assert!(text.contains(&chunk.text));
            prop_assert!(chunk.text.chars().count() <= MAX_CHARS + 1);
        }
        let kept: String = chunks.iter().map(|c| format!("{} {} ", c.heading, c.text)).collect();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && word.len() < 200) {
            prop_assert!(kept.contains(word), "`{word}` is in no chunk");
        }
    }
}
