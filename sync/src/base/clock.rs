//! Times and ids of new rows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time now: ISO 8601, UTC, milliseconds, as every row has it.
pub fn now() -> String {
    text(Timestamp::now())
}

/// A time in the same form; `None` for one that is out of range.
#[cfg(target_os = "linux")]
pub fn of_file(time: std::time::SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(text)
}

fn text(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A new ULID.
pub fn new_id() -> String {
    ulid::Ulid::generate().to_string()
}
