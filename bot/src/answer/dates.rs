//! Days and weeks as people name them, in the zone of who asks.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

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
pub fn resolve_date(text: &str, now: &Zoned) -> Option<i64> {
    let text = text.trim().to_lowercase();
    if let Ok(date) = text.parse::<Date>() {
        return start(date, now.time_zone());
    }
    let back = match text.as_str() {
        "today" => 0,
        "yesterday" => 1,
        "last week" => 7,
        "last month" => 30,
        "last year" => 365,
        _ => return None,
    };
    now.checked_sub(i64::from(back).days()).ok().and_then(|day| start(day.date(), now.time_zone()))
}

/// The start of the day after the one that begins then: `until` a day holds the whole of it.
pub fn next_day(start_ms: i64, zone: &TimeZone) -> Option<i64> {
    let day = jiff::Timestamp::from_millisecond(start_ms).ok()?.to_zoned(zone.clone()).date();
    start(day.tomorrow().ok()?, zone)
}

/// The stretch that a question names: `since 2026-05-04`, `last week`, `this month`, `in May 2026`.
pub fn range(question: &str, now: &Zoned) -> Option<Range> {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || ",;?!".contains(c)).filter(|word| !word.is_empty()).collect();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).copied().unwrap_or_default();
        let after = |text: &str| resolve_date(text, now);
        let found = match *word {
            "since" | "after" => after(next)
                .or_else(|| after(&format!("{next} {}", words.get(i + 2).copied().unwrap_or_default())))
                .map(|ms| Range { since_ms: Some(ms), until_ms: None }),
            "before" => after(next).map(|ms| Range { since_ms: None, until_ms: Some(ms) }),
            "until" => after(next).map(|ms| Range { since_ms: None, until_ms: next_day(ms, now.time_zone()) }),
            "today" | "yesterday" => one_day(word, now),
            "last" | "this" => period(word, next, now),
            "in" => month(next, words.get(i + 2).copied(), now.time_zone()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// A day, which is not always 24 hours long.
fn one_day(word: &str, now: &Zoned) -> Option<Range> {
    let day = if word == "today" { now.date() } else { now.date().yesterday().ok()? };
    Some(Range { since_ms: start(day, now.time_zone()), until_ms: start(day.tomorrow().ok()?, now.time_zone()) })
}

/// `last week` is the seven days up to now, `last month` the calendar month before this one.
fn period(which: &str, unit: &str, now: &Zoned) -> Option<Range> {
    let first = now.date().first_of_month();
    let start = |date: Date| start(date, now.time_zone());
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
fn month(name: &str, year: Option<&str>, zone: &TimeZone) -> Option<Range> {
    let number = MONTHS.iter().position(|month| *month == name)? as i8 + 1;
    let year: i16 = year?.parse().ok()?;
    let first = Date::new(year, number, 1).ok()?;
    Some(Range { since_ms: start(first, zone), until_ms: start(first.checked_add(1.month()).ok()?, zone) })
}

fn start(date: Date, zone: &TimeZone) -> Option<i64> {
    date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Half past midnight in Tokyo is the day before in Berlin and New York; in Berlin the clocks changed on 29 March.
    const NOW: [&str; 3] = [
        "2026-03-30T00:30:00+09:00[Asia/Tokyo]",
        "2026-03-29T17:30:00+02:00[Europe/Berlin]",
        "2026-03-29T11:30:00-04:00[America/New_York]",
    ];

    fn told(question: &str, now: &str) -> String {
        let now: Zoned = now.parse().unwrap();
        let show = |ms: Option<i64>| ms.map_or("-".to_owned(), |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string());
        range(question, &now).map_or("none".to_owned(), |range| format!("{} {}", show(range.since_ms), show(range.until_ms)))
    }

    #[test]
    fn a_day_is_the_askers() {
        assert_eq!(told("runs of today", NOW[0]), "2026-03-29T15:00:00Z 2026-03-30T15:00:00Z");
        assert_eq!(told("runs of today", NOW[1]), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z", "23 hours");
        assert_eq!(told("what failed yesterday?", NOW[2]), "2026-03-28T04:00:00Z 2026-03-29T04:00:00Z");
        assert_eq!(told("best since 2026-03-28", NOW[1]), "2026-03-27T23:00:00Z -");
        assert_eq!(told("in March 2026", NOW[1]), "2026-02-28T23:00:00Z 2026-03-31T22:00:00Z");
    }

    #[test]
    fn until_a_day_holds_it_and_before_a_day_does_not() {
        assert_eq!(told("runs until 2026-03-29", NOW[1]), "- 2026-03-29T22:00:00Z");
        assert_eq!(told("runs before 2026-03-29", NOW[1]), "- 2026-03-28T23:00:00Z");
        assert_eq!(told("runs before lunch", NOW[1]), "none");
    }
}
