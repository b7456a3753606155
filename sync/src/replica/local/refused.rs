//! Transactions that the primary refused: the table `fastest_local_refused`.

use std::collections::HashSet;
use std::fmt;

use fastest_schema::{RowKey, ScopeId};
use rusqlite::params;
use serde::Serialize;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// A transaction that the primary refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefusedTransaction {
    /// Its number, by which it is retried or dropped. It may change when one of its rows is written
    /// again.
    pub id: i64,
    /// The table of the row at fault; of the first row if `named` is false.
    pub table: String,
    /// The row's key.
    pub key: RowKey,
    /// The column at fault, if it is known.
    pub column: Option<String>,
    /// The primary's reason.
    pub why: String,
    /// When it was refused. RFC 3339, UTC.
    pub at: String,
    /// Whether the row at fault is known.
    pub named: bool,
    /// Every row of the transaction.
    pub rows: Vec<RefusedRow>,
}

/// A row of a transaction that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefusedRow {
    /// The scope of the row.
    pub scope: ScopeId,
    /// The row's table.
    pub table: String,
    /// The row's key.
    pub key: RowKey,
    /// Whether the transaction deletes the row.
    pub deleted: bool,
}

impl fmt::Display for RefusedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, column, why, named, .. } = self;
        match (column, named) {
            (_, false) => {
                let count = self.rows.len();
                return write!(
                    f,
                    "{count} rows that were written together were refused, row {key} of {table} and \
                     others: {why}"
                );
            }
            (Some(column), true) => {
                write!(f, "row {key} of {table} was refused for its {column}: {why}")?;
            }
            (None, true) => write!(f, "row {key} of {table} was refused: {why}")?,
        }
        match self.rows.len() {
            0 | 1 => Ok(()),
            2 => write!(f, " (one more row was written with it, and waits too)"),
            rows => write!(f, " ({} more rows were written with it, and wait too)", rows - 1),
        }
    }
}

/// The refused transactions. They are set aside, so that others can be pushed, until they are
/// corrected, retried or dropped.
#[derive(Clone, Copy)]
pub(crate) struct Refused<'a>(pub(crate) Session<'a>);

impl Refused<'_> {
    /// Returns the ids of the refused transactions.
    pub(crate) fn ids(&self) -> Result<HashSet<i64>, ReplicaError> {
        let sql = "SELECT tx FROM fastest_local_refused";
        Ok(self.0.all(sql, [], |row| row.get(0))?.into_iter().collect())
    }

    /// Returns the refused transactions in the order in which they were written. Their `rows` are
    /// empty, because the rows are in the outbox.
    pub(crate) fn all(&self) -> Result<Vec<RefusedTransaction>, ReplicaError> {
        self.find("tx >= ?1", 0)
    }

    fn find(&self, condition: &str, id: i64) -> Result<Vec<RefusedTransaction>, ReplicaError> {
        let sql = format!(
            "SELECT tx, tbl, pk, column, why, at, named FROM fastest_local_refused
             WHERE {condition} ORDER BY tx"
        );
        self.0.all(&sql, [id], |row| {
            Ok(RefusedTransaction {
                id: row.get(0)?,
                table: row.get(1)?,
                key: row.get(2)?,
                column: row.get(3)?,
                why: row.get(4)?,
                at: row.get(5)?,
                named: row.get(6)?,
                rows: Vec::new(),
            })
        })
    }

    /// Makes the next push try all refused transactions again.
    pub(crate) fn retry_all(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_refused", []).map(drop)
    }

    /// Sets a transaction aside, with the row at fault and the reason.
    pub(crate) fn put(
        &self,
        transaction: i64,
        (table, key, column): (&str, &RowKey, Option<&str>),
        why: &str,
        is_named: bool,
    ) -> Result<(), ReplicaError> {
        let sql = "INSERT OR REPLACE INTO
                   fastest_local_refused(tx, tbl, pk, column, why, at, named)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let row = params![transaction, table, key, column, why, self.0.world.now_text(), is_named];
        self.0.run(sql, row).map(drop)
    }

    /// Returns the transaction with this id, if it was refused. Its `rows` are empty.
    pub(crate) fn get(&self, id: i64) -> Result<Option<RefusedTransaction>, ReplicaError> {
        Ok(self.find("tx = ?1", id)?.pop())
    }

    /// Makes the next push try a transaction again. Returns whether it was refused.
    pub(crate) fn retry(&self, id: i64) -> Result<bool, ReplicaError> {
        Ok(self.0.run("DELETE FROM fastest_local_refused WHERE tx = ?1", [id])? > 0)
    }

    /// Renames a table in the refused transactions, for a migration of the schema.
    pub(crate) fn rename_table(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        self.0.run("UPDATE fastest_local_refused SET tbl = ?2 WHERE tbl = ?1", [from, to]).map(drop)
    }
}
