//! Why a checkout was not made, or not finished.

use std::io;
use std::path::{Path, PathBuf};

use crate::object::error::StoreError;
use crate::object::tree::DEPTH_MAX;
use crate::worktree::checkout::step::JOURNAL_VERSION;
use crate::worktree::stat_index::IndexError;

/// Why a checkout was not made, or not finished.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The plan expects something else at some paths. Nothing was changed.
    #[error("in the way: {}", listed(.paths))]
    InTheWay {
        /// All such paths, in the order of the plan.
        paths: Vec<PathBuf>,
    },
    /// Two names are one name on this file system. Nothing was changed.
    #[error("{} and {} are one name on this file system", first.display(), second.display())]
    Clash {
        /// Relative to the root.
        first: PathBuf,
        /// Relative to the root.
        second: PathBuf,
    },
    /// The path has a name that must not be written here. Nothing was changed.
    #[error("{} is not a name that a tree may hold here", path.display())]
    Name {
        /// Relative to the root.
        path: PathBuf,
    },
    /// Directories are nested too deep. Nothing was changed.
    #[error("directories below {} nest deeper than {DEPTH_MAX}", path.display())]
    TooDeep {
        /// The topmost of them, relative to the root.
        path: PathBuf,
    },
    /// An earlier checkout is unfinished: call `recover` first.
    #[error("an earlier checkout is not finished; its journal is {}", path.display())]
    Unfinished {
        /// The journal.
        path: PathBuf,
    },
    /// The journal was altered after it was written; a crash does not do that.
    #[error(
        "the checkout journal {} is damaged; move it and the folder tmp beside it away to keep the \
         files as they are, and compare them, and those in tmp, with the last snapshot",
        path.display()
    )]
    DamagedJournal {
        /// The journal.
        path: PathBuf,
    },
    /// The journal was written by a newer version.
    #[error(
        "the checkout journal {} has version {version}; this build reads {JOURNAL_VERSION}; finish \
         that checkout with the version that began it",
        path.display()
    )]
    NewerJournal {
        /// The journal.
        path: PathBuf,
        /// The version found.
        version: u32,
    },
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An object is missing or damaged. Nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new index could not be saved; `recover` tries again.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl CheckoutError {
    pub(super) fn io<P: AsRef<Path>>(
        action: &'static str,
        path: P,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.as_ref().to_owned(), source }
    }
}

pub(super) fn listed(paths: &[PathBuf]) -> String {
    let shown: Vec<_> = paths.iter().take(10).map(|path| path.display().to_string()).collect();
    let more = paths.len().saturating_sub(shown.len());
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    shown.join(", ") + &tail
}
