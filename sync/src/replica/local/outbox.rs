//! The outbox: rows written on this device that the primary has not accepted yet.
//!
//! An entry has the base (the row as it was last seen on the primary), the lock version of the
//! base, and the row as it is now, or no row if it was deleted. The lock version is 0 if the primary
//! never had the row, or went back to a time before it. A row that is written twice before
//! a push has one entry, with the first base and the last row. A row that no primary ever knew
//! leaves no entry when it is deleted. Entries are removed in the transaction that records the
//! primary's answer.

mod joined;

use std::collections::BTreeSet;

use fastest_schema::value::wire::{list_from_wire, list_to_wire};
use fastest_schema::{Policy, Row, RowKey, ScopeId, Table, Value};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::local::refused::{Refused, RefusedRow, RefusedTransaction};
use crate::replica::local::sent_row::SentRow;
use crate::replica::session::Session;
use crate::replica::values::{Values, key_of, values_of};

/// A row that waits for the primary.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Increases with each write, which shows whether an entry changed while a push was on its way.
    pub revision: i64,
    /// The transaction of the entry, if other entries are part of it too.
    pub joined: Option<i64>,
    /// The scope in which it waits.
    pub scope: ScopeId,
    /// The table.
    pub table: &'static Table,
    /// The row's key.
    pub key: RowKey,
    /// Its lock version on the primary when it was last seen there; 0 if it never was.
    pub base_version: i64,
    /// The row at that version. At version 0, what an earlier state of the primary, or an earlier
    /// primary, had.
    pub base: Option<Values>,
    /// The row to write; `None` for a delete.
    pub row: Option<Values>,
}

impl Entry {
    /// Returns the base, unless it is from before the primary went back. The base of a delete is always
    /// returned, because it shows what the delete affects.
    pub(crate) fn known_base(&self) -> Option<&Values> {
        self.base.as_ref().filter(|_| self.base_version > 0 || self.row.is_none())
    }

    /// Returns the columns that differ from the base, except the key and the lock version; `None`
    /// if the primary is not known to have the row, for a delete, and in tables that are not
    /// versioned.
    pub(crate) fn changed(&self) -> Option<Vec<&'static str>> {
        let (Some(base), Some(row)) = (self.known_base(), &self.row) else { return None };
        if self.table.policy != Policy::Versioned {
            return None;
        }
        let columns = self.table.columns.iter().zip(base.iter().zip(row));
        let changed = columns.filter(|(column, (base, row))| {
            column.name != self.table.pk && !column.lock_version && base != row
        });
        Some(changed.map(|(column, _)| column.name).collect())
    }

    /// Returns the number of the entry's transaction. An entry that is not joined to others is a
    /// transaction by itself, with its revision as the number.
    pub(crate) fn transaction(&self) -> i64 {
        self.joined.unwrap_or(self.revision)
    }

    /// Whether the primary, or an earlier state of it, had the row. Another device may have sent such
    /// a row again to a primary that went back.
    pub(crate) fn was_known(&self) -> bool {
        self.base.is_some() && (self.base_version > 0 || self.table.policy == Policy::Versioned)
    }

    /// Creates an entry for a row that the primary is not known to have.
    pub(crate) fn unknown(
        scope: &ScopeId,
        table: &'static Table,
        key: &RowKey,
        row: Values,
    ) -> Self {
        Self::new(scope, table, key, 0, None, Some(row))
    }

    /// Creates an entry for a row that was deleted, and that the primary may have nevertheless.
    pub(crate) fn unknown_delete(scope: &ScopeId, table: &'static Table, key: &RowKey) -> Self {
        Self::new(scope, table, key, 0, None, None)
    }

    /// Whether a row is to be deleted that the primary may not have.
    pub(crate) fn is_unknown_delete(&self) -> bool {
        self.row.is_none() && self.base.is_none() && self.base_version == 0
    }

    /// Creates an entry for a row that has none.
    fn new(
        scope: &ScopeId,
        table: &'static Table,
        key: &RowKey,
        base_version: i64,
        base: Option<Values>,
        row: Option<Values>,
    ) -> Self {
        let (scope, key) = (scope.to_owned(), key.to_owned());
        Self { revision: 0, joined: None, scope, table, key, base_version, base, row }
    }
}

/// An entry as it is stored: its values are lists in the order that the table's columns had.
pub(crate) struct Lists {
    pub(crate) revision: i64,
    pub(crate) key: RowKey,
    pub(crate) scope: ScopeId,
    pub(crate) base: Option<String>,
    pub(crate) row: Option<String>,
}

/// The rows that wait for the primary.
#[derive(Clone, Copy, Debug)]
pub struct Outbox<'a>(pub Session<'a>);

impl Outbox<'_> {
    /// Returns the scopes that waiting rows have left for this one: those in which the primary is
    /// known to have them. Changes of other devices to these rows are found there.
    pub(crate) fn previous_scopes(&self, scope: &ScopeId) -> Result<Vec<ScopeId>, ReplicaError> {
        let sql = "SELECT DISTINCT known.scope FROM fastest_local_outbox AS waiting
                   JOIN fastest_changes AS known ON known.tbl = waiting.tbl AND known.pk = waiting.pk
                   WHERE waiting.scope = ?1 AND known.scope <> ?1";
        self.0.all(sql, [scope], |row| row.get(0))
    }

    /// Whether each of these revisions still has an entry, with this base version, if there is one.
    /// A row that is written again gets a new revision, and no two entries have the same one. Base
    /// versions are forgotten when the primary is found to have gone back.
    pub(crate) fn has_all(
        &self,
        planned: &BTreeSet<(i64, Option<i64>)>,
    ) -> Result<bool, ReplicaError> {
        let list = serde_json::to_string(planned).expect("numbers serialise");
        let sql = "SELECT count(*) FROM json_each(?1) AS planned
                   JOIN fastest_local_outbox AS waiting ON waiting.revision = planned.value->>0
                   WHERE coalesce(waiting.base_version = planned.value->>1, 1)";
        let found: i64 = self.0.get(sql, [list])?.unwrap_or(0);
        Ok(found == planned.len() as i64)
    }

    /// Writes a row and queues it for the primary.
    pub fn save<R: Row>(&self, scope: &ScopeId, row: &R) -> Result<(), ReplicaError> {
        self.save_values(scope, R::TABLE, &values_of(row))
    }

    /// Writes a row and queues it for the primary.
    pub fn save_values(
        &self,
        scope: &ScopeId,
        table: &'static Table,
        values: &[Value],
    ) -> Result<(), ReplicaError> {
        let key = &key_of(table, values);
        let row = Some(values.to_vec());
        let entry = match self.entry(table, key)? {
            Some(entry) => Entry { scope: scope.to_owned(), row, ..entry },
            None => {
                let base = self.0.values(table, key)?;
                Entry::new(scope, table, key, Known(self.0).version(table, key)?, base, row)
            }
        };
        self.put(&entry)?;
        self.0.put_values(table, values)
    }

    /// Deletes a row, and queues the delete if the primary may know the row. Returns whether the row
    /// was there.
    pub fn remove(
        &self,
        scope: &ScopeId,
        table: &'static Table,
        key: &RowKey,
    ) -> Result<bool, ReplicaError> {
        let Some(values) = self.0.values(table, key)? else { return Ok(false) };
        if table.policy == Policy::AppendOnly && !self.is_local_only(scope, table, key)? {
            return Err(ReplicaError::AppendOnly { table: table.name, key: key.to_owned() });
        }
        let entry = match self.entry(table, key)? {
            Some(entry) => Entry { scope: scope.to_owned(), row: None, ..entry },
            None => Entry::new(
                scope,
                table,
                key,
                Known(self.0).version(table, key)?,
                Some(values),
                None,
            ),
        };
        if entry.was_known()
            || SentRow(self.0).holds(table, key)?
            || Cursors(self.0).is_reading(scope)?
        {
            self.put(&entry)?
        } else {
            self.drop(table, key)?;
            self.touch_transaction(&entry)?;
        }
        self.0.delete(table, key)?;
        Ok(true)
    }

    /// Assigns a new revision to another entry of the transaction of `entry`, which was just
    /// dropped. So the transaction counts as written now, and rows that are written along with this
    /// delete are joined to it.
    fn touch_transaction(&self, entry: &Entry) -> Result<(), ReplicaError> {
        let Some(joined) = entry.joined else { return Ok(()) };
        match self.of_transaction(joined)?.first() {
            Some(other) => self.put(other),
            None => Ok(()),
        }
    }

    /// Whether a row has never left this device, for example because the primary refused it.
    fn is_local_only(
        &self,
        scope: &ScopeId,
        table: &Table,
        key: &RowKey,
    ) -> Result<bool, ReplicaError> {
        Ok(Known(self.0).version(table, key)? == 0
            && self.entry(table, key)?.is_some()
            && !SentRow(self.0).holds(table, key)?
            && !Cursors(self.0).is_reading(scope)?)
    }

    /// Drops the entries whose rows are the same as their bases.
    pub(crate) fn drop_unchanged(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        let entries = self.entries(scope)?.into_iter();
        for entry in entries.filter(|entry| entry.changed().is_some_and(|list| list.is_empty())) {
            self.drop(entry.table, &entry.key)?;
        }
        Ok(())
    }

    /// Returns how many deletes wait.
    pub(crate) fn waiting_deletes(&self) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_outbox WHERE row IS NULL";
        Ok(self.0.get(sql, [])?.unwrap_or(0))
    }

    /// Returns the deletes that wait in a scope, or in all scopes.
    pub(crate) fn deletes(&self, scope: Option<&ScopeId>) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("row IS NULL AND scope = coalesce(?1, scope)", params![scope])
    }

    /// Changes the row of an entry, if there is an entry, and keeps its revision. The entry must
    /// not have been sent.
    pub(crate) fn put_waiting_row(
        &self,
        table: &Table,
        key: &RowKey,
        row: &Values,
    ) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET row = ?3 WHERE tbl = ?1 AND pk = ?2";
        self.0.run(sql, params![table.name, key, list_to_wire(row)]).map(drop)
    }

    /// Stores an entry under a new revision, in place of any entry of the same row.
    pub(crate) fn put(&self, entry: &Entry) -> Result<(), ReplicaError> {
        self.drop(entry.table, &entry.key)?;
        let base = entry.base.as_deref().map(list_to_wire);
        self.0.run(
            "INSERT INTO fastest_local_outbox(scope, tbl, pk, base_version, base, row, joined)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                entry.scope,
                entry.table.name,
                entry.key,
                entry.base_version,
                base,
                entry.row.as_deref().map(list_to_wire),
                entry.joined
            ],
        )?;
        Ok(())
    }

    /// Removes the entry of a row, if there is one. If its transaction was refused, the next push tries
    /// the rest of it again.
    pub(crate) fn drop(&self, table: &Table, key: &RowKey) -> Result<(), ReplicaError> {
        let sql = "SELECT coalesce(joined, revision) FROM fastest_local_outbox
                   WHERE tbl = ?1 AND pk = ?2";
        if let Some(transaction) = self.0.get(sql, params![table.name, key])? {
            Refused(self.0).retry(transaction)?;
        }
        self.settle(table, key)
    }

    /// Removes the entry of a row that the primary has accepted.
    pub(crate) fn settle(&self, table: &Table, key: &RowKey) -> Result<(), ReplicaError> {
        self.0.run(
            "DELETE FROM fastest_local_outbox WHERE tbl = ?1 AND pk = ?2",
            params![table.name, key],
        )?;
        Ok(())
    }

    /// Returns the entry of a row.
    pub fn entry(&self, table: &Table, key: &RowKey) -> Result<Option<Entry>, ReplicaError> {
        let mut found = self.entries_where("tbl = ?1 AND pk = ?2", params![table.name, key])?;
        Ok(found.pop())
    }

    /// Returns the entries of a scope, oldest first.
    pub fn entries(&self, scope: &ScopeId) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("scope = ?1", params![scope])
    }

    /// Returns all entries, oldest first.
    pub(crate) fn all(&self) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("1", [])
    }

    /// Returns the entries of a transaction.
    pub(crate) fn of_transaction(&self, transaction: i64) -> Result<Vec<Entry>, ReplicaError> {
        let of = "revision = ?1 AND joined IS NULL OR joined = ?1";
        self.entries_where(of, [transaction])
    }

    /// Returns the scopes that have entries, the one with the oldest first.
    pub fn scopes(&self) -> Result<Vec<ScopeId>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_local_outbox GROUP BY scope ORDER BY min(revision)";
        self.0.all(sql, [], |row| row.get(0))
    }

    fn entries_where(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Entry>, ReplicaError> {
        let sql = format!(
            "SELECT revision, joined, scope, tbl, pk, base_version, base, row FROM fastest_local_outbox
             WHERE {condition} ORDER BY revision"
        );
        let raw = self.0.all(&sql, parameters, |row| {
            Ok((
                (row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?),
                row.get::<_, ScopeId>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, RowKey>(4)?,
                row.get::<_, i64>(5)?,
                row.get::<_, Option<String>>(6)?,
                row.get::<_, Option<String>>(7)?,
            ))
        })?;
        let mut entries = Vec::with_capacity(raw.len());
        for ((revision, joined), scope, table, key, base_version, base, row) in raw {
            // Another build has written the entry, for a table that this one does not know. It
            // stays queued.
            let Some(table) = self.0.schema.synced_table(&table) else { continue };
            let base = base.map(|base| from_text(table, &key, &base)).transpose()?;
            let row = row.map(|row| from_text(table, &key, &row)).transpose()?;
            entries.push(Entry { revision, joined, scope, table, key, base_version, base, row });
        }
        Ok(entries)
    }

    /// Returns how many entries a scope has.
    pub(crate) fn count(&self, scope: &ScopeId) -> Result<u64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_outbox WHERE scope = ?1";
        Ok(self.0.get::<i64>(sql, [scope])?.unwrap_or(0) as u64)
    }

    /// Returns how many entries a table has in a scope.
    pub(crate) fn count_of(&self, table: &Table, scope: &ScopeId) -> Result<u64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_outbox WHERE tbl = ?1 AND scope = ?2";
        Ok(self.0.get::<i64>(sql, [table.name, scope.as_str()])?.unwrap_or(0) as u64)
    }

    /// Returns the keys of a table's entries, in any scope.
    pub(crate) fn keys_of(&self, table: &Table) -> Result<Vec<RowKey>, ReplicaError> {
        let sql = "SELECT pk FROM fastest_local_outbox WHERE tbl = ?1";
        self.0.all(sql, [table.name], |row| row.get(0))
    }

    /// Whether a row has an entry. `table` is the name of its table.
    pub(crate) fn has(&self, table: &str, key: &RowKey) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_outbox WHERE tbl = ?1 AND pk = ?2";
        Ok(self.0.get::<i64>(sql, [table, key.as_str()])?.is_some())
    }

    /// Whether a row waits to be deleted.
    pub(crate) fn is_delete_queued(
        &self,
        table: &Table,
        key: &RowKey,
    ) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_outbox WHERE tbl = ?1 AND pk = ?2 AND row IS NULL";
        Ok(self.0.get::<i64>(sql, [table.name, key.as_str()])?.is_some())
    }

    /// Returns the scope of a row's entry.
    pub(crate) fn scope_of(
        &self,
        table: &Table,
        key: &RowKey,
    ) -> Result<Option<ScopeId>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_local_outbox WHERE tbl = ?1 AND pk = ?2";
        self.0.get(sql, [table.name, key.as_str()])
    }

    /// Removes all entries of a scope.
    pub(crate) fn clear_scope(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_outbox WHERE scope = ?1", [scope]).map(drop)
    }

    /// Sets all base versions to 0, because they are lock versions of another primary.
    pub(crate) fn forget_versions(&self) -> Result<(), ReplicaError> {
        self.0.run("UPDATE fastest_local_outbox SET base_version = 0", []).map(drop)
    }

    /// Returns the transactions that the primary refused, in the order in which they were written.
    pub(crate) fn refused(&self) -> Result<Vec<RefusedTransaction>, ReplicaError> {
        let refused = Refused(self.0).all()?.into_iter();
        refused.map(|transaction| self.with_rows(transaction)).collect()
    }

    /// Returns the transaction with this id, with its rows, if the primary refused it.
    pub(crate) fn refused_transaction(
        &self,
        id: i64,
    ) -> Result<Option<RefusedTransaction>, ReplicaError> {
        let found = Refused(self.0).get(id)?;
        found.map(|transaction| self.with_rows(transaction)).transpose()
    }

    fn with_rows(
        &self,
        transaction: RefusedTransaction,
    ) -> Result<RefusedTransaction, ReplicaError> {
        let sql = "SELECT scope, tbl, pk, row IS NULL FROM fastest_local_outbox
                   WHERE revision = ?1 AND joined IS NULL OR joined = ?1 ORDER BY revision";
        let rows = self.0.all(sql, [transaction.id], |row| {
            let (scope, table, key) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(RefusedRow { scope, table, key, deleted: row.get(3)? })
        })?;
        Ok(RefusedTransaction { rows, ..transaction })
    }

    /// Renames a table in the entries, for a migration of the schema.
    pub(crate) fn rename_table(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        self.0.run("UPDATE fastest_local_outbox SET tbl = ?2 WHERE tbl = ?1", [from, to]).map(drop)
    }

    /// Moves an entry to another scope, with which it is then pushed.
    pub(crate) fn set_scope(&self, revision: i64, scope: &ScopeId) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET scope = ?2 WHERE revision = ?1";
        self.0.run(sql, params![revision, scope]).map(drop)
    }

    /// Returns the entries of a table as they are stored, which may be for columns that it had
    /// before.
    pub(crate) fn lists_of(&self, table: &Table) -> Result<Vec<Lists>, ReplicaError> {
        let sql = "SELECT revision, pk, scope, base, row FROM fastest_local_outbox WHERE tbl = ?1";
        self.0.all(sql, [table.name], |row| {
            Ok(Lists {
                revision: row.get(0)?,
                key: row.get(1)?,
                scope: row.get(2)?,
                base: row.get(3)?,
                row: row.get(4)?,
            })
        })
    }

    /// Replaces the values of an entry.
    pub(crate) fn set_lists(
        &self,
        revision: i64,
        base: Option<&str>,
        row: Option<&str>,
    ) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET base = ?2, row = ?3 WHERE revision = ?1";
        self.0.run(sql, params![revision, base, row]).map(drop)
    }
}

/// Decodes a row that is stored as a list.
pub(crate) fn from_text(
    table: &'static Table,
    key: &RowKey,
    text: &str,
) -> Result<Values, ReplicaError> {
    let broken = |source| ReplicaError::Row { table: table.name, key: key.to_owned(), source };
    let kinds = table.columns.iter().map(|column| column.kind);
    let values = list_from_wire(text, kinds).map_err(broken)?;
    if values.len() == table.columns.len() {
        Ok(values)
    } else {
        Err(broken(serde::de::Error::invalid_length(
            values.len(),
            &"as many values as the table has columns",
        )))
    }
}
