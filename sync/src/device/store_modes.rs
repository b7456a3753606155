//! The modes of a store: it is its owner's alone.

use std::io;
use std::path::Path;

use fastest_core::files::private;

use crate::error::SyncError;

/// Takes from others on the machine what earlier builds let them read. A store whose folder is closed is
/// closed as a whole, so this is one look where there is nothing to do; the folder itself is closed last.
pub(crate) fn close_store(dir: &Path) -> Result<(), SyncError> {
    const PARTS: [&str; 17] = [
        "format",
        "lock",
        "locks",
        "replica.db",
        "replica.db-wal",
        "replica.db-shm",
        "objects",
        "objects/packs",
        "objects/index",
        "objects/tmp",
        "damaged",
        "primary",
        "primary/primary.db",
        "primary/primary.db-wal",
        "primary/primary.db-shm",
        "primary/primary.db.packs",
        "",
    ];
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    if !private::is_open(dir).map_err(SyncError::io("read", dir))? {
        return Ok(());
    }
    for part in PARTS {
        let path = dir.join(part);
        match private::close(&path) {
            // It is someone else's to close, or on a disk that nobody can write to.
            Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {}
            Err(error) if error.kind() == NotFound => {}
            closed => closed.map_err(SyncError::io("set the modes of", &path))?,
        }
    }
    Ok(())
}
