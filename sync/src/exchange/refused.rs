//! Transactions that the primary refused: they wait beside the others, each with the reason, until
//! they are mended, tried again or dropped. What needs them waits too, and nothing else does.
//!
//! Once a row of one is written again, here or by a pull, the next push tries it again.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use fastest_schema::Table;
use rusqlite::params;
use serde::Serialize;

use crate::base::clock;
use crate::error::SyncError;
use crate::exchange::blame::Blame;
use crate::exchange::plan::PlannedRow;
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// What was written in one transaction, and the primary refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedTransaction {
    /// Its number, which retrying and dropping take. It may change once a row of it is written again.
    pub id: i64,
    /// The table of the row that is at fault; of the first, where it is not known which is (`named`).
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The column at fault, where it is known.
    pub column: Option<String>,
    /// The primary's reason.
    pub why: String,
    /// When it was refused. RFC 3339, UTC.
    pub at: String,
    /// Whether it is known that this row is at fault.
    pub named: bool,
    /// Every row that was written in it.
    pub rows: Vec<RefusedRow>,
}

/// A row of a transaction that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedRow {
    /// The scope of the row.
    pub scope: String,
    /// The row's table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// Whether it was to be deleted.
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

impl Session<'_> {
    /// Sets aside a transaction that the primary refused. Returns `None` if another process has written
    /// to its rows since they were sent: what waits now was not refused.
    pub(crate) fn set_aside(
        &self,
        unit: &[PlannedRow],
        blame: &Blame,
    ) -> Result<Option<RefusedTransaction>, ReplicaError> {
        let mut parts = BTreeSet::new();
        for row in unit {
            match self.entry(row.table, &row.key)? {
                Some(entry) if entry.revision == row.revision => parts.insert(entry.transaction()),
                _ => return Ok(None),
            };
        }
        let Some(transaction) = parts.pop_last() else { return Ok(None) };
        for part in parts {
            self.run(
                "UPDATE fastest_local_outbox SET joined = ?2
                 WHERE joined = ?1 OR joined IS NULL AND revision IN (?1, ?2)",
                [part, transaction],
            )?;
        }
        let Blame { table, key, column, why, named } = blame;
        self.run(
            "INSERT OR REPLACE INTO fastest_local_refused(tx, tbl, pk, column, why, at, named)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![transaction, table, key, column, why, clock::now(), named],
        )?;
        Ok(self.refused_where("tx = ?1", transaction)?.pop())
    }

    /// Forgets that the transaction which a waiting row is a part of was refused.
    pub(crate) fn retry_transaction_of(
        &self,
        table: &Table,
        key: &str,
    ) -> Result<(), ReplicaError> {
        let sql = "DELETE FROM fastest_local_refused WHERE tx =
                     (SELECT coalesce(joined, revision) FROM fastest_local_outbox
                      WHERE tbl = ?1 AND pk = ?2)";
        self.run(sql, params![table.name, key]).map(drop)
    }

    /// The transactions that were refused, by their ids.
    pub(crate) fn refused_ids(&self) -> Result<HashSet<i64>, ReplicaError> {
        let sql = "SELECT tx FROM fastest_local_refused";
        Ok(self.all(sql, [], |row| row.get(0))?.into_iter().collect())
    }

    /// The transactions that were refused, those that were written first before others.
    pub(crate) fn refused(&self) -> Result<Vec<RefusedTransaction>, ReplicaError> {
        self.refused_where("tx >= ?1", 0)
    }

    fn refused_where(
        &self,
        condition: &str,
        number: i64,
    ) -> Result<Vec<RefusedTransaction>, ReplicaError> {
        let sql = format!(
            "SELECT tx, tbl, pk, column, why, at, named FROM fastest_local_refused
             WHERE {condition} ORDER BY tx"
        );
        let mut refused = self.all(&sql, [number], |row| {
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
        })?;
        let rows = "SELECT scope, tbl, pk, row IS NULL FROM fastest_local_outbox
                    WHERE revision = ?1 AND joined IS NULL OR joined = ?1 ORDER BY revision";
        for transaction in &mut refused {
            transaction.rows = self.all(rows, [transaction.id], |row| {
                let (scope, table, key) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(RefusedRow { scope, table, key, deleted: row.get(3)? })
            })?;
        }
        Ok(refused)
    }

    /// Lets the next push try a transaction again.
    pub(crate) fn retry_refused(&self, id: i64) -> Result<(), SyncError> {
        match self.run("DELETE FROM fastest_local_refused WHERE tx = ?1", [id])? {
            0 => Err(unknown(id)),
            _ => Ok(()),
        }
    }

    /// Lets the next push try all of them again.
    pub(crate) fn retry_all_refused(&self) -> Result<(), ReplicaError> {
        self.run("DELETE FROM fastest_local_refused", []).map(drop)
    }

    /// Takes back what was written in a transaction that was refused: its rows are as the primary was
    /// last seen to have them. Returns what was dropped.
    pub(crate) fn drop_refused(&self, id: i64) -> Result<RefusedTransaction, SyncError> {
        let refused = self.refused_where("tx = ?1", id)?.pop().ok_or_else(|| unknown(id))?;
        for entry in self.entries_of(id)? {
            match &entry.base {
                Some(base) => self.put_values(entry.table, base)?,
                None => self.delete(entry.table, &entry.key)?,
            }
            self.drop_entry(entry.table, &entry.key)?;
        }
        self.run("DELETE FROM fastest_local_refused WHERE tx = ?1", [id])?;
        Ok(refused)
    }
}

fn unknown(id: i64) -> SyncError {
    SyncError::Unknown { what: "refused transaction", name: id.to_string(), nearest: None }
}
