//! What a scan found, and what it skipped.

use std::io;
use std::path::PathBuf;

use crate::files::foreign::NestedRepo;
use crate::object::item::Root;
use crate::object::name::NAME_BYTES_MAX;
use crate::object::tree::DEPTH_MAX;
use crate::worktree::database::{Database, Refusal};
use crate::worktree::git::UnknownRules;
use crate::worktree::stat_index::StatIndex;

/// The result of a scan.
#[derive(Debug)]
pub struct Scan {
    /// The tree of the working copy.
    pub root: Root,
    /// The new index, for the caller to save; `None` if it would equal the given one.
    pub index: Option<StatIndex>,
    /// What was skipped.
    pub skipped: Vec<Skipped>,
    /// What the user should know although it did not stop the scan.
    pub warnings: Vec<Warning>,
    /// Databases with files beside them. The tree has each as one file.
    pub databases: Vec<Database>,
    /// Ignore files that cannot be used. What their rules might match is content only if the head
    /// has it or git tracks it. That is good enough for a command that only looks, or that saves
    /// what it is about to replace. A command whose purpose is to save should refuse.
    pub unknown_rules: Vec<UnknownRules>,
}

/// Something that was skipped. The tree has the head's version of it, if there is one.
#[derive(Debug)]
pub struct Skipped {
    /// Its path.
    pub path: PathBuf,
    /// Why.
    pub why: SkippedWhy,
}

/// Why something was skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkippedWhy {
    /// A FIFO, socket or device, as a noun.
    #[error("{0}")]
    Special(&'static str),
    /// Another working copy.
    #[error("a working copy of its own")]
    WorkingCopy,
    /// A git submodule or a linked working tree.
    #[error("a git working tree of its own")]
    GitWorkingTree,
    /// A name that some file systems treat as that of a state folder.
    #[error("a name that some file systems take for a state folder's")]
    StateName,
    /// It is nested too deep.
    #[error("deeper than {DEPTH_MAX} directories")]
    TooDeep,
    /// Its name is too long for a tree.
    #[error("its name is longer than {NAME_BYTES_MAX} bytes")]
    LongName,
    /// It changed each time while it was read.
    #[error("it keeps changing while it is read")]
    Changing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A SQLite database of which no consistent copy could be made.
    #[error("no consistent copy of this database: {0}")]
    Database(#[source] Refusal),
}

impl From<NestedRepo> for SkippedWhy {
    fn from(of_its_own: NestedRepo) -> Self {
        match of_its_own {
            NestedRepo::WorkingCopy => Self::WorkingCopy,
            NestedRepo::GitWorkingTree => Self::GitWorkingTree,
        }
    }
}

impl SkippedWhy {
    /// Returns whether this is content that could not be saved, rather than something that is not
    /// content.
    pub fn is_unsaved_content(&self) -> bool {
        match self {
            Self::Special(_) | Self::WorkingCopy | Self::GitWorkingTree | Self::StateName => false,
            Self::TooDeep
            | Self::LongName
            | Self::Changing
            | Self::Unreadable(_)
            | Self::Database(_) => true,
        }
    }
}

/// Something that the user should know, and that did not stop the scan.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// A file grew while it was read.
    #[error("{} grows while it is read: saved up to where it ended at first", path.display())]
    Growing {
        /// The file.
        path: PathBuf,
    },
    /// It is not known what git tracks.
    #[error("{0}")]
    Git(String),
}
