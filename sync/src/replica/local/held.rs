//! Held rows: the table `fastest_local_held`. The primary has these rows, and this device cannot
//! store them, because somebody wrote a value there that does not fit its column.
//!
//! The local version of a held row stays as it was, and local changes to it wait, until the row is
//! corrected on the primary. The next change of the row that can be stored releases it.

use std::fmt;

use fastest_schema::{RowKey, ScopeId, Table};
use rusqlite::params;
use serde::Serialize;

use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;

/// A row that the primary has and this device cannot store. The local version stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldRow {
    /// The scope of the row; in Fastest's own tables, the id of the project.
    pub scope: ScopeId,
    /// The row's table.
    pub table: String,
    /// The row's key.
    pub key: RowKey,
    /// The column whose value cannot be stored.
    pub column: String,
    /// What is wrong with the value.
    pub why: String,
    /// Whether a local change of the row waits until the row is corrected.
    pub waiting: bool,
}

impl fmt::Display for HeldRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, column, why, .. } = self;
        write!(f, "row {key} of {table} is held back: its column {column} has {why}")
    }
}

/// The rows that wait to be corrected on the primary.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a>(pub(crate) Session<'a>);

impl Held<'_> {
    /// Records that a row cannot be stored, and why.
    pub(crate) fn put(
        &self,
        scope: &ScopeId,
        (table, key): (&Table, &RowKey),
        version: i64,
        (column, why): (&str, &str),
    ) -> Result<(), ReplicaError> {
        self.0
            .run(
                "INSERT OR REPLACE INTO fastest_local_held(scope, tbl, pk, version, column, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![scope, table.name, key, version, column, why],
            )
            .map(drop)
    }

    /// Whether any row is held back.
    pub(crate) fn is_any(&self) -> Result<bool, ReplicaError> {
        Ok(self.0.get::<i64>("SELECT 1 FROM fastest_local_held LIMIT 1", [])?.is_some())
    }

    /// Releases a row, because it can be stored again or is gone.
    pub(crate) fn remove(&self, table: &Table, key: &RowKey) -> Result<(), ReplicaError> {
        let sql = "DELETE FROM fastest_local_held WHERE tbl = ?1 AND pk = ?2";
        self.0.run(sql, params![table.name, key]).map(drop)
    }

    /// Returns the held rows of a scope, or of all scopes.
    pub(crate) fn of(&self, scope: Option<&ScopeId>) -> Result<Vec<HeldRow>, ReplicaError> {
        let sql = "SELECT scope, tbl, pk, column, why FROM fastest_local_held
                   WHERE scope = coalesce(?1, scope) ORDER BY tbl, pk";
        let mut rows = self.0.all(sql, [scope], |row| {
            Ok(HeldRow {
                scope: row.get(0)?,
                table: row.get(1)?,
                key: row.get(2)?,
                column: row.get(3)?,
                why: row.get(4)?,
                waiting: false,
            })
        })?;
        for row in &mut rows {
            row.waiting = Outbox(self.0).has(&row.table, &row.key)?;
        }
        Ok(rows)
    }

    /// Whether a row is held back.
    pub(crate) fn has(&self, table: &Table, key: &RowKey) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_held WHERE tbl = ?1 AND pk = ?2";
        Ok(self.0.get::<i64>(sql, params![table.name, key])?.is_some())
    }

    /// Forgets all held rows.
    pub(crate) fn clear(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_held", []).map(drop)
    }

    /// Renames a table in the held rows, for a migration of the schema.
    pub(crate) fn rename_table(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        self.0.run("UPDATE fastest_local_held SET tbl = ?2 WHERE tbl = ?1", [from, to]).map(drop)
    }
}
