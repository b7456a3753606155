//! Reports changes of the disk to a watcher, which a simulator installs: it records them, or lets some
//! of them fail. Without one, a change costs one look at a flag.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The inode of the folder.
    pub folder: u64,
    /// The name.
    pub name: Vec<u8>,
}

/// What was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum New {
    /// An empty file.
    File,
    /// An empty folder.
    Folder,
    /// A symbolic link, with its target.
    Link(Vec<u8>),
}

/// What a sync makes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// The bytes of the file with this inode, or the names in the folder with this inode.
    Inode(u64),
    /// Everything on the file system.
    FileSystem,
}

/// A change of the disk that has succeeded. Files are identified by their inodes, so that they are
/// followed when they are renamed. Everything watched must be on one file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something was created, with these permission bits.
    Created {
        /// Its name.
        at: Place,
        /// Its inode.
        inode: u64,
        /// Its permission bits.
        mode: u32,
        /// What it is.
        what: New,
    },
    /// A file got a further name.
    Linked {
        /// The name.
        at: Place,
        /// The inode of the file.
        inode: u64,
    },
    /// Something was renamed. What had the new name is gone.
    Renamed {
        /// The old name.
        from: Place,
        /// The new name.
        to: Place,
    },
    /// Two names were exchanged.
    Exchanged(Place, Place),
    /// The name of a file, or an empty folder, was removed.
    Removed(Place),
    /// Bytes were written to a file.
    Written {
        /// The inode of the file.
        inode: u64,
        /// Where the bytes begin.
        at: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The length of a file was set.
    LengthSet {
        /// The inode of the file.
        inode: u64,
        /// The new length.
        bytes: u64,
    },
    /// The permission bits of a file or folder were set.
    ModeSet {
        /// The inode.
        inode: u64,
        /// The bits.
        mode: u32,
    },
    /// A sync begins. It covers what was changed before.
    SyncBegun {
        /// Identifies the sync.
        number: u64,
        /// What it makes durable.
        what: Synced,
    },
    /// A sync has succeeded.
    SyncEnded {
        /// Identifies the sync.
        number: u64,
    },
    /// A transaction of a SQLite file was committed.
    Committed {
        /// The path of the file.
        path: PathBuf,
        /// Whether the transaction is durable.
        durable: bool,
    },
}

/// What a change needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Room on the disk.
    Room,
    /// None.
    Nothing,
}

/// Learns of all changes of the disk.
pub trait Watcher: Send + Sync {
    /// Called before each change, which fails if this does.
    ///
    /// # Errors
    /// Those with which the change is to fail.
    fn begins(&self, _needs: Needs) -> Result<(), Errno> {
        Ok(())
    }

    /// Called after each change, and in their order: no other change is made meanwhile.
    fn changed(&self, change: Change);

    /// Returns the inode and the ctime (in nanoseconds) that a file seems to have. On a disk that
    /// was built anew from a record, files have other inodes and times than those that were
    /// recorded.
    fn seen(&self, inode: u64, ctime_ns: i64) -> (u64, i64) {
        (inode, ctime_ns)
    }

    /// Returns whether a file counts as racy that was last changed at `ctime_ns`. `is_racy` is what the
    /// file system's clock says, which depends on how fast this process runs. To say that a file is not
    /// racy is right only once that clock has moved on from `ctime_ns`.
    fn racy(&self, _ctime_ns: i64, is_racy: bool) -> bool {
        is_racy
    }
}

static IS_WATCHED: AtomicBool = AtomicBool::new(false);
static WATCHER: Mutex<Option<Arc<dyn Watcher>>> = Mutex::new(None);

/// Installs a watcher of the whole process, or removes it.
pub fn watch(watcher: Option<Arc<dyn Watcher>>) {
    let mut installed = WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
    IS_WATCHED.store(watcher.is_some(), Ordering::SeqCst);
    *installed = watcher;
}

/// Reports that a transaction of the SQLite file at `path` was committed.
pub fn committed(path: &Path, durable: bool) {
    let change = |_: &()| Some(Change::Committed { path: path.to_owned(), durable });
    let _ = tell(Needs::Nothing, || Ok::<_, Errno>(()), change);
}

/// Carries out a change. If it succeeds, it is reported as `change` describes it.
pub(crate) fn tell<T, E: From<Errno>>(
    needs: Needs,
    work: impl FnOnce() -> Result<T, E>,
    change: impl FnOnce(&T) -> Option<Change>,
) -> Result<T, E> {
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return work();
    }
    // Held until the change is reported, so that the reports have the order of the changes.
    let watcher = WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watcher) = &*watcher {
        watcher.begins(needs)?;
    }
    let done = work()?;
    if let (Some(watcher), Some(change)) = (&*watcher, change(&done)) {
        watcher.changed(change);
    }
    Ok(done)
}

/// Carries out a sync, and reports its begin and its end: what others change meanwhile may not be
/// part of it.
pub(super) fn tell_sync<E: From<Errno>>(
    what: impl FnOnce() -> Option<Synced>,
    work: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return work();
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let begun = |_: &()| Some(Change::SyncBegun { number, what: what()? });
    tell(Needs::Nothing, || Ok::<_, E>(()), begun)?;
    work()?;
    tell(Needs::Nothing, || Ok(()), |()| Some(Change::SyncEnded { number }))
}

/// Returns the inode and ctime that a file seems to have: see [`Watcher::seen`].
pub(crate) fn seen(inode: u64, ctime_ns: i64) -> (u64, i64) {
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return (inode, ctime_ns);
    }
    let watcher = WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
    watcher.as_ref().map_or((inode, ctime_ns), |watcher| watcher.seen(inode, ctime_ns))
}

/// Returns whether a file counts as racy: see [`Watcher::racy`].
pub(crate) fn racy(ctime_ns: i64, is_racy: bool) -> bool {
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return is_racy;
    }
    let watcher = WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
    watcher.as_ref().map_or(is_racy, |watcher| watcher.racy(ctime_ns, is_racy))
}

/// Returns a name in an open folder.
pub(super) fn place(folder: impl AsFd, name: &[u8]) -> Option<Place> {
    Some(Place { folder: inode(folder)?, name: name.to_vec() })
}

/// Returns the last name of a path, and its folder.
pub(super) fn place_of(path: &Path) -> Option<Place> {
    use std::os::unix::ffi::OsStrExt;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = std::fs::metadata(parent.unwrap_or(Path::new("."))).ok()?.ino();
    Some(Place { folder, name: path.file_name()?.as_bytes().to_vec() })
}

/// Returns the inode of an open file or folder.
pub(super) fn inode(file: impl AsFd) -> Option<u64> {
    Some(rustix::fs::fstat(file).ok()?.st_ino)
}
