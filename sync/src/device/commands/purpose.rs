//! Why a working copy's tree is stored, and what is known of it then.

use fastest_core::object::item::Root;
use fastest_core::object::name::IGNORE_FILES;
use fastest_core::worktree::database::Database;
use fastest_core::worktree::stat_index::StatIndex;

/// Why a working copy's tree is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// A person wants it saved. `if_empty` says whether an empty tree without a head is worth a
    /// snapshot.
    Save { if_empty: bool },
    /// A person wants these paths to be content no longer.
    Untrack(&'a [Vec<u8>]),
    /// To lose nothing when the files are replaced. Not even an ignore file that cannot be read
    /// stands in the way.
    Safety,
}

/// What is known of a working copy once its tree is stored.
pub(crate) struct Captured {
    /// The tree.
    pub root: Root,
    /// The snapshot of it: the head where nothing changed.
    pub snapshot_id: Option<String>,
    /// Whether a snapshot was made.
    pub created: bool,
    /// The head before.
    pub parent: Option<String>,
    /// Objects that the store did not have.
    pub objects_new: u64,
    /// The stat index of the tree.
    pub index: StatIndex,
    /// Databases with files beside them.
    pub databases: Vec<Database>,
    /// What was passed over, each with the reason.
    pub skipped: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The ignore file in which a rule keeps a path out.
pub(crate) const RULE_FILE: &str = IGNORE_FILES[1];
