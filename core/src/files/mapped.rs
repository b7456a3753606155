//! Disk space for files that SQLite maps into memory.
//!
//! Writing to a mapped page kills the process (SIGBUS) if the disk has no space for the page.
//! SQLite reserves a page by writing its last byte. That is enough where a block is as large as a
//! page and is written in place. It is not enough where blocks are smaller (a small ext4), or where
//! each write goes to a new block (btrfs).

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, statfs};
use rustix::io::Errno;

use crate::files::regular_file::open_unnamed;

/// The smallest page of any system.
const PAGE_BYTES: u64 = 4096;
/// The space that must be free before a database is opened: several times what one command maps and
/// logs.
const ROOM_BYTES: u64 = 256 << 10;
/// The `statfs` type of btrfs.
const BTRFS: u64 = 0x9123_683e;

/// Fails for a folder on a full disk, where opening a database could kill the process.
///
/// # Errors
/// `StorageFull`.
pub fn check_room(folder: &Path) -> io::Result<()> {
    let Ok(found) = statfs(folder) else { return Ok(()) };
    let has_small_blocks = u64::try_from(found.f_bsize).is_ok_and(|bytes| bytes < PAGE_BYTES);
    let moves_blocks = u64::try_from(found.f_type).is_ok_and(|kind| kind & 0xffff_ffff == BTRFS);
    if !has_small_blocks && !moves_blocks {
        return Ok(());
    }
    let room = crate::files::regular_file::open_directory(rustix::fs::CWD, folder)
        .and_then(|folder| open_unnamed(&folder))
        .and_then(|file| Ok(fallocate(&file, FallocateFlags::empty(), 0, ROOM_BYTES)?));
    match room {
        Err(error) if is_full(&error) => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

fn is_full(error: &io::Error) -> bool {
    let full = [Errno::NOSPC, Errno::DQUOT];
    full.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Allocates all blocks of a mapped file, where blocks are smaller than a page. The file stays open
/// as long as the process runs: closing it would release the locks that SQLite holds on it in this
/// process.
pub fn fill(path: &Path) {
    static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let is_small = statfs(path)
        .is_ok_and(|found| u64::try_from(found.f_bsize).is_ok_and(|bytes| bytes < PAGE_BYTES));
    if !is_small {
        return;
    }
    if let Ok(file) = OpenOptions::new().read(true).write(true).open(path) {
        let bytes = file.metadata().map_or(0, |found| found.len());
        // Without space, nothing is worse than before.
        let _ = fallocate(&file, FallocateFlags::empty(), 0, bytes.max(PAGE_BYTES));
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }
}
