//! File modes of a store: only its owner may access it.

use std::io;
use std::path::Path;

use fastest_core::files::private;

use crate::error::SyncError;

/// Removes the permissions that earlier builds gave to other users. A store whose folder is private
/// needs nothing more, so usually this is one `stat`; the folder itself is therefore changed last.
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
            // The file belongs to somebody else, or is on a read-only disk.
            Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {}
            Err(error) if error.kind() == NotFound => {}
            closed => closed.map_err(SyncError::io("set the modes of", &path))?,
        }
    }
    Ok(())
}
