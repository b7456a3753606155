//! The kinds of things that users refer to by name or id.

use std::fmt;

/// The kind of thing that a name or an id refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// A project.
    Project,
    /// A workspace of a project.
    Workspace,
    /// A snapshot.
    Snapshot,
    /// A snapshot, or a workspace that stands for its newest one.
    State,
    /// A row that both sides changed.
    Conflict,
    /// A transaction of an application that the primary refused.
    RefusedTransaction,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Project => "project",
            Self::Workspace => "workspace",
            Self::Snapshot => "snapshot",
            Self::State => "snapshot or workspace",
            Self::Conflict => "conflict",
            Self::RefusedTransaction => "refused transaction",
        })
    }
}
