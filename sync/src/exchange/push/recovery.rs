//! What to do about a push that the primary did not accept.

use fastest_schema::Refusal;

use crate::remote::primary::PrimaryError;

/// What to do about a push that was not accepted, before it is planned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Set the primary up.
    Migrate,
    /// This device is a copy of another one, or was restored from a backup: from here on it is a
    /// device of its own.
    NewDevice,
    /// The primary lacks what it had: nothing can be built on what is known of it.
    Forget,
    /// Others were first.
    Pull,
    /// Rows refer to others that the primary lacks, or keep one from being deleted: others were
    /// first, or it lost what it had.
    Complete,
}

pub(super) fn recovery(error: &PrimaryError) -> Option<Recovery> {
    match error {
        PrimaryError::NotMigrated { .. } => Some(Recovery::Migrate),
        PrimaryError::Refused { refusal: Refusal::DeviceCounter, .. } => Some(Recovery::NewDevice),
        PrimaryError::Refused { refusal: Refusal::Restored, .. } => Some(Recovery::Forget),
        PrimaryError::Refused { refusal: Refusal::VersionConflict, .. } => Some(Recovery::Pull),
        error if error.lacks_rows() => Some(Recovery::Complete),
        _ => None,
    }
}
