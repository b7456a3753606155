//! Times and ids of new rows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns the current time as rows store it: ISO 8601, UTC, with milliseconds.
pub fn now() -> String {
    text(Timestamp::now())
}

/// Returns the time of a file in the same form; `None` if it is out of range.
#[cfg(target_os = "linux")]
pub fn of_file(time: std::time::SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(text)
}

fn text(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Returns a new ULID.
pub fn new_id() -> String {
    ulid::Ulid::generate().to_string()
}
