//! A note's front matter, and dates in names.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use regex::Regex;

use crate::source::configs::yaml;

/// What front matter says of its note.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    pub(super) project: Option<String>,
    pub(super) author: Option<String>,
    pub(super) created_ms: Option<i64>,
    pub(super) updated_ms: Option<i64>,
}

impl FrontMatter {
    /// Reads the YAML between the `---` lines.
    ///
    /// # Errors
    /// What is wrong with the YAML.
    pub(super) fn parse(yaml: &str) -> Result<Self, String> {
        let parsed = yaml::flatten(yaml);
        if let Some(problem) = parsed.problem {
            return Err(problem.to_string());
        }
        let values = parsed.values;
        let get = |key: &str| values.iter().find(|(k, v)| k.eq_ignore_ascii_case(key) && !v.is_empty()).map(|(_, v)| v.clone());
        let all = |key: &str| {
            let listed = values.iter().filter(|(k, _)| k.rsplit_once('.').is_some_and(|(head, _)| head.eq_ignore_ascii_case(key)));
            let listed: Vec<&str> = listed.map(|(_, v)| v.as_str()).collect();
            (!listed.is_empty()).then(|| listed.join(", "))
        };
        let date = |keys: &[&str]| keys.iter().find_map(|key| get(key)).and_then(|text: String| moment(&text));
        Ok(Self {
            title: get("title"),
            project: get("project"),
            author: get("author").or_else(|| all("author")).or_else(|| get("authors")).or_else(|| all("authors")),
            created_ms: date(&["date", "created", "created_at"]),
            updated_ms: date(&["updated", "updated_at", "modified", "lastmod"]),
        })
    }
}

/// Splits a note into its front matter, without the `---` lines, and the rest.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) else { return (None, text) };
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return (Some(&rest[..end]), &rest[end + line.len()..]);
        }
        end += line.len();
    }
    (None, text)
}

/// A date or moment as people write it, in milliseconds since 1970; without a zone it is taken as UTC.
fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let written = text.parse::<Timestamp>().or_else(|_| text.parse::<Zoned>().map(|zoned| zoned.timestamp()));
    let at = written.or_else(|_| in_utc(text)).ok()?;
    Some(at.as_millisecond())
}

fn in_utc(text: &str) -> Result<Timestamp, jiff::Error> {
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from))?;
    civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
}

static DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^0-9])((?:19|20)\d\d)([-_.]?)(\d\d)([-_.]?)(\d\d)(?:[^0-9]|$)").ok());

/// The first date in a name, at midnight UTC, in milliseconds since 1970.
pub(super) fn date_in(name: &str) -> Option<i64> {
    let found = DATE.as_ref()?.captures(name)?;
    if found[2] != found[4] {
        return None;
    }
    moment(&format!("{}-{}-{}", &found[1], &found[3], &found[5]))
}
