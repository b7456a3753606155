//! The outcome of planning a migration.

use crate::migrate::note::Note;

/// A migration that was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The statements to run, in order.
    pub statements: Vec<String>,
    /// Which steps may lose data, or fail for existing rows: the user must agree to them.
    pub destructive: Vec<String>,
    /// Names that are changed or dropped, for replicas.
    pub notes: Vec<Note>,
}
