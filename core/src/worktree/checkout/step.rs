//! The steps of a checkout once everything new is written, as the journal has them.

use crate::files::stat::Stat;
use crate::worktree::checkout::change::Expected;

/// Version of the journal's encoding.
pub(super) const JOURNAL_VERSION: u32 = 2;

/// How steps replace and delete, which depends on the journal's version. A build that only knows
/// version 1 deletes all temporary files in the end. So a journal that it would continue must never
/// have put a file of the user's there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Rules {
    /// Version 1: new files are renamed over old ones, which are then gone.
    Rename,
    /// Version 2: what a step takes out of the folder is kept until it has been checked.
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

/// A change to one path, whose new content is ready under a temporary name.
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
    /// Move the directory with this inode to the path, where nothing may be.
    PutDirectory {
        temporary: u64,
        inode: u64,
    },
    /// Move the file or link with this stat data to the path, where `expect` must be.
    Put {
        temporary: u64,
        staged: Stat,
        expect: Option<Expected>,
    },
}
