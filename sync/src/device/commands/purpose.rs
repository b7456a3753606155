//! Why a working copy's tree is stored, and the result.

use fastest_core::object::item::Root;
use fastest_core::object::name::IGNORE_FILES;
use fastest_core::worktree::database::Database;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_schema::SnapshotId;

/// Why a working copy's tree is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// The user wants it saved. `if_empty` says whether an empty tree without a head is worth a
    /// snapshot.
    Save { if_empty: bool },
    /// The user wants these paths to stop being content.
    Untrack(&'a [Vec<u8>]),
    /// Nothing may be lost when the files are replaced. An ignore file that cannot be read does not
    /// prevent it.
    Safety,
}

/// The state of a working copy whose tree was just stored.
pub(crate) struct Captured {
    /// The tree.
    pub root: Root,
    /// Its snapshot, which is the head if nothing changed.
    pub snapshot_id: Option<SnapshotId>,
    /// Whether a snapshot was made.
    pub created: bool,
    /// The head before.
    pub parent: Option<SnapshotId>,
    /// Objects that the store did not have.
    pub objects_new: u64,
    /// The stat index of the tree.
    pub index: StatIndex,
    /// Databases with files beside them.
    pub databases: Vec<Database>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The ignore file to which `untrack` adds rules.
pub(crate) const RULE_FILE: &str = IGNORE_FILES[1];
