//! What is the same in every directory of one scan.

use std::path::Path;
use std::sync::Mutex;

use crate::files::beneath::Beneath;
use crate::object::id::TreeId;
use crate::object::source::{ObjectSink, ObjectSource};
use crate::progress::Progress;
use crate::worktree::database::{Database, Databases};
use crate::worktree::git::Git;
use crate::worktree::left::Left;
use crate::worktree::scan::verify::Verified;

/// What the index that a scan yields is to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// The tree of this scan. To be saved only once all its objects are durable in a store.
    Replace,
    /// The tree of the index that was given, with newer stat data for files whose content is
    /// still that of this tree. It claims nothing new, so it may be saved whatever the sink did
    /// with the objects: for commands that only look.
    Refresh,
}

/// What, besides the files of a folder and the ignore files among them, decides which are content.
///
/// **To ignore is not to delete**: what the head's tree holds stays content, until an ignore file of
/// the folder matches it that in the head's version did not. What git tracks is content whatever is
/// ignored.
#[derive(Clone, Copy)]
pub struct Selection<'s> {
    /// The tree of the head.
    pub head: Option<TreeId>,
    /// Holds that tree, and its ignore files.
    pub source: &'s dyn ObjectSource,
    /// The git repository that the folder lies in.
    pub git: &'s Git,
    /// Paths, relative to the root, that leave content though the head holds them.
    pub untrack: &'s [Vec<u8>],
    /// What checkouts could not bring: it is as the head has it, whatever stands there. Sorted by path.
    pub left: &'s [Left],
    /// What makes one file of a SQLite database and of what stands beside it. Without, they are
    /// files as any.
    pub databases: Option<&'s dyn Databases>,
}

/// The same in every directory of one scan.
pub(super) struct Context<'s> {
    pub(super) root: &'s Path,
    /// The same, open.
    pub(super) beneath: &'s Beneath,
    pub(super) selection: Selection<'s>,
    pub(super) sink: &'s dyn ObjectSink,
    pub(super) index_use: IndexUse,
    /// What of the index still holds.
    pub(super) verified: Verified,
    /// The device of the root, where its file system dates the names in a directory.
    pub(super) dated: Option<i128>,
    /// The file system's clock when the scan began.
    pub(super) clock_ns: i64,
    pub(super) progress: &'s Progress,
    /// Those that were copied.
    pub(super) databases: Mutex<Vec<Database>>,
}
