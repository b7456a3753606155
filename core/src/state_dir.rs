//! The folder `.fastest` of a working copy, as far as scan and checkout use it: a place for
//! temporary files on the same file system, and that file system's own clock.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode};
use rustix::io::Errno;

use crate::beneath::DIRECTORY;
use crate::beneath::change::{make_directory, remove_all};
use crate::stat::Stat;
use crate::tree::STATE_DIR;

/// Paths inside the state folder of one working copy. Nothing is created before it is needed.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// The state folder of the working copy at `root`.
    pub fn of(root: &Path) -> Self {
        Self { path: root.join(STATE_DIR) }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stat index.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// What git tracks, as it was last read.
    pub fn git_tracked(&self) -> PathBuf {
        self.path.join("git-tracked")
    }

    /// What checkouts could not bring.
    pub fn left(&self) -> PathBuf {
        self.path.join("left")
    }

    /// The head of the working copy, as its commands have written it down.
    pub(crate) fn head(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.path.join("head")) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The journal of a checkout under way.
    pub fn journal(&self) -> PathBuf {
        self.path.join("checkout")
    }

    /// The folder of temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Creates the folder of temporary files, and the state folder, where they are missing.
    pub fn create_tmp(&self) -> io::Result<PathBuf> {
        let tmp = self.tmp();
        fs::create_dir_all(&tmp)?;
        Ok(tmp)
    }

    /// Deletes all temporary files.
    pub fn clear_tmp(&self) -> io::Result<()> {
        match self.open() {
            Ok(folder) => Ok(remove_all(folder.as_fd(), b"tmp")?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where a checkout keeps what the user saved meanwhile, if it can give it no name in the folder.
    pub(crate) fn kept(&self) -> PathBuf {
        self.path.join("kept")
    }

    /// Opens that folder; creates it where it is missing.
    pub(crate) fn open_kept(&self) -> io::Result<OwnedFd> {
        self.open_folder(b"kept")
    }

    /// Opens the folder, which must be no link.
    pub fn open(&self) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat(CWD, &self.path, DIRECTORY, Mode::empty())?)
    }

    /// Opens the folder of temporary files, which must be no link; creates it where it is missing.
    pub(crate) fn open_tmp(&self) -> io::Result<OwnedFd> {
        self.open_folder(b"tmp")
    }

    fn open_folder(&self, name: &[u8]) -> io::Result<OwnedFd> {
        if !self.path.exists() {
            fs::create_dir_all(&self.path)?;
        }
        let state = self.open()?;
        match make_directory(state.as_fd(), name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(rustix::fs::openat(&state, name, DIRECTORY, Mode::empty())?)
    }

    /// The time that the file system gives a file written now, in nanoseconds since 1970.
    pub(crate) fn clock_ns(&self) -> io::Result<i64> {
        let file = tempfile::tempfile_in(self.create_tmp()?)?;
        Ok(Stat::from(&rustix::fs::fstat(&file)?).mtime_ns)
    }

    /// Replaces a file of this folder in one step, durably: temporary name, fsync, rename.
    pub(crate) fn replace(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new_in(self.create_tmp()?)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(target).map_err(|error| error.error)?;
        self.sync()
    }

    /// As [`StateDir::replace`], but waits for no disk: for a cache that says of itself whether it
    /// is whole. After a crash it may be the old one, or none.
    pub(crate) fn replace_cache(&self, target: &Path, parts: &[&[u8]]) -> io::Result<()> {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new_in(self.create_tmp()?)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.persist(target).map_err(|error| error.error)?;
        Ok(())
    }

    /// Makes renames and deletions in this folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}
