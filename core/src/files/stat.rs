//! Stat data, by which an unchanged file is recognised without reading it.

use rustix::fs::FileType;

use crate::files::disk::watch::{racy, seen};
use crate::object::item::Kind;

/// The stat data of a file or link. Equal stat data means equal content, unless it is racy (see
/// [`crate::worktree::stat_index`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Size in bytes.
    pub bytes: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Last change of content or inode, in nanoseconds since 1970.
    pub ctime_ns: i64,
    /// The inode number.
    pub inode: u64,
}

/// The stat data of a directory. On the file systems that `updates_dir_times` knows, creating or removing
/// a name in the directory changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Last change of the names, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Last change of names or inode, in nanoseconds since 1970.
    pub ctime_ns: i64,
    /// The inode number.
    pub inode: u64,
}

impl Stat {
    /// Returns whether the file may have changed after this stat data was taken without changing
    /// it: within the same tick of the file system's clock. `clock_ns` is that clock's time from
    /// before.
    pub(crate) fn is_racy(&self, clock_ns: i64) -> bool {
        self.is_racy_renamed(clock_ns, clock_ns)
    }

    /// Like [`Self::is_racy`], for a file that was written before it was renamed: `written_ns` is the
    /// clock's time from before the one, and `renamed_ns` from before the other.
    pub(crate) fn is_racy_renamed(&self, written_ns: i64, renamed_ns: i64) -> bool {
        let Self { mtime_ns, ctime_ns, .. } = *self;
        let is_racy = mtime_ns >= written_ns.min(renamed_ns) || ctime_ns >= renamed_ns;
        racy(ctime_ns, is_racy)
    }
}

impl Stamp {
    /// Like [`Stat::is_racy`], for the names in a directory.
    pub(crate) fn is_racy(&self, clock_ns: i64) -> bool {
        let Self { mtime_ns, ctime_ns, .. } = *self;
        racy(ctime_ns, mtime_ns >= clock_ns || ctime_ns >= clock_ns)
    }
}

/// What a name refers to in the file system; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file or link.
    Content(Kind, Stat),
    /// A directory.
    Directory,
    /// A FIFO, socket or device, as a noun for messages.
    Special(&'static str),
}

impl From<&rustix::fs::Stat> for Node {
    fn from(stat: &rustix::fs::Stat) -> Self {
        let content = |kind| Self::Content(kind, Stat::from(stat));
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_mode & 0o100 != 0 => content(Kind::Executable),
            FileType::RegularFile => content(Kind::File),
            FileType::Symlink => content(Kind::Symlink),
            FileType::Directory => Self::Directory,
            other => Self::Special(special_name(other)),
        }
    }
}

/// Returns a noun for a file that no tree can hold.
pub(crate) fn special_name(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        _ => "file of unknown kind",
    }
}

impl From<&rustix::fs::Stat> for Stat {
    fn from(stat: &rustix::fs::Stat) -> Self {
        // The widths and signs of these fields differ between systems. 128 bits hold them all.
        let ns = |seconds: i128, ns: i128| {
            let all = seconds * 1_000_000_000 + ns;
            all.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
        };
        let ctime_ns = ns(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
        let (inode, ctime_ns) = seen(stat.st_ino, ctime_ns);
        Self {
            bytes: u64::try_from(i128::from(stat.st_size)).unwrap_or(0),
            mtime_ns: ns(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            ctime_ns,
            inode,
        }
    }
}

impl From<&rustix::fs::Stat> for Stamp {
    fn from(stat: &rustix::fs::Stat) -> Self {
        let Stat { mtime_ns, ctime_ns, inode, .. } = Stat::from(stat);
        Self { mtime_ns, ctime_ns, inode }
    }
}

#[cfg(target_os = "linux")]
const EXT4: u32 = 0xef53;
#[cfg(target_os = "linux")]
const XFS: u32 = 0x5846_5342;
#[cfg(target_os = "linux")]
const BTRFS: u32 = 0x9123_683e;
#[cfg(target_os = "linux")]
const F2FS: u32 = 0xf2f5_2010;

/// Returns whether the file system is known to update a directory's times whenever a name is
/// created or removed in it. Network file systems, FAT and FUSE may not, or late. overlayfs shows
/// the times of the topmost layer only, and names may change in the others while it is not mounted.
/// The numbers are those of Linux's `magic.h`.
#[cfg(target_os = "linux")]
pub(crate) fn updates_dir_times(directory: impl std::os::fd::AsFd) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    const ZFS: u32 = 0x2fc1_2fc1;
    const BCACHEFS: u32 = 0xca45_1a4e;
    const KNOWN: [u32; 7] = [EXT4, XFS, BTRFS, TMPFS, F2FS, ZFS, BCACHEFS];
    rustix::fs::fstatfs(directory).is_ok_and(|found| KNOWN.contains(&(found.f_type as u32)))
}

/// Returns whether the file system is known to update a file's times after a write through a
/// mapping, once the page has been written to the disk. A page of tmpfs never is.
#[cfg(target_os = "linux")]
pub(crate) fn updates_times_of_mapped_writes(directory: impl std::os::fd::AsFd) -> bool {
    const KNOWN: [u32; 4] = [EXT4, XFS, BTRFS, F2FS];
    rustix::fs::fstatfs(directory).is_ok_and(|found| KNOWN.contains(&(found.f_type as u32)))
}

/// Not tested on other systems, so files are read there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn updates_times_of_mapped_writes(_: impl std::os::fd::AsFd) -> bool {
    false
}

/// Not tested on other systems, so every directory is read there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn updates_dir_times(_: impl std::os::fd::AsFd) -> bool {
    false
}
