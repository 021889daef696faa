//! Folders of notes, good and bad.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::front::date_in;
use super::{MAX_BYTES, read};
use crate::record::Body;
use crate::source::folder::testing::{self, Sent, shared, write};
use crate::source::{Known, SourceError};

fn read_all(root: &Path) -> Sent {
    testing::read(read, root, &Known::default()).unwrap()
}

fn check(name: &str, content: &str, expected: Expect) {
    let root = TempDir::new().unwrap();
    write(root.path(), name, content);
    let sent = read_all(root.path());
    let shown = sent.records.iter().map(|record| {
        let Body::Note(text) = &record.body else { panic!("not a note") };
        let (author, created, updated) = (record.author.as_deref(), record.created_ms, record.updated_ms);
        format!("{} | {} | {author:?} | {created:?} | {updated:?}\n{text:?}\n", record.native_id, record.title)
    });
    expected.assert_eq(&(shown.collect::<String>() + &sent.complaints_in(root.path())));
}

#[test]
fn front_matter_gives_title_author_and_dates() {
    let note = "---\ntitle: Sensor plan\nauthor: mira\ndate: 2025-06-10\nupdated: 2025-06-11T09:00:00+02:00\ntags: [a, b]\n---\n# Heading\r\ntext  \n";
    check(
        "a/plan.md",
        note,
        expect![[r##"
        a/plan.md | Sensor plan | Some("mira") | Some(1749513600000) | Some(1749625200000)
        "# Heading\r\ntext  \n"
    "##]],
    );
}

#[test]
fn several_authors_are_listed() {
    check(
        "n.md",
        "---\nauthors:\n- mira\n- jo\n---\nx",
        expect![[r#"
        n.md | n | Some("mira, jo") | None | None
        "x"
    "#]],
    );
}

#[test]
fn the_first_heading_is_the_title() {
    check(
        "n.md",
        "```\n# no\n```\n\nTwo `words`\n===\n\n# later\n",
        expect![[r##"
        n.md | Two words | None | None | None
        "```\n# no\n```\n\nTwo `words`\n===\n\n# later\n"
    "##]],
    );
}

#[test]
fn the_name_serves_where_nothing_else_says_title_or_date() {
    check(
        "2025-06-10 stand up.md",
        "hello",
        expect![[r#"
        2025-06-10 stand up.md | 2025-06-10 stand up | None | Some(1749513600000) | None
        "hello"
    "#]],
    );
    check(
        "Plan 0a6d27a91f234fb3a8c0505b7fd0adfd.md",
        "hello",
        expect![[r#"
        Plan 0a6d27a91f234fb3a8c0505b7fd0adfd.md | Plan | None | None | None
        "hello"
    "#]],
    );
}

#[test]
fn bad_front_matter_costs_a_complaint_and_not_the_note() {
    check(
        "n.md",
        "---\ntitle: [\n---\nstill here\n",
        expect![[r#"
            n.md | n | None | None | None
            "still here\n"
            n.md: front matter is not read: line 1: not valid YAML: unclosed bracket '[' (n.md)
        "#]],
    );
}

#[test]
fn a_rule_at_the_top_is_no_front_matter() {
    check(
        "n.md",
        "---\n\nnever closed\n",
        expect![[r#"
        n.md | n | None | None | None
        "---\n\nnever closed\n"
    "#]],
    );
}

#[test]
fn dates_in_names() {
    let day = Some(1_749_513_600_000);
    assert_eq!([day, day, day], ["2025-06-10.md", "log_20250610.md", "week of 2025.06.10, late.md"].map(date_in));
    assert_eq!([None, None, None], ["2025-13-10.md", "1202506101.md", "2025-0610.md"].map(date_in));
}

#[test]
fn hidden_folders_other_files_and_links_are_passed_over() {
    let root = TempDir::new().unwrap();
    for name in ["a.md", ".obsidian/b.md", ".trash/c.md", ".git/d.md", "e.txt", "ignored/f.md"] {
        write(root.path(), name, "x");
    }
    write(root.path(), ".gitignore", "ignored/");
    std::os::unix::fs::symlink(root.path().join("a.md"), root.path().join("link.md")).unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
    let sent = read_all(root.path());
    assert_eq!(vec!["a.md", "ignored/f.md"], sent.records.iter().map(|r| r.native_id.as_str()).collect::<Vec<_>>());
    assert!(sent.listing.is_complete);
}

#[test]
fn bad_files_are_complaints_and_count_as_present() {
    let root = TempDir::new().unwrap();
    write(root.path(), "binary.md", b"a\0b");
    write(root.path(), "good.md", "fine");
    write(root.path(), "huge.md", vec![b'x'; MAX_BYTES as usize + 1]);
    write(root.path(), "latin.md", b"caf\xe9");
    let sent = read_all(root.path());
    expect![[r#"
        binary.md: binary, not text (binary.md)
        huge.md: larger than 8 MiB, not read (huge.md)
        latin.md: not UTF-8; what could not be read stands as `�` (latin.md)
    "#]]
    .assert_eq(&sent.complaints_in(root.path()));
    assert_eq!(Body::Note("caf\u{fffd}".to_owned()), sent.record("latin.md").body);
    assert_eq!(2, sent.records.len());
    assert!(sent.listing.is_complete);
}

#[test]
fn only_what_changed_is_sent_again() {
    let root = TempDir::new().unwrap();
    write(root.path(), "a.md", "one");
    write(root.path(), "b.md", "two");
    let known = read_all(root.path()).as_known();
    write(root.path(), "b.md", "three");
    let sent = testing::read(read, root.path(), &known).unwrap();
    assert_eq!(vec!["a.md"], sent.unchanged);
    assert_eq!(vec!["b.md"], sent.records.iter().map(|r| r.native_id.as_str()).collect::<Vec<_>>());
}

#[test]
fn a_missing_folder_is_unreadable_and_a_file_is_no_folder() {
    let root = TempDir::new().unwrap();
    write(root.path(), "a.md", "one");
    let missing = testing::read(read, &root.path().join("nowhere"), &Known::default());
    assert!(matches!(missing, Err(SourceError::Unreadable { .. })), "{missing:?}");
    let file = testing::read(read, &root.path().join("a.md"), &Known::default());
    assert!(matches!(file, Err(SourceError::NotWhatItShouldBe { .. })), "{file:?}");
}

#[test]
fn the_shared_notes_are_read_verbatim() {
    let Some(root) = shared("notes") else { return };
    let sent = read_all(&root);
    assert_eq!(Vec::<String>::new(), sent.complaints.iter().map(|c| c.message.clone()).collect::<Vec<_>>());
    assert_eq!(16, sent.records.len());
    for record in &sent.records {
        let file = std::fs::read_to_string(root.join(&record.native_id)).unwrap();
        let Body::Note(text) = &record.body else { panic!("not a note") };
        assert!(file.ends_with(text.as_str()) && !text.is_empty(), "{}", record.native_id);
    }
}
