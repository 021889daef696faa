//! When the brief of a channel is due: from a schedule, what was handled and now, to what is posted, comes late or was missed. Pure.
//!
//! A schedule is written as cron writes it, on the clock of a time zone. A brief covers a week, so that the first time of each of the zone's
//! ISO weeks is its slot. A time that its clock leaves out counts as the first moment behind the gap, one that it shows twice as the first of
//! the two: the rules that croner has for fixed times. The slots are looked for on the clock's face and placed in time afterwards, so that a
//! day which a zone leaves out is a gap like any other.

#[cfg(test)]
mod tests;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp, Zoned};

use crate::zones;

/// How long after its slot a brief is still posted, late; afterwards it was missed.
pub const GRACE_MS: i64 = 24 * 60 * 60 * 1_000;

/// From how long after its slot a brief is called late.
pub const LATE_MS: i64 = 15 * 60 * 1_000;

/// From then on it is looked whether a schedule ever comes: before a leap day.
const BEGINNING: DateTime = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0);

/// When a brief comes.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    text: String,
}

/// One time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// As the schedule has it on the zone's clock, which may never show it.
    pub local: DateTime,
    /// When that is.
    pub at: Timestamp,
}

/// Up to when the slots of a channel were handled, and of which schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The schedule in words of its own, by which a changed one is known.
    pub schedule: String,
    /// Everything up to then, included; milliseconds since 1970, UTC.
    pub upto_ms: i64,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What is handled once this is noted.
    pub mark: Mark,
    /// Slots that are only mentioned, in order.
    pub missed: Vec<Slot>,
    /// The slot whose brief is posted.
    pub newest: Option<Slot>,
}

impl Schedule {
    /// Reads a schedule and the name of its zone.
    ///
    /// # Errors
    /// A sentence that names the key and what is allowed.
    pub fn new(cron: &str, zone: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let fields = "minute, hour, day of the month, month and day of the week, such as `0 9 * * MON`";
        let parsed = parser.parse(cron).map_err(|e| format!("brief is `{cron}`, which is no schedule ({e}); it must be {fields}"))?;
        if parsed.find_next_occurrence(&BEGINNING, true).is_err() {
            return Err(format!("brief is `{cron}`, a time that never comes; it must be {fields}"));
        }
        let unknown = || format!("brief_zone is `{zone}`, which is no time zone; it must be a name such as `Europe/Berlin` or `UTC`");
        let place = zones::named(zone).ok_or_else(unknown)?;
        Ok(Self { cron: parsed, text: format!("{} {zone}", cron.trim()), zone: place })
    }

    /// Its zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What is to be noted now; nothing where nothing came since the mark. Nothing was due before the first one.
    pub fn due(&self, mark: Option<&Mark>, now: Timestamp) -> Option<Due> {
        let marked = |upto: Timestamp| Mark { schedule: self.text.clone(), upto_ms: upto.as_millisecond() };
        let Some(mark) = mark else { return Some(Due { mark: marked(now), missed: Vec::new(), newest: None }) };
        let is_same = mark.schedule == self.text;
        // By another schedule nobody waited for what lies further back.
        let from_ms = if is_same { mark.upto_ms } else { mark.upto_ms.max(now.as_millisecond().saturating_sub(GRACE_MS)) };
        let from = Timestamp::from_millisecond(from_ms).ok()?;
        let mut missed: Vec<Slot> = self.slots(from, now).collect();
        let upto = missed.last().map_or(from, |slot| slot.at);
        let newest = missed.pop_if(|slot| !is_missed(slot.at.as_millisecond(), now));
        (!is_same || upto > from).then(|| Due { mark: marked(upto), missed, newest })
    }

    /// The next slot after a moment.
    pub fn next(&self, after: Timestamp) -> Option<Slot> {
        self.slots(after, Timestamp::MAX).next()
    }

    /// The slots behind one moment and up to another, in order.
    pub fn slots(&self, after: Timestamp, upto: Timestamp) -> impl Iterator<Item = Slot> + '_ {
        // A gap may place a slot behind the week in which its clock's time lies.
        let begin = monday(self.zone.to_datetime(after).date()).saturating_sub(Span::new().weeks(1));
        let next = move |slot: &Slot| self.first_from(monday(slot.local.date()).saturating_add(Span::new().weeks(1)));
        std::iter::successors(self.first_from(begin), next).skip_while(move |slot| slot.at <= after).take_while(move |slot| slot.at <= upto)
    }

    /// A moment of the week on the zone's clock in which the slot lies: its brief covers the week before.
    pub fn week_of(&self, slot: &Slot) -> Option<Zoned> {
        // No zone leaves out noon of a Wednesday.
        let wednesday = monday(slot.local.date()).saturating_add(Span::new().days(2));
        self.zone.to_zoned(wednesday.at(12, 0, 0, 0)).ok()
    }

    fn first_from(&self, day: Date) -> Option<Slot> {
        let local = self.cron.find_next_occurrence(&day.at(0, 0, 0, 0), true).ok()?;
        Some(Slot { local, at: self.moment(local)? })
    }

    /// When the zone's clock first shows a time, or for the first time a later one.
    fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let earlier = ambiguous.earlier().ok()?;
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => self.zone.following(earlier).next().map(|transition| transition.timestamp()),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => Some(earlier),
        }
    }
}

/// Whether a slot lies so far back that its brief is only mentioned.
pub fn is_missed(slot_ms: i64, now: Timestamp) -> bool {
    now.as_millisecond().saturating_sub(slot_ms) > GRACE_MS
}

fn monday(date: Date) -> Date {
    date.saturating_sub(Span::new().days(date.weekday().to_monday_zero_offset()))
}
