//! Reads and writes the replica, inside a transaction or outside of any.

use std::fmt;
use std::path::Path;

use fastest_schema::{Row, RowKey, Schema, Table, Value};
use rusqlite::{Connection, OptionalExtension};

use crate::base::rules::Rules;
use crate::base::world::World;
use crate::replica::engine_table::EngineTable;
use crate::replica::error::ReplicaError;
use crate::replica::values::{Bound, Values, decode, read_values, select};

/// A view of a replica, inside a transaction or outside of any.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) schema: &'static Schema,
    pub(crate) rules: &'static Rules,
    pub(crate) world: &'a World,
    pub(crate) path: &'a Path,
    pub(crate) declared: &'a str,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// Returns which table of Fastest's own this is, if it is one.
    pub(crate) fn engine_table(&self, table: &Table) -> Option<EngineTable> {
        EngineTable::of(self.schema, table)
    }

    pub(crate) fn failed(&self, source: rusqlite::Error) -> ReplicaError {
        ReplicaError::Sqlite { path: self.path.to_owned(), error: source }
    }

    /// Runs a statement. Returns the number of rows that it changed.
    pub(crate) fn run(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<usize, ReplicaError> {
        let run = self.connection.prepare_cached(sql).and_then(|mut s| s.execute(parameters));
        run.map_err(|source| self.failed(source))
    }

    /// Returns the first column of the first row of a query's result; `None` if there is no row.
    pub(crate) fn get<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Option<T>, ReplicaError> {
        let mut rows = self.all(sql, parameters, |row| row.get(0))?;
        Ok(if rows.is_empty() { None } else { Some(rows.swap_remove(0)) })
    }

    /// Returns every row of a query's result.
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

    /// Returns the values of a row.
    pub fn values(&self, table: &Table, key: &RowKey) -> Result<Option<Values>, ReplicaError> {
        self.values_by(table, key.as_str())
    }

    fn values_by(&self, table: &Table, key: &str) -> Result<Option<Values>, ReplicaError> {
        let sql = format!("{} WHERE `{}` = ?1", select(table), table.pk);
        let mut statement =
            self.connection.prepare_cached(&sql).map_err(|source| self.failed(source))?;
        let found = statement.query_row([key], |row| read_values(table, row)).optional();
        found.map_err(|source| self.failed(source))
    }

    /// Returns a row as its Rust type.
    pub fn row<R: Row<Key: AsRef<str>>>(&self, key: &R::Key) -> Result<Option<R>, ReplicaError> {
        let values = self.values_by(R::TABLE, key.as_ref())?;
        values.map(|values| decode(values)).transpose()
    }

    /// Like [`Session::row`], for a key of any type.
    pub fn row_at<R: Row>(&self, key: &RowKey) -> Result<Option<R>, ReplicaError> {
        self.values(R::TABLE, key)?.map(decode).transpose()
    }

    /// Returns the rows of a SELECT. `filter` is the rest of the statement after the table's name;
    /// in it, `?1` is `key`.
    pub fn rows<R: Row>(&self, filter: &str, key: &str) -> Result<Vec<R>, ReplicaError> {
        let sql = format!("{} {filter}", select(R::TABLE));
        let found = self.all(&sql, [key], |row| read_values(R::TABLE, row))?;
        found.into_iter().map(decode).collect()
    }

    /// Writes a row, in place of any with its key, and queues nothing.
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

    /// Returns the rows of a table in which a column has a value (`condition`), or all rows. They
    /// are sorted by key.
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

    /// Deletes a row, and queues nothing.
    pub fn delete(&self, table: &Table, key: &RowKey) -> Result<(), ReplicaError> {
        self.run(&format!("DELETE FROM `{}` WHERE `{}` = ?1", table.name, table.pk), [key])?;
        Ok(())
    }

    /// Returns the problems that SQLite finds in the file, one a line; the single line `ok` if
    /// there are none.
    pub(crate) fn check_integrity(&self) -> Result<Vec<String>, ReplicaError> {
        self.all("PRAGMA integrity_check", [], |row| row.get(0))
    }
}
