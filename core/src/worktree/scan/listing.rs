//! What was found in a directory.

use std::ops::Range;

use crate::files::stat::Stat;
use crate::object::item::{Item, Kind};
use crate::worktree::git::UnknownRules;
use crate::worktree::scan::report::{Skipped, SkippedWhy, Warning};
use crate::worktree::scan::task::Task;
use crate::worktree::stat_index::Listed;

/// What was found under a name that may be content.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file or link whose content is known from the index.
    Same(Item, Stat),
    /// A file or link that must be read. Then it becomes [`Found::Read`] or [`Found::Gone`].
    Changed(Kind, Stat),
    /// Like [`Found::Changed`], for a database with files beside it.
    Database(Kind, Stat),
    /// A file or link that was read.
    Read { item: Item, stat: Stat, racy: bool, growing: bool },
    /// A directory: the next of [`Listing::directories`].
    Directory,
    /// Not looked at: it has the head's version.
    Kept(Item),
    /// A file or link that could not be read. It becomes [`Found::Kept`] or [`Found::Gone`].
    Unread(SkippedWhy),
    /// It vanished during the scan, or cannot be read and the head does not have it.
    Gone,
}

/// What was found in a directory.
#[derive(Debug, Default)]
pub(crate) struct Listing<'a> {
    pub names: Vec<u8>,
    /// Names that may be content, sorted. Empty if `same` is set.
    pub found: Vec<(Range<usize>, Found)>,
    /// The subdirectories, in the order of their names.
    pub directories: Vec<Task<'a>>,
    /// Whether files, links and the names of subdirectories are exactly those of the index.
    pub same: bool,
    /// The directory's stamp from before its names were read. It is for the new index, and only if
    /// that will have all of the names.
    pub listed: Option<Listed>,
    /// Whether the directory has any name at all, ignored or not.
    pub occupied: bool,
    /// Whether the directory does not exist, and the head's version is searched for files that are
    /// absent on purpose.
    pub is_absent: bool,
    /// Whether the directory vanished before it could be read.
    pub gone: bool,
    /// Whether the directory is not looked into, and keeps the head's version.
    pub left_alone: bool,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<Warning>,
    pub unknown_rules: Vec<UnknownRules>,
    /// Files and links seen.
    pub files: u64,
    pub(super) child_count: usize,
}

impl Listing<'_> {
    /// Returns how many subdirectories were found.
    pub(crate) fn children(&self) -> usize {
        self.child_count
    }

    /// Returns the listing of a directory that is skipped.
    pub(super) fn left_alone(task: &Task<'_>, why: SkippedWhy) -> Self {
        let skipped = vec![Skipped { path: task.path.clone(), why }];
        Self { left_alone: true, occupied: true, skipped, ..Self::default() }
    }
}
