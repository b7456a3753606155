//! All calls that change what is on a disk: core's, and those of sync's commands. No other file
//! creates, writes, syncs, renames or removes anything (`docs/file-access.md` lists the exceptions).
//!
//! The calls do what the system's do. Each is also reported to a watcher, if there is one
//! ([`watch`]): the simulator of power loss builds from these reports every disk that a crash could
//! have left.

#[doc(hidden)]
pub mod watch;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::files::disk::watch::{Change, Needs, New, Place, Synced, inode, place, place_of, tell};

/// Creates a file in an open folder. `flags` should contain `EXCL`; without it, a file that exists
/// is reported as created.
pub(crate) fn create_at(
    folder: impl AsFd,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let create = || rustix::fs::openat(&folder, name, flags | OFlags::CREATE, mode);
    create_with(create, || place(&folder, name))
}

/// Creates a file by `create`. `place` returns the name that it got.
pub(crate) fn create_with(
    create: impl FnOnce() -> Result<OwnedFd, Errno>,
    place: impl FnOnce() -> Option<Place>,
) -> Result<OwnedFd, Errno> {
    tell(Needs::Room, create, |file| created(place()?, file))
}

/// Returns a name in a folder for [`create_with`].
pub(crate) fn place_in(folder: impl AsFd, name: &[u8]) -> Option<Place> {
    place(folder, name)
}

/// Opens a lock file in an open folder, and creates it if it is missing.
pub(crate) fn open_or_create_at(
    folder: impl AsFd,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    match rustix::fs::openat(&folder, name, flags, mode) {
        Err(Errno::NOENT) => create_at(&folder, name, flags, mode),
        opened => opened,
    }
}

/// Creates a folder in an open one. The name must not exist.
pub(crate) fn make_directory(at: BorrowedFd<'_>, name: &[u8], mode: Mode) -> Result<(), Errno> {
    let make = || rustix::fs::mkdirat(at, name, mode);
    tell(Needs::Room, make, |()| new_at(at, name, New::Folder))
}

/// Creates a symbolic link in an open folder. The name must not exist.
pub(crate) fn make_link(at: BorrowedFd<'_>, name: &[u8], target: &[u8]) -> Result<(), Errno> {
    let make = || rustix::fs::symlinkat(target, at, name);
    tell(Needs::Room, make, |()| new_at(at, name, New::Link(target.to_vec())))
}

/// Removes the name of a file or link, or with `REMOVEDIR` an empty folder.
pub(crate) fn unlink(at: impl AsFd, name: &[u8], flags: AtFlags) -> Result<(), Errno> {
    let remove = || rustix::fs::unlinkat(&at, name, flags);
    tell(Needs::Nothing, remove, |()| Some(Change::Removed(place(&at, name)?)))
}

/// Renames between open folders. What has the new name is replaced.
pub(crate) fn rename_at(from: (impl AsFd, &[u8]), to: (impl AsFd, &[u8])) -> Result<(), Errno> {
    let rename = || rustix::fs::renameat(&from.0, from.1, &to.0, to.1);
    tell(Needs::Nothing, rename, |()| renamed(place(&from.0, from.1), place(&to.0, to.1)))
}

/// Renames to a name that must not exist.
pub(crate) fn rename_new(
    from: (BorrowedFd<'_>, &[u8]),
    to: (BorrowedFd<'_>, &[u8]),
) -> Result<(), Errno> {
    let flags = RenameFlags::NOREPLACE;
    let rename = || rustix::fs::renameat_with(from.0, from.1, to.0, to.1, flags);
    tell(Needs::Nothing, rename, |()| renamed(place(from.0, from.1), place(to.0, to.1)))
}

/// Exchanges two names in one step.
pub(crate) fn exchange(
    one: (BorrowedFd<'_>, &[u8]),
    other: (BorrowedFd<'_>, &[u8]),
) -> Result<(), Errno> {
    let flags = RenameFlags::EXCHANGE;
    let exchange = || rustix::fs::renameat_with(one.0, one.1, other.0, other.1, flags);
    tell(Needs::Nothing, exchange, |()| {
        Some(Change::Exchanged(place(one.0, one.1)?, place(other.0, other.1)?))
    })
}

/// Sets the permission bits of an open file or folder.
pub(crate) fn set_mode(file: impl AsFd, mode: Mode) -> Result<(), Errno> {
    let set = || rustix::fs::fchmod(&file, mode);
    tell(Needs::Nothing, set, |()| {
        Some(Change::ModeSet { inode: inode(&file)?, mode: mode.as_raw_mode() })
    })
}

/// Makes the bytes of a file durable, or the names in a folder. On macOS this waits for the disk
/// itself.
///
/// # Errors
/// Those of the system.
pub fn sync(file: &File) -> io::Result<()> {
    watch::tell_sync(|| Some(Synced::Inode(inode(file)?)), || file.sync_all())
}

/// Like [`sync`], for any handle.
pub(crate) fn sync_handle(handle: impl AsFd) -> io::Result<()> {
    // `sync_all` rather than `fsync`, which on macOS does not wait for the disk.
    sync(&File::from(handle.as_fd().try_clone_to_owned()?))
}

/// Makes the names in the folder at a path durable.
///
/// # Errors
/// Those of the system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    sync(&File::open(folder)?)
}

/// Hands a file or folder to the disk. On macOS the disk may still hold it in its cache, until the
/// next [`sync`] of any file.
pub(crate) fn flush(file: impl AsFd) -> Result<(), Errno> {
    watch::tell_sync(|| Some(Synced::Inode(inode(&file)?)), || rustix::fs::fsync(&file))
}

/// Makes everything durable on the file system of an open folder.
#[cfg(target_os = "linux")]
pub(crate) fn sync_file_system(folder: &File) -> io::Result<()> {
    let sync = || Ok(rustix::fs::syncfs(folder)?);
    watch::tell_sync(|| Some(Synced::FileSystem), sync)
}

/// Writes at the file's position.
///
/// # Errors
/// Those of the system. Some of the bytes may have been written.
pub fn write_all(file: &File, bytes: &[u8]) -> io::Result<()> {
    Writer(file).write_all(bytes)
}

/// Writes at an offset.
///
/// # Errors
/// Those of the system. Some of the bytes may have been written.
pub fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let written =
        |(): &()| Some(Change::Written { inode: inode(file)?, at, bytes: bytes.to_vec() });
    tell(Needs::Room, || file.write_all_at(bytes, at), written)
}

/// Sets the length of a file.
///
/// # Errors
/// Those of the system.
pub fn set_len(file: &File, bytes: u64) -> io::Result<()> {
    let set = |(): &()| Some(Change::LengthSet { inode: inode(file)?, bytes });
    tell(Needs::Room, || file.set_len(bytes), set)
}

/// Copies what is left of one file to the end of another. The system may let both share the bytes
/// on the disk.
pub(crate) fn copy(from: &mut File, to: &mut File) -> io::Result<u64> {
    let written = |count: &u64| {
        let mut bytes = vec![0; usize::try_from(*count).ok()?];
        let at = (&*to).stream_position().ok()?.checked_sub(*count)?;
        // The handle may be for writing only.
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&*to));
        File::open(path).ok()?.read_exact_at(&mut bytes, at).ok()?;
        Some(Change::Written { inode: inode(&*to)?, at, bytes })
    };
    tell(Needs::Room, || io::copy(from, &mut &*to), written)
}

/// Writes to a file at its position.
#[derive(Debug)]
pub struct Writer<'f>(pub &'f File);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self(file) = self;
        let write = || (&**file).write(bytes);
        tell(Needs::Room, write, |&count| {
            let at = (&**file).stream_position().ok()?.checked_sub(count as u64)?;
            Some(Change::Written { inode: inode(&**file)?, at, bytes: bytes[..count].to_vec() })
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a folder at a path.
///
/// # Errors
/// Those of the system.
pub fn create_dir(dir: &Path, mode: u32) -> io::Result<()> {
    let create = || DirBuilder::new().mode(mode).create(dir);
    tell(Needs::Room, create, |()| {
        let folder = File::open(dir).ok()?;
        created_as(place_of(dir)?, &folder, New::Folder)
    })
}

/// Creates a folder at a path, and those above it that are missing, and makes their names durable:
/// what is created in a folder is durable only if the folder is. Existing ones are not changed.
///
/// # Errors
/// Those of the system.
pub fn create_dir_all(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    create_dir_all(parent, mode)?;
    // Another process may be faster.
    create_dir(dir, mode).or_else(|error| if dir.is_dir() { Ok(()) } else { Err(error) })?;
    match sync_folder(parent) {
        // Who may create names in a folder may not always read it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Creates an empty file at a path.
///
/// # Errors
/// `AlreadyExists` if the name exists.
pub fn create_file(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let create = || OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    tell(Needs::Room, create, |file| created(place_of(path)?, file))
}

/// Opens a file at a path for reading and writing. It is created if it is missing, and not
/// truncated.
///
/// # Errors
/// Those of the system.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let create = || options.create(true).truncate(false).open(path);
            tell(Needs::Room, create, |file| created(place_of(path)?, file))
        }
        opened => opened,
    }
}

/// Opens an existing file at a path, and replaces its content.
///
/// # Errors
/// Those of the system.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    set_len(&file, 0)?;
    write_all(&file, bytes)
}

/// Renames a path. What has the new name is replaced.
///
/// # Errors
/// Those of the system.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    tell(Needs::Nothing, || std::fs::rename(from, to), |()| renamed(place_of(from), place_of(to)))
}

/// Creates a hard link to a file.
///
/// # Errors
/// Those of the system.
pub fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    let linked =
        |(): &()| Some(Change::Linked { at: place_of(to)?, inode: inode(File::open(to).ok()?)? });
    tell(Needs::Room, || std::fs::hard_link(from, to), linked)
}

/// Removes the name of a file.
///
/// # Errors
/// Those of the system.
pub fn remove_file(path: &Path) -> io::Result<()> {
    tell(Needs::Nothing, || std::fs::remove_file(path), |()| Some(Change::Removed(place_of(path)?)))
}

/// Removes an empty folder.
///
/// # Errors
/// Those of the system.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    tell(Needs::Nothing, || std::fs::remove_dir(path), |()| Some(Change::Removed(place_of(path)?)))
}

/// Sets the permission bits of a file or folder at a path.
///
/// # Errors
/// Those of the system.
pub fn set_permissions(path: &Path, mode: u32) -> io::Result<()> {
    let set = || std::fs::set_permissions(path, Permissions::from_mode(mode));
    tell(Needs::Nothing, set, |()| {
        Some(Change::ModeSet { inode: inode(File::open(path).ok()?)?, mode })
    })
}

/// Sets the permission bits of an open file.
///
/// # Errors
/// Those of the system.
pub fn set_file_permissions(file: &File, mode: u32) -> io::Result<()> {
    let set = || file.set_permissions(Permissions::from_mode(mode));
    tell(Needs::Nothing, set, |()| Some(Change::ModeSet { inode: inode(file)?, mode }))
}

/// A file or an empty folder under a temporary name, which is removed on drop.
#[derive(Debug)]
pub struct TemporaryName {
    /// `None` once it has its final name.
    path: Option<PathBuf>,
    is_folder: bool,
}

impl TemporaryName {
    /// Returns the temporary path.
    ///
    /// # Panics
    /// Never: the path is taken only by [`TemporaryName::persist`], which takes the value.
    pub fn path(&self) -> &Path {
        self.path.as_ref().expect("only `persist` takes the path")
    }

    /// Renames it to its final name. What has that name is replaced.
    ///
    /// # Errors
    /// Those of the system. The temporary name is removed.
    pub fn persist(mut self, to: &Path) -> io::Result<()> {
        rename(self.path(), to)?;
        self.path = None;
        Ok(())
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays is swept later.
            let _ = if self.is_folder { remove_dir(path) } else { remove_file(path) };
        }
    }
}

/// Creates a private file with a new name that begins with `new-`.
///
/// # Errors
/// Those of the system.
pub fn create_temporary(dir: &Path) -> io::Result<(File, TemporaryName)> {
    let create = || {
        let made = tempfile::Builder::new().prefix("new-").tempfile_in(dir)?;
        made.keep().map_err(|error| error.error)
    };
    let (file, path) = tell(Needs::Room, create, |(file, path)| created(place_of(path)?, file))?;
    Ok((file, TemporaryName { path: Some(path), is_folder: false }))
}

/// Creates a folder with a new name that begins with `new-`.
///
/// # Errors
/// Those of the system.
pub fn create_temporary_dir(parent: &Path, mode: u32) -> io::Result<TemporaryName> {
    let create = || {
        let mode = Permissions::from_mode(mode);
        let made = tempfile::Builder::new().prefix("new-").permissions(mode).tempdir_in(parent)?;
        Ok::<_, io::Error>(made.keep())
    };
    let path = tell(Needs::Room, create, |path| {
        created_as(place_of(path)?, File::open(path).ok()?, New::Folder)
    })?;
    Ok(TemporaryName { path: Some(path), is_folder: true })
}

fn created(at: Place, file: impl AsFd) -> Option<Change> {
    created_as(at, file, New::File)
}

fn created_as(at: Place, file: impl AsFd, what: New) -> Option<Change> {
    let stat = rustix::fs::fstat(file).ok()?;
    let mode = stat.st_mode & 0o7777;
    Some(Change::Created { at, inode: stat.st_ino, mode, what })
}

fn new_at(at: BorrowedFd<'_>, name: &[u8], what: New) -> Option<Change> {
    let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let mode = stat.st_mode & 0o7777;
    Some(Change::Created { at: place(at, name)?, inode: stat.st_ino, mode, what })
}

fn renamed(from: Option<Place>, to: Option<Place>) -> Option<Change> {
    Some(Change::Renamed { from: from?, to: to? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Seen(Mutex<Vec<Change>>);

    impl watch::Watcher for Seen {
        fn changed(&self, change: Change) {
            self.0.lock().unwrap().push(change);
        }
    }

    #[test]
    fn changes_are_reported_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let seen = Arc::new(Seen::default());
        watch::watch(Some(Arc::clone(&seen) as _));
        let (file, name) = create_temporary(dir.path()).unwrap();
        let (folder, inode) =
            (dir.path().metadata().unwrap().ino(), file.metadata().unwrap().ino());
        write_all(&file, b"ab").unwrap();
        write_all(&file, b"c").unwrap();
        sync(&file).unwrap();
        name.persist(&dir.path().join("done")).unwrap();
        remove_file(&dir.path().join("done")).unwrap();
        watch::watch(None);
        // Other tests of this process are watched as well.
        let is_ours = |change: &&Change| match change {
            Change::Created { at, .. } | Change::Removed(at) => at.folder == folder,
            Change::Renamed { to, .. } => to.folder == folder,
            Change::Written { inode: of, .. } => *of == inode,
            Change::SyncBegun { what, .. } => *what == Synced::Inode(inode),
            _ => false,
        };
        let seen = seen.0.lock().unwrap();
        let ours: Vec<&Change> = seen.iter().filter(is_ours).collect();
        let written = |at, bytes: &[u8]| Change::Written { inode, at, bytes: bytes.to_vec() };
        assert!(matches!(ours[0], Change::Created { what: New::File, .. }), "{ours:?}");
        assert_eq!(*ours[1], written(0, b"ab"));
        assert_eq!(*ours[2], written(2, b"c"));
        assert!(matches!(ours[3], Change::SyncBegun { .. }), "{ours:?}");
        assert!(matches!(ours[4], Change::Renamed { to, .. } if to.name == b"done"), "{ours:?}");
        assert!(matches!(ours[5], Change::Removed(at) if at.name == b"done"), "{ours:?}");
        assert_eq!(ours.len(), 6);
    }
}
