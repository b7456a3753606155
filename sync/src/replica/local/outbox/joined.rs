//! Transactions in the outbox: which entries are pushed together.

use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::Outbox;

impl Outbox<'_> {
    /// Returns the last revision that was assigned.
    pub(crate) fn last_revision(&self) -> Result<i64, ReplicaError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'fastest_local_outbox'";
        Ok(self.0.get(sql, [])?.unwrap_or(0))
    }

    /// Returns how many entries are newer than `revision`, and the revision of the newest.
    pub(crate) fn written_since(&self, revision: i64) -> Result<(i64, Option<i64>), ReplicaError> {
        let sql = "SELECT count(*), max(revision) FROM fastest_local_outbox WHERE revision > ?1";
        let found = self.0.all(sql, [revision], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.first().copied().unwrap_or((0, None)))
    }

    /// Returns the joined transactions that have a row which was written since `revision`, in
    /// order.
    pub(crate) fn joined_since(&self, revision: i64) -> Result<Vec<i64>, ReplicaError> {
        let sql = "SELECT DISTINCT joined FROM fastest_local_outbox
                   WHERE revision > ?1 AND joined IS NOT NULL ORDER BY joined";
        self.0.all(sql, [revision], |row| row.get(0))
    }

    /// Joins the entries that were written since `revision` to `transaction`.
    pub(crate) fn join_since(&self, revision: i64, transaction: i64) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET joined = ?2 WHERE revision > ?1";
        self.0.run(sql, [revision, transaction]).map(drop)
    }

    /// Joins a transaction of several rows to another one.
    pub(crate) fn join(&self, part: i64, transaction: i64) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET joined = ?2 WHERE joined = ?1";
        self.0.run(sql, [part, transaction]).map(drop)
    }

    /// Joins a transaction of any number of rows to another one, which may be a single row too.
    pub(crate) fn join_parts(&self, part: i64, transaction: i64) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET joined = ?2
                   WHERE joined = ?1 OR joined IS NULL AND revision IN (?1, ?2)";
        self.0.run(sql, [part, transaction]).map(drop)
    }

    /// Returns an upper bound for the bytes, as JSON, of the rows that were written since
    /// `revision`.
    pub(crate) fn bytes_since(&self, revision: i64) -> Result<i64, ReplicaError> {
        self.bytes_where("revision > ?1", revision)
    }

    /// Returns an upper bound for the bytes, as JSON, of a transaction of several rows.
    pub(crate) fn bytes_joined(&self, transaction: i64) -> Result<i64, ReplicaError> {
        self.bytes_where("joined = ?1", transaction)
    }

    /// Returns an upper bound for the bytes, as JSON, of the entries that meet a condition. In
    /// `condition`, `?1` is `number`.
    fn bytes_where(&self, condition: &str, number: i64) -> Result<i64, ReplicaError> {
        let sql = format!(
            "SELECT tbl, row IS NOT NULL, count(*),
               sum(coalesce(octet_length(row), 0) + 2 * octet_length(pk))
             FROM fastest_local_outbox WHERE {condition} GROUP BY 1, 2"
        );
        let tables = self.0.all(&sql, [number], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
        let names = |table: &str| match self.0.schema.synced_table(table) {
            Some(table) => table.columns.iter().map(|column| column.name.len() + 4).sum(),
            None => 0,
        };
        // Besides its values, a row is sent with its table's name twice, its columns' names and its
        // lock version.
        let bytes = tables.iter().map(|(table, is_written, count, bytes)| {
            let names = if *is_written { names(table) } else { 0 };
            bytes + count * (names + 2 * table.len() + 60) as i64
        });
        Ok(bytes.sum())
    }
}
