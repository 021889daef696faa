//! Days and weeks as people name them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// A stretch of time, milliseconds since 1970, UTC; open at either end where it is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// At or after.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
}

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// The start of a day: `2026-05-04`, `today`, `yesterday`, `last week`, `last month`.
pub fn resolve_date(text: &str, now: Timestamp) -> Option<i64> {
    let text = text.trim().to_lowercase();
    if let Ok(date) = text.parse::<Date>() {
        return start(date);
    }
    let today = now.to_zoned(TimeZone::UTC);
    let back = match text.as_str() {
        "today" => 0,
        "yesterday" => 1,
        "last week" => 7,
        "last month" => 30,
        "last year" => 365,
        _ => return None,
    };
    today.checked_sub(i64::from(back).days()).ok().and_then(|day| start(day.date()))
}

/// The stretch that a question names: `since 2026-05-04`, `last week`, `this month`, `in May 2026`.
pub fn range(question: &str, now: Timestamp) -> Option<Range> {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || ",;?!".contains(c)).filter(|word| !word.is_empty()).collect();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).copied().unwrap_or_default();
        let after = |text: &str| resolve_date(text, now);
        let found = match *word {
            "since" | "after" => after(next)
                .or_else(|| after(&format!("{next} {}", words.get(i + 2).copied().unwrap_or_default())))
                .map(|ms| Range { since_ms: Some(ms), until_ms: None }),
            "before" | "until" => after(next).map(|ms| Range { since_ms: None, until_ms: Some(ms) }),
            "today" | "yesterday" => one_day(word, now),
            "last" | "this" => period(word, next, &now.to_zoned(TimeZone::UTC)),
            "in" => month(next, words.get(i + 2).copied()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn one_day(word: &str, now: Timestamp) -> Option<Range> {
    let since = resolve_date(word, now)?;
    Some(Range { since_ms: Some(since), until_ms: Some(since + 24 * 3600 * 1000) })
}

/// `last week` is the seven days up to now, `last month` the calendar month before this one.
fn period(which: &str, unit: &str, now: &Zoned) -> Option<Range> {
    let first = now.date().first_of_month();
    match (which, unit) {
        ("last", "week") => Some(Range { since_ms: start(now.date().checked_sub(7.days()).ok()?), until_ms: None }),
        ("this", "week") => {
            let back = i64::from(now.date().weekday().to_monday_zero_offset());
            Some(Range { since_ms: start(now.date().checked_sub(back.days()).ok()?), until_ms: None })
        }
        ("last", "month") => Some(Range { since_ms: start(first.checked_sub(1.month()).ok()?), until_ms: start(first) }),
        ("this", "month") => Some(Range { since_ms: start(first), until_ms: None }),
        ("last", "year") => {
            Some(Range { since_ms: start(Date::new(first.year() - 1, 1, 1).ok()?), until_ms: start(Date::new(first.year(), 1, 1).ok()?) })
        }
        ("this", "year") => Some(Range { since_ms: start(Date::new(first.year(), 1, 1).ok()?), until_ms: None }),
        _ => None,
    }
}

/// `in May 2026`.
fn month(name: &str, year: Option<&str>) -> Option<Range> {
    let number = MONTHS.iter().position(|month| *month == name)? as i8 + 1;
    let year: i16 = year?.parse().ok()?;
    let first = Date::new(year, number, 1).ok()?;
    Some(Range { since_ms: start(first), until_ms: start(first.checked_add(1.month()).ok()?) })
}

fn start(date: Date) -> Option<i64> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())
}
