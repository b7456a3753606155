//! Reads the SQLite databases of applications in a working copy, for scans. The application's own
//! files are never changed here.

use std::io;
use std::path::Path;
use std::time::Duration;

use fastest_core::worktree::database::{Databases, Refusal};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long to wait for another connection's lock. A scan can try again later.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Implements [`Databases`] with the SQLite that the replica is opened with.
pub(crate) struct AppDatabases;

impl Databases for AppDatabases {
    fn settle(&self, copy: &Path) -> Result<(), Refusal> {
        let connection =
            Connection::open_with_flags(copy, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
        // No other process has the copy open, so its WAL needs no shared memory.
        connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
        // The first read rolls back a hot journal. This statement does not parse the schema, which
        // may be of any version.
        read(&connection)?;
        let is_busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
        if connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], is_busy)? {
            return Err("its log cannot be applied".into());
        }
        connection.close().map_err(|(_, error)| error.into())
    }

    fn hold(
        &self,
        database: &Path,
        work: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<(), Refusal> {
        let flags = flags(OpenFlags::SQLITE_OPEN_READ_ONLY);
        let connection = Connection::open_with_flags(database, flags)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch("BEGIN")?;
        read(&connection)?;
        Ok(work()?)
    }
}

/// Refuses a link anywhere in the path, since others may have put one there after the scan found
/// the file. The path of a working copy itself has none.
fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// Reads a number from the header, which begins the read transaction.
fn read(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Creates a database whose rows are only in its WAL, as a killed process leaves it.
    fn with_log(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("app.db");
        let connection = Connection::open(&path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        let rows = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
                    CREATE TABLE notes (text); INSERT INTO notes VALUES ('a'), ('b')";
        connection.execute_batch(rows).unwrap();
        path
    }

    #[test]
    fn a_settled_copy_is_what_the_applications_own_checkpoint_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_log(folder.path());
        let copy = folder.path().join("copy");
        for side in ["", "-wal"] {
            let from = format!("{}{side}", path.display());
            fs::copy(from, format!("{}{side}", copy.display())).unwrap();
        }
        AppDatabases.settle(&copy).unwrap();
        drop(Connection::open(&path).unwrap().query_row("SELECT * FROM notes", [], |_| Ok(())));
        assert!(!folder.path().join("app.db-wal").exists());
        assert_eq!(fs::read(&copy).unwrap(), fs::read(&path).unwrap());
    }

    #[test]
    fn what_only_begins_like_a_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        fs::write(&copy, [b"SQLite format 3\0".as_slice(), &[7; 4096]].concat()).unwrap();
        assert!(AppDatabases.settle(&copy).is_err());
    }

    #[test]
    fn whoever_holds_a_database_leaves_its_files_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_log(folder.path());
        let _application = Connection::open(&path).unwrap();
        let log = || fs::read(folder.path().join("app.db-wal")).unwrap();
        let before = (fs::read(&path).unwrap(), log());
        let mut calls = 0;
        let mut work = || {
            calls += 1;
            Ok(())
        };
        AppDatabases.hold(&path, &mut work).unwrap();
        assert_eq!((calls, (fs::read(&path).unwrap(), log())), (1, before));
    }
}
