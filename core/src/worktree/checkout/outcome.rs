//! The outcome of a checkout.

use std::io;
use std::path::PathBuf;

use crate::worktree::left::Left;

/// The outcome of a checkout.
#[derive(Debug, Default)]
pub struct Checkout {
    /// How many changes were made. A directory that was put in place as a whole counts as one.
    pub changes: usize,
    /// Paths that have the user's version instead of the plan's.
    pub kept: Vec<Kept>,
    /// Paths that could not be changed and were left as they were found, sorted.
    pub left: Vec<Left>,
    /// Paths that an earlier checkout left, and that are now as planned.
    pub brought: Vec<Left>,
}

/// A checkout that an earlier command left unfinished, and that is finished now.
#[derive(Debug)]
pub struct Recovered {
    /// The bytes that the caller passed to `execute`.
    pub head: Vec<u8>,
    /// Paths that have the user's version instead of the plan's.
    pub kept: Vec<Kept>,
}

/// A path that was left as it was found. Its new content is in the object store.
#[derive(Debug)]
pub struct Kept {
    /// Relative to the root.
    pub path: PathBuf,
    /// Why.
    pub why: KeptWhy,
}

/// Why a path was left as it was found.
#[derive(Debug, thiserror::Error)]
pub enum KeptWhy {
    /// It changed after the checkout began.
    #[error("it was changed meanwhile")]
    Changed,
    /// It changed after the checkout began, and that version has another name now.
    #[error("it was changed meanwhile, and its name is taken or gone: that version is now {}", aside.display())]
    Both {
        /// Relative to the root.
        aside: PathBuf,
    },
    /// It is a SQLite database that an application has open.
    #[error("an application has this database open; close it")]
    InUse,
    /// It would be a SQLite database beside the log or journal of another one.
    #[error("the log or journal of another database stands beside it; move or delete that")]
    StrayLog,
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for KeptWhy {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// The outcome of one change.
pub(super) type Outcome = Result<(), KeptWhy>;
