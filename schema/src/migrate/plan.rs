//! The outcome of planning a migration.

use crate::migrate::note::Note;

/// A planned migration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The statements to run, in order.
    pub statements: Vec<String>,
    /// Descriptions of steps that may lose data or fail for existing rows, or that rebuild a table:
    /// the user must agree to them.
    pub destructive: Vec<String>,
    /// The renames and drops, for replicas.
    pub notes: Vec<Note>,
}
