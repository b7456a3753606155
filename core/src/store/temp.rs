//! Temporary files of the store: locked while in use, renamed into place, swept when their maker died.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::object::error::StoreError;

/// A leftover younger than this may have a maker that has not locked it yet.
const SWEEP_AFTER: Duration = Duration::from_secs(60);

/// A file under a temporary name; removed on drop unless it was given its final one.
#[derive(Debug)]
pub(crate) struct TempFile {
    pub(crate) file: File,
    path: Option<tempfile::TempPath>,
}

impl TempFile {
    /// A new, empty file in `dir`.
    pub(crate) fn create(dir: &Path) -> Result<Self, StoreError> {
        let created = tempfile::Builder::new().prefix("new-").tempfile_in(dir);
        let (file, path) = created.map_err(StoreError::io("create a file in", dir))?.into_parts();
        // Only sweepers ask for the lock; a file system without locks just has no sweeping.
        let _ = file.try_lock();
        Ok(Self { file, path: Some(path) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.path.as_ref().expect("the path is taken only by persist, which takes the file")
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(StoreError::io("fsync", self.path()))
    }

    /// Renames the file, whose bytes the caller has made durable. The name is durable once the
    /// folder is synced.
    pub(crate) fn persist(mut self, to: &Path) -> Result<(), StoreError> {
        let path = self.path.take().expect("persist takes the file, so it comes once");
        path.persist(to).map_err(|error| StoreError::io("create", to)(error.error))
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("fsync", dir))
}

/// Removes the files of makers that died. Gives the paths removed.
pub(crate) fn sweep(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let path = entry.map_err(StoreError::io("list", dir))?.path();
        let Ok(file) = File::open(&path) else { continue };
        let age = file.metadata().and_then(|data| data.modified());
        let old = age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SWEEP_AFTER));
        if old && file.try_lock().is_ok() && fs::remove_file(&path).is_ok() {
            removed.push(path);
        }
    }
    Ok(removed)
}
