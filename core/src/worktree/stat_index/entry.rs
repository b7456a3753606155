//! Reads the directories and entries of an index.

use crate::files::stat::{Stamp, Stat};
use crate::object::id::{ID_BYTES, ListId};
use crate::object::item::{Item, Kind};
use crate::object::name::name_is_allowed;
use crate::object::tree::{CHUNKED_OVER_BYTES, DEPTH_MAX, compare_names};
use crate::worktree::ignore_rules::RulesId;

/// The header of a block: the length of the directory's own entries, and its [`Listed`].
pub(super) const BLOCK_HEADER_BYTES: usize = 8 + LISTED_BYTES;

const LISTED_BYTES: usize = 3 * 8 + 16;

pub(super) const RACY: u8 = 0x80;

/// A directory in an index.
#[derive(Debug, Clone, Copy)]
pub struct IndexedDirectory<'a> {
    pub(super) extent: &'a [u8],
    /// How many directories it is in.
    pub(super) depth: usize,
}

/// Records that the names of a directory were read, and that those of them that are content are
/// exactly the entries of the index. As long as stamp and rules are the same, the directory need
/// not be listed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The directory's stat data before its names were read. Never racy.
    pub stamp: Stamp,
    /// The rules by which names were ignored.
    pub rules: RulesId,
}

/// An entry of an indexed directory.
#[derive(Debug, Clone, Copy)]
pub struct IndexedEntry<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The item.
    pub item: Item,
    /// Its stat data; all zero for a directory.
    pub stat: Stat,
    /// Whether the content may have changed without a trace in `stat`.
    pub racy: bool,
    /// The entries below, for a directory.
    pub directory: Option<IndexedDirectory<'a>>,
}

/// An iterator over entries, sorted by name. It stops at what it cannot decode, at a name that no
/// tree may have there, and at a directory that is nested too deep. The checksum ensures that none
/// of this happens in an index of ours, but the index of a working copy from elsewhere may have one
/// too.
#[derive(Debug, Clone, Copy)]
pub struct IndexedEntries<'a> {
    entries: &'a [u8],
    children: &'a [u8],
    previous: &'a [u8],
    depth: usize,
}

impl<'a> IndexedDirectory<'a> {
    /// Returns the entries, sorted by name.
    pub fn entries(&self) -> IndexedEntries<'a> {
        let depth = self.depth;
        let nothing = IndexedEntries { entries: &[], children: &[], previous: &[], depth };
        let Some((header, rest)) = self.extent.split_first_chunk::<BLOCK_HEADER_BYTES>() else {
            return nothing;
        };
        let length = take_u64(&mut &header[..]).and_then(|length| usize::try_from(length).ok());
        let length = length.unwrap_or(usize::MAX);
        match rest.split_at_checked(length) {
            Some((entries, children)) => IndexedEntries { entries, children, ..nothing },
            None => nothing,
        }
    }

    /// Returns how many bytes its own entries take: about 100 for each.
    pub(crate) fn entries_bytes(&self) -> usize {
        self.entries().entries.len()
    }

    /// Returns what is recorded about its names, if they were read and are all here.
    pub fn listed(&self) -> Option<Listed> {
        Listed::decode(self.extent.get(8..BLOCK_HEADER_BYTES)?)
    }

    /// Returns the encoded directory with everything below it, to be copied as it is.
    pub(crate) fn extent(&self) -> &'a [u8] {
        self.extent
    }
}

impl IndexedEntry<'_> {
    /// Returns whether a file or link with this kind and stat data certainly has the indexed
    /// content.
    pub(crate) fn vouches_for(&self, kind: Kind, stat: &Stat) -> bool {
        self.item.kind == kind && self.stat == *stat && !self.racy
    }
}

impl Listed {
    pub(super) fn encode(&self) -> [u8; LISTED_BYTES] {
        let Stamp { mtime_ns, ctime_ns, inode } = self.stamp;
        let mut bytes = [0; LISTED_BYTES];
        bytes[..8].copy_from_slice(&mtime_ns.to_le_bytes());
        bytes[8..16].copy_from_slice(&ctime_ns.to_le_bytes());
        bytes[16..24].copy_from_slice(&inode.to_le_bytes());
        bytes[24..].copy_from_slice(&self.rules.0);
        bytes
    }

    /// All zero means none: no file system has an inode 0.
    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let (mtime, ctime) = (take_u64(rest)?, take_u64(rest)?);
        let (mtime_ns, ctime_ns) = (mtime.cast_signed(), ctime.cast_signed());
        let stamp = Stamp { mtime_ns, ctime_ns, inode: take_u64(rest)? };
        let rules = RulesId((*rest).try_into().ok()?);
        (stamp.inode != 0).then_some(Self { stamp, rules })
    }
}

impl<'a> Iterator for IndexedEntries<'a> {
    type Item = IndexedEntry<'a>;

    fn next(&mut self) -> Option<IndexedEntry<'a>> {
        let (&[length], rest) = self.entries.split_first_chunk::<1>()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        if !name_is_allowed(name) || compare_names(self.previous, name).is_ge() {
            return None;
        }
        let (&[tag], mut rest) = rest.split_first_chunk::<1>()?;
        let kind = Kind::from_u8(tag & !RACY)?;
        let id = take_id(&mut rest)?;
        let bytes = take_u64(&mut rest)?;
        let mut entry = IndexedEntry {
            name,
            item: Item { kind, id, bytes, files: 1, list: None },
            stat: Stat::default(),
            racy: tag & RACY != 0,
            directory: None,
        };
        if kind == Kind::Directory {
            if self.depth == DEPTH_MAX {
                return None;
            }
            entry.item.files = take_u64(&mut rest)?;
            let length = usize::try_from(take_u64(&mut rest)?).ok()?;
            let (extent, children) = self.children.split_at_checked(length)?;
            self.children = children;
            entry.directory = Some(IndexedDirectory { extent, depth: self.depth + 1 });
        } else {
            entry.stat = Stat {
                bytes,
                mtime_ns: take_u64(&mut rest)?.cast_signed(),
                ctime_ns: take_u64(&mut rest)?.cast_signed(),
                inode: take_u64(&mut rest)?,
            };
            if kind != Kind::Symlink && bytes > CHUNKED_OVER_BYTES {
                entry.item.list = Some(ListId(take_id(&mut rest)?));
            }
        }
        (self.entries, self.previous) = (rest, name);
        Some(entry)
    }
}

pub(super) fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    Some(u64::from_le_bytes(*bytes))
}

pub(super) fn take_id(rest: &mut &[u8]) -> Option<[u8; ID_BYTES]> {
    let (bytes, tail) = rest.split_first_chunk::<ID_BYTES>()?;
    *rest = tail;
    Some(*bytes)
}
