//! Rows that were written in one transaction go to the primary in one.

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::rows::write_error::{TRANSACTION_BYTES_MAX, WriteError};

/// Bytes up to which transactions that wait become one by a row of both.
const JOINED_BYTES_MAX: i64 = 1_000_000;

impl Session<'_> {
    /// The newest revision of the outbox.
    pub(crate) fn last_revision(&self) -> Result<i64, ReplicaError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'fastest_local_outbox'";
        Ok(self.get(sql, [])?.unwrap_or(0))
    }

    /// Makes one transaction of what was queued since `revision`, with every other of which a row was
    /// written again; but where that would come to more than a statement holds, what waits already
    /// goes before, without the rows that were written again.
    pub(crate) fn join_since(&self, revision: i64) -> Result<(), WriteError> {
        let sql = "SELECT count(*), max(revision) FROM fastest_local_outbox WHERE revision > ?1";
        let found = self.all(sql, [revision], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        })?;
        let Some((count, Some(newest))) = found.first().copied() else { return Ok(()) };
        let sql = "SELECT DISTINCT joined FROM fastest_local_outbox
                   WHERE revision > ?1 AND joined IS NOT NULL ORDER BY joined";
        let touched: Vec<i64> = self.all(sql, [revision], |row| row.get(0))?;
        if count < 2 && touched.is_empty() {
            return Ok(());
        }
        let written = self.bytes_where("revision > ?1", revision)?;
        if written > TRANSACTION_BYTES_MAX {
            return Err(WriteError::TransactionTooLarge { bytes: written });
        }
        let mut all = written;
        for joined in &touched {
            all += self.bytes_where("joined = ?1", *joined)?;
        }
        // The rows that were written before are not written down anew: they may be many.
        let one = match touched.last() {
            Some(last) if all <= JOINED_BYTES_MAX => {
                for joined in touched.iter().filter(|joined| *joined != last) {
                    let sql = "UPDATE fastest_local_outbox SET joined = ?2 WHERE joined = ?1";
                    self.run(sql, [joined, last])?;
                }
                *last
            }
            _ => newest,
        };
        let sql = "UPDATE fastest_local_outbox SET joined = ?2 WHERE revision > ?1";
        self.run(sql, [revision, one])?;
        Ok(())
    }

    /// Bytes that waiting rows have as JSON, at most: those of which a condition on a number holds.
    fn bytes_where(&self, condition: &str, number: i64) -> Result<i64, ReplicaError> {
        let sql = format!(
            "SELECT tbl, row IS NOT NULL, count(*),
               sum(coalesce(octet_length(row), 0) + 2 * octet_length(pk))
             FROM fastest_local_outbox WHERE {condition} GROUP BY 1, 2"
        );
        let tables = self.all(&sql, [number], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
        let names = |table: &str| match self.schema.synced_table(table) {
            Some(table) => table.columns.iter().map(|column| column.name.len() + 4).sum(),
            None => 0,
        };
        // Beside its values, a row has its table twice, its columns and its lock version.
        let bytes = tables.iter().map(|(table, is_written, count, bytes)| {
            let names = if *is_written { names(table) } else { 0 };
            bytes + count * (names + 2 * table.len() + 60) as i64
        });
        Ok(bytes.sum())
    }
}
