//! The text format of times in rows and lock files.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns a time as rows store it: ISO 8601, UTC, with milliseconds.
pub fn text(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
