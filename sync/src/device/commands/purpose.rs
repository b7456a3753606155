//! The purpose of storing a working copy's tree, and the result.

use fastest_core::object::item::Root;
use fastest_core::object::name::IGNORE_FILES;
use fastest_core::object::tree::conflicts::{Conflict, ConflictId};
use fastest_core::worktree::database::Database;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_schema::SnapshotId;

use crate::device::path::show_all;
use crate::replica::local::operations::Number;

/// Why a working copy's tree is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// The user wants a snapshot. `if_empty`: also of an empty tree, if there is no head yet.
    Save { if_empty: bool },
    /// The user wants to untrack these paths.
    Untrack(&'a [Vec<u8>]),
    /// A restore has brought files back that were in these conflicts.
    BroughtBack(&'a [Conflict]),
    /// The user has settled these conflicts, and `moved` are in what was chosen.
    Settle { settled: &'a [(Vec<u8>, ConflictId)], moved: &'a [Conflict] },
    /// A safety snapshot before files are replaced. An ignore file that cannot be used does not
    /// prevent it.
    Safety,
}

impl Purpose<'_> {
    /// Returns the words of the command whose whole work this is; `None` if it is a part of a command.
    pub(crate) fn command(&self) -> Option<String> {
        match self {
            Self::Save { if_empty: true } => Some("snapshot".to_owned()),
            Self::Save { if_empty: false } => Some("push".to_owned()),
            Self::Untrack(paths) => Some(format!("untrack {}", show_all(paths).join(" "))),
            Self::BroughtBack(_) | Self::Settle { .. } | Self::Safety => None,
        }
    }
}

/// The state of a working copy whose tree was just stored.
pub(crate) struct Captured {
    /// The tree.
    pub root: Root,
    /// Its snapshot: the head if nothing changed; `None` if there is none yet.
    pub snapshot_id: Option<SnapshotId>,
    /// Whether a snapshot was made.
    pub created: bool,
    /// The operation that was recorded for it.
    pub operation: Option<Number>,
    /// The packs whose rows were written along with the snapshot, in hex.
    pub packs: Vec<String>,
    /// The head before.
    pub parent: Option<SnapshotId>,
    /// Objects that the store did not have.
    pub objects_new: u64,
    /// The stat index of the tree.
    pub index: StatIndex,
    /// SQLite databases with files beside them, such as a WAL.
    pub databases: Vec<Database>,
    /// The conflicts that are open, sorted by path.
    pub open: Vec<Conflict>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The ignore file to which `untrack` adds rules.
pub(crate) const RULE_FILE: &str = IGNORE_FILES[1];
