//! Files that nobody else on the machine may read: mode 0600 in folders of mode 0700, whatever the
//! umask. The mode is set when a file is created, so at no moment is the file open to others.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Gid, Mode};
use rustix::io::Errno;

use crate::files::beneath::change::names_in;
use crate::files::beneath::{DIRECTORY, READ, look_at};
use crate::files::disk;
use crate::files::stat::Node;
use crate::object::item::Kind;

/// The mode of a private file.
pub const FILE_MODE: u32 = 0o600;

/// The mode of a private folder.
pub const DIR_MODE: u32 = 0o700;

/// The permission bits of the group and of others.
const OTHERS: u32 = 0o077;

/// Creates a private folder and those above it that are missing, durably. Existing folders are not
/// changed.
pub fn create_dir_all(dir: &Path) -> io::Result<()> {
    disk::create_dir_all(dir, DIR_MODE)
}

/// Creates a private folder.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    disk::create_dir(dir, DIR_MODE)
}

/// Creates an empty private file. An existing file is not changed.
pub fn create_file(path: &Path) -> io::Result<()> {
    match disk::create_file(path, FILE_MODE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Returns whether the group or others have any permission on a file or folder.
pub fn is_open(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

/// Shares a folder and everything in it with a group: sets the group, and mode `dir_mode` for
/// folders, `file_mode` for files. Links are not followed, even if a member of the group creates
/// one meanwhile. What other users own is not changed.
///
/// # Errors
/// The first error of the system, with the path at which it occurred.
pub fn share_below(
    folder: &Path,
    group: u32,
    (dir_mode, file_mode): (u32, u32),
) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error: Errno| (path, in_words(error))
    };
    let top = rustix::fs::openat(CWD, folder, DIRECTORY, Mode::empty()).map_err(at(folder))?;
    let mut waiting = vec![(folder.to_owned(), top)];
    while let Some((path, directory)) = waiting.pop() {
        set_mode_and_group(&directory, dir_mode, group).map_err(at(&path))?;
        for name in names_in(&directory).map_err(at(&path))? {
            let path = path.join(OsStr::from_bytes(&name));
            let look = || look_at(&directory, &name).map_err(|error| (path.clone(), error));
            let (flags, is_directory) = match look()? {
                Some(Node::Directory) => (DIRECTORY, true),
                Some(Node::Content(Kind::File | Kind::Executable, _)) => (READ, false),
                _ => continue,
            };
            let opened = rustix::fs::openat(&directory, &*name, flags, Mode::empty());
            let opened = opened.map_err(at(&path))?;
            // A member may change only their own files.
            if !is_own(&opened).map_err(at(&path))? {
                continue;
            }
            if is_directory {
                waiting.push((path, opened))
            } else {
                set_mode_and_group(&opened, file_mode, group).map_err(at(&path))?
            }
        }
    }
    Ok(())
}

/// Sets the mode of one file or folder, and its group if one is named.
///
/// # Errors
/// Those of the system; also if it is a link, has a second name (a hard link), or belongs to
/// another user.
pub fn share(path: &Path, group: Option<u32>, mode: u32) -> io::Result<()> {
    let file = rustix::fs::openat(CWD, path, READ, Mode::empty()).map_err(in_words)?;
    let group = group.unwrap_or(rustix::fs::fstat(&file)?.st_gid);
    set_mode_and_group(&file, mode, group).map_err(in_words)
}

fn in_words(error: Errno) -> io::Error {
    match error {
        Errno::LOOP => io::Error::other("it is a symbolic link, which is not followed; remove it"),
        Errno::MLINK => io::Error::other(
            "the same file has another name (a hard link); copy it under a name of its own",
        ),
        error => error.into(),
    }
}

fn is_own(file: &OwnedFd) -> Result<bool, Errno> {
    Ok(rustix::fs::fstat(file)?.st_uid == rustix::process::geteuid().as_raw())
}

/// Sets mode and group. A member of the group can put another of the user's files in the place of
/// this one: as a link, which is not followed, or as a second name for that file (a hard link),
/// which is refused.
fn set_mode_and_group(file: &OwnedFd, mode: u32, group: u32) -> Result<(), Errno> {
    if !is_own(file)? {
        return Err(Errno::PERM);
    }
    let stat = rustix::fs::fstat(file)?;
    let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    if !is_directory && stat.st_nlink > 1 {
        return Err(Errno::MLINK);
    }
    if stat.st_gid != group {
        rustix::fs::fchown(file, None, Some(Gid::from_raw(group)))?;
    }
    if stat.st_mode & 0o7777 == mode {
        Ok(())
    } else {
        disk::set_mode(file, Mode::from_raw_mode(mode))
    }
}

/// Removes all permissions of the group and of others from a file or folder.
///
/// Links are not changed, nor what another user owns: root may work in a user's store.
pub fn close(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() || found.uid() != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let mode = found.permissions().mode();
    match mode & OTHERS {
        0 => Ok(()),
        _ => disk::set_permissions(path, mode & 0o7777 & !OTHERS),
    }
}
