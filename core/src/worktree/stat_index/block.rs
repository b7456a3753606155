//! Builds the directories of a new index.

use crate::files::stat::Stat;
use crate::object::item::Item;
use crate::worktree::stat_index::entry::{BLOCK_HEADER_BYTES, IndexedEntry, Listed, RACY};

/// A directory of a new index.
#[derive(Debug)]
pub(crate) enum Block<'a> {
    /// Copied from another index, with everything below.
    Copied(&'a [u8]),
    /// Built from its entries.
    Built(BlockBuilder<'a>),
}

/// Collects the entries of a directory, which are added in the order of their names.
#[derive(Debug)]
pub(crate) struct BlockBuilder<'a> {
    bytes: Vec<u8>,
    children: Vec<Block<'a>>,
    extent_bytes: usize,
}

impl Default for BlockBuilder<'_> {
    fn default() -> Self {
        let bytes = vec![0; BLOCK_HEADER_BYTES];
        Self { bytes, children: Vec::new(), extent_bytes: 0 }
    }
}

impl<'a> BlockBuilder<'a> {
    /// Records that the directory was listed, and that the entries are all of its names that are
    /// content.
    pub(crate) fn listed(&mut self, listed: &Listed) {
        self.bytes[8..BLOCK_HEADER_BYTES].copy_from_slice(&listed.encode());
    }

    /// Adds a file or link. `stat.bytes` is not stored: it is read back as `item.bytes`.
    pub(crate) fn content(&mut self, name: &[u8], item: &Item, stat: &Stat, racy: bool) {
        self.head(name, item, racy);
        self.bytes.extend_from_slice(&stat.mtime_ns.to_le_bytes());
        self.bytes.extend_from_slice(&stat.ctime_ns.to_le_bytes());
        self.bytes.extend_from_slice(&stat.inode.to_le_bytes());
        if let Some(list) = &item.list {
            self.bytes.extend_from_slice(&list.0);
        }
    }

    /// Adds a file or link that was not read. The next scan will read it.
    pub(crate) fn unread(&mut self, name: &[u8], item: &Item) {
        self.content(name, item, &Stat { bytes: item.bytes, ..Stat::default() }, true);
    }

    /// Adds a subdirectory.
    pub(crate) fn directory(&mut self, name: &[u8], item: &Item, block: Block<'a>) {
        self.head(name, item, false);
        let extent = block.extent_bytes();
        self.bytes.extend_from_slice(&item.files.to_le_bytes());
        self.bytes.extend_from_slice(&(extent as u64).to_le_bytes());
        self.extent_bytes += extent;
        self.children.push(block);
    }

    /// Adds an entry of another index.
    pub(crate) fn copied(&mut self, entry: &IndexedEntry<'a>) {
        match &entry.directory {
            Some(below) => self.directory(entry.name, &entry.item, Block::Copied(below.extent())),
            None => self.content(entry.name, &entry.item, &entry.stat, entry.racy),
        }
    }

    fn head(&mut self, name: &[u8], item: &Item, racy: bool) {
        let length = u8::try_from(name.len()).expect("a tree's names have up to 255 bytes");
        self.bytes.push(length);
        self.bytes.extend_from_slice(name);
        self.bytes.push(item.kind as u8 | if racy { RACY } else { 0 });
        self.bytes.extend_from_slice(&item.id);
        self.bytes.extend_from_slice(&item.bytes.to_le_bytes());
    }

    pub(crate) fn finish(mut self) -> Block<'a> {
        let entries_bytes = (self.bytes.len() - BLOCK_HEADER_BYTES) as u64;
        self.bytes[..8].copy_from_slice(&entries_bytes.to_le_bytes());
        self.extent_bytes += self.bytes.len();
        Block::Built(self)
    }
}

impl Block<'_> {
    pub(super) fn extent_bytes(&self) -> usize {
        match self {
            Self::Copied(extent) => extent.len(),
            Self::Built(built) => built.extent_bytes,
        }
    }

    /// Returns whether this is exactly the directory `extent`, provided that everything below it
    /// was copied from there.
    pub(crate) fn equals(&self, extent: &[u8]) -> bool {
        match self {
            Self::Copied(own) => *own == extent,
            Self::Built(built) => {
                built.extent_bytes == extent.len() && extent.starts_with(&built.bytes)
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Copied(extent) => out.extend_from_slice(extent),
            Self::Built(built) => {
                out.extend_from_slice(&built.bytes);
                built.children.iter().for_each(|child| child.write(out));
            }
        }
    }
}
