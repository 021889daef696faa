//! Wrong settings name the key, the line and what is allowed; rules place records.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::*;
use crate::record::Body;

fn parse(text: &str) -> Result<Settings, String> {
    Settings::parse(Path::new("/team/runlore.toml"), text).map_err(|e| e.to_string())
}

const NOTES: &str = "[[source]]\nname = \"n\"\nkind = \"notes\"\npath = \"notes\"\nspace = \"team\"\n";

#[test]
fn unknown_keys_name_themselves_and_their_line() {
    let error = parse("[data]\npath = \"d\"\nsize = 3\n").unwrap_err();
    assert!(error.contains("size") && error.contains("line 3") && error.contains("path"), "{error}");
    let error = parse(&format!("{NOTES}{NOTES}")).unwrap_err();
    assert!(error.contains("two sources are named `n`"), "{error}");
    let deep = format!("{}a{}", "{".repeat(300), "}".repeat(300));
    for pattern in ["{", deep.as_str()] {
        let error = parse(&format!("{NOTES}[[source.rule]]\nproject = \"{pattern}\"\nspace = \"leads\"\n")).unwrap_err();
        assert!(error.contains("source `n`: `project`: error parsing"), "{error}");
    }
    let error = parse("[embed]\nkind = \"magic\"\n").unwrap_err();
    assert!(error.contains("allowed are onnx, hashed"), "{error}");
}

#[test]
fn the_first_rule_that_fits_places_a_record() {
    let settings = parse(&format!("{NOTES}[[source.rule]]\npath = \"private/**\"\nspace = \"leads\"\n")).unwrap();
    let record = |path: &str| Record {
        native_id: path.to_owned(),
        key: path.to_owned(),
        title: String::new(),
        project: None,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: String::new(),
        body: Body::Note(String::new()),
    };
    assert_eq!(settings.sources[0].space_of(&record("private/a/b.md")).as_str(), "leads");
    assert_eq!(settings.sources[0].space_of(&record("a.md")).as_str(), "team");
}

#[test]
fn a_channel_reads_what_it_is_given_and_an_unknown_one_nothing() {
    use crate::space::Audience;
    let settings = parse(&format!("{NOTES}[channels.general]\nspaces = [\"team\"]\n")).unwrap();
    let scope = settings.access.policy.scope_for(&Audience::Channel("general".to_owned())).unwrap();
    assert!(scope.holds(&Space::new("team").unwrap()));
    assert!(settings.access.policy.scope_for(&Audience::Channel("other".to_owned())).is_none());
    assert!(parse(&format!("{NOTES}[channels.general]\nspaces = [\"team2\"]\n")).unwrap_err().contains("there are team"));
}
