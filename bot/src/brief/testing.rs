//! Rows that the brief's tests put together.

#![expect(clippy::unwrap_used, reason = "tests")]

use runlore_indexer::catalog::RunRow;
use runlore_indexer::run::RunStatus;
use uuid::Uuid;

use super::Period;

/// The week of 10 March 2025, in UTC.
pub(super) fn period() -> Period {
    Period::parse("2025-W11", &"2025-03-19T10:00:00Z[UTC]".parse().unwrap()).unwrap()
}

/// A finished run of `PROJECT/NAME` with this number.
pub(super) fn run(key: &str, number: i64) -> RunRow {
    let (project, name) = key.split_once('/').unwrap();
    RunRow {
        record: Uuid::from_u128(number as u128).into(),
        key: key.to_owned(),
        name: name.to_owned(),
        project: project.to_owned(),
        number: Some(number),
        native_id: format!("{number:032x}"),
        status: RunStatus::Finished,
        started_ms: Some(period().start_ms),
        ended_ms: Some(period().start_ms + 1),
        user: None,
        url: None,
    }
}
