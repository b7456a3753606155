//! The fixed parts of the encoding of tree nodes: version, limits, the rule that splits wide
//! directories, and the errors of decoding.

use std::sync::LazyLock;

use crate::object::id::TreeId;

/// Version of the node encoding.
pub const NODE_VERSION: u8 = 1;

/// Version of the encoding of a root that lists conflicts. Before what version 1 has, it has these.
pub const CONFLICTS_VERSION: u8 = 2;

/// A node whose entries take more bytes than this is split.
pub const NODE_BYTES_MAX: usize = 32 << 10;

/// How many zero bits of a name's hash make one level of [`boundary`]: 128 entries on average.
const BOUNDARY_BITS: u32 = 7;

/// Files of more bytes are stored in chunks, and their entries have the id of a chunk list.
pub const CHUNKED_OVER_BYTES: u64 = 1 << 20;

/// The deepest nesting of directories. Limits recursion on hostile trees; a user meets `PATH_MAX`
/// sooner.
pub const DEPTH_MAX: usize = 1024;

/// Why a node cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The bytes are not an encoded node.
    #[error("tree node is damaged: {what}")]
    Damaged {
        /// The rule that the bytes break.
        what: &'static str,
    },
    /// The node was written by a newer version.
    #[error("tree node has version {version}; this build reads up to {CONFLICTS_VERSION}")]
    Newer {
        /// The version found.
        version: u8,
    },
}

pub(crate) const fn damaged(what: &'static str) -> TreeError {
    TreeError::Damaged { what }
}

/// Returns how many levels of nodes end after an entry of this name: the trailing zero bits of the
/// first eight bytes (little-endian) of the name's BLAKE3, divided by seven.
pub fn boundary(name: &[u8]) -> u32 {
    let hash = blake3::hash(name);
    let head: [u8; 8] = hash.as_bytes()[..8].try_into().expect("eight of 32 bytes");
    u64::from_le_bytes(head).trailing_zeros() / BOUNDARY_BITS
}

/// Returns the id of the directory without entries.
pub fn empty_directory() -> TreeId {
    static EMPTY: LazyLock<TreeId> = LazyLock::new(|| TreeId::of(&[NODE_VERSION, 0, 0]));
    *EMPTY
}
