//! The reasons for which a primary refuses a push.

/// A refusal, raised inside the push statement. The push has then changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The primary does not know this version of the payload.
    PayloadVersion,
    /// The payload has no counter, or is malformed.
    PayloadInvalid,
    /// The device has already pushed with this counter or a higher one, so it was cloned or
    /// restored.
    DeviceCounter,
    /// The primary lacks something that the device knows it had: it is another database, or was
    /// restored from an older backup.
    Restored,
    /// A row has changed since the device saw it. The device must pull, merge and push again.
    VersionConflict,
    /// A row of a versioned table was written or deleted without its lock.
    LockMissing,
    /// The payload writes to a table that the primary does not sync, or patches one that is not
    /// versioned.
    UnknownTable,
    /// The payload writes a column that the primary does not have, so the primary's migrations are
    /// behind.
    UnknownColumn,
    /// A written row is missing, or a deleted row still exists: a trigger or an `ON CONFLICT`
    /// clause of the application undid the operation without an error.
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

    /// Returns the text that the primary raises, which is part of the protocol.
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

    /// Returns the trigger statement that raises it. The caller may add a `FROM` or `WHERE`.
    pub(crate) fn raise_sql(self) -> String {
        format!("SELECT RAISE(ABORT, '{}')", self.name())
    }

    /// Finds a refusal in an error message. Servers add their own words, as in
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
