//! Tree nodes: a directory's entries, encoded canonically, wide directories split.
//!
//! A manifest is a Merkle tree of directories; its hash is the id of the root directory's node.
//! The same set of entries gives the same bytes and so the same id, whatever the history.
//!
//! A directory whose leaf node would pass [`NODE_BYTES_MAX`] is split by a rule that looks at
//! names alone: a leaf ends after each entry whose [`boundary`] is at least 1, and a node of
//! level *n* ends after each child whose last name has a boundary of at least *n* + 1. So an edit
//! rewrites one leaf of some 128 entries and the few nodes above it. `docs/formats.md` gives the
//! encoding, with vectors.

use crate::id::{BlobId, ID_BYTES, ListId, TreeId};

mod node;
mod read;
mod write;

pub(crate) use node::order_of_names;
pub use node::{Entries, Entry, Node, Run, Runs};
pub use read::{find, read_directory, read_root};
pub use write::write_directory;

/// Version of the node encoding.
pub const NODE_VERSION: u8 = 1;
/// A node encoded in more bytes than this is split.
pub const NODE_BYTES_MAX: usize = 32 << 10;
/// Bits of a name's hash that must be zero for one level of [`boundary`]: a mean of 128 entries.
const BOUNDARY_BITS: u32 = 7;
/// Files larger than this are stored in chunks, and their entries carry a [`ListId`].
pub const CHUNKED_OVER_BYTES: u64 = 1 << 20;
/// Directories nest no deeper: bounds recursion for hostile trees. `PATH_MAX` stops users sooner.
pub const DEPTH_MAX: usize = 1024;
/// The folder of a working copy that holds our own state; never part of a tree.
pub const STATE_DIR: &str = ".fastest";
/// The longest name that an entry may have, in bytes, as on every common file system.
pub const NAME_BYTES_MAX: usize = 255;

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
    /// The chunk list; present exactly for files over [`CHUNKED_OVER_BYTES`].
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

const fn damaged(what: &'static str) -> TreeError {
    TreeError::Damaged { what }
}

/// Whether a tree may hold this name.
pub fn name_is_allowed(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name != b"."
        && name != b".."
        && name != STATE_DIR.as_bytes()
        && !has_slash_or_nul(name)
}

/// Eight bytes at a time: every name of every node that is read passes here.
fn has_slash_or_nul(name: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // Nonzero if, and only if, some byte is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let in_word = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        zeros(word) | zeros(word ^ (ONES * u64::from(b'/'))) != 0
    };
    match name.last_chunk() {
        // The last eight bytes may have been looked at in part.
        Some(tail) => in_word(tail) || name.as_chunks().0.iter().any(in_word),
        None => name.iter().any(|byte| matches!(byte, 0 | b'/')),
    }
}

/// How many levels of node end after an entry of this name: trailing zero bits of the first
/// eight bytes (little-endian) of the name's BLAKE3, in steps of seven bits.
pub fn boundary(name: &[u8]) -> u32 {
    let hash = blake3::hash(name);
    let head: [u8; 8] = hash.as_bytes()[..8].try_into().expect("eight of 32 bytes");
    u64::from_le_bytes(head).trailing_zeros() / BOUNDARY_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{MemoryObjects, ObjectSource};

    fn file(seed: u64) -> Item {
        let id = BlobId::of(&seed.to_le_bytes()).0;
        Item { kind: Kind::File, id, bytes: seed, files: 1, list: None }
    }

    fn wide(count: u64) -> Vec<(Vec<u8>, Item)> {
        (0..count).map(|n| (format!("file{n:07}.txt").into_bytes(), file(n % 1000))).collect()
    }

    #[test]
    fn a_directory_reads_back_whatever_its_width() {
        for count in [0, 1, 2, 500, 1_000, 60_000] {
            let objects = MemoryObjects::default();
            let entries = wide(count);
            let root = write_directory(&entries, &objects).unwrap();
            assert_eq!(root.files, count);
            assert_eq!(read_root(&root.id, &objects).unwrap(), root);
            assert_eq!(read_directory(&root.id, &objects).unwrap(), entries);
            for (name, item) in entries.iter().step_by(997) {
                assert_eq!(find(&root.id, &[name], &objects).unwrap(), Some(*item));
            }
            assert_eq!(find(&root.id, &[b"zzz"], &objects).unwrap(), None);
            assert_eq!(find(&root.id, &[b"file0000000.txt", b"x"], &objects).unwrap(), None);
        }
    }

    #[test]
    fn one_change_in_a_wide_directory_rewrites_tens_of_kilobytes() {
        let objects = MemoryObjects::default();
        let mut entries = wide(200_000);
        write_directory(&entries, &objects).unwrap();
        let before = objects.len();
        entries[123_456].1 = file(77_777);
        let changed = MemoryObjects::default();
        let root = write_directory(&entries, &changed).unwrap();
        write_directory(&entries, &objects).unwrap();
        assert!(objects.len() - before <= 4, "{} nodes", objects.len() - before);
        let rewritten: usize = {
            let mut path = vec![root.id];
            let mut total = 0;
            while let Some(id) = path.pop() {
                let node = changed.object(&id.into()).unwrap();
                total += node.len();
                if let Node::Interior(mut runs) = Node::parse(&node).unwrap() {
                    let name = &entries[123_456].0;
                    let run = runs.find(|run| run.as_ref().unwrap().last_name >= name.as_slice());
                    path.push(run.unwrap().unwrap().id);
                }
            }
            total
        };
        assert!(rewritten < 100_000, "{rewritten} bytes");
    }

    #[test]
    fn names_that_no_tree_may_hold() {
        for bad in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", b".fastest", &[b'x'; 256]] {
            assert!(!name_is_allowed(bad), "{bad:?}");
        }
        for at in 0..40 {
            for bad in [0, b'/'] {
                let mut name = [b'.'; 40];
                name[at] = bad;
                assert!(!name_is_allowed(&name), "{bad} at {at}");
                assert!(!name_is_allowed(&name[..=at]), "{bad} at the end, {at}");
            }
            // One off either, and with the high bit.
            for good in [1, b'/' - 1, b'/' + 1, 0x80, b'/' | 0x80, 0xff] {
                let mut name = [1; 40];
                name[at] = good;
                assert!(name_is_allowed(&name), "{good} at {at}");
            }
        }
        for good in [&b"a"[..], b"...", b"\xff\xfe", b".fastest2", b" ", &[b'x'; 255]] {
            assert!(name_is_allowed(good), "{good:?}");
        }
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let mut names = vec![vec![]];
        for length in [1, 2, 7, 8, 9, 15, 16, 17, 40] {
            names.push(vec![b'x'; length]);
            for at in 0..length {
                for byte in [1, b'w', b'y', 0xff] {
                    let mut name = vec![b'x'; length];
                    name[at] = byte;
                    names.push(name);
                }
            }
        }
        for a in &names {
            names.iter().for_each(|b| assert_eq!(order_of_names(a, b), a.cmp(b), "{a:?} {b:?}"));
        }
    }

    #[test]
    fn damaged_nodes_are_refused_at_every_cut_and_flip() {
        let objects = MemoryObjects::default();
        let root = write_directory(&wide(40), &objects).unwrap();
        let encoded = objects.object(&root.id.into()).unwrap().to_vec();
        let read = |bytes: &[u8]| -> Result<usize, TreeError> {
            match Node::parse(bytes)? {
                Node::Leaf(leaf) => leaf.map(|e| e.map(|_| 1)).sum(),
                Node::Interior(runs) => runs.map(|r| r.map(|_| 1)).sum(),
            }
        };
        assert_eq!(read(&encoded), Ok(40));
        for cut in 0..encoded.len() {
            assert!(read(&encoded[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..encoded.len() {
            let mut flipped = encoded.clone();
            flipped[at] ^= 0x41;
            let _ = read(&flipped); // may be valid; must not panic
        }
        let mut longer = encoded.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
    }
}
