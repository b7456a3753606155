//! Single files of a working copy, which commands read and replace: as carefully as a checkout
//! does, but without a journal, since each replacement is one step.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::files::beneath::change::{self, At, Renamed, move_new, remove_directory, remove_file};
use crate::files::beneath::{Beneath, look_at};
use crate::files::disk;
use crate::files::regular_file::{self, Links, Opened};
use crate::files::stat::Node;
use crate::worktree::checkout::put_back;
use crate::worktree::state_dir::StateDir;

/// The files of one working copy. Paths are relative to its root.
#[derive(Debug)]
pub struct Files {
    folder: Beneath,
    state: StateDir,
}

impl Files {
    /// Opens the working copy at `root`.
    ///
    /// # Errors
    /// If the folder cannot be opened.
    pub fn of(root: &Path) -> io::Result<Self> {
        Ok(Self { folder: Beneath::of(root)?, state: StateDir::of(root) })
    }

    /// Returns whether `path` is a folder; `None` if nothing is there.
    ///
    /// # Errors
    /// Those of the file system. A path that leads through a link or a file leads to nothing.
    pub fn is_folder(&self, path: &[u8]) -> io::Result<Option<bool>> {
        Ok(self.folder.look(path)?.map(|node| node == Node::Directory))
    }

    /// Reads a file of at most `bytes_max` bytes; `None` if nothing is at `path`.
    ///
    /// # Errors
    /// Those of the file system; `InvalidData` if it is not a regular file.
    pub fn read(&self, path: &[u8], bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let mut parents = self.folder.parents();
        let (parent, name) = parents.open(path)?;
        match regular_file::open(parent, name, Links::Refuse, bytes_max) {
            Ok(found) => Ok(Some(found.read()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the content `before` of a file by `after`; `None` stands for no file. An existing
    /// file keeps its permissions, a new one gets `mode`.
    ///
    /// # Errors
    /// Those of the file system. Also if the file does not have the content `before` (any more): it
    /// stays as it is.
    pub fn replace(
        &self,
        path: &[u8],
        before: Option<&[u8]>,
        after: Option<&[u8]>,
        mode: u32,
    ) -> io::Result<()> {
        let mut parents = self.folder.parents();
        let (parent, name) = parents.open(path)?;
        let there = At(parent, name);
        // Nothing clears this folder, so what a killed process took out of the working copy stays.
        let kept = self.state.open_kept()?;
        let (file, temporary) = regular_file::create_temporary(&kept, 0o600)?;
        let here = At(kept.as_fd(), temporary.as_bytes());
        let done = match after {
            Some(after) => write(&file, after, mode_of(there).unwrap_or(mode))
                .map_err(Failed::Io)
                .and_then(|()| put(here, there, before)),
            None => remove_file(here.0, here.1)
                .map_err(Failed::from)
                .and_then(|()| take_away(here, there, before)),
        };
        let is_stuck = matches!(done, Err(Failed::Stuck));
        if !is_stuck {
            let _ = remove_file(here.0, here.1);
            let _ = remove_directory(self.state.open()?.as_fd(), b"kept");
        }
        match done {
            Ok(()) => disk::sync_handle(parent),
            Err(Failed::Io(error)) => Err(error),
            Err(Failed::Stuck) => {
                let aside = self.state.kept().join(&temporary);
                Err(io::Error::other(format!(
                    "it was changed meanwhile, and that version is now {}",
                    aside.display()
                )))
            }
        }
    }
}

fn write(file: &File, text: &[u8], mode: u32) -> io::Result<()> {
    disk::write_all(file, text)?;
    disk::set_mode(file, Mode::from_raw_mode(mode))?;
    disk::sync(file)
}

fn mode_of(at: At<'_>) -> Option<u32> {
    let found = rustix::fs::statat(at.0, at.1, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(found.st_mode & 0o7777)
}

fn put(here: At<'_>, there: At<'_>, before: Option<&[u8]>) -> Result<(), Failed> {
    let Some(before) = before else {
        return match move_new(here, there)? {
            Renamed::Done => Ok(()),
            _ => Err(changed().into()),
        };
    };
    let ours = look_at(here.0, here.1)?;
    match change::exchange(there, here)? {
        Renamed::Done if holds(here, before) => Ok(()),
        Renamed::Done => Err(put_back(here, there, ours)),
        // The file system cannot exchange names.
        Renamed::Unable if holds(there, before) => {
            change::replace(here, there).map(drop).map_err(Into::into)
        }
        Renamed::Across => Err(Errno::XDEV.into()),
        Renamed::Unable | Renamed::Taken => Err(changed().into()),
    }
}

fn take_away(here: At<'_>, there: At<'_>, before: Option<&[u8]>) -> Result<(), Failed> {
    match move_new(there, here)? {
        Renamed::Done if before.is_some_and(|before| holds(here, before)) => Ok(()),
        Renamed::Done => Err(put_back(here, there, None)),
        Renamed::Across => Err(Errno::XDEV.into()),
        Renamed::Unable | Renamed::Taken => Err(changed().into()),
    }
}

fn holds(at: At<'_>, text: &[u8]) -> bool {
    let found = regular_file::open(at.0, at.1, Links::Refuse, text.len() as u64);
    found.and_then(Opened::read).is_ok_and(|found| found == text)
}

/// Puts the user's version back under its name, or beside it.
fn put_back(here: At<'_>, there: At<'_>, ours: Option<Node>) -> Failed {
    let ours = match ours {
        Some(Node::Content(_, stat)) => Some(stat),
        _ => None,
    };
    match put_back::put_back(here, there, ours.as_ref()) {
        Ok(_) => changed().into(),
        Err(_) => Failed::Stuck,
    }
}

/// Why a file was not replaced.
enum Failed {
    Io(io::Error),
    /// What was taken out could not be put back under any name.
    Stuck,
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Failed {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

fn changed() -> io::Error {
    io::Error::other("it was changed meanwhile, and is left as it is")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn content_is_replaced_below_the_root_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("root"), folder.path().join("other"));
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir(&other).unwrap();
        symlink(&other, root.join("link")).unwrap();
        let files = Files::of(&root).unwrap();
        files.replace(b"sub/a", None, Some(b"one"), 0o640).unwrap();
        files.replace(b"sub/a", Some(b"one"), Some(b"two"), 0o600).unwrap();
        assert_eq!(fs::read(root.join("sub/a")).unwrap(), b"two");
        let mode = rustix::fs::stat(root.join("sub/a")).unwrap().st_mode;
        assert_eq!(mode & 0o777, 0o640);
        assert!(files.replace(b"link/a", None, Some(b"one"), 0o600).is_err());
        assert_eq!(fs::read_dir(other).unwrap().count(), 0);
        files.replace(b"sub/a", Some(b"two"), None, 0).unwrap();
        assert_eq!(files.read(b"sub/a", 9).unwrap(), None);
    }

    #[test]
    fn what_was_saved_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path()).unwrap();
        let path = folder.path().join("a");
        for after in [Some(&b"ours"[..]), None] {
            fs::write(&path, "saved").unwrap();
            assert!(files.replace(b"a", Some(b"read"), after, 0o600).is_err());
            assert_eq!(fs::read(&path).unwrap(), b"saved");
        }
        assert!(files.replace(b"a", None, Some(b"ours"), 0o600).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"saved");
        let left: Vec<_> = fs::read_dir(folder.path().join(".fastest")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
