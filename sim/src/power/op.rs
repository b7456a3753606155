//! A recorded change of the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_core::files::disk::watch::{New, Place, Synced};

/// A change, with the inodes that it is about.
#[derive(Debug, Clone)]
pub enum Op {
    /// Something was created.
    Create { at: Place, inode: u64, mode: u32, what: New },
    /// A file got a further name.
    Link { at: Place, inode: u64 },
    /// Something was renamed.
    Move { from: Place, to: Place, inode: u64 },
    /// Two names were exchanged. First had the inodes in this order.
    Swap { one: Place, other: Place, inodes: (u64, u64) },
    /// A name was removed.
    Remove { at: Place, inode: u64 },
    /// Bytes were written to a file.
    Write { inode: u64, at: u64, bytes: Arc<Vec<u8>> },
    /// The length of a file was set.
    Length { inode: u64, bytes: u64 },
    /// Permission bits were set.
    Mode { inode: u64, mode: u32 },
    /// A sync began.
    SyncBegun { number: u64, what: Synced },
    /// A sync ended.
    SyncEnded { number: u64 },
    /// A transaction of a database was committed.
    Commit { database: PathBuf, durable: bool, image: Image },
}

/// The files of a database at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    /// The main file.
    pub main: Arc<Vec<u8>>,
    /// The log, if there is one.
    pub log: Option<Arc<Vec<u8>>>,
}

impl Image {
    /// Reads a database that nobody writes to.
    pub fn read(path: &Path) -> Option<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = fs::read(log).ok().filter(|bytes| !bytes.is_empty()).map(Arc::new);
        Some(Self { main: Arc::new(fs::read(path).ok()?), log })
    }
}
