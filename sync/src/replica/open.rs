//! The replica: the device's own SQLite file.
//!
//! It holds the rows of every scope that the device shares: the newest that the primary has sent,
//! with the device's own writes on top. `fastest_changes` records the rows that were last seen on
//! the primary: a row of a synced table without an entry there is not known to the primary. The
//! tables that begin with `fastest_local_` are never sent:
//!
//! - `schema`: the owner and the schema of the tables, and the scope of a file for a single one
//! - `device`: the id and the user of the device, and how often it has pushed
//! - `remote`: the primary's address and epoch, where packs go, and the last push that it accepted
//! - `cursor`: the last sequence number that was read in each scope
//! - `reading`: scopes that are being read from their beginning
//! - `outbox`: rows written here that the primary has not accepted ([`crate::replica::local::outbox`])
//! - `sent`: the one push that is on its way, verbatim, so that it can be repeated
//! - `conflict`: both versions of each row in conflict, until the user has chosen
//! - `held`: rows that the primary has and this device cannot store, and why (`held`)
//! - `part`: parts of packs that have not arrived completely
//! - `copy`: the paths of this device's working copies, their projects, workspaces and heads
//! - `queued`: scopes whose push could not reach the primary, in the order of their pushes
//! - `refused`: transactions that the primary refused, and why
//! - `child`: the children of each snapshot
//!
//! Any number of processes may use one replica at once: it is in WAL mode, and every write is a
//! short immediate transaction.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use fastest_core::files::disk::watch::committed;
use fastest_core::files::mapped::{check_room, fill};
use fastest_schema::Schema;
use rusqlite::{Connection, ToSql};

use crate::base::rules::Rules;
use crate::base::sqlite::{BUSY_TIMEOUT, begin, set_wal};
use crate::base::world::World;
use crate::replica::error::ReplicaError;
use crate::replica::layout::follow::declared;
use crate::replica::layout::{LAYOUT_VERSION, Layout};
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::session::Session;

/// The device's SQLite file, opened for the tables of one schema.
#[derive(Debug)]
pub struct Replica {
    path: PathBuf,
    schema: &'static Schema,
    rules: &'static Rules,
    world: World,
    connection: Connection,
    /// The schema's declarations as the JSON that the file records.
    declared: String,
    /// SQLite's schema version when the tables were last checked; `None` while the file is being
    /// opened.
    tables: Option<i64>,
    /// Whether the file can only be read.
    is_read_only: bool,
    /// The folder of the file that is open, if that is a copy. It is deleted on drop.
    _copy: Option<tempfile::TempDir>,
}

impl Replica {
    /// Opens the file for the tables of a schema, and creates it if it is missing. Times and ids of
    /// new rows come from `world`.
    pub fn open(path: &Path, schema: &'static Schema, world: World) -> Result<Self, ReplicaError> {
        let failed = |error| ReplicaError::Sqlite { path: path.to_owned(), error };
        let no_room = |_| ReplicaError::NoRoom { path: path.to_owned() };
        check_room(path.parent().unwrap_or(path)).map_err(no_room)?;
        let connection = Connection::open(path).map_err(failed)?;
        world.prepare(&connection).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let version = connection
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(failed)?;
        if version > LAYOUT_VERSION {
            return Err(ReplicaError::Newer { path: path.to_owned(), found: version });
        }
        // Foreign keys are not enforced, because rows may refer to rows of scopes that the device
        // does not hold.
        connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        let declared = declared(schema);
        let mut replica = Self::new(path, schema, world, connection, declared);
        replica.set("synchronous", "FULL")?;
        if version == 0 {
            set_wal(&replica.connection, &replica.world).map_err(failed)?;
        }
        if version < LAYOUT_VERSION || !Layout(replica.read()).follows_schema()? {
            replica.write(|session| Layout(session).lay_out())?;
        }
        SchemaRow(replica.read()).check_owner()?;
        let mut mapped = path.as_os_str().to_owned();
        mapped.push("-shm");
        fill(Path::new(&mapped));
        // The file's schema version is greater than zero, so the first write checks whether another
        // process has changed the tables since.
        replica.tables = Some(0);
        Ok(replica)
    }

    fn new(
        path: &Path,
        schema: &'static Schema,
        world: World,
        connection: Connection,
        declared: String,
    ) -> Self {
        Self {
            path: path.to_owned(),
            schema,
            rules: Rules::of(schema),
            world,
            connection,
            declared,
            tables: None,
            is_read_only: false,
            _copy: None,
        }
    }

    /// Creates a replica for a file that can only be read. Fails if the file would have to be
    /// migrated. `copy` is the folder of the file that `connection` has open, if that is a copy.
    pub(crate) fn to_read(
        path: &Path,
        schema: &'static Schema,
        world: World,
        connection: Connection,
        copy: Option<tempfile::TempDir>,
    ) -> Result<Self, ReplicaError> {
        let failed = |error| ReplicaError::Sqlite { path: path.to_owned(), error };
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let version = connection
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(failed)?;
        if version > LAYOUT_VERSION {
            return Err(ReplicaError::Newer { path: path.to_owned(), found: version });
        }
        let mut replica = Self::new(path, schema, world, connection, declared(schema));
        (replica.is_read_only, replica._copy) = (true, copy);
        if version < LAYOUT_VERSION {
            return Err(ReplicaError::Older { path: path.to_owned() });
        }
        SchemaRow(replica.read()).check_owner()?;
        if !Layout(replica.read()).follows_schema()? {
            Layout(replica.read()).refuse_newer()?;
            return Err(ReplicaError::Older { path: path.to_owned() });
        }
        Ok(replica)
    }

    /// Whether the file can only be read.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Reads and writes in one transaction, which is atomic, and durable on return.
    pub fn write<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write_with(true, work)
    }

    fn write_with<T, E: From<ReplicaError>>(
        &mut self,
        durable: bool,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { path, schema, rules, world, connection, declared, tables, is_read_only, .. } =
            self;
        if *is_read_only {
            return Err(ReplicaError::ReadOnly { path: path.clone() }.into());
        }
        let failed = |error| ReplicaError::Sqlite { path: path.clone(), error };
        let transaction = begin(connection, path).map_err(failed)?;
        let session = Session { connection: &transaction, schema, rules, world, path, declared };
        if tables.is_some() {
            Layout(session).check_still_follows(tables)?;
        }
        let done = work(session)?;
        transaction.commit().map_err(failed)?;
        committed(path, durable);
        Ok(done)
    }

    /// Like [`Replica::write`], but durable only with the next write. It is for data that a crash
    /// may lose because it is found out again, such as the answer to a push, which is repeated
    /// until it is answered.
    pub(crate) fn write_unsynced<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.set("synchronous", "NORMAL")?;
        // Also after a panic: what is written next has to be durable.
        let done = panic::catch_unwind(AssertUnwindSafe(|| self.write_with(false, work)));
        self.set("synchronous", "FULL")?;
        done.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    fn set(&self, name: &str, value: impl ToSql) -> Result<(), ReplicaError> {
        let failed = |error| ReplicaError::Sqlite { path: self.path.clone(), error };
        self.connection.pragma_update(None, name, value).map_err(failed)
    }

    /// Returns the world in which the file was opened.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Returns the schema for which the file was opened.
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// Returns the rules of that schema.
    pub(crate) fn rules(&self) -> &'static Rules {
        self.rules
    }

    /// Reads in one transaction, so that all statements see the same state, whatever other
    /// processes write.
    pub(crate) fn read_together<T, E: From<ReplicaError>>(
        &self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |error| ReplicaError::Sqlite { path: self.path.clone(), error };
        // There is nothing to commit, because the transaction only reads.
        let _together = self.connection.unchecked_transaction().map_err(failed)?;
        work(self.read())
    }

    /// Returns a session without beginning a transaction: each statement reads the newest state.
    pub fn read(&self) -> Session<'_> {
        let Self { path, schema, rules, world, connection, declared, .. } = self;
        Session { connection, schema, rules, world, path, declared }
    }
}

#[cfg(test)]
mod tests {
    use fastest_schema::FASTEST;

    use super::*;

    #[test]
    fn a_file_that_can_only_be_read_says_which_build_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replica.db");
        drop(Replica::open(&path, &FASTEST, World::system()).unwrap());
        let read = |migration: &str| {
            let connection = Connection::open(&path).unwrap();
            let sql = "UPDATE fastest_local_schema SET migration = ?1";
            assert_eq!(connection.execute(sql, [migration]).unwrap(), 1);
            Replica::to_read(&path, &FASTEST, World::system(), connection, None).map(drop)
        };
        let [first, .., last] = FASTEST.migrations else { panic!("there are several") };
        assert!(matches!(read(last.name), Ok(())));
        assert!(matches!(read(first.name), Err(ReplicaError::Older { .. })));
        let newer = read("9999_fastest_future.sql");
        assert!(matches!(newer, Err(ReplicaError::NewerSchema { .. })), "{newer:?}");
    }
}
