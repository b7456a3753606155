//! Checks for enough disk space before a run begins.

use std::path::Path;

use rustix::fs::statvfs;

use crate::error::{Error, Result};
use crate::results::Unit;
use crate::table::amount;

/// Free or required space on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes.
    pub bytes: u64,
    /// The number of files and folders.
    pub inodes: u64,
}

impl Room {
    /// Returns the space on this folder's disk that is free for users other than root.
    ///
    /// # Errors
    ///
    /// If the file system does not report it.
    pub fn free(folder: &Path) -> Result<Self> {
        let said = statvfs(folder).map_err(|errno| Error::at(folder)(errno.into()))?;
        // Some file systems, such as btrfs, create inodes on demand, and report a count of zero.
        let inodes = if said.f_files == 0 { u64::MAX } else { said.f_favail };
        Ok(Self { bytes: said.f_bavail.saturating_mul(said.f_frsize), inodes })
    }

    /// Fails unless this much space is free on this folder's disk.
    ///
    /// # Errors
    ///
    /// [`Error::Room`] with what is needed and what is free.
    pub fn check(self, folder: &Path) -> Result<()> {
        let free = Self::free(folder)?;
        if self.bytes <= free.bytes && self.inodes <= free.inodes {
            return Ok(());
        }
        Err(Error::Room { folder: folder.to_owned(), needed: self.text(), free: free.text() })
    }

    fn text(self) -> String {
        let bytes = amount(self.bytes as f64, Unit::Bytes);
        match self.inodes {
            u64::MAX => bytes,
            inodes => format!("{bytes} and {} inodes", amount(inodes as f64, Unit::Count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_begins_without_room() {
        let folder = tempfile::tempdir().unwrap();
        Room { bytes: 1, inodes: 1 }.check(folder.path()).unwrap();
        let much = Room { bytes: u64::MAX - 1, inodes: 1 };
        let error = much.check(folder.path()).unwrap_err().to_string();
        assert!(error.contains("18446744 TB and 1 inodes"), "{error}");
        assert!(error.contains("--work"), "{error}");
    }
}
