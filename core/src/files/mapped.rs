//! Room for files that SQLite maps into memory.
//!
//! A write to a mapped page for which the disk has no room kills the process (SIGBUS). SQLite makes sure
//! of a page by writing its last byte, which is enough where a block is as large as a page and is written
//! in place. Where blocks are smaller (a small ext4), or each write goes to a new one (btrfs), it is not.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, statfs};
use rustix::io::Errno;

use crate::files::regular_file::open_unnamed;

/// What a page has at least, on every system.
const PAGE_BYTES: u64 = 4096;
/// What must be free before a database is opened: several times what one command maps and logs.
const ROOM_BYTES: u64 = 256 << 10;
/// `statfs` type of btrfs.
const BTRFS: u64 = 0x9123_683e;

/// Refuses a folder on a full disk, if a database that is opened there could kill the process.
///
/// # Errors
/// Of the kind `StorageFull`.
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

/// Gives a file that is mapped all of its blocks, where these are smaller than a page. It stays open as
/// long as the process: to close it would be to lose the locks that SQLite has on it here.
pub fn fill(path: &Path) {
    static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let is_small = statfs(path)
        .is_ok_and(|found| u64::try_from(found.f_bsize).is_ok_and(|bytes| bytes < PAGE_BYTES));
    if !is_small {
        return;
    }
    if let Ok(file) = OpenOptions::new().read(true).write(true).open(path) {
        let bytes = file.metadata().map_or(0, |found| found.len());
        // Where there is no room, this is as it was without.
        let _ = fallocate(&file, FallocateFlags::empty(), 0, bytes.max(PAGE_BYTES));
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }
}
