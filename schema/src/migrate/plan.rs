//! A planned migration.

use crate::migrate::note::Note;

/// A migration that was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What to run, in order.
    pub statements: Vec<String>,
    /// What of it may lose something, or fail for the rows that are there: for a person to agree to.
    pub destructive: Vec<String>,
    /// Names that change or go, for replicas.
    pub notes: Vec<Note>,
}
