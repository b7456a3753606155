//! The arguments of `drift`.

use clap::{Args, ValueEnum};

/// What to compare, and what counts as a failure.
#[derive(Debug, Args)]
pub struct Drift {
    /// Name or id of the workspace [default: the project's main one]
    pub workspace: Option<String>,
    /// Ignore changes that are not in a snapshot yet
    #[arg(long)]
    pub committed: bool,
    /// Compare every pair of the project's workspaces, the worst first
    ///
    /// Those with a folder on this device with their unsaved changes, the others by their newest snapshots.
    #[arg(long, conflicts_with = "workspace")]
    pub all: bool,
    /// List the reports of earlier runs, newest first
    #[arg(long, conflicts_with_all = ["all", "committed", "fail_on"])]
    pub history: bool,
    /// Exit with 1 only if this is found; an overlap is a file that both changed
    #[arg(long, value_name = "WHAT", value_enum, default_value = "any")]
    pub fail_on: FailOn,
}

/// What makes `drift` exit with 1. The later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum FailOn {
    /// Anything differs
    Any,
    /// Both changed the same file, differently
    Overlap,
    /// A merge would leave a conflict
    Conflict,
}
