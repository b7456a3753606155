//! What a directory was found to hold.

use std::ops::Range;

use crate::files::stat::Stat;
use crate::object::item::{Item, Kind};
use crate::worktree::git::UnknownRules;
use crate::worktree::scan::report::{Skipped, SkippedWhy, Warning};
use crate::worktree::scan::task::Task;
use crate::worktree::stat_index::Listed;

/// What became of a name that may be content.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file or link, its content known from the index.
    Same(Item, Stat),
    /// A file or link that must be read. After that it is [`Found::Read`] or [`Found::Gone`].
    Changed(Kind, Stat),
    /// As [`Found::Changed`]: a database with something beside it.
    Database(Kind, Stat),
    /// A file or link that was read.
    Read { item: Item, stat: Stat, racy: bool, growing: bool },
    /// A directory: the next of [`Listing::directories`].
    Directory,
    /// Not looked at: what the head has of it.
    Kept(Item),
    /// A file or link that could not be read. After that it is [`Found::Kept`] or [`Found::Gone`].
    Unread(SkippedWhy),
    /// It vanished while the scan ran, or cannot be read and the head has nothing of it.
    Gone,
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(crate) struct Listing<'a> {
    pub names: Vec<u8>,
    /// Names that may be content, sorted. Empty where `same` holds.
    pub found: Vec<(Range<usize>, Found)>,
    /// The subdirectories, in the order of their names.
    pub directories: Vec<Task<'a>>,
    /// Whether files, links and the names of subdirectories are exactly those of the index.
    pub same: bool,
    /// The directory before its names were read: what the new index may say, if they are all in it.
    pub listed: Option<Listed>,
    /// Whether anything at all stands in the directory, ignored or not.
    pub occupied: bool,
    /// Whether it is not there, and the head's is looked through for what need not be deleted.
    pub is_absent: bool,
    /// Whether the directory vanished before it could be read.
    pub gone: bool,
    /// Whether the directory is not looked into: what the head has of it stays.
    pub left_alone: bool,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<Warning>,
    pub unknown_rules: Vec<UnknownRules>,
    /// Files and links seen.
    pub files: u64,
    pub(super) child_count: usize,
}

impl Listing<'_> {
    /// How many subdirectories were found.
    pub(crate) fn children(&self) -> usize {
        self.child_count
    }

    /// A directory that was passed over.
    pub(super) fn left_alone(task: &Task<'_>, why: SkippedWhy) -> Self {
        let skipped = vec![Skipped { path: task.path.clone(), why }];
        Self { left_alone: true, occupied: true, skipped, ..Self::default() }
    }
}
