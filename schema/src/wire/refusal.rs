//! Why a primary refused a push.

/// A refusal, raised inside the push statement, which then has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The primary does not know this version of the payload.
    PayloadVersion,
    /// The payload lacks a counter, or names something that is not there to be written.
    PayloadInvalid,
    /// This device has pushed with this counter or a higher one: it was cloned or restored.
    DeviceCounter,
    /// The primary lacks what the device knows it to have had: it is another one, or was put back to
    /// an older day.
    Restored,
    /// A row moved on since the device saw it: pull, merge, push again.
    VersionConflict,
    /// A row of a versioned table was written or deleted without its lock.
    LockMissing,
    /// The payload writes to a table that the primary does not sync, or patches one that is not
    /// versioned.
    UnknownTable,
    /// The payload writes a column that the primary does not have: its migrations are behind.
    UnknownColumn,
    /// The primary took a row that was written away again, or kept one that was deleted: a trigger or
    /// an `ON CONFLICT` of the application's did so, without an error.
    Swallowed,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Refusal; 9] = [
        Refusal::PayloadVersion,
        Refusal::PayloadInvalid,
        Refusal::DeviceCounter,
        Refusal::Restored,
        Refusal::VersionConflict,
        Refusal::LockMissing,
        Refusal::UnknownTable,
        Refusal::UnknownColumn,
        Refusal::Swallowed,
    ];

    /// The text that the primary raises.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::PayloadVersion => "fastest:payload_version",
            Refusal::PayloadInvalid => "fastest:payload_invalid",
            Refusal::DeviceCounter => "fastest:device_counter",
            Refusal::Restored => "fastest:restored",
            Refusal::VersionConflict => "fastest:version_conflict",
            Refusal::LockMissing => "fastest:lock_missing",
            Refusal::UnknownTable => "fastest:unknown_table",
            Refusal::UnknownColumn => "fastest:unknown_column",
            Refusal::Swallowed => "fastest:swallowed",
        }
    }

    /// The statement of a trigger that raises it, to which a `FROM` or `WHERE` may be added.
    pub(crate) fn raise_sql(self) -> String {
        format!("SELECT RAISE(ABORT, '{}')", self.name())
    }

    /// Finds a refusal in a primary's error message, which wraps it in words of its own, such as
    /// `D1_ERROR: fastest:version_conflict: SQLITE_CONSTRAINT`.
    pub fn find_in(message: &str) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|refusal| message.contains(refusal.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_in_what_primaries_say() {
        let d1 = "D1_ERROR: fastest:version_conflict: SQLITE_CONSTRAINT";
        assert_eq!(Refusal::find_in(d1), Some(Refusal::VersionConflict));
        assert_eq!(Refusal::find_in("UNIQUE constraint failed: users.email"), None);
    }
}
