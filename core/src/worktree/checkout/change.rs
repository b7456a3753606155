//! Changes to a working copy, and the files that they expect to find.

use crate::files::stat::Stat;
use crate::object::item::{Item, Kind};

/// A change to one path, relative to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub path: Vec<u8>,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Delete a file or link.
    Remove(Expected),
    /// Delete a directory if nothing is left in it. If something is to replace it, everything in it
    /// must be known to be removed.
    RemoveDirectory { replaced: bool },
    /// Create a directory where none is.
    MakeDirectory,
    /// Put a whole directory where nothing is.
    PutDirectory(Item),
    /// Put a file or link in place of another one, or where nothing is.
    Put(Item, Option<Expected>),
}

/// A file or link as it must be found before it is replaced or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub kind: Kind,
    pub stat: Stat,
    /// Equal stat data is not enough: the content must be read.
    pub racy: bool,
    pub id: [u8; 32],
}

impl Change {
    /// Returns the removal, marked as one whose place something else will take.
    pub(super) fn making_room(self) -> Self {
        match self.what {
            What::RemoveDirectory { .. } => {
                Self { what: What::RemoveDirectory { replaced: true }, ..self }
            }
            _ => self,
        }
    }
}
