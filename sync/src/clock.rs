//! Times and ids of new rows.

use jiff::{Timestamp, tz::TimeZone};

/// The time now: ISO 8601, UTC, milliseconds, as every row has it.
pub fn now() -> String {
    Timestamp::now().to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A new ULID.
pub fn new_id() -> String {
    ulid::Ulid::generate().to_string()
}
