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

/// Which tree the index that a scan returns describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// The tree of this scan. Saved only once all of its objects are durable in a store.
    Replace,
    /// The tree of the given index, with newer stat data for files whose content is still that of
    /// this tree. It claims nothing new, so it may be saved whatever the sink did with the objects:
    /// for commands that only look.
    Refresh,
}

/// What decides which files are content, besides the files of the folder and the ignore files among
/// them.
///
/// **To ignore is not to delete**: what the head's tree has stays content, unless an ignore file of
/// the folder matches it and the head's version of that file does not. What git tracks is content
/// even if it is ignored.
#[derive(Clone, Copy)]
pub struct Selection<'s> {
    /// The tree of the head.
    pub head: Option<TreeId>,
    /// The source of that tree and of its ignore files.
    pub source: &'s dyn ObjectSource,
    /// The git repository that the folder is in.
    pub git: &'s Git,
    /// Paths, relative to the root, that are no longer content although the head has them.
    pub untrack: &'s [Vec<u8>],
    /// Paths that checkouts could not change, sorted. They have the head's version, whatever is
    /// there.
    pub left: &'s [Left],
    /// Combines a SQLite database and the files beside it into one file. Without this, they are
    /// ordinary files.
    pub databases: Option<&'s dyn Databases>,
}

/// What is the same in every directory of one scan.
pub(super) struct Context<'s> {
    pub(super) root: &'s Path,
    /// The root, open.
    pub(super) beneath: &'s Beneath,
    pub(super) selection: Selection<'s>,
    pub(super) sink: &'s dyn ObjectSink,
    pub(super) index_use: IndexUse,
    /// Which parts of the index are still valid.
    pub(super) verified: Verified,
    /// The device of the root, if its file system updates a directory's times with its names.
    pub(super) dated: Option<i128>,
    /// The file system's clock when the scan began.
    pub(super) clock_ns: i64,
    pub(super) progress: &'s Progress,
    /// The databases that were copied.
    pub(super) databases: Mutex<Vec<Database>>,
}
