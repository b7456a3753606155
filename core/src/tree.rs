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
use crate::object::{OBJECT_BYTES_MAX, ObjectKind, ObjectSink, ObjectSource};
use crate::store::StoreError;
use crate::varint;

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

/// An entry of a directory, its name borrowed from the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name: 1 to 255 bytes, any but `/` and NUL.
    pub name: &'a [u8],
    /// What stands under it.
    pub item: Item,
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
        && !name.contains(&b'/')
        && !name.contains(&0)
}

/// How many levels of node end after an entry of this name: trailing zero bits of the first
/// eight bytes (little-endian) of the name's BLAKE3, in steps of seven bits.
pub fn boundary(name: &[u8]) -> u32 {
    let hash = blake3::hash(name);
    let head: [u8; 8] = hash.as_bytes()[..8].try_into().expect("eight of 32 bytes");
    u64::from_le_bytes(head).trailing_zeros() / BOUNDARY_BITS
}

/// A child of an interior node: a run of a wide directory's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The last name in the run.
    pub last_name: &'a [u8],
    /// The node that holds the run.
    pub id: TreeId,
    /// Files and links in and below the run.
    pub files: u64,
    /// Bytes of them all.
    pub bytes: u64,
}

/// A decoded node, borrowing the bytes it was read from.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// Entries of a directory, or of a run of one.
    Leaf(Entries<'a>),
    /// Runs of a wide directory.
    Interior(Runs<'a>),
}

/// The entries of a leaf, in the order of their names.
#[derive(Debug, Clone, Copy)]
pub struct Entries<'a> {
    left: u64,
    rest: &'a [u8],
    previous: &'a [u8],
}

/// The runs of an interior node, in the order of their names.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a> {
    level: u8,
    left: u64,
    rest: &'a [u8],
    previous: &'a [u8],
}

impl<'a> Node<'a> {
    /// Reads a node's header. Entries are checked as they are read.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, TreeError> {
        let [version, level, rest @ ..] = encoded else {
            return Err(damaged("it is shorter than a header"));
        };
        if *version != NODE_VERSION {
            return Err(TreeError::Newer { version: *version });
        }
        let mut rest = rest;
        let left = varint::take(&mut rest).ok_or(damaged("the count is cut short"))?;
        let previous = &[][..];
        Ok(match level {
            0 => Self::Leaf(Entries { left, rest, previous }),
            &level => Self::Interior(Runs { level, left, rest, previous }),
        })
    }
}

impl Runs<'_> {
    /// The node's level: 1 above leaves.
    pub fn level(&self) -> u8 {
        self.level
    }
}

fn take_bytes<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn take_id(rest: &mut &[u8]) -> Option<[u8; ID_BYTES]> {
    take_bytes(rest, ID_BYTES).map(|bytes| bytes.try_into().expect("32 bytes were taken"))
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], TreeError> {
    let length = varint::take(rest).ok_or(damaged("a name's length is cut short"))?;
    let length = usize::try_from(length).map_err(|_| damaged("a name is too long"))?;
    take_bytes(rest, length).ok_or(damaged("a name is cut short"))
}

impl<'a> Entries<'a> {
    fn take(&mut self) -> Result<Entry<'a>, TreeError> {
        const CUT: TreeError = damaged("an entry is cut short");
        let name = take_name(&mut self.rest)?;
        if !name_is_allowed(name) {
            return Err(damaged(
                "a name is empty, too long, `.`, `..`, `.fastest`, or has `/` or NUL",
            ));
        }
        if name <= self.previous {
            return Err(damaged("names are not in order"));
        }
        let [kind, ..] = take_bytes(&mut self.rest, 1).ok_or(CUT)? else { return Err(CUT) };
        let kind = Kind::from_u8(*kind).ok_or(damaged("an entry's kind is unknown"))?;
        let id = take_id(&mut self.rest).ok_or(CUT)?;
        let bytes = varint::take(&mut self.rest).ok_or(CUT)?;
        let files = match kind {
            Kind::Directory => varint::take(&mut self.rest).ok_or(CUT)?,
            _ => 1,
        };
        let list = match kind {
            Kind::File | Kind::Executable if bytes > CHUNKED_OVER_BYTES => {
                Some(ListId(take_id(&mut self.rest).ok_or(CUT)?))
            }
            _ => None,
        };
        self.previous = name;
        Ok(Entry { name, item: Item { kind, id, bytes, files, list } })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, TreeError>;

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
        if last_name <= self.previous {
            return Err(damaged("names are not in order"));
        }
        let id = TreeId(take_id(&mut self.rest).ok_or(CUT)?);
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

fn put_entry(out: &mut Vec<u8>, name: &[u8], item: &Item) {
    varint::put(out, name.len() as u64);
    out.extend_from_slice(name);
    out.push(item.kind as u8);
    out.extend_from_slice(&item.id);
    varint::put(out, item.bytes);
    if item.is_directory() {
        varint::put(out, item.files);
    }
    if let Some(list) = &item.list {
        out.extend_from_slice(&list.0);
    }
}

fn put_header(out: &mut Vec<u8>, level: u8, count: usize) {
    out.extend_from_slice(&[NODE_VERSION, level]);
    varint::put(out, count as u64);
}

/// A node that was written, on its way into its parent.
struct Written {
    last_name: Vec<u8>,
    root: Root,
}

/// Encodes a directory and gives its nodes to `sink`, leaving out those that it has.
///
/// `entries` must be sorted by name, without repeats.
///
/// # Panics
/// Where an entry's name is not allowed, out of order, or an item has a chunk list by mistake:
/// the caller's bug, stopped before it becomes a stored one.
pub fn write_directory<N: AsRef<[u8]>>(
    entries: &[(N, Item)],
    sink: &dyn ObjectSink,
) -> Result<Root, StoreError> {
    for (name, item) in entries {
        assert!(name_is_allowed(name.as_ref()), "a tree holds allowed names only");
        let is_file = matches!(item.kind, Kind::File | Kind::Executable);
        let chunked = is_file && item.bytes > CHUNKED_OVER_BYTES;
        assert_eq!(item.list.is_some(), chunked, "exactly large files have a chunk list");
    }
    assert!(entries.is_sorted_by(|a, b| a.0.as_ref() < b.0.as_ref()), "entries are sorted");

    let mut body = Vec::with_capacity(64 * entries.len() + 16);
    let mut ends = Vec::with_capacity(entries.len());
    for (name, item) in entries {
        put_entry(&mut body, name.as_ref(), item);
        ends.push(body.len());
    }
    if body.len() <= NODE_BYTES_MAX {
        return Ok(write_leaf(entries, &body, sink)?.root);
    }
    let mut runs = Vec::new();
    let (mut first, mut offset) = (0, 0);
    for last in 0..entries.len() {
        if last + 1 == entries.len() || boundary(entries[last].0.as_ref()) >= 1 {
            runs.push(write_leaf(&entries[first..=last], &body[offset..ends[last]], sink)?);
            (first, offset) = (last + 1, ends[last]);
        }
    }
    write_interior(runs, sink)
}

fn write_leaf<N: AsRef<[u8]>>(
    entries: &[(N, Item)],
    body: &[u8],
    sink: &dyn ObjectSink,
) -> Result<Written, StoreError> {
    let mut encoded = Vec::with_capacity(body.len() + 8);
    put_header(&mut encoded, 0, entries.len());
    encoded.extend_from_slice(body);
    let (files, bytes) = entries.iter().fold((0, 0), |(files, bytes): (u64, u64), (_, item)| {
        (files.saturating_add(item.files), bytes.saturating_add(item.bytes))
    });
    let id = write_node(&encoded, sink)?;
    let last_name = entries.last().map(|(name, _)| name.as_ref().to_vec()).unwrap_or_default();
    Ok(Written { last_name, root: Root { id, files, bytes } })
}

/// Writes level after level until one node is left.
fn write_interior(mut runs: Vec<Written>, sink: &dyn ObjectSink) -> Result<Root, StoreError> {
    for level in 1u8.. {
        if runs.len() == 1 {
            break;
        }
        let fits = runs.iter().map(|run| run.last_name.len() + 48).sum::<usize>() <= NODE_BYTES_MAX;
        let mut above = Vec::new();
        let mut group = Vec::new();
        let count = runs.len();
        for (index, run) in runs.into_iter().enumerate() {
            // A boundary has at most 9 levels of 7 bits, so the tenth level is one node.
            let ends = boundary(&run.last_name) > u32::from(level);
            group.push(run);
            if index + 1 == count || (ends && !fits) {
                above.push(write_group(level, &group, sink)?);
                group.clear();
            }
        }
        runs = above;
    }
    Ok(runs.pop().expect("a split directory has a run").root)
}

fn write_group(level: u8, group: &[Written], sink: &dyn ObjectSink) -> Result<Written, StoreError> {
    let mut encoded = Vec::with_capacity(64 * group.len() + 8);
    put_header(&mut encoded, level, group.len());
    let (mut files, mut bytes) = (0u64, 0u64);
    for run in group {
        varint::put(&mut encoded, run.last_name.len() as u64);
        encoded.extend_from_slice(&run.last_name);
        encoded.extend_from_slice(&run.root.id.0);
        varint::put(&mut encoded, run.root.files);
        varint::put(&mut encoded, run.root.bytes);
        files = files.saturating_add(run.root.files);
        bytes = bytes.saturating_add(run.root.bytes);
    }
    let id = write_node(&encoded, sink)?;
    let last_name = group.last().expect("a group has a run").last_name.clone();
    Ok(Written { last_name, root: Root { id, files, bytes } })
}

fn write_node(encoded: &[u8], sink: &dyn ObjectSink) -> Result<TreeId, StoreError> {
    if encoded.len() > OBJECT_BYTES_MAX {
        return Err(StoreError::ObjectTooLarge { bytes: encoded.len() as u64 });
    }
    let id = TreeId::of(encoded);
    if !sink.has(&id.into())? {
        sink.put(ObjectKind::Tree, id.into(), encoded)?;
    }
    Ok(id)
}

/// All entries of a directory, wide or not, in the order of their names.
pub fn read_directory(
    id: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Vec<(Vec<u8>, Item)>, StoreError> {
    let mut entries = Vec::new();
    read_run(id, source, &mut entries, u32::MAX)?;
    Ok(entries)
}

/// Appends the entries of one node of a directory, and of the nodes under it. `below` bounds the
/// node's level, so that a hostile chain of interior nodes ends.
pub(crate) fn read_run(
    id: &TreeId,
    source: &dyn ObjectSource,
    entries: &mut Vec<(Vec<u8>, Item)>,
    below: u32,
) -> Result<(), StoreError> {
    let object = source.object(&(*id).into())?;
    let broken = |error: TreeError| StoreError::Tree { id: *id, source: error };
    match Node::parse(&object).map_err(broken)? {
        Node::Leaf(leaf) => {
            for entry in leaf {
                let Entry { name, item } = entry.map_err(broken)?;
                if entries.last().is_some_and(|(last, _)| last.as_slice() >= name) {
                    return Err(broken(damaged("names are not in order")));
                }
                entries.push((name.to_vec(), item));
            }
        }
        Node::Interior(runs) => {
            let level = u32::from(runs.level());
            if level >= below {
                return Err(broken(damaged("a run's level is not below its parent's")));
            }
            for run in runs {
                let run = run.map_err(broken)?;
                read_run(&run.id, source, entries, level)?;
                // Also refuses empty runs, of which a hostile node could nest any number.
                if entries.last().is_none_or(|(last, _)| last.as_slice() != run.last_name) {
                    return Err(broken(damaged("a run does not end with the name it gives")));
                }
            }
        }
    }
    Ok(())
}

/// The root of a directory that stands in a source, its counts taken from the node.
pub fn read_root(id: &TreeId, source: &dyn ObjectSource) -> Result<Root, StoreError> {
    if *id == crate::drift::empty_directory() {
        return Ok(Root { id: *id, files: 0, bytes: 0 });
    }
    let object = source.object(&(*id).into())?;
    let broken = |error: TreeError| StoreError::Tree { id: *id, source: error };
    let mut root = Root { id: *id, files: 0, bytes: 0 };
    let mut add = |files: u64, bytes: u64| {
        root.files = root.files.saturating_add(files);
        root.bytes = root.bytes.saturating_add(bytes);
    };
    match Node::parse(&object).map_err(broken)? {
        Node::Leaf(mut leaf) => {
            leaf.try_for_each(|entry| entry.map(|entry| add(entry.item.files, entry.item.bytes)))
        }
        Node::Interior(mut runs) => {
            runs.try_for_each(|run| run.map(|run| add(run.files, run.bytes)))
        }
    }
    .map_err(broken)?;
    Ok(root)
}

/// What stands at `path` (components without empty ones) below the directory `id`.
pub fn find(
    id: &TreeId,
    path: &[&[u8]],
    source: &dyn ObjectSource,
) -> Result<Option<Item>, StoreError> {
    let mut directory = *id;
    for (index, name) in path.iter().enumerate() {
        let Some(item) = find_in_directory(&directory, name, source)? else { return Ok(None) };
        match item.tree_id() {
            _ if index + 1 == path.len() => return Ok(Some(item)),
            Some(below) => directory = below,
            None => return Ok(None),
        }
    }
    Ok(Some(Item::directory(&read_root(&directory, source)?)))
}

fn find_in_directory(
    id: &TreeId,
    name: &[u8],
    source: &dyn ObjectSource,
) -> Result<Option<Item>, StoreError> {
    let mut node = *id;
    let mut below = u32::MAX;
    loop {
        let object = source.object(&node.into())?;
        let broken = |error: TreeError| StoreError::Tree { id: node, source: error };
        match Node::parse(&object).map_err(broken)? {
            Node::Leaf(mut leaf) => {
                let found = leaf.find(|entry| !matches!(entry, Ok(entry) if entry.name < name));
                let entry = found.transpose().map_err(broken)?;
                return Ok(entry.filter(|entry| entry.name == name).map(|entry| entry.item));
            }
            Node::Interior(mut runs) => {
                let level = u32::from(runs.level());
                if level >= below {
                    return Err(broken(damaged("a run's level is not below its parent's")));
                }
                let found = runs.find(|run| !matches!(run, Ok(run) if run.last_name < name));
                match found.transpose().map_err(broken)? {
                    Some(run) => (node, below) = (run.id, level),
                    None => return Ok(None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::MemoryObjects;

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
        for good in [&b"a"[..], b"...", b"\xff\xfe", b".fastest2", b" ", &[b'x'; 255]] {
            assert!(name_is_allowed(good), "{good:?}");
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
