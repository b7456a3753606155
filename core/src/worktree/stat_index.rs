//! The stat index: the stat data of each file of a working copy when its content was last read.
//!
//! The index is a cache: losing it costs one full rehash. The file is one buffer that is never
//! unpacked. Each directory is a block of entries, followed by the blocks of its subdirectories in
//! the order of their names. An entry of a subdirectory states the length of all that belongs to
//! it. So a scan walks the index in step with the file system, and copies unchanged parts as they
//! are. `docs/formats-workspace.md` specifies the encoding.
//!
//! **What an index promises:** it describes one tree, [`StatIndex::root`], whose objects were all
//! put into the sink of the scan that made it. That sink must be made durable before the index is
//! saved.
//!
//! An entry is *racy* if its file may have changed within the clock tick of its stat data. Racy
//! entries never count as unchanged: the next scan reads these files again.

mod block;
mod entry;

use std::io;
use std::path::PathBuf;

use crate::object::error::StoreError;
use crate::object::id::{ID_BYTES, TreeId};
use crate::object::item::{Item, Root};
use crate::object::source::ObjectSource;
use crate::object::tree::read_directory;
use crate::worktree::state_dir::{INDEX, StateDir};

pub(crate) use block::{Block, BlockBuilder};
pub use entry::{IndexedDirectory, IndexedEntries, IndexedEntry, Listed};
use entry::{take_id, take_u64};

/// Version of the index file.
pub const INDEX_VERSION: u32 = 3;
const MAGIC: &[u8; 8] = b"FSTINDEX";
/// Magic, version, flags, then the root: id, files, bytes.
const HEADER_BYTES: usize = 8 + 4 + 4 + ID_BYTES + 8 + 8;

/// Why an index could not be read or saved.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the stat index {}: {source}", path.display())]
pub struct IndexError {
    /// The action that failed, as a verb.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// The state in which an index file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// Complete, and of this version.
    Good,
    /// Missing.
    Absent,
    /// Truncated or altered. Treated as empty.
    Damaged,
    /// Of another version. Treated as empty.
    OtherVersion(u32),
}

/// An index in memory, in its encoded form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatIndex {
    /// The file without its checksum. Empty for an index of nothing.
    bytes: Vec<u8>,
}

impl StatIndex {
    /// Returns an index of nothing: every file will be read.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the index of a working copy. A damaged index, or one of another version, is treated as
    /// empty; the state says which it was.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn load(state: &StateDir) -> Result<(Self, IndexState), IndexError> {
        match state.read(INDEX) {
            Ok(Some(bytes)) => Ok(Self::decode(bytes)),
            Ok(None) => Ok((Self::empty(), IndexState::Absent)),
            // Something else has its name. The next index replaces it.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok((Self::empty(), IndexState::Damaged))
            }
            Err(source) => Err(IndexError { action: "read", path: state.index(), source }),
        }
    }

    /// Saves the index in place of the last one, without waiting for the disk. An index that a
    /// crash truncates is treated as empty.
    ///
    /// # Errors
    /// If the disk is full, or the state folder cannot be written.
    pub fn save(&self, state: &StateDir) -> Result<(), IndexError> {
        let saved = state.replace_cache(INDEX, &[&self.bytes, &self.checksum()]);
        saved.map_err(|source| IndexError { action: "save", path: state.index(), source })
    }

    fn checksum(&self) -> [u8; ID_BYTES] {
        *blake3::Hasher::new().update_rayon(&self.bytes).finalize().as_bytes()
    }

    /// Returns the file's bytes, including the checksum.
    pub fn encode(&self) -> Vec<u8> {
        [&self.bytes[..], &self.checksum()].concat()
    }

    /// Decodes a file's bytes, if they are complete.
    pub fn decode(mut bytes: Vec<u8>) -> (Self, IndexState) {
        let damaged = (Self::empty(), IndexState::Damaged);
        let Some(length) = bytes.len().checked_sub(ID_BYTES) else { return damaged };
        if length < HEADER_BYTES || !bytes.starts_with(MAGIC) {
            return damaged;
        }
        let version = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
        if version != INDEX_VERSION {
            return (Self::empty(), IndexState::OtherVersion(version));
        }
        let checksum = bytes.split_off(length);
        let index = Self { bytes };
        if index.checksum()[..] != checksum {
            return damaged;
        }
        (index, IndexState::Good)
    }

    /// Returns the tree that the index describes; `None` for an index of nothing.
    pub fn root(&self) -> Option<Root> {
        let mut rest = self.bytes.get(16..HEADER_BYTES)?;
        let id = TreeId(take_id(&mut rest)?);
        Some(Root { id, files: take_u64(&mut rest)?, bytes: take_u64(&mut rest)? })
    }

    /// Returns the root directory; `None` for an index of nothing.
    pub fn directory(&self) -> Option<IndexedDirectory<'_>> {
        let extent = self.bytes.get(HEADER_BYTES..)?;
        Some(IndexedDirectory { extent, depth: 0 })
    }

    /// Returns the entry at `path`, names separated by slashes.
    pub fn find(&self, path: &[u8]) -> Option<IndexedEntry<'_>> {
        let mut directory = self.directory();
        let mut found = None;
        for name in path.split(|&byte| byte == b'/') {
            found = directory?.entries().find(|entry| entry.name == name);
            directory = found?.directory;
        }
        found
    }

    /// Returns the block of a directory of a tree, none of whose files were read: only what the
    /// tree states is known of them.
    pub(crate) fn unread(
        item: &Item,
        source: &dyn ObjectSource,
    ) -> Result<Block<'static>, StoreError> {
        let id = item.tree_id().expect("the item of a directory");
        let mut block = BlockBuilder::default();
        for (name, item) in read_directory(&id, source)? {
            if item.is_directory() {
                block.directory(&name, &item, Self::unread(&item, source)?)
            } else {
                block.unread(&name, &item)
            }
        }
        Ok(block.finish())
    }

    /// Builds the index again from its entries: for fuzzing. `edit` may change the name and item of
    /// each. `None` for an index of nothing.
    pub(crate) fn rebuilt(&self, edit: &mut dyn FnMut(&mut Vec<u8>, &mut Item)) -> Option<Self> {
        fn block_of<'a>(
            directory: IndexedDirectory<'a>,
            edit: &mut dyn FnMut(&mut Vec<u8>, &mut Item),
        ) -> Block<'a> {
            let mut block = BlockBuilder::default();
            if let Some(listed) = directory.listed() {
                block.listed(&listed);
            }
            for entry in directory.entries() {
                let (mut name, mut item) = (entry.name.to_vec(), entry.item);
                edit(&mut name, &mut item);
                match entry.directory {
                    Some(below) => block.directory(&name, &item, block_of(below, edit)),
                    None => block.content(&name, &item, &entry.stat, entry.racy),
                }
            }
            block.finish()
        }
        Some(Self::build(&self.root()?, &block_of(self.directory()?, edit)))
    }

    pub(crate) fn build(root: &Root, directory: &Block<'_>) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + directory.extent_bytes());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&INDEX_VERSION.to_le_bytes());
        bytes.extend_from_slice(&0u32.to_le_bytes());
        bytes.extend_from_slice(&root.id.0);
        bytes.extend_from_slice(&root.files.to_le_bytes());
        bytes.extend_from_slice(&root.bytes.to_le_bytes());
        directory.write(&mut bytes);
        Self { bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::stat::{Stamp, Stat};
    use crate::object::id::BlobId;
    use crate::object::item::Kind;
    use crate::object::tree::DEPTH_MAX;
    use crate::worktree::ignore_rules::RulesId;

    /// `a` with `hello`, read 1 s after 1970 and racy; the empty folder `d`, its names read.
    fn sample() -> StatIndex {
        let id = BlobId::of(b"hello").0;
        let file = Item { kind: Kind::File, id, bytes: 5, files: 1, list: None };
        let folder = Item { kind: Kind::Directory, id: [0xdd; 32], bytes: 0, files: 0, list: None };
        let stat = Stat { bytes: 5, mtime_ns: 1_000_000_000, ctime_ns: -2, inode: 0x0102 };
        let mut block = BlockBuilder::default();
        block.content(b"a", &file, &stat, true);
        let mut empty = BlockBuilder::default();
        empty.listed(&listed());
        block.directory(b"d", &folder, empty.finish());
        let root = Root { id: TreeId([0xee; 32]), files: 1, bytes: 5 };
        StatIndex::build(&root, &block.finish())
    }

    fn listed() -> Listed {
        let stamp = Stamp { mtime_ns: 3, ctime_ns: 4, inode: 5 };
        Listed { stamp, rules: RulesId([0xaa; 16]) }
    }

    #[test]
    fn the_encoding_is_frozen() {
        let hex: String = sample().encode().iter().map(|byte| format!("{byte:02x}")).collect();
        let frozen = [
            "465354494e4445580300000000000000eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
            "eeeeeeeeeeeeeeeeeeee010000000000000005000000000000007e0000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000000000000000161",
            "80ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f0500000000",
            "00000000ca9a3b00000000feffffffffffffff0201000000000000016403dddddddddddddddd",
            "dddddddddddddddddddddddddddddddddddddddddddddddd0000000000000000000000000000",
            "0000300000000000000000000000000000000300000000000000040000000000000005000000",
            "00000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa3edc861cefab808ef9e8425a4917ee7328b4",
            "165a8aee5e2ae767ca5e517deffd",
        ];
        assert_eq!(hex, frozen.concat());
    }

    #[test]
    fn entries_read_back() {
        let (index, state) = StatIndex::decode(sample().encode());
        assert_eq!((&index, state), (&sample(), IndexState::Good));
        let names: Vec<_> = index.directory().unwrap().entries().map(|entry| entry.name).collect();
        assert_eq!(names, [b"a", b"d"]);
        let file = index.find(b"a").unwrap();
        assert!(file.racy && file.stat.ctime_ns == -2 && file.stat.inode == 0x0102);
        let folder = index.find(b"d").unwrap().directory.unwrap();
        assert_eq!((folder.entries().count(), folder.listed()), (0, Some(listed())));
        assert_eq!(index.directory().unwrap().listed(), None);
        assert!(index.find(b"d/x").is_none() && index.find(b"b").is_none());
        assert_eq!(StatIndex::empty().root(), None);
    }

    #[test]
    fn damaged_and_other_indexes_are_taken_as_empty() {
        let encoded = sample().encode();
        for at in 0..encoded.len() {
            let damaged = StatIndex::decode(encoded[..at].to_vec());
            assert_eq!(damaged, (StatIndex::empty(), IndexState::Damaged), "cut at {at}");
            let mut flipped = encoded.clone();
            flipped[at] ^= 1;
            let (index, state) = StatIndex::decode(flipped);
            assert_eq!(index, StatIndex::empty(), "flipped at {at}");
            assert_ne!(state, IndexState::Good, "flipped at {at}");
        }
        let mut newer = encoded;
        newer[8] = 7;
        assert_eq!(StatIndex::decode(newer).1, IndexState::OtherVersion(7));
    }

    #[test]
    fn a_lying_index_with_a_true_checksum_does_not_panic() {
        let index = sample();
        for at in HEADER_BYTES..index.bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut lying = index.clone();
                lying.bytes[at] = value;
                let mut directories: Vec<_> = lying.directory().into_iter().collect();
                while let Some(directory) = directories.pop() {
                    directories.extend(directory.entries().filter_map(|entry| entry.directory));
                }
            }
        }
    }

    /// A name of a lying index would become one of a tree.
    #[test]
    fn entries_end_before_a_name_that_no_tree_has_there() {
        let names = |first: &[u8], second: &[u8]| {
            let names = [first.to_vec(), second.to_vec()];
            let mut names = names.into_iter();
            let edited = sample().rebuilt(&mut |name, _| *name = names.next().unwrap()).unwrap();
            edited.directory().unwrap().entries().count()
        };
        assert_eq!(names(b"a", b"b"), 2);
        for bad in [&b""[..], b"a", b"A", b"..", b"b/c", b"b\0", b".fastest"] {
            assert_eq!(names(b"a", bad), 1, "{bad:?}");
            assert_eq!(names(bad, b"z"), if bad == b"a" || bad == b"A" { 2 } else { 0 }, "{bad:?}");
        }
    }

    /// A walk of an index is as deep as the index says.
    #[test]
    fn entries_end_where_a_tree_would_be_too_deep() {
        let folder = Item { kind: Kind::Directory, id: [1; 32], bytes: 0, files: 0, list: None };
        let mut block = BlockBuilder::default().finish();
        for _ in 0..DEPTH_MAX + 50 {
            let mut above = BlockBuilder::default();
            above.directory(b"d", &folder, block);
            block = above.finish();
        }
        let index = StatIndex::build(&Root { id: TreeId([1; 32]), files: 0, bytes: 0 }, &block);
        let below =
            std::iter::successors(index.directory(), |above| above.entries().next()?.directory);
        let depth = below.count();
        assert_eq!(depth, DEPTH_MAX + 1);
    }
}
