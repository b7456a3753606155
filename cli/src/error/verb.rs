//! The names of the commands, for hints and for processes that wait for this one.

use std::fmt;

/// A command, without its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Init,
    Snapshot,
    Status,
    Push,
    Clone,
    Pull,
    Merge,
    Drift,
    Diff,
    Log,
    Undo,
    Redo,
    Op,
    Restore,
    Untrack,
    Cat,
    Workspace,
    Project,
    Conflicts,
    Resolve,
    Remote,
    Schema,
    Doctor,
    Completions,
    Man,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::Snapshot => "snapshot",
            Self::Status => "status",
            Self::Push => "push",
            Self::Clone => "clone",
            Self::Pull => "pull",
            Self::Merge => "merge",
            Self::Drift => "drift",
            Self::Diff => "diff",
            Self::Log => "log",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::Op => "op",
            Self::Restore => "restore",
            Self::Untrack => "untrack",
            Self::Cat => "cat",
            Self::Workspace => "workspace",
            Self::Project => "project",
            Self::Conflicts => "conflicts",
            Self::Resolve => "resolve",
            Self::Remote => "remote",
            Self::Schema => "schema",
            Self::Doctor => "doctor",
            Self::Completions => "completions",
            Self::Man => "man",
        })
    }
}
