//! The replica: the device's own SQLite file.
//!
//! It holds the rows of every scope that the device shares, as the newest of what the primary said
//! and what was written here, and `fastest_changes` as last seen on the primary: a row of a synced
//! table without one there is not known to the primary. Beside these stand tables of its own,
//! prefixed `fastest_local_`, which never travel:
//!
//! - `schema`: whose tables these are, and the one scope that the file holds, if it is for one only
//! - `device`: who this is, and how often it pushed
//! - `remote`: which primary the replica follows, and what it knows of it
//! - `cursor`: the last sequence number seen, by scope
//! - `reading`: scopes that are being read from their beginning
//! - `outbox`: rows written here that the primary has not accepted ([`crate::outbox`])
//! - `sent`: the one push that is on its way, word for word, so that it can be repeated
//! - `conflict`: versions of rows that lost a conflict
//! - `held`: rows that the primary has and no device can keep, and why (`held`)
//! - `part`: parts of a pack that has not arrived whole
//! - `copy`: where this device's working copies are, what they belong to and are based on
//! - `queued`: scopes whose push found the primary out of reach, in the order of their pushes
//!
//! Any number of processes use one replica at once: it is in WAL mode, and every write is a short
//! immediate transaction.

use std::path::{Path, PathBuf};

use fastest_core::mapped::{check_room, fill};
use fastest_schema::value::{ValueError, named_values};
use fastest_schema::{Kind, Row, Schema, Table, Value};
use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql};

use crate::layout::{LAYOUT_VERSION, declared};
use crate::own::Own;
use crate::sqlite::{BUSY_TIMEOUT, begin, words};

/// Values of a row, in the order of its table's columns.
pub type Values = Vec<Value>;

/// Why the replica could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// SQLite failed.
    #[error("the replica {} failed: {}", path.display(), words(error))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says; no source of this one, since its text holds the whole statement.
        error: rusqlite::Error,
    },
    /// The file is of a newer version.
    #[error("the replica {} was made by a newer version (layout {found})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout found.
        found: i64,
    },
    /// The file holds the rows of another application.
    #[error("the replica {} holds the rows of {found:?}, not of {asked:?}: choose another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The owner of its tables.
        found: String,
        /// The owner of the schema that it was opened with.
        asked: &'static str,
    },
    /// A newer version has brought the file further.
    #[error("the replica {} was brought to {found} by a newer version, which this one does not know: upgrade", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The migration, or what else is not known.
        found: String,
    },
    /// The disk is full, and to go on could kill the process.
    #[error("the disk of {} is full: free 256 KiB at least", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// It can be read, and not written.
    #[error("{} cannot be written: its disk is read-only, or it belongs to somebody else", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It can only be read, and an earlier version made it.
    #[error("{} was made by an earlier version, and cannot be written, so that it cannot be brought up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It can only be read, and its log only in a copy.
    #[error("cannot copy {} to read it with its log: {source}", path.display())]
    NotCopied {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A row of an append-only table was to be deleted.
    #[error("row {key} of {table} cannot be deleted: the table is append-only")]
    AppendOnly {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// A row does not hold what its table promises.
    #[error("the replica's row {key} of {table} cannot be read: {source}")]
    Row {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What the decoder says.
        source: ValueError,
    },
}

/// The device's SQLite file.
#[derive(Debug)]
pub struct Replica {
    path: PathBuf,
    schema: &'static Schema,
    connection: Connection,
    /// What the schema declares, as the file records it.
    declared: String,
    /// SQLite's count of changes to the tables, as they were when they were last looked at; `None`
    /// while the file is opened.
    tables: Option<i64>,
    /// Whether it is only looked at.
    is_read_only: bool,
    /// Where the file that is open is a copy.
    _copy: Option<tempfile::TempDir>,
}

/// A replica within one transaction, or outside of any: what can be read and written.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) schema: &'static Schema,
    pub(crate) path: &'a Path,
    pub(crate) declared: &'a str,
}

impl Replica {
    /// Opens the file, making it where it is missing, for the tables of a schema.
    pub fn open(path: &Path, schema: &'static Schema) -> Result<Self, ReplicaError> {
        let failed = |error| ReplicaError::Sqlite { path: path.to_owned(), error };
        let no_room = |_| ReplicaError::NoRoom { path: path.to_owned() };
        check_room(path.parent().unwrap_or(path)).map_err(no_room)?;
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
        let declared = declared(schema);
        let mut replica = Self::new(path, schema, connection, declared);
        replica.set("synchronous", "FULL")?;
        if version == 0 {
            crate::sqlite::set_wal(&replica.connection).map_err(failed)?;
        }
        if version < LAYOUT_VERSION || !replica.read().follows_schema()? {
            replica.write(|session| session.lay_out())?;
        }
        replica.read().check_owner()?;
        let mut mapped = path.as_os_str().to_owned();
        mapped.push("-shm");
        fill(Path::new(&mapped));
        // Zero is never SQLite's count by now: the first write looks whether all is as it was here.
        replica.tables = Some(0);
        Ok(replica)
    }

    fn new(path: &Path, schema: &'static Schema, connection: Connection, declared: String) -> Self {
        let path = path.to_owned();
        Self { path, schema, connection, declared, tables: None, is_read_only: false, _copy: None }
    }

    /// For a file that can be read, and is as this build has it. `copy` is where `connection` leads, if
    /// that is not to the file itself.
    pub(crate) fn to_read(
        path: &Path,
        schema: &'static Schema,
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
        let mut replica = Self::new(path, schema, connection, declared(schema));
        (replica.is_read_only, replica._copy) = (true, copy);
        if version < LAYOUT_VERSION || !replica.read().follows_schema()? {
            return Err(ReplicaError::Older { path: path.to_owned() });
        }
        replica.read().check_owner()?;
        Ok(replica)
    }

    /// Whether it is only looked at: then nothing can be written.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Reads and writes in one transaction: all of it or nothing, durable on return.
    pub fn write<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { path, schema, connection, declared, tables, is_read_only, .. } = self;
        if *is_read_only {
            return Err(ReplicaError::ReadOnly { path: path.clone() }.into());
        }
        let failed = |error| ReplicaError::Sqlite { path: path.clone(), error };
        let transaction = begin(connection, path).map_err(failed)?;
        let session = Session { connection: &transaction, schema, path, declared };
        if tables.is_some() {
            session.check_still_follows(tables)?;
        }
        let done = work(session)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// As [`Replica::write`], but durable only with the next write: for what would be found out
    /// again, such as the answer to a push that is repeated until it is answered.
    pub(crate) fn write_soon<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.set("synchronous", "NORMAL")?;
        let done = self.write(work);
        self.set("synchronous", "FULL")?;
        done
    }

    fn set(&self, name: &str, value: impl ToSql) -> Result<(), ReplicaError> {
        let failed = |error| ReplicaError::Sqlite { path: self.path.clone(), error };
        self.connection.pragma_update(None, name, value).map_err(failed)
    }

    /// Whose tables it holds.
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// Reads, each statement for itself.
    pub fn read(&self) -> Session<'_> {
        let Self { path, schema, connection, declared, .. } = self;
        Session { connection, schema, path, declared }
    }
}

impl Session<'_> {
    /// Which table of Fastest's own this is, if it is one.
    pub(crate) fn own(&self, table: &Table) -> Option<Own> {
        Own::of(self.schema, table)
    }

    pub(crate) fn failed(&self, source: rusqlite::Error) -> ReplicaError {
        ReplicaError::Sqlite { path: self.path.to_owned(), error: source }
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

    /// The rows of a table whose `column` holds `value`; all, where none is named. By key.
    pub(crate) fn rows_where<R: Row>(
        &self,
        condition: Option<(&str, &Value)>,
    ) -> Result<Vec<R>, ReplicaError> {
        let (filter, value) = match condition {
            Some((column, value)) => (format!("WHERE `{column}` IS ?1"), Some(value)),
            None => (String::new(), None),
        };
        let sql = format!("{} {filter} ORDER BY `{}`", select(R::TABLE), R::TABLE.pk);
        let parameters = rusqlite::params_from_iter(value.into_iter().map(Bound));
        let found = self.all(&sql, parameters, |row| read_values(R::TABLE, row))?;
        found.into_iter().map(decode).collect()
    }

    /// Removes a row.
    pub fn delete(&self, table: &Table, key: &str) -> Result<(), ReplicaError> {
        self.run(&format!("DELETE FROM `{}` WHERE `{}` = ?1", table.name, table.pk), [key])?;
        Ok(())
    }
}

/// The values of one of Fastest's own rows.
pub fn values_of<R: Row>(row: &R) -> Values {
    try_values_of(row).expect("the columns of Fastest's own rows are texts and numbers")
}

/// The values of a row of anyone's, whose types may refuse to be written down.
pub(crate) fn try_values_of<R: Row>(row: &R) -> Result<Values, ValueError> {
    let mut named = named_values(row)?;
    let values = R::TABLE.columns.iter().enumerate().map(|(at, column)| {
        // The fields of a declared row are its columns, in their order.
        let is_it = |(name, _): &(&str, Value)| *name == column.name;
        let at =
            if named.get(at).is_some_and(is_it) { Some(at) } else { named.iter().position(is_it) };
        match (column.kind, at.map_or(Value::Null, |at| std::mem::take(&mut named[at].1))) {
            (Kind::Real, Value::Integer(integer)) => Value::Real(integer as f64),
            (_, value) => value,
        }
    });
    Ok(values.collect())
}

/// The key among a row's values.
pub fn key_of<'a>(table: &Table, values: &'a [Value]) -> &'a str {
    let at = table.columns.iter().position(|column| column.name == table.pk);
    let at = at.expect("a table has its key column");
    values[at].as_str().expect("a key is text")
}

/// A row's values as its type.
pub(crate) fn decode<R: Row>(values: Values) -> Result<R, ReplicaError> {
    let key = key_of(R::TABLE, &values).to_owned();
    let table = R::TABLE.name;
    R::from_values(values).map_err(|source| ReplicaError::Row { table, key, source })
}

fn select(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|c| format!("`{}`", c.name)).collect();
    format!("SELECT {} FROM `{}`", names.join(","), table.name)
}

fn read_values(table: &Table, row: &rusqlite::Row<'_>) -> Result<Values, rusqlite::Error> {
    (0..table.columns.len()).map(|at| Ok(value_of(row.get_ref(at)?))).collect()
}

/// What SQLite holds, as a value.
pub(crate) fn value_of(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(bytes) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// A value, bound as its storage class.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Cell::Null),
            Value::Integer(integer) => ToSqlOutput::Owned(Cell::Integer(*integer)),
            Value::Real(real) => ToSqlOutput::Owned(Cell::Real(*real)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
