//! The week that a brief covers: from Monday's first moment to the next Monday's, in one zone. Pure.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// One ISO week of a zone, half open: [`start_ms`, `end_ms`). It is as long as its days are, which is not always seven times 24 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its first moment, milliseconds since 1970, UTC.
    pub start_ms: i64,
    /// The first moment that is not in it any more, milliseconds since 1970, UTC.
    pub end_ms: i64,
    /// What a day is.
    pub zone: TimeZone,
    monday: Date,
}

impl Period {
    /// The last whole week before now.
    pub fn week_before(now: &Zoned) -> Self {
        let monday = monday_of(now.date());
        Self::beginning(monday.checked_sub(7.days()).unwrap_or(monday), now.time_zone())
    }

    /// The week that now lies in.
    pub fn week_of(now: &Zoned) -> Self {
        Self::beginning(monday_of(now.date()), now.time_zone())
    }

    /// The week that somebody names: `last week`, `this week`, `2025-W11`, or a day of it such as `2025-03-12`.
    pub fn parse(text: &str, now: &Zoned) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let zone = now.time_zone();
        match text.as_str() {
            "last week" => return Some(Self::week_before(now)),
            "this week" => return Some(Self::week_of(now)),
            _ => {}
        }
        if let Some((year, week)) = text.split_once("-w") {
            let is_number = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
            let (year, week) = Some((year, week)).filter(|_| is_number(year, 4) && is_number(week, 2))?;
            let first = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok()?;
            return Some(Self::beginning(first.date(), zone));
        }
        text.parse::<Date>().ok().map(|day| Self::beginning(monday_of(day), zone))
    }

    /// The week's name, the same for every moment and zone: `2025-W11`.
    pub fn key(&self) -> String {
        let week = self.monday.iso_week_date();
        format!("{:04}-W{:02}", week.year(), week.week())
    }

    /// The first and the last day of the week.
    pub fn days(&self) -> (Date, Date) {
        (self.monday, self.monday.checked_add(6.days()).unwrap_or(self.monday))
    }

    /// Whether this moment lies in it.
    pub fn holds(&self, at_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&at_ms)
    }

    fn beginning(monday: Date, zone: &TimeZone) -> Self {
        let next = monday.checked_add(7.days()).unwrap_or(Date::MAX);
        Self { start_ms: start_of(monday, zone), end_ms: start_of(next, zone), zone: zone.clone(), monday }
    }
}

fn monday_of(day: Date) -> Date {
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(back.days()).unwrap_or(day)
}

/// The first moment of a day; where midnight is left out, the first one behind the gap.
fn start_of(day: Date, zone: &TimeZone) -> i64 {
    let first = day.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
    let otherwise = if day.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
    first.unwrap_or(otherwise).as_millisecond()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// With clocks that change at midnight, by half an hour, and a day that was left out.
    const ZONES: [&str; 7] =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe"];

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    fn told(period: &Period) -> String {
        let show = |ms: i64| Timestamp::from_millisecond(ms).unwrap().to_string();
        format!("{} {} {}", period.key(), show(period.start_ms), show(period.end_ms))
    }

    fn hours(period: &Period) -> i64 {
        (period.end_ms - period.start_ms) / HOUR_MS
    }

    #[test]
    fn a_week_is_as_long_as_its_days() {
        let spring = Period::parse("2026-03-29", &at("2026-06-01T12:00:00+02:00[Europe/Berlin]")).unwrap();
        assert_eq!(told(&spring), "2026-W13 2026-03-22T23:00:00Z 2026-03-29T22:00:00Z");
        assert_eq!(hours(&spring), 167);
        let autumn = Period::parse("2026-10-25", &at("2026-06-01T12:00:00+02:00[Europe/Berlin]")).unwrap();
        assert_eq!(hours(&autumn), 169);
        // In Beirut the clocks go forward at midnight: that Sunday has no first hour.
        let beirut = Period::parse("2026-03-29", &at("2026-06-01T12:00:00+03:00[Asia/Beirut]")).unwrap();
        assert_eq!((beirut.key().as_str(), hours(&beirut)), ("2026-W13", 167));
    }

    #[test]
    fn a_year_ends_with_its_last_week() {
        assert_eq!(Period::week_of(&at("2027-01-01T10:00:00Z[UTC]")).key(), "2026-W53");
        assert_eq!(Period::week_before(&at("2027-01-04T00:00:00Z[UTC]")).key(), "2026-W53");
        assert_eq!(Period::week_of(&at("2024-12-30T00:00:00Z[UTC]")).key(), "2025-W01");
        assert_eq!(Period::week_before(&at("2025-01-05T23:59:59Z[UTC]")).key(), "2024-W52");
    }

    #[test]
    fn a_week_is_named_in_four_ways() {
        let now = at("2025-03-19T10:00:00Z[UTC]");
        let parsed = |text: &str| Period::parse(text, &now).map(|period| period.key());
        assert_eq!(parsed("last week").as_deref(), Some("2025-W11"));
        assert_eq!(parsed(" This Week").as_deref(), Some("2025-W12"));
        assert_eq!(parsed("2025-w11").as_deref(), Some("2025-W11"));
        assert_eq!(parsed("2025-03-16").as_deref(), Some("2025-W11"));
        for wrong in ["", "week", "2025-W54", "2025-W00", "2025-W1", "25-W11", "2025-02-30", "the deadline", "next week", "2025-W+1"] {
            assert_eq!(parsed(wrong), None, "`{wrong}`");
        }
    }

    #[test]
    fn the_first_moment_is_in_and_the_last_is_not() {
        let period = Period::week_before(&at("2025-03-17T00:00:00Z[UTC]"));
        assert_eq!(told(&period), "2025-W11 2025-03-10T00:00:00Z 2025-03-17T00:00:00Z");
        assert!(period.holds(period.start_ms) && !period.holds(period.end_ms) && !period.holds(period.start_ms - 1));
        assert_eq!(period.days(), (Date::constant(2025, 3, 10), Date::constant(2025, 3, 16)));
    }

    proptest! {
        /// Weeks lie side by side: each moment is in one, and the last whole one ends where the present one begins.
        #[test]
        fn weeks_leave_no_gap(ms in 0_i64..4_000_000_000_000, zone in prop::sample::select(ZONES.to_vec())) {
            let now = Timestamp::from_millisecond(ms).unwrap().to_zoned(TimeZone::get(zone).unwrap());
            let (this, last) = (Period::week_of(&now), Period::week_before(&now));
            prop_assert!(this.holds(ms) && !last.holds(ms));
            prop_assert_eq!(last.end_ms, this.start_ms);
            prop_assert_eq!(Period::parse(&last.key(), &now), Some(last));
        }
    }
}
