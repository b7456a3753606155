//! The folder that a checkout works in. It stays open from beginning to end, so that all of the
//! work is done in this one folder, wherever its path leads meanwhile.

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
    /// Opens the working copy at `root`, and creates the folder of temporary files where it is
    /// missing.
    pub(super) fn open(root: &Path) -> Result<Self, CheckoutError> {
        let state = StateDir::of(root);
        let folder = Beneath::of(root).map_err(CheckoutError::io("open", root))?;
        let tmp = state.open_tmp().map_err(CheckoutError::io("create", state.tmp()))?;
        Ok(Self { root: root.to_owned(), folder, state, tmp: tmp.into() })
    }

    pub(super) fn parents(&self) -> Parents<'_> {
        self.folder.parents()
    }

    /// Returns a name in the folder of temporary files.
    pub(super) fn waiting<'a>(&'a self, name: &'a [u8]) -> At<'a> {
        At(self.tmp.as_fd(), name)
    }

    /// Returns the device of the folder of temporary files.
    pub(super) fn device(&self) -> io::Result<u64> {
        let stat = rustix::fs::fstat(&self.tmp)?;
        u64::try_from(i128::from(stat.st_dev)).map_err(io::Error::other)
    }
}

/// Returns the temporary name of a step's new content.
pub(super) fn temporary_name(number: u64) -> Vec<u8> {
    format!("c{number}").into_bytes()
}

/// Returns the temporary name of what the step of this number deletes.
pub(super) fn removed_name(number: usize) -> Vec<u8> {
    format!("r{number}").into_bytes()
}
