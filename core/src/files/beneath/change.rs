//! All of core's changes to what is in a working copy. Each works on a name in a folder that is
//! open, so that nothing outside of the working copy is ever changed.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::files::beneath::{Beneath, DIRECTORY, look_at};
use crate::files::disk;
use crate::object::path::split;

/// The outcome of a rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renamed {
    Done,
    /// The new name exists already.
    Taken,
    /// The two names are on different file systems.
    Across,
    /// The file system does not support this kind of rename.
    Unable,
}

impl Renamed {
    fn of(renamed: Result<(), Errno>) -> Result<Self, Errno> {
        match renamed {
            Ok(()) => Ok(Self::Done),
            Err(Errno::EXIST) => Ok(Self::Taken),
            Err(Errno::XDEV) => Ok(Self::Across),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(Self::Unable),
            Err(error) => Err(error),
        }
    }
}

/// A name in an open folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a>(pub(crate) BorrowedFd<'a>, pub(crate) &'a [u8]);

/// Creates a file at a path of any length below `beneath`. The name must not exist.
pub(crate) fn create_file(beneath: &Beneath, path: &[u8], mode: Mode) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let place = || {
        let (parent, name) = split(path);
        disk::place_in(beneath.directory(parent).ok()?, name)
    };
    Ok(File::from(disk::create_with(|| beneath.open(path, flags, mode), place)?))
}

/// Creates a directory. The name must not exist.
pub(crate) fn make_directory(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    disk::make_directory(at, name, Mode::from_raw_mode(0o777))
}

/// Creates a symbolic link. The name must not exist.
pub(crate) fn make_link(at: BorrowedFd<'_>, name: &[u8], target: &[u8]) -> Result<(), Errno> {
    disk::make_link(at, name, target)
}

/// Sets the permission bits of a file, which must not be a link. Works on a handle, because before
/// 6.6 Linux follows links when it is given the name. Closing the handle releases all locks that
/// this process has on the file.
pub(crate) fn set_mode(at: At<'_>, mode: Mode) -> Result<(), Errno> {
    let file = rustix::fs::openat(at.0, at.1, crate::files::beneath::READ, Mode::empty())?;
    disk::set_mode(file, mode)
}

/// Deletes a file or link.
pub(crate) fn remove_file(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    disk::unlink(at, name, AtFlags::empty())
}

/// Deletes an empty directory.
pub(crate) fn remove_directory(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    disk::unlink(at, name, AtFlags::REMOVEDIR)
}

/// Renames to a name that must not exist.
pub(crate) fn move_new(from: At<'_>, to: At<'_>) -> Result<Renamed, Errno> {
    match Renamed::of(disk::rename_new((from.0, from.1), (to.0, to.1)))? {
        // Not every file system supports `NOREPLACE`. On others, a look just before the rename has
        // to do.
        Renamed::Unable => match look_at(to.0, to.1) {
            Ok(None) => replace(from, to),
            Ok(Some(_)) => Ok(Renamed::Taken),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        },
        renamed => Ok(renamed),
    }
}

/// Renames, replacing whatever has the new name.
pub(crate) fn replace(from: At<'_>, to: At<'_>) -> Result<Renamed, Errno> {
    Renamed::of(disk::rename_at((from.0, from.1), (to.0, to.1)))
}

/// Exchanges two names in one step. A watcher of the first folder sees its name removed and then
/// created, as when a file is replaced; a watcher of the second sees the reverse.
pub(crate) fn exchange(there: At<'_>, here: At<'_>) -> Result<Renamed, Errno> {
    Renamed::of(disk::exchange((there.0, there.1), (here.0, here.1)))
}

/// Deletes a file, or a folder with everything below it. Links are deleted, not followed. Nested
/// folders are moved up to the top one by one, so that at most two are open, however deep they are.
pub(crate) fn remove_all(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let Some(top) = remove_or_open(at, name)? else { return Ok(()) };
    let mut moved = 0;
    for _ in 0..PASSES_MAX {
        let names = names_in(&top)?;
        if names.is_empty() {
            match remove_directory(at, name) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                // Something was created in the meantime.
                Err(Errno::NOTEMPTY | Errno::EXIST) => continue,
                Err(error) => return Err(error),
            }
        }
        for name in names {
            let Some(folder) = remove_or_open(top.as_fd(), &name)? else { continue };
            empty(&folder, &top, &mut moved)?;
            match remove_directory(top.as_fd(), &name) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Err(Errno::NOTEMPTY)
}

/// How often a folder is listed: once for each level below it, and more often where others keep
/// writing to it.
const PASSES_MAX: usize = 10_000;

/// Deletes the files of a folder, and moves its folders to `top`, named by numbers.
fn empty(folder: &OwnedFd, top: &OwnedFd, moved: &mut u64) -> Result<(), Errno> {
    for name in names_in(folder)? {
        if remove_or_open(folder.as_fd(), &name)?.is_none() {
            continue;
        }
        loop {
            *moved += 1;
            let number = moved.to_string();
            match move_new(At(folder.as_fd(), &name), At(top.as_fd(), number.as_bytes())) {
                Ok(Renamed::Taken) => {}
                Ok(Renamed::Done) | Err(Errno::NOENT) => break,
                Ok(Renamed::Across) => return Err(Errno::XDEV),
                Ok(Renamed::Unable) => return Err(Errno::NOTSUP),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Returns the names in an open folder.
pub(crate) fn names_in(folder: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    names_of(Dir::read_from(folder)?)
}

/// Returns the names of a folder that are left to read, without `.` and `..`.
pub(crate) fn names_of(mut entries: Dir) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

/// Deletes a file or link. A directory is opened and returned instead.
fn remove_or_open(at: BorrowedFd<'_>, name: &[u8]) -> Result<Option<OwnedFd>, Errno> {
    match remove_file(at, name) {
        Ok(()) | Err(Errno::NOENT) => Ok(None),
        // `PERM` is what macOS returns for a directory, and Linux for a file that may not be
        // changed.
        Err(error @ (Errno::ISDIR | Errno::PERM)) => {
            match rustix::fs::openat(at, name, DIRECTORY, Mode::empty()) {
                Err(Errno::NOTDIR | Errno::LOOP) => Err(error),
                opened => opened.map(Some),
            }
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn all_below_goes_and_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("precious"), "").unwrap();
        let goes = folder.path().join("goes");
        fs::create_dir_all(goes.join("a/b")).unwrap();
        fs::create_dir_all(goes.join("c")).unwrap();
        fs::write(goes.join("a/b/f"), "").unwrap();
        symlink(&outside, goes.join("a/link")).unwrap();
        symlink(&outside, folder.path().join("link")).unwrap();
        let beneath = Beneath::of(folder.path()).unwrap();
        for name in ["goes", "link", "missing"] {
            remove_all(beneath.as_fd(), name.as_bytes()).unwrap();
            assert!(!folder.path().join(name).exists());
        }
        assert!(outside.join("precious").exists());
    }

    #[test]
    fn a_mode_is_set_on_no_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        symlink("file", folder.path().join("link")).unwrap();
        let beneath = Beneath::of(folder.path()).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        assert!(set_mode(At(beneath.as_fd(), b"link"), mode).is_err());
        let mode_now = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode_now(), 0o644);
        set_mode(At(beneath.as_fd(), b"file"), mode).unwrap();
        assert_eq!(mode_now(), 0o600);
    }
}
