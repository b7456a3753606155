//! What is on a disk: files and folders by their inodes, as in a file system. SQLite's files are
//! elsewhere ([`crate::power::op`]): here they have names and no content.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_core::files::disk::watch::{New, Place};

use crate::power::op::Op;

/// A disk writes so many bytes at once, or none of them.
const BLOCK_BYTES: u64 = 4096;

/// Times of a file, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Times {
    /// Of the last change of the content.
    pub mtime_ns: i64,
    /// Of the last change of anything.
    pub ctime_ns: i64,
}

/// What an inode is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// A file.
    File(Arc<Vec<u8>>),
    /// A folder: inodes by names.
    Folder(BTreeMap<Vec<u8>, u64>),
    /// A link, with its target.
    Link(Vec<u8>),
}

/// An inode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Its permission bits.
    pub mode: u32,
    /// Its times.
    pub times: Times,
}

/// How much of a change has reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reached {
    /// Nothing.
    Nothing,
    /// All of it.
    All,
    /// Of a write: some of its blocks, by this seed. The others have what was there before, or
    /// zeros.
    Torn(u64),
}

/// A disk, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tree {
    /// The inode of the folder at the top.
    pub top: u64,
    /// Everything below it, and what has no name (any more).
    pub nodes: BTreeMap<u64, Node>,
}

impl Tree {
    /// Reads what is below a folder.
    pub fn read(top: &Path) -> io::Result<Self> {
        let mut tree = Self { top: fs::metadata(top)?.ino(), nodes: BTreeMap::new() };
        tree.read_below(top)?;
        Ok(tree)
    }

    fn read_below(&mut self, path: &Path) -> io::Result<u64> {
        let found = fs::symlink_metadata(path)?;
        let content = if found.is_dir() {
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let name = entry.file_name().as_bytes().to_vec();
                if !is_beside_database(&name) {
                    names.insert(name, self.read_below(&entry.path())?);
                }
            }
            Content::Folder(names)
        } else if found.is_symlink() {
            Content::Link(fs::read_link(path)?.as_os_str().as_bytes().to_vec())
        } else {
            Content::File(Arc::new(fs::read(path)?))
        };
        let (mode, times) = (found.permissions().mode() & 0o7777, times_of(&found));
        self.nodes.insert(found.ino(), Node { content, mode, times });
        Ok(found.ino())
    }

    /// Returns a path of each inode, below `top`.
    pub fn paths(&self, top: &Path) -> BTreeMap<u64, PathBuf> {
        let mut found = BTreeMap::from([(self.top, top.to_owned())]);
        let mut next = vec![self.top];
        while let Some(folder) = next.pop() {
            let Some(node) = self.nodes.get(&folder) else { continue };
            let Content::Folder(names) = &node.content else { continue };
            for (name, inode) in names {
                let path = found[&folder].join(OsStr::from_bytes(name));
                if found.insert(*inode, path).is_none() {
                    next.push(*inode);
                }
            }
        }
        found
    }

    /// Returns the inode at a place.
    pub fn at(&self, at: &Place) -> Option<u64> {
        match &self.nodes.get(&at.folder)?.content {
            Content::Folder(names) => names.get(&at.name).copied(),
            _ => None,
        }
    }

    /// Lets a change reach the disk, or a part of it.
    pub fn apply(&mut self, op: &Op, reached: Reached) {
        if reached == Reached::Nothing {
            return;
        }
        match op {
            Op::Create { at, inode, mode, what } => {
                self.create(*inode, *mode, what);
                self.name(at, *inode);
            }
            Op::Link { at, inode } => self.name(at, *inode),
            Op::Move { from, to, inode } => {
                if self.at(from) == Some(*inode) {
                    self.unname(from);
                }
                self.name(to, *inode);
            }
            Op::Swap { one, other, inodes } => {
                self.name(one, inodes.1);
                self.name(other, inodes.0);
            }
            Op::Remove { at, .. } => self.unname(at),
            Op::Write { inode, at, bytes } => {
                if let Some(file) = self.file(*inode) {
                    write(file, *at, bytes, reached);
                }
            }
            Op::Length { inode, bytes } => {
                if let Some(file) = self.file(*inode) {
                    file.resize(*bytes as usize, 0);
                }
            }
            Op::Mode { inode, mode } => {
                if let Some(node) = self.nodes.get_mut(inode) {
                    node.mode = *mode;
                }
            }
            Op::SyncBegun { .. } | Op::SyncEnded { .. } | Op::Commit { .. } => {}
        }
    }

    /// Sets the times of what a change has touched.
    pub fn touch(&mut self, touched: &[(u64, Times)]) {
        for (inode, times) in touched {
            if let Some(node) = self.nodes.get_mut(inode) {
                node.times = *times;
            }
        }
    }

    fn create(&mut self, inode: u64, mode: u32, what: &New) {
        let content = match what {
            New::File => Content::File(Arc::default()),
            New::Folder => Content::Folder(BTreeMap::new()),
            New::Link(target) => Content::Link(target.clone()),
        };
        // The bytes may have reached the disk before the name.
        self.nodes.entry(inode).or_insert(Node { content, mode, times: Times::default() });
    }

    /// Adds a name for an inode. A folder can have only one.
    fn name(&mut self, at: &Place, inode: u64) {
        if matches!(self.nodes.get(&inode), Some(Node { content: Content::Folder(_), .. })) {
            for node in self.nodes.values_mut() {
                if let Content::Folder(names) = &mut node.content {
                    names.retain(|_, named| *named != inode);
                }
            }
        }
        if let Some(Node { content: Content::Folder(names), .. }) = self.nodes.get_mut(&at.folder) {
            names.insert(at.name.clone(), inode);
        }
    }

    fn unname(&mut self, at: &Place) {
        if let Some(Node { content: Content::Folder(names), .. }) = self.nodes.get_mut(&at.folder) {
            names.remove(&at.name);
        }
    }

    fn file(&mut self, inode: u64) -> Option<&mut Vec<u8>> {
        match &mut self.nodes.get_mut(&inode)?.content {
            Content::File(bytes) => Some(Arc::make_mut(bytes)),
            _ => None,
        }
    }

    /// Creates files before their names reach the disk: what is written to them may be there first.
    pub fn create_unnamed(&mut self, op: &Op) {
        if let Op::Create { inode, mode, what, .. } = op {
            self.create(*inode, *mode, what);
        }
    }

    /// Drops what has no name, which nothing can reach.
    pub fn drop_unnamed(&mut self) {
        let mut reached = BTreeMap::new();
        let mut next = vec![self.top];
        while let Some(inode) = next.pop() {
            let Some(node) = self.nodes.remove(&inode) else { continue };
            if let Content::Folder(names) = &node.content {
                next.extend(names.values());
            }
            reached.insert(inode, node);
        }
        self.nodes = reached;
    }
}

/// Whether a name is that of a file that SQLite keeps beside a database. Their content belongs to
/// the database's.
fn is_beside_database(name: &[u8]) -> bool {
    [&b".db-wal"[..], b".db-shm", b".db-journal"].iter().any(|end| name.ends_with(end))
}

/// Returns the times of a file.
pub fn times_of(found: &fs::Metadata) -> Times {
    Times {
        mtime_ns: found.mtime() * 1_000_000_000 + found.mtime_nsec(),
        ctime_ns: found.ctime() * 1_000_000_000 + found.ctime_nsec(),
    }
}

fn write(file: &mut Vec<u8>, at: u64, bytes: &[u8], reached: Reached) {
    let end = at + bytes.len() as u64;
    let mut from = at;
    let mut random = match reached {
        Reached::Torn(seed) => Some(fastest_fixtures::random::Random::new(seed)),
        _ => None,
    };
    while from < end {
        let to = end.min((from / BLOCK_BYTES + 1) * BLOCK_BYTES);
        let block = &bytes[(from - at) as usize..(to - at) as usize];
        match random.as_mut().map_or(0, |random| random.below(4)) {
            0 | 1 => put(file, from, block),
            // The length has reached the disk, and the bytes have not.
            2 if (file.len() as u64) < to => file.resize(to as usize, 0),
            _ => {}
        }
        from = to;
    }
}

fn put(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let end = at as usize + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at as usize..end].copy_from_slice(bytes);
}
