//! Stores that cannot be written, because the disk is read-only or they belong to somebody else.
//! They can still be read.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, io};

use fastest_core::files::private;
use fastest_schema::Schema;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::base::world::World;
use crate::error::SyncError;
use crate::replica::error::ReplicaError;
use crate::replica::open::Replica;

/// The notice about a store that is opened read-only.
pub(crate) const NOTICE: &str =
    "the store cannot be written: what is shown is what it holds, and nothing is recorded";

/// Whether an error means that the place cannot be written at all.
pub(crate) fn forbids_writing(error: &SyncError) -> bool {
    match error {
        SyncError::Io { source, .. } => matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}

/// Opens the replica at `path` for reading.
pub(crate) fn open_replica(
    path: &Path,
    schema: &'static Schema,
    world: World,
) -> Result<Replica, ReplicaError> {
    let failed = |error| ReplicaError::Sqlite { path: path.to_owned(), error };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let is_readable = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_ok()
    };
    // While another process has the database open, its WAL and the WAL's index exist and can be
    // read.
    let beside_others = Connection::open_with_flags(path, flags).ok().filter(is_readable);
    let (connection, copy) = match beside_others {
        Some(connection) => (connection, None),
        // The database is complete only with its WAL, which SQLite cannot read without writing an
        // index. So both files are copied.
        None if has_log(path) => {
            let not_copied = |source| ReplicaError::NotCopied { path: path.to_owned(), source };
            let copy = copied(path).map_err(not_copied)?;
            let name = copy.path().join("replica.db");
            (Connection::open(name).map_err(failed)?, Some(copy))
        }
        None => {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            (Connection::open_with_flags(immutable(path), flags).map_err(failed)?, None)
        }
    };
    Replica::to_read(path, schema, world, connection, copy)
}

fn log_of(path: &Path) -> OsString {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log
}

fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

fn copied(path: &Path) -> io::Result<TempDir> {
    let private = fs::Permissions::from_mode(private::DIR_MODE);
    let folder = tempfile::Builder::new().permissions(private).tempdir()?;
    for (from, to) in [(path.as_os_str(), "replica.db"), (&log_of(path), "replica.db-wal")] {
        // Permissions are not copied: they may forbid writing.
        let mut to = fs::File::create(folder.path().join(to))?;
        io::copy(&mut fs::File::open(from)?, &mut to)?;
    }
    Ok(folder)
}

/// Returns the URI with which SQLite opens a file as immutable, without locks and without a WAL.
fn immutable(path: &Path) -> OsString {
    let mut address = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'?' | b'#' | b'%' => address.extend(format!("%{byte:02x}").into_bytes()),
            byte => address.push(byte),
        }
    }
    address.extend(b"?immutable=1");
    OsString::from_vec(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_file_is_read_with_its_log_and_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a?b#c%20d.db");
        let writer = Connection::open(&path).unwrap();
        crate::base::sqlite::set_wal(&writer, &World::system()).unwrap();
        writer.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (1);").unwrap();
        assert!(has_log(&path));
        let copy = copied(&path).unwrap();
        assert_eq!(count(&Connection::open(copy.path().join("replica.db")).unwrap()), 1);
        drop(writer);
        assert!(!has_log(&path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        assert_eq!(count(&Connection::open_with_flags(immutable(&path), flags).unwrap()), 1);
    }
}
