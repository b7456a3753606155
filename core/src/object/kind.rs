//! The kinds of objects: how each kind's id is computed, and how large an object may be.

use crate::object::id::{BlobId, ListId, ObjectId, TreeId};

/// The largest size of an object, in bytes. Limits what a reader allocates for a hostile pack.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;

/// How an object's id is computed from its bytes. The numbers are stored in packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// A file's bytes, a symlink's target, or a chunk.
    Blob = 0,
    /// An encoded tree node.
    Tree = 1,
    /// An encoded chunk list.
    List = 2,
}

impl ObjectKind {
    /// Returns the kind with this stored number.
    pub fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Blob),
            1 => Some(Self::Tree),
            2 => Some(Self::List),
            _ => None,
        }
    }

    /// Returns the id of an object of this kind with these bytes.
    pub fn id_of(self, bytes: &[u8]) -> ObjectId {
        match self {
            Self::Blob => BlobId::of(bytes).into(),
            Self::Tree => TreeId::of(bytes).into(),
            Self::List => ListId::of(bytes).into(),
        }
    }
}
