//! The replica: the device's own SQLite file.
//!
//! It holds the rows of every scope that the device shares, as the newest of what the primary said
//! and what was written here, and `fastest_changes` as last seen on the primary: a row of a synced
//! table without one there is not known to the primary. Beside these stand tables of its own,
//! prefixed `fastest_local_`, which never travel:
//!
//! - `device`: who this is, and how often it pushed
//! - `remote`: which primary the replica follows, and what it knows of it
//! - `cursor`: the last sequence number seen, by scope
//! - `outbox`: rows written here that the primary has not accepted ([`crate::outbox`])
//! - `sent`: the one push that is on its way, word for word, so that it can be repeated
//! - `conflict`: versions of rows that lost a conflict
//! - `part`: parts of a pack that has not arrived whole
//! - `queued`: scopes whose push found the primary out of reach, in the order of their pushes
//!
//! Any number of processes use one replica at once: it is in WAL mode, and every write is a short
//! immediate transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fastest_schema::{Row, TABLES, Table, replica_ddl};
use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, TransactionBehavior};
use serde_json::Value;

/// Version of the replica's layout, kept in `user_version`.
const LAYOUT_VERSION: i64 = 2;
const BUSY_TIMEOUT: Duration = Duration::from_secs(120);

const LOCAL_DDL: &str = "
CREATE TABLE fastest_local_device(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device_id TEXT NOT NULL, user_id TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fastest_local_remote(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  url TEXT, packs TEXT, epoch TEXT, last_push_id TEXT);
CREATE TABLE fastest_local_cursor(scope TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fastest_local_outbox(
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  base_version INTEGER NOT NULL, base TEXT, row TEXT NOT NULL, UNIQUE (tbl, pk));
CREATE INDEX fastest_local_outbox_scope ON fastest_local_outbox(scope, revision);
CREATE TABLE fastest_local_sent(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  push_id TEXT NOT NULL, device_id TEXT NOT NULL, payload TEXT NOT NULL, entries TEXT NOT NULL);
CREATE TABLE fastest_local_conflict(
  id TEXT PRIMARY KEY, scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  columns TEXT NOT NULL, base TEXT, ours TEXT NOT NULL, theirs TEXT, at TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE fastest_local_part(
  pack_id TEXT NOT NULL, part INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (pack_id, part))
  WITHOUT ROWID;
CREATE TABLE fastest_local_queued(
  place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL UNIQUE, since TEXT NOT NULL);
";

/// From layout 1 to 2.
const LAYOUT_2_DDL: &str = "
ALTER TABLE fastest_local_remote ADD COLUMN packs TEXT;
UPDATE fastest_local_remote SET packs = 'rows' WHERE inline_packs;
ALTER TABLE fastest_local_remote DROP COLUMN inline_packs;
DELETE FROM fastest_packs WHERE part > 0;
CREATE TABLE fastest_local_queued(
  place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL UNIQUE, since TEXT NOT NULL);
";

/// Values of a row, in the order of its table's columns.
pub type Values = Vec<Value>;

/// Why the replica could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// SQLite failed.
    #[error("the replica {} failed: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file is of a newer version.
    #[error("the replica {} was made by a newer version (layout {found})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout found.
        found: i64,
    },
    /// A row does not hold what its table promises.
    #[error("the replica's row {key} of {table} cannot be read: {source}")]
    Row {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What the decoder says.
        source: serde_json::Error,
    },
}

/// The device's SQLite file.
#[derive(Debug)]
pub struct Replica {
    path: PathBuf,
    connection: Connection,
}

/// A replica within one transaction, or outside of any: what can be read and written.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    pub(crate) connection: &'a Connection,
    path: &'a Path,
}

impl Replica {
    /// Opens the file, making it where it is missing. The caller holds the device's set-up lock.
    pub fn open(path: &Path) -> Result<Self, ReplicaError> {
        let failed = |source| ReplicaError::Sqlite { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let version = connection
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(failed)?;
        if version > LAYOUT_VERSION {
            return Err(ReplicaError::Newer { path: path.to_owned(), found: version });
        }
        // Rows of a scope may refer to rows of scopes that the device does not hold.
        connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let mut replica = Self { path: path.to_owned(), connection };
        if version == 0 {
            crate::sqlite::set_wal(&replica.connection).map_err(failed)?;
        }
        if version < LAYOUT_VERSION {
            replica.write(|session| session.create())?;
        }
        Ok(replica)
    }

    /// Reads and writes in one transaction: all of it or nothing, durable on return.
    pub fn write<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { path, connection } = self;
        let failed = |source| ReplicaError::Sqlite { path: path.clone(), source };
        let transaction =
            Transaction::new(connection, TransactionBehavior::Immediate).map_err(failed)?;
        let done = work(Session { connection: &transaction, path })?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// Reads, each statement for itself.
    pub fn read(&self) -> Session<'_> {
        Session { connection: &self.connection, path: &self.path }
    }
}

impl Session<'_> {
    /// Makes the tables, or brings those of an older layout up to date.
    fn create(&self) -> Result<(), ReplicaError> {
        // Another process may have been first.
        let version: i64 = self.get("PRAGMA user_version", [])?.unwrap_or(0);
        let statements = match version {
            LAYOUT_VERSION => return Ok(()),
            0 => format!("{};\n{LOCAL_DDL}", replica_ddl(TABLES).join(";\n")),
            _ => LAYOUT_2_DDL.to_owned(),
        };
        let sql = format!("{statements}\nPRAGMA user_version = {LAYOUT_VERSION};");
        self.connection.execute_batch(&sql).map_err(|source| self.failed(source))
    }

    pub(crate) fn failed(&self, source: rusqlite::Error) -> ReplicaError {
        ReplicaError::Sqlite { path: self.path.to_owned(), source }
    }

    /// Runs a statement; gives the count of rows that it changed.
    pub(crate) fn run(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<usize, ReplicaError> {
        let run = self.connection.prepare_cached(sql).and_then(|mut s| s.execute(parameters));
        run.map_err(|source| self.failed(source))
    }

    /// The first column of the first row of an answer.
    pub(crate) fn get<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<T>, ReplicaError> {
        let mut rows = self.all(sql, parameters, |row| row.get(0))?;
        Ok(if rows.is_empty() { None } else { Some(rows.swap_remove(0)) })
    }

    /// Every row of an answer.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, ReplicaError> {
        let mut statement =
            self.connection.prepare_cached(sql).map_err(|source| self.failed(source))?;
        let rows = statement.query_map(parameters, read);
        rows.and_then(|rows| rows.collect()).map_err(|source| self.failed(source))
    }

    /// A row's values.
    pub fn values(&self, table: &Table, key: &str) -> Result<Option<Values>, ReplicaError> {
        let sql = format!("{} WHERE `{}` = ?1", select(table), table.pk);
        let mut statement =
            self.connection.prepare_cached(&sql).map_err(|source| self.failed(source))?;
        let found = statement.query_row([key], |row| read_values(table, row)).optional();
        found.map_err(|source| self.failed(source))
    }

    /// A row as its type.
    pub fn row<R: Row>(&self, key: &str) -> Result<Option<R>, ReplicaError> {
        let values = self.values(R::TABLE, key)?;
        values.map(|values| decode(values)).transpose()
    }

    /// The rows that `filter`, the rest of a SELECT after the table's name, asks for.
    pub fn rows<R: Row>(&self, filter: &str, key: &str) -> Result<Vec<R>, ReplicaError> {
        let sql = format!("{} {filter}", select(R::TABLE));
        let found = self.all(&sql, [key], |row| read_values(R::TABLE, row))?;
        found.into_iter().map(decode).collect()
    }

    /// Writes a row, whether or not one of its key is there.
    pub fn put_values(&self, table: &Table, values: &[Value]) -> Result<(), ReplicaError> {
        let names: Vec<String> = table.columns.iter().map(|c| format!("`{}`", c.name)).collect();
        let slots: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sets: Vec<String> =
            names.iter().map(|name| format!("{name}=excluded.{name}")).collect();
        let sql = format!(
            "INSERT INTO `{}`({}) VALUES ({}) ON CONFLICT(`{}`) DO UPDATE SET {}",
            table.name,
            names.join(","),
            slots.join(","),
            table.pk,
            sets.join(",")
        );
        self.run(&sql, rusqlite::params_from_iter(values.iter().map(Bound)))?;
        Ok(())
    }

    /// Removes a row.
    pub fn delete(&self, table: &Table, key: &str) -> Result<(), ReplicaError> {
        self.run(&format!("DELETE FROM `{}` WHERE `{}` = ?1", table.name, table.pk), [key])?;
        Ok(())
    }
}

/// The values of a typed row.
pub fn values_of<R: Row>(row: &R) -> Values {
    let object = serde_json::to_value(row).expect("a row serialises");
    R::TABLE.columns.iter().map(|column| object[column.name].clone()).collect()
}

/// The key among a row's values.
pub fn key_of<'a>(table: &Table, values: &'a [Value]) -> &'a str {
    let at = table.columns.iter().position(|column| column.name == table.pk);
    let at = at.expect("a table has its key column");
    values[at].as_str().expect("a key is text")
}

fn decode<R: Row>(values: Values) -> Result<R, ReplicaError> {
    let key = key_of(R::TABLE, &values).to_owned();
    let table = R::TABLE.name;
    R::from_values(values).map_err(|source| ReplicaError::Row { table, key, source })
}

fn select(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|c| format!("`{}`", c.name)).collect();
    format!("SELECT {} FROM `{}`", names.join(","), table.name)
}

fn read_values(table: &Table, row: &rusqlite::Row<'_>) -> Result<Values, rusqlite::Error> {
    (0..table.columns.len())
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::from(number),
                ValueRef::Real(number) => Value::from(number),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Value::from(String::from_utf8_lossy(bytes))
                }
            })
        })
        .collect()
}

/// A JSON value of a column, bound as the column's storage class.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Cell::Null),
            Value::String(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Number(number) => ToSqlOutput::Owned(match number.as_i64() {
                Some(integer) => Cell::Integer(integer),
                None => Cell::Real(number.as_f64().unwrap_or(f64::NAN)),
            }),
            other => ToSqlOutput::Owned(Cell::Text(other.to_string())),
        })
    }
}
