//! The folder that a checkout works in, open from its beginning to its end: all of it is done in this
//! one folder, wherever the folder's path leads meanwhile.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::files::beneath::change::At;
use crate::files::beneath::{Beneath, Parents};
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::state_dir::StateDir;

#[derive(Debug)]
pub(super) struct Site {
    /// For messages.
    pub(super) root: PathBuf,
    pub(super) folder: Beneath,
    pub(super) state: StateDir,
    /// The folder of temporary files.
    pub(super) tmp: Beneath,
}

impl Site {
    /// Opens the working copy at `root`, and makes the folder of temporary files where it is missing.
    pub(super) fn open(root: &Path) -> Result<Self, CheckoutError> {
        let state = StateDir::of(root);
        let folder = Beneath::of(root).map_err(CheckoutError::io("open", root))?;
        let tmp = state.open_tmp().map_err(CheckoutError::io("create", state.tmp()))?;
        Ok(Self { root: root.to_owned(), folder, state, tmp: tmp.into() })
    }

    pub(super) fn parents(&self) -> Parents<'_> {
        self.folder.parents()
    }

    /// A name in the folder of temporary files.
    pub(super) fn waiting<'a>(&'a self, name: &'a [u8]) -> At<'a> {
        At(self.tmp.as_fd(), name)
    }

    /// The device that the folder of temporary files is on.
    pub(super) fn device(&self) -> io::Result<u64> {
        let stat = rustix::fs::fstat(&self.tmp)?;
        u64::try_from(i128::from(stat.st_dev)).map_err(io::Error::other)
    }
}

/// The temporary name under which the content of a step waits.
pub(super) fn temporary_name(number: u64) -> Vec<u8> {
    format!("c{number}").into_bytes()
}

/// The temporary name under which waits what the step of this number deletes.
pub(super) fn removed_name(number: usize) -> Vec<u8> {
    format!("r{number}").into_bytes()
}
