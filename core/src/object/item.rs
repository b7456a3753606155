//! What an entry of a tree is, and the totals of a directory.

use crate::object::id::{ID_BYTES, ListId, TreeId};

/// What an entry is. The numbers are part of the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A file without the executable bit.
    File = 0,
    /// A file that its owner may execute.
    Executable = 1,
    /// A symbolic link; its content is the target's bytes.
    Symlink = 2,
    /// A directory; its id is that of its root node.
    Directory = 3,
}

impl Kind {
    pub(crate) fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::File),
            1 => Some(Self::Executable),
            2 => Some(Self::Symlink),
            3 => Some(Self::Directory),
            _ => None,
        }
    }
}

/// An entry of a directory without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// A [`BlobId`](crate::object::id::BlobId), or for a directory a [`TreeId`].
    pub id: [u8; ID_BYTES],
    /// Bytes of the file or link target; for a directory, of all files and links below it.
    pub bytes: u64,
    /// Files and links below a directory; 1 for anything else.
    pub files: u64,
    /// The chunk list; present exactly for files of more than
    /// [`CHUNKED_OVER_BYTES`](crate::object::tree::CHUNKED_OVER_BYTES).
    pub list: Option<ListId>,
}

impl Item {
    /// Returns whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Returns the id of a directory's root node.
    pub fn tree_id(&self) -> Option<TreeId> {
        self.is_directory().then_some(TreeId(self.id))
    }

    /// Returns the entry of the directory with this root.
    pub fn directory(root: &Root) -> Self {
        Self {
            kind: Kind::Directory,
            id: root.id.0,
            bytes: root.bytes,
            files: root.files,
            list: None,
        }
    }
}

/// The root node of a directory, with the totals of what is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root {
    /// The id of the root node.
    pub id: TreeId,
    /// Files and links below.
    pub files: u64,
    /// Their bytes, in all.
    pub bytes: u64,
}
