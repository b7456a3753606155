//! Decides what to do about a refused push.

use fastest_schema::Refusal;

use crate::remote::primary::PrimaryError;

/// What to do about a refused push before it is planned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Set the primary up.
    Migrate,
    /// Give this device a new id: it is a copy of another one, or was restored from a backup.
    NewDevice,
    /// Forget what the primary was known to have: it lacks changes that it had.
    Forget,
    /// Pull: others were first.
    Pull,
    /// Pull what is missing: rows refer to others that the primary lacks, or prevent the delete of
    /// one. Either others were first, or the primary lost what it had.
    Complete,
}

pub(super) fn recovery(error: &PrimaryError) -> Option<Recovery> {
    match error {
        PrimaryError::NotMigrated { .. } => Some(Recovery::Migrate),
        // Another process may have migrated it meanwhile. If nobody has, the primary is behind.
        PrimaryError::Refused {
            refusal: Refusal::UnknownTable | Refusal::UnknownColumn, ..
        } => Some(Recovery::Migrate),
        PrimaryError::Refused { refusal: Refusal::DeviceCounter, .. } => Some(Recovery::NewDevice),
        PrimaryError::Refused { refusal: Refusal::Restored, .. } => Some(Recovery::Forget),
        PrimaryError::Refused { refusal: Refusal::VersionConflict, .. } => Some(Recovery::Pull),
        error if error.lacks_rows() => Some(Recovery::Complete),
        _ => None,
    }
}
