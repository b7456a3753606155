//! All changes that core makes to what stands in a working copy: by the handle of a folder and a name
//! in it, so that nothing outside is ever changed.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Beneath, DIRECTORY, look_at};

/// What became of a wish to rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renamed {
    Done,
    /// Something stands there already.
    Taken,
    /// The two are on different file systems.
    Across,
    /// The file system cannot do so in one step.
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

/// Creates a file, at a path of any length below `beneath`, where nothing stands.
pub(crate) fn create_file(beneath: &Beneath, path: &[u8], mode: Mode) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    Ok(File::from(beneath.open(path, flags, mode)?))
}

/// Creates a directory where nothing stands.
pub(crate) fn make_directory(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777))
}

/// Creates a link where nothing stands.
pub(crate) fn make_link(at: BorrowedFd<'_>, name: &[u8], target: &[u8]) -> Result<(), Errno> {
    rustix::fs::symlinkat(target, at, name)
}

/// Sets the permission bits of a file, which must be no link.
pub(crate) fn set_mode(at: At<'_>, mode: Mode) -> Result<(), Errno> {
    match rustix::fs::chmodat(at.0, at.1, mode, AtFlags::SYMLINK_NOFOLLOW) {
        // Linux before 6.6 cannot but follow. A handle then stands for the file, not its name.
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => {
            let file = rustix::fs::openat(at.0, at.1, super::READ, Mode::empty())?;
            rustix::fs::fchmod(file, mode)
        }
        changed => changed,
    }
}

/// Deletes a file or link.
pub(crate) fn remove_file(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    rustix::fs::unlinkat(at, name, AtFlags::empty())
}

/// Deletes an empty directory.
pub(crate) fn remove_directory(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    rustix::fs::unlinkat(at, name, AtFlags::REMOVEDIR)
}

/// Renames to a name that nothing bears.
pub(crate) fn move_new(from: At<'_>, to: At<'_>) -> Result<Renamed, Errno> {
    let renamed = rustix::fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE);
    match Renamed::of(renamed)? {
        // Not every file system can; then a look just before must do.
        Renamed::Unable => match look_at(to.0, to.1) {
            Ok(None) => replace(from, to),
            Ok(Some(_)) => Ok(Renamed::Taken),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        },
        renamed => Ok(renamed),
    }
}

/// Renames over whatever stands there.
pub(crate) fn replace(from: At<'_>, to: At<'_>) -> Result<Renamed, Errno> {
    Renamed::of(rustix::fs::renameat(from.0, from.1, to.0, to.1))
}

/// Has two names change places, in one step.
pub(crate) fn exchange(one: At<'_>, other: At<'_>) -> Result<Renamed, Errno> {
    let renamed = rustix::fs::renameat_with(one.0, one.1, other.0, other.1, RenameFlags::EXCHANGE);
    Renamed::of(renamed)
}

/// Deletes what stands under a name, with all below it: its links, not what they lead to. There is no
/// recursion, so no depth of folders exhausts a stack.
pub(crate) fn remove_all(at: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let Some(top) = remove_or_open(at, name)? else { return Ok(()) };
    let mut open = vec![(name.to_vec(), top)];
    let mut tries = 0;
    while let Some((_, directory)) = open.last() {
        match remove_files(directory)? {
            Some((name, below)) => open.push((name, below)),
            None => {
                let (name, _) = open.pop().expect("it was the last");
                let above = open.last().map_or(at, |(_, directory)| directory.as_fd());
                match remove_directory(above, &name) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    // Something came meanwhile: it is looked through once more.
                    Err(Errno::NOTEMPTY | Errno::EXIST) if tries < TRIES_MAX => {
                        tries += 1;
                        let again = rustix::fs::openat(above, &*name, DIRECTORY, Mode::empty())?;
                        open.push((name, again));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

/// How often a folder is looked through anew in which something came while it was being deleted.
const TRIES_MAX: usize = 100;

/// Deletes a file or link; a directory is opened instead.
fn remove_or_open(at: BorrowedFd<'_>, name: &[u8]) -> Result<Option<OwnedFd>, Errno> {
    match remove_file(at, name) {
        Ok(()) | Err(Errno::NOENT) => Ok(None),
        // macOS says PERM of a directory, Linux of a file that may not be changed.
        Err(error @ (Errno::ISDIR | Errno::PERM)) => {
            match rustix::fs::openat(at, name, DIRECTORY, Mode::empty()) {
                Err(Errno::NOTDIR | Errno::LOOP) => Err(error),
                opened => opened.map(Some),
            }
        }
        Err(error) => Err(error),
    }
}

/// Deletes the files of a directory, up to the first directory in it, which is opened.
fn remove_files(directory: &OwnedFd) -> Result<Option<(Vec<u8>, OwnedFd)>, Errno> {
    let mut entries = Dir::read_from(directory)?;
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"."
            && name != b".."
            && let Some(below) = remove_or_open(directory.as_fd(), name)?
        {
            return Ok(Some((name.to_vec(), below)));
        }
    }
    Ok(None)
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
