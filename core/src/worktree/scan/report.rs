//! What a scan found, and what it passed over.

use std::io;
use std::path::PathBuf;

use crate::files::foreign::OfItsOwn;
use crate::object::item::Root;
use crate::object::name::NAME_BYTES_MAX;
use crate::object::tree::DEPTH_MAX;
use crate::worktree::database::{Database, Refusal};
use crate::worktree::git::UnknownRules;
use crate::worktree::stat_index::StatIndex;

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The tree of the working copy.
    pub root: Root,
    /// The new index, for the caller to save; `None` where it would equal the one given.
    pub index: Option<StatIndex>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// What did not stop the scan.
    pub warnings: Vec<Warning>,
    /// Databases with files beside them, which the tree has as one file each.
    pub databases: Vec<Database>,
    /// Ignore files that cannot be used. What they would have ruled on is content only where the
    /// head holds it, or git tracks it: enough to look, and to keep safe what is to be replaced. A
    /// command whose purpose is to save should refuse.
    pub unknown_rules: Vec<UnknownRules>,
}

/// Something that was passed over. Of what the head holds of it, the tree has the head's version.
#[derive(Debug)]
pub struct Skipped {
    /// Where it stands.
    pub path: PathBuf,
    /// Why.
    pub why: SkippedWhy,
}

/// Why something was passed over.
#[derive(Debug, thiserror::Error)]
pub enum SkippedWhy {
    /// A FIFO, socket or device, as a noun.
    #[error("{0}")]
    Special(&'static str),
    /// Another working copy of ours.
    #[error("a working copy of its own")]
    WorkingCopy,
    /// A git submodule or a linked working tree.
    #[error("a git working tree of its own")]
    GitWorkingTree,
    /// A name that some file systems take for that of a state folder.
    #[error("a name that some file systems take for a state folder's")]
    StateName,
    /// It lies too deep.
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
    /// A SQLite database of which no consistent copy could be had.
    #[error("no consistent copy of this database: {0}")]
    Database(#[source] Refusal),
}

impl From<OfItsOwn> for SkippedWhy {
    fn from(of_its_own: OfItsOwn) -> Self {
        match of_its_own {
            OfItsOwn::WorkingCopy => Self::WorkingCopy,
            OfItsOwn::GitWorkingTree => Self::GitWorkingTree,
        }
    }
}

impl SkippedWhy {
    /// Whether this is content that could not be saved, as opposed to what is no content.
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
