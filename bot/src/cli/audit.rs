//! `runlore audit`: who was shown what and when, without its words, and whether every row is as it was written.

use std::collections::{BTreeSet, HashMap};

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use runlore_indexer::catalog::Catalog;
use runlore_indexer::config::Settings;
use serde::Serialize;

use super::{Exit, Form, Options, WrongUse, has_state, out};
use crate::answer::dates::resolve_date;
use crate::chat::text;
use crate::store::{AuditFilter, AuditRow, AuditState, Store};

/// Records that a line names, and characters of each name and of every other cell.
const MAX_NAMED: usize = 3;
const MAX_CELL: usize = 48;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Only what was shown there: a channel's name in the settings or its id on the platform, `direct` or `terminal`
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only what this person was shown, by the id on the platform
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Shown on this day or later: 2026-05-04, yesterday, "last week", or within the last 7d
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// At most so many, the last ones
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Say whether every row is as it was written and none is missing
    #[arg(long, conflicts_with_all = ["channel", "person", "since"])]
    verify: bool,
}

/// The names of records by their ids, as far as they are there.
type Names = HashMap<String, String>;

#[derive(Serialize)]
struct RowJson<'a> {
    #[serde(flatten)]
    row: &'a AuditRow,
    /// Of the records that are there yet, in their order.
    names: Vec<&'a str>,
}

#[derive(Serialize)]
struct VerifiedJson {
    is_whole: bool,
    n_rows: Option<i64>,
    chain: Option<String>,
    broken_at: Option<i64>,
}

/// Shows it, or checks it.
pub(super) async fn audit(args: &AuditArgs, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    let filter = filter(args, &Zoned::now())?;
    if !has_state(&settings) {
        if options.form == Form::Text {
            out::line("nothing was shown to anybody yet")?;
        }
        return Ok(Exit::Fine);
    }
    let store = Store::open(&settings.state_url).await?;
    if args.verify {
        return verify(&store, options.form).await;
    }
    let rows = store.audit_rows(&filter, i64::from(args.limit)).await?;
    let names = names(&settings, &rows).await;
    match options.form {
        Form::Json => rows.iter().try_for_each(|row| out::line(&escaped(&serde_json::to_string(&row_json(row, &names))?)))?,
        Form::Text if rows.is_empty() => out::line("nothing of that kind was shown to anybody")?,
        Form::Text => out::line(&table(&rows, &names, &TimeZone::system()))?,
    }
    Ok(Exit::Fine)
}

/// What the catalog calls the records today. A catalog that does not serve has no names, and hides no row.
async fn names(settings: &Settings, rows: &[AuditRow]) -> Names {
    let ids: BTreeSet<&String> = rows.iter().flat_map(|row| &row.records).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    if ids.is_empty() {
        return Names::new();
    }
    let looked_up = async { Catalog::open(&settings.catalog_url).await?.names_of(&ids).await };
    looked_up.await.unwrap_or_else(|error| {
        eprintln!("error: records are shown without their names: {error}");
        Names::new()
    })
}

fn row_json<'a>(row: &'a AuditRow, names: &'a Names) -> RowJson<'a> {
    RowJson { row, names: row.records.iter().filter_map(|id| names.get(id)).map(String::as_str).collect() }
}

async fn verify(store: &Store, form: Form) -> anyhow::Result<Exit> {
    let state = store.verify_audit().await?;
    let exit = if matches!(state, AuditState::Whole { .. }) { Exit::Fine } else { Exit::Complaints };
    let (json, sentence) = match state {
        AuditState::Whole { n_rows, chain } => {
            let sentence = format!("{} of the audit, all as written; the last is {chain}", out::count(n_rows as u64, "row"));
            (VerifiedJson { is_whole: true, n_rows: Some(n_rows), chain: Some(chain), broken_at: None }, sentence)
        }
        AuditState::Broken { number } => {
            let sentence = format!("row {number} of the audit does not fit: it was changed, removed or put in");
            (VerifiedJson { is_whole: false, n_rows: None, chain: None, broken_at: Some(number) }, sentence)
        }
    };
    match form {
        Form::Json => out::json(&json)?,
        Form::Text => out::line(&sentence)?,
    }
    Ok(exit)
}

fn filter(args: &AuditArgs, now: &Zoned) -> Result<AuditFilter, WrongUse> {
    let wrong = |text: &str| WrongUse(format!("`{text}` is no date; write it as 2026-05-04, yesterday or 7d"));
    let since_ms = args.since.as_ref().map(|text| since(text, now).ok_or_else(|| wrong(text))).transpose()?;
    Ok(AuditFilter { channel: args.channel.clone(), person: args.person.clone(), since_ms })
}

/// `7d` is so many days back from now; a date is the start of its day.
fn since(text: &str, now: &Zoned) -> Option<i64> {
    let days = text.trim().strip_suffix('d').and_then(|days| days.parse::<u16>().ok());
    match days {
        Some(days) => now.checked_sub(i64::from(days).days()).ok().map(|then| then.timestamp().as_millisecond()),
        None => resolve_date(text, now),
    }
}

fn table(rows: &[AuditRow], names: &Names, zone: &TimeZone) -> String {
    let head = ["time", "surface", "where", "who", "outcome", "records", ""].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(|row| cells(row, names, zone))).collect();
    out::table(&rows)
}

fn cells(row: &AuditRow, names: &Names, zone: &TimeZone) -> Vec<String> {
    let at = Timestamp::from_millisecond(row.at_ms).unwrap_or_default().to_zoned(zone.clone());
    let place = if row.audience.is_empty() { &row.channel } else { &row.audience };
    let place = if row.platform == "terminal" { place.clone() } else { format!("{} {place}", row.platform) };
    vec![
        at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        cell(&row.surface),
        cell(&place),
        cell(&row.person),
        cell(&row.outcome),
        row.records.len().to_string(),
        named(row, names),
    ]
}

/// The first names, and how many records are not named for want of room, or because they are gone.
fn named(row: &AuditRow, names: &Names) -> String {
    let there: Vec<String> = row.records.iter().filter_map(|id| names.get(id)).map(|name| cell(name)).collect();
    let (n_gone, n_more) = (row.records.len() - there.len(), there.len().saturating_sub(MAX_NAMED));
    let mut parts: Vec<String> = there.into_iter().take(MAX_NAMED).collect();
    parts.extend((n_more > 0).then(|| format!("{n_more} more")));
    parts.extend((n_gone > 0).then(|| format!("{n_gone} gone since")));
    parts.join(", ")
}

/// What a terminal can show on one line without being told what to do.
fn cell(words: &str) -> String {
    let seen = text::visible(words).replace(['\n', '\t'], " ");
    match seen.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &seen[..end]),
        None => seen,
    }
}

/// The same JSON without the control characters that it may hold as they are: some terminals obey them.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use super::*;

    fn row(person: &str, records: &[&str]) -> AuditRow {
        AuditRow {
            number: 1,
            at_ms: 1_793_620_800_000,
            surface: "answer".to_owned(),
            platform: "slack".to_owned(),
            channel: "C1".to_owned(),
            audience: "channel lab".to_owned(),
            person: person.to_owned(),
            question: "q".to_owned(),
            outcome: "answered".to_owned(),
            scope: "s".to_owned(),
            records: records.iter().map(|record| (*record).to_owned()).collect(),
            prompts: Vec::new(),
            chain: "c".to_owned(),
        }
    }

    #[test]
    fn each_row_is_a_line_that_says_who_saw_what_where() {
        let refused = AuditRow { audience: String::new(), outcome: "refused".to_owned(), ..row("U2", &[]) };
        let asked =
            AuditRow { platform: "terminal".to_owned(), audience: "terminal".to_owned(), channel: String::new(), ..row("", &["a"]) };
        let rows = [row("U1", &["1", "2", "3", "4", "5", "6"]), refused, asked];
        let named = |(id, name): (&str, &str)| (id.to_owned(), name.to_owned());
        let names = [("1", "p/one"), ("2", "p/two"), ("3", "p/three"), ("5", "p/five"), ("6", "p/six")].map(named).into_iter().collect();
        expect![[r#"
            time                 surface  where              who  outcome   records
            2026-11-02 12:00:00  answer   slack channel lab  U1   answered  6        p/one, p/two, p/three, 2 more, 1 gone since
            2026-11-02 12:00:00  answer   slack C1           U2   refused   0
            2026-11-02 12:00:00  answer   terminal                answered  1        1 gone since"#]]
        .assert_eq(&table(&rows, &names, &TimeZone::UTC));
    }

    #[test]
    fn nothing_tells_the_terminal_what_to_do() {
        let evil = "U\u{1b}]0;x\u{7}\u{9b}31m\n\u{202e}9";
        let names = Names::from([("1".to_owned(), "p/\u{1b}[2J".to_owned())]);
        let shown = table(&[row(evil, &["1"])], &names, &TimeZone::UTC);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()) && !shown.contains('\u{202e}'), "{shown:?}");
        let json = escaped(&serde_json::to_string(&row(evil, &[])).unwrap());
        assert!(!json.chars().any(char::is_control), "{json:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["person"], evil);
    }

    #[test]
    fn since_is_a_day_or_so_many_days_back() {
        let now: Zoned = "2026-11-20T12:00:00+00:00[UTC]".parse().unwrap();
        let at = |text: &str| since(text, &now).map(|ms| Timestamp::from_millisecond(ms).unwrap().to_string());
        assert_eq!(at("7d").as_deref(), Some("2026-11-13T12:00:00Z"));
        assert_eq!(at("2026-11-02").as_deref(), Some("2026-11-02T00:00:00Z"));
        assert_eq!(at("yesterday").as_deref(), Some("2026-11-19T00:00:00Z"));
        assert_eq!((at("d"), at("-1d"), at("soon")), (None, None, None));
    }
}
