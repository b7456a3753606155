//! What the encoding of tree nodes fixes: its version, its limits, where a wide directory is split, and
//! what can be wrong with a node.

use std::sync::LazyLock;

use crate::object::id::TreeId;

/// Version of the node encoding.
pub const NODE_VERSION: u8 = 1;

/// A node encoded in more bytes than this is split.
pub const NODE_BYTES_MAX: usize = 32 << 10;

/// Bits of a name's hash that must be zero for one level of [`boundary`]: a mean of 128 entries.
const BOUNDARY_BITS: u32 = 7;

/// Files larger than this are stored in chunks, and their entries carry a chunk list.
pub const CHUNKED_OVER_BYTES: u64 = 1 << 20;

/// Directories nest no deeper: bounds recursion for hostile trees. `PATH_MAX` stops users sooner.
pub const DEPTH_MAX: usize = 1024;

/// A node that cannot be read as one, or a name that no tree may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The bytes are not an encoded node.
    #[error("tree node is damaged: {what}")]
    Damaged {
        /// Which rule the bytes break.
        what: &'static str,
    },
    /// The node was written by a newer version.
    #[error("tree node has version {version}; this build reads version {NODE_VERSION}")]
    Newer {
        /// The version found.
        version: u8,
    },
}

pub(crate) const fn damaged(what: &'static str) -> TreeError {
    TreeError::Damaged { what }
}

/// How many levels of node end after an entry of this name: trailing zero bits of the first
/// eight bytes (little-endian) of the name's BLAKE3, in steps of seven bits.
pub fn boundary(name: &[u8]) -> u32 {
    let hash = blake3::hash(name);
    let head: [u8; 8] = hash.as_bytes()[..8].try_into().expect("eight of 32 bytes");
    u64::from_le_bytes(head).trailing_zeros() / BOUNDARY_BITS
}

/// The id of the directory without entries.
pub fn empty_directory() -> TreeId {
    static EMPTY: LazyLock<TreeId> = LazyLock::new(|| TreeId::of(&[NODE_VERSION, 0, 0]));
    *EMPTY
}
