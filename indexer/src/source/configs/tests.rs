//! Folders of configuration files, good and bad.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{MAX_BYTES, flatten, read};
use crate::source::Known;
use crate::source::folder::testing::{self, Sent, shared, write};

fn read_all(root: &Path) -> Sent {
    testing::read(read, root, &Known::default()).unwrap()
}

fn check(name: &str, text: &str, expected: Expect) {
    let flat = flatten(name, text);
    let values: String = flat.values.iter().map(|(key, text)| format!("{key}={text}\n")).collect();
    let problem = flat.problem.map(|problem| format!("! {problem}\n")).unwrap_or_default();
    expected.assert_eq(&(values + &problem));
}

#[test]
fn yaml_scalars_keep_their_text() {
    let text = "lr: 1e-5\nok: no\non: on\nmode: 017\nbig: 1_000\nat: 12:30:00\nday: 2025-06-10\nnan: .nan\nempty:\nnone: ~\nquoted: \"a\\tb\"\n\
                list: [1, 2.50]\nnested:\n  deep.key: true\n  none: {}\nt: !!python/tuple [1, 2]\nglob: *.py\nlast: |\n  two\n  lines\n";
    check(
        "c.yaml",
        text,
        expect![[r#"
            lr=1e-5
            ok=no
            on=on
            mode=017
            big=1_000
            at=12:30:00
            day=2025-06-10
            nan=.nan
            empty=
            none=~
            quoted=a	b
            list.0=1
            list.1=2.50
            nested.deep.key=true
            nested.none={}
            t.0=1
            t.1=2
            glob=*.py
            last=two
            lines

        "#]],
    );
}

#[test]
fn yaml_merge_keys_are_merged_and_own_keys_win() {
    let text = "base: &b {lr: 0.1, wd: 1e-4}\nmore: &m {lr: 9, eps: 1e-8}\nrun:\n  <<: [*b, *m]\n  lr: 0.2\nagain: *b\n";
    check(
        "c.yml",
        text,
        expect![[r#"
        base.lr=0.1
        base.wd=1e-4
        more.lr=9
        more.eps=1e-8
        run.wd=1e-4
        run.eps=1e-8
        run.lr=0.2
        again.lr=0.1
        again.wd=1e-4
    "#]],
    );
}

#[test]
fn a_key_given_twice_has_its_last_value() {
    check(
        "c.yaml",
        "a: 1\nb: 2\na: 3\n",
        expect![[r#"
        a=3
        b=2
    "#]],
    );
}

#[test]
fn json_keeps_numbers_and_takes_what_python_writes() {
    let text = r#"{"lr": 1e-5, "n": 1.0, "big": 12345678901234567890123, "bad": NaN, "inf": -Infinity, "t": true, "none": null,
        "text": "NaN: \"1e-5\", \\", "path": "a\/bé\ud83d\ude00", "list": [0.10, {"x": []}], "empty": {}}"#;
    check(
        "c.json",
        text,
        expect![[r#"
        lr=1e-5
        n=1.0
        big=12345678901234567890123
        bad=NaN
        inf=-Infinity
        t=true
        none=null
        text=NaN: "1e-5", \
        path=a/bé😀
        list.0=0.10
        list.1.x=[]
        empty={}
    "#]],
    );
}

#[test]
fn toml_keeps_its_text_and_order() {
    let text = "z = 1_000\na = 0x1F\nf = 1e-05\nday = 2025-06-10\ns = 'x'\n[opt]\nlr = +0.10\nbetas = [0.9, 0.999]\n[[layer]]\nn = 1\n[[layer]]\nn = 2\n";
    check(
        "c.toml",
        text,
        expect![[r#"
        z=1_000
        a=0x1F
        f=1e-05
        day=2025-06-10
        s=x
        opt.lr=+0.10
        opt.betas.0=0.9
        opt.betas.1=0.999
        layer.0.n=1
        layer.1.n=2
    "#]],
    );
}

#[test]
fn half_written_files_say_where() {
    check(
        "c.json",
        "{\"a\": 1,\n \"b\": [1, 2",
        expect![[r#"
        ! line 2: not valid JSON, cut short: eof while parsing a list
    "#]],
    );
    check(
        "c.yaml",
        "a: 1\nb: [1, 2\n",
        expect![[r#"
        ! line 2: not valid YAML: unclosed bracket '['
    "#]],
    );
    check(
        "c.toml",
        "a = 1\nb = [1,\n",
        expect![[r#"
        a=1
        b.0=1
        ! line 2: not valid TOML: unclosed array, expected `]`
    "#]],
    );
}

#[test]
fn a_bad_scalar_does_not_fail_a_toml_file() {
    check(
        "c.toml",
        "a = 1\nb = 2025-99-99\nc = 3\n",
        expect![[r#"
        a=1
        b=2025-99-99
        c=3
        ! line 2: not valid TOML: invalid date, expected month between 01 and 12
    "#]],
    );
}

#[test]
fn a_yaml_bomb_is_a_complaint() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..10 {
        let alias = format!("*a{}, ", i - 1).repeat(10);
        writeln!(laughs, "a{i}: &a{i} [{}]", alias.trim_end_matches(", ")).unwrap();
    }
    check(
        "c.yaml",
        &laughs,
        expect![[r#"
        ! expands to more than 20000 values or 4 MiB; not read as a configuration
    "#]],
    );
    let mut merges = "m0: &m0 {a: 1}\n".to_owned();
    for i in 1..200 {
        writeln!(merges, "m{i}: &m{i} {{<<: *m{}, k{i}: 1}}", i - 1).unwrap();
    }
    check(
        "c.yaml",
        &merges,
        expect![[r#"
        ! line 63: nested deeper than 64; not read as a configuration
    "#]],
    );
    let mut chain = "c0: &c0 [x]\n".to_owned();
    for i in 1..20_000 {
        writeln!(chain, "c{i}: &c{i} [*c{}]", i - 1).unwrap();
    }
    check(
        "c.yaml",
        &chain,
        expect![[r#"
        ! line 63: nested deeper than 64; not read as a configuration
    "#]],
    );
    check(
        "c.yaml",
        &"[".repeat(100_000),
        expect![[r#"
        ! line 1: not valid YAML: recursion limit exceeded
    "#]],
    );
    check(
        "c.yaml",
        "a: &a [*a]\n",
        expect![[r#"
        ! line 1: an alias stands within what it names
    "#]],
    );
    check(
        "c.json",
        &"[".repeat(100_000),
        expect![[r#"
        ! line 1: not valid JSON: recursion limit exceeded
    "#]],
    );
    check(
        "c.json",
        &format!("[{}0]", "0,".repeat(50_000)),
        expect![[r#"
        ! expands to more than 20000 values or 4 MiB; not read as a configuration
    "#]],
    );
}

#[test]
fn a_hydra_folder_is_one_record_with_its_overrides() {
    let root = TempDir::new().unwrap();
    write(root.path(), "outputs/2026-11-21/03-44-25/.hydra/config.yaml", "lr: 0.1\nname: ${model.name}-run\n");
    write(root.path(), "outputs/2026-11-21/03-44-25/.hydra/overrides.yaml", "- lr=0.1\n- +x=1\n");
    write(root.path(), "outputs/2026-11-21/03-44-25/.hydra/hydra.yaml", "hydra: {job: {}}\n");
    write(root.path(), "multirun.yaml", "hydra:\n  run: {}\n");
    write(root.path(), "overrides.yaml", "- kept\n");
    let sent = read_all(root.path());
    let native_id = "outputs/2026-11-21/03-44-25/.hydra/config.yaml";
    expect![[r#"
        lr=0.1
        name=${model.name}-run
        hydra.overrides.0=lr=0.1
        hydra.overrides.1=+x=1
    "#]]
    .assert_eq(&sent.values(native_id));
    assert_eq!("Hydra run with lr=0.1 +x=1", sent.record(native_id).title);
    assert_eq!(vec![native_id, "overrides.yaml"], sent.records.iter().map(|r| r.native_id.as_str()).collect::<Vec<_>>());
    write(root.path(), "outputs/2026-11-21/03-44-25/.hydra/overrides.yaml", "- lr=0.2\n");
    let again = testing::read(read, root.path(), &sent.as_known()).unwrap();
    assert_eq!((vec!["overrides.yaml".to_owned()], 1), (again.unchanged, again.records.len()));
}

#[test]
fn bad_files_are_complaints_with_their_place() {
    let root = TempDir::new().unwrap();
    write(root.path(), "a.yaml", "a: 1\nb: [\n");
    write(root.path(), "b.json", b"\0\x01");
    write(root.path(), "c.toml", vec![b'#'; MAX_BYTES as usize + 1]);
    write(root.path(), "d.yaml", "fine: yes\n");
    let sent = read_all(root.path());
    expect![[r#"
        a.yaml:2: not valid YAML: unclosed bracket '[' (a.yaml)
        b.json: binary, not text (b.json)
        c.toml: larger than 1 MiB, not read (c.toml)
    "#]]
    .assert_eq(&sent.complaints_in(root.path()));
    assert_eq!("fine=yes\n", sent.values("d.yaml"));
    assert!(sent.listing.is_complete);
}

#[test]
fn the_shared_hydra_folders_are_read() {
    let Some(root) = shared("trackers/other/hydra") else { return };
    let sent = read_all(&root);
    assert_eq!(3, sent.records.len());
    assert!(sent.complaints.is_empty(), "{:?}", sent.complaints);
    assert!(sent.values("multirun/2026-11-21/03-44-26/0/.hydra/config.yaml").contains("hydra.overrides.0="));
}

proptest! {
    #[test]
    fn no_text_stops_a_reader(text in "[\\[\\]{}&*a-c:,\\-\n\" \\\\'|>#=.0-9<!%]{0,200}", extension in "yaml|json|toml") {
        flatten(&format!("c.{extension}"), &text);
    }

    #[test]
    fn json_numbers_come_as_written(number in "-?[1-9][0-9]{0,20}(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?") {
        let flat = flatten("c.json", &format!("{{\"a\": [{number}]}}"));
        prop_assert_eq!(vec![("a.0".to_owned(), number)], flat.values);
    }
}
