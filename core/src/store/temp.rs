//! Temporary files of the store. They are locked while they are in use, and renamed into place when
//! they are complete. Those of processes that died are swept.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::disk::{self, TemporaryName};
use crate::object::error::StoreError;

/// A younger file may belong to a process that has not locked it yet.
const SWEEP_AFTER: Duration = Duration::from_secs(60);

/// A file under a temporary name. It is deleted on drop, unless it was given its final name.
#[derive(Debug)]
pub(crate) struct TempFile {
    pub(crate) file: File,
    name: TemporaryName,
}

impl TempFile {
    /// Creates an empty file in `dir`.
    pub(crate) fn create(dir: &Path) -> Result<Self, StoreError> {
        let created = disk::create_temporary(dir);
        let (file, name) = created.map_err(StoreError::io("create a file in", dir))?;
        // Only sweepers ask for the lock. On a file system without locks nothing is swept.
        let _ = file.try_lock();
        Ok(Self { file, name })
    }

    pub(crate) fn path(&self) -> &Path {
        self.name.path()
    }

    /// Makes the file's bytes durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        disk::sync(&self.file).map_err(StoreError::io("fsync", self.path()))
    }

    /// Renames the file to its final name. The caller has made its bytes durable. The name is
    /// durable once the folder is synced.
    pub(crate) fn persist(self, to: &Path) -> Result<(), StoreError> {
        self.name.persist(to).map_err(StoreError::io("create", to))
    }

    /// Appends bytes.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> Result<(), StoreError> {
        disk::write_all(&self.file, bytes).map_err(StoreError::io("write", self.path()))
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    disk::sync_folder(dir).map_err(StoreError::io("fsync", dir))
}

/// Deletes the temporary files of processes that died. Returns their paths.
pub(crate) fn sweep(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let path = entry.map_err(StoreError::io("list", dir))?.path();
        let Ok(file) = File::open(&path) else { continue };
        let age = file.metadata().and_then(|data| data.modified());
        let old = age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SWEEP_AFTER));
        if old && file.try_lock().is_ok() && disk::remove_file(&path).is_ok() {
            removed.push(path);
        }
    }
    Ok(removed)
}
