//! What stands under a name in a tree, and a directory as a whole.

use crate::object::id::{BlobId, ID_BYTES, ListId, TreeId};

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

/// What stands under a name, without the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// A [`BlobId`], or for a directory a [`TreeId`].
    pub id: [u8; ID_BYTES],
    /// Bytes of the file or link target; for a directory, of all files below it.
    pub bytes: u64,
    /// Files and links below a directory; 1 for anything else.
    pub files: u64,
    /// The chunk list; present exactly for files over [`CHUNKED_OVER_BYTES`](crate::object::tree::CHUNKED_OVER_BYTES).
    pub list: Option<ListId>,
}

impl Item {
    /// Whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The id of a directory's root node.
    pub fn tree_id(&self) -> Option<TreeId> {
        self.is_directory().then_some(TreeId(self.id))
    }

    /// The id of the content of a file or link.
    pub fn blob_id(&self) -> Option<BlobId> {
        (!self.is_directory()).then_some(BlobId(self.id))
    }

    /// The entry of a directory with this root.
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

/// A directory as a whole: its root node and what lies below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root {
    /// The root node.
    pub id: TreeId,
    /// Files and links below.
    pub files: u64,
    /// Bytes of them all.
    pub bytes: u64,
}
