//! Decodes nodes without copying their bytes.

use std::cmp::Ordering;

use crate::object::id::{ID_BYTES, ListId, TreeId};
use crate::object::item::{Item, Kind};
use crate::object::name::name_is_allowed;
use crate::object::tree::format::{
    CHUNKED_OVER_BYTES, CONFLICTS_VERSION, NODE_VERSION, TreeError, damaged,
};
use crate::object::varint;

/// An entry of a directory, borrowed from its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name: 1 to 255 bytes, any but `/` and NUL.
    pub name: &'a [u8],
    /// Its kind.
    pub kind: Kind,
    /// A [`BlobId`](crate::object::id::BlobId), or for a directory a [`TreeId`].
    pub id: &'a [u8; ID_BYTES],
    /// As [`Item::bytes`].
    pub bytes: u64,
    /// As [`Item::files`].
    pub files: u64,
    /// The id of the chunk list; present exactly for files over [`CHUNKED_OVER_BYTES`].
    pub list: Option<&'a [u8; ID_BYTES]>,
}

impl Entry<'_> {
    /// Returns the entry without its name.
    pub fn item(&self) -> Item {
        Item {
            kind: self.kind,
            id: *self.id,
            bytes: self.bytes,
            files: self.files,
            list: self.list.map(|id| ListId(*id)),
        }
    }

    /// Returns the id of a directory's root node.
    pub fn tree_id(&self) -> Option<TreeId> {
        (self.kind == Kind::Directory).then_some(TreeId(*self.id))
    }
}

/// A child of an interior node: consecutive entries of a wide directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The last name in the run.
    pub last_name: &'a [u8],
    /// The node that has these entries.
    pub id: TreeId,
    /// Files and links in and below the run.
    pub files: u64,
    /// Their bytes, in all.
    pub bytes: u64,
}

/// A decoded node, borrowed from the bytes that it was read from.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// Entries of a directory, or of a run of one.
    Leaf(Entries<'a>),
    /// Runs of a wide directory.
    Interior(Runs<'a>),
}

/// The entries of a leaf, sorted by name.
#[derive(Debug, Clone, Copy)]
pub struct Entries<'a> {
    left: u64,
    rest: &'a [u8],
    previous: &'a [u8],
}

/// The runs of an interior node, sorted by name.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a> {
    level: u8,
    left: u64,
    rest: &'a [u8],
    previous: &'a [u8],
}

impl<'a> Node<'a> {
    /// Decodes a node's header. Entries and runs are checked as they are iterated.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, TreeError> {
        let (_, body) = split_conflicts(encoded)?;
        let [level, rest @ ..] = body else {
            return Err(damaged("it is shorter than a header"));
        };
        let mut rest = rest;
        let left = varint::take(&mut rest).ok_or(damaged("the count is cut short"))?;
        let previous = &[][..];
        Ok(match level {
            0 => Self::Leaf(Entries { left, rest, previous }),
            // This would be a second encoding of the empty directory.
            _ if left == 0 => return Err(damaged("an interior node has no runs")),
            &level => Self::Interior(Runs { level, left, rest, previous }),
        })
    }

    /// Returns the node's level: 0 for a leaf.
    pub(crate) fn level(&self) -> u8 {
        match self {
            Self::Leaf(_) => 0,
            Self::Interior(runs) => runs.level,
        }
    }

    /// Checks that the node may be a run of a node of the level `parent`. So a hostile chain of
    /// interior nodes ends. `None` for the root node of a directory.
    pub(crate) fn check_below(&self, parent: Option<u8>) -> Result<(), TreeError> {
        match parent {
            Some(parent) if parent.checked_sub(1) != Some(self.level()) => {
                Err(damaged("a run's level is not one below its parent's"))
            }
            _ => Ok(()),
        }
    }
}

/// Splits an encoded node into its section of conflicts, which is empty in version 1, and what follows the
/// version and that section.
pub(crate) fn split_conflicts(encoded: &[u8]) -> Result<(&[u8], &[u8]), TreeError> {
    const CUT: TreeError = damaged("it is shorter than a header");
    let [version, rest @ ..] = encoded else { return Err(CUT) };
    if rest.is_empty() {
        return Err(CUT);
    }
    match *version {
        0 => Err(damaged("no version is 0")),
        NODE_VERSION => Ok((&[], rest)),
        CONFLICTS_VERSION => {
            let mut rest = rest;
            let bytes = varint::take(&mut rest).and_then(|bytes| usize::try_from(bytes).ok());
            let section = bytes.and_then(|bytes| rest.split_at_checked(bytes)).ok_or(CUT)?;
            // Without conflicts, a node has version 1.
            if section.0.is_empty() { Err(damaged("it lists no conflict")) } else { Ok(section) }
        }
        version => Err(TreeError::Newer { version }),
    }
}

/// Compares names bytewise, eight bytes at a time and inline: a call to `memcmp` for each name of
/// each node costs more than the comparison.
#[inline]
pub(crate) fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let shared = a.len().min(b.len());
    let (Some(a_tail), Some(b_tail)) = (a[..shared].last_chunk(), b[..shared].last_chunk()) else {
        return a.cmp(b);
    };
    let (a_words, _) = a[..shared].as_chunks();
    let (b_words, _) = b[..shared].as_chunks();
    for (a, b) in a_words.iter().zip(b_words) {
        if a != b {
            return u64::from_be_bytes(*a).cmp(&u64::from_be_bytes(*b));
        }
    }
    // The last eight bytes overlap words that were found equal.
    u64::from_be_bytes(*a_tail).cmp(&u64::from_be_bytes(*b_tail)).then(a.len().cmp(&b.len()))
}

impl<'a> Entries<'a> {
    /// Returns the same entries, which must sort after `name`, the last name of the leaf before.
    pub(crate) fn after(self, name: &'a [u8]) -> Self {
        Self { previous: name, ..self }
    }
}

impl<'a> Runs<'a> {
    /// Returns the node's level: 1 directly above leaves.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Returns the same runs, which must sort after `name`, the last name of the node before.
    pub(crate) fn after(self, name: &'a [u8]) -> Self {
        Self { previous: name, ..self }
    }
}

pub(super) fn take_bytes<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn take_id<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8; ID_BYTES]> {
    let (id, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(id)
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], TreeError> {
    let length = varint::take(rest).ok_or(damaged("a name's length is cut short"))?;
    let length = usize::try_from(length).map_err(|_| damaged("a name is too long"))?;
    let name = take_bytes(rest, length).ok_or(damaged("a name is cut short"))?;
    if !name_is_allowed(name) {
        return Err(damaged("a name is empty, too long, `.`, `..`, `.fastest`, or has `/` or NUL"));
    }
    Ok(name)
}

impl<'a> Entries<'a> {
    #[inline(always)] // The compiler does not do it, and an entry is large to return.
    fn take(&mut self) -> Result<Entry<'a>, TreeError> {
        let name = take_name(&mut self.rest)?;
        if compare_names(self.previous, name).is_ge() {
            return Err(damaged("names are not in order"));
        }
        let entry = take_entry(name, &mut self.rest)?;
        self.previous = name;
        Ok(entry)
    }
}

/// Takes what follows an entry's name.
#[inline(always)] // As above.
fn take_entry<'a>(name: &'a [u8], rest: &mut &'a [u8]) -> Result<Entry<'a>, TreeError> {
    const CUT: TreeError = damaged("an entry is cut short");
    let [kind, ..] = take_bytes(rest, 1).ok_or(CUT)? else { return Err(CUT) };
    let kind = Kind::from_u8(*kind).ok_or(damaged("an entry's kind is unknown"))?;
    let id = take_id(rest).ok_or(CUT)?;
    let bytes = varint::take(rest).ok_or(CUT)?;
    let files = match kind {
        Kind::Directory => varint::take(rest).ok_or(CUT)?,
        _ => 1,
    };
    let list = match kind {
        Kind::File | Kind::Executable if bytes > CHUNKED_OVER_BYTES => {
            Some(take_id(rest).ok_or(CUT)?)
        }
        _ => None,
    };
    Ok(Entry { name, kind, id, bytes, files, list })
}

/// Takes an item as the entries of a leaf have it after their names.
pub(super) fn take_item(rest: &mut &[u8]) -> Result<Item, TreeError> {
    take_entry(&[], rest).map(|entry| entry.item())
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, TreeError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let rest = std::mem::take(&mut self.rest);
            return (!rest.is_empty()).then(|| Err(damaged("bytes follow the last entry")));
        }
        self.left -= 1;
        let entry = self.take();
        if entry.is_err() {
            (self.left, self.rest) = (0, &[]);
        }
        Some(entry)
    }
}

impl<'a> Runs<'a> {
    fn take(&mut self) -> Result<Run<'a>, TreeError> {
        const CUT: TreeError = damaged("a run is cut short");
        let last_name = take_name(&mut self.rest)?;
        if compare_names(self.previous, last_name).is_ge() {
            return Err(damaged("names are not in order"));
        }
        let id = TreeId(*take_id(&mut self.rest).ok_or(CUT)?);
        let files = varint::take(&mut self.rest).ok_or(CUT)?;
        let bytes = varint::take(&mut self.rest).ok_or(CUT)?;
        self.previous = last_name;
        Ok(Run { last_name, id, files, bytes })
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Result<Run<'a>, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let rest = std::mem::take(&mut self.rest);
            return (!rest.is_empty()).then(|| Err(damaged("bytes follow the last run")));
        }
        self.left -= 1;
        let run = self.take();
        if run.is_err() {
            (self.left, self.rest) = (0, &[]);
        }
        Some(run)
    }
}
