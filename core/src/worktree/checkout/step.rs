//! The steps of a checkout, once everything new is written: what its journal holds.

use crate::files::stat::Stat;
use crate::worktree::checkout::change::Expected;

/// Version of the journal file.
pub const JOURNAL_VERSION: u32 = 2;

/// How steps replace and delete: told by the version. A build that knows version 1 alone deletes all
/// temporary files in the end, so what it may go on with must never have left a file of the user's there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Rules {
    /// Version 1: new files are renamed over old ones, and these are gone.
    Rename,
    /// Version 2: what a step takes out of the folder waits until it has been looked at.
    #[default]
    Exchange,
}

impl Rules {
    pub(super) fn of_version(version: u32) -> Option<Self> {
        match version {
            1 => Some(Self::Rename),
            JOURNAL_VERSION => Some(Self::Exchange),
            _ => None,
        }
    }

    pub(super) fn version(self) -> u32 {
        match self {
            Self::Rename => 1,
            Self::Exchange => JOURNAL_VERSION,
        }
    }
}

/// A change to one path, its new content waiting under a temporary name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub path: Vec<u8>,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Remove(Expected),
    RemoveDirectory,
    MakeDirectory,
    /// Move the directory with this inode here, where nothing must stand.
    Grow {
        temporary: u64,
        inode: u64,
    },
    /// Move the file or link with this stat data here, where `expect` must stand.
    Put {
        temporary: u64,
        staged: Stat,
        expect: Option<Expected>,
    },
}
