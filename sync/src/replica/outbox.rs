//! The outbox: rows written on this device that the primary has not accepted yet.
//!
//! An entry carries the row as it was when the primary last knew it (base), its lock version
//! then, and the row as it is now; no row, where it was deleted. Writing a row twice before a push
//! keeps one entry: the first base, the last row. A row that the primary never knew leaves none when
//! it is deleted. Entries leave in the transaction that records the primary's answer.

use fastest_schema::value::{list_from_wire, list_to_wire};
use fastest_schema::{Policy, Row, Seen, Table, Value};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::replica::values::{Values, key_of, values_of};

/// A row that waits for the primary.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Rises with each write: tells whether an entry changed while a push was on its way.
    pub revision: i64,
    /// The transaction that the entry is a part of, where others are too.
    pub joined: Option<i64>,
    /// The scope in which it waits.
    pub scope: String,
    /// The table.
    pub table: &'static Table,
    /// The row's key.
    pub key: String,
    /// Its lock version on the primary when it was last seen there; 0 where it never was.
    pub base_version: i64,
    /// The row at that version.
    pub base: Option<Values>,
    /// The row as it is wanted; `None` where it is to go.
    pub row: Option<Values>,
}

impl Entry {
    /// The columns that differ from what the primary has, but for the key and the lock version; `None`
    /// where that is not known.
    pub(crate) fn changed(&self) -> Option<Vec<&'static str>> {
        let (Some(base), Some(row)) = (&self.base, &self.row) else { return None };
        if self.base_version == 0 || self.table.policy != Policy::Versioned {
            return None;
        }
        let columns = self.table.columns.iter().zip(base.iter().zip(row));
        let changed = columns.filter(|(column, (base, row))| {
            column.name != self.table.pk && !column.lock_version && base != row
        });
        Some(changed.map(|(column, _)| column.name).collect())
    }

    /// The transaction that the entry is a part of, or is by itself.
    pub(crate) fn transaction(&self) -> i64 {
        self.joined.unwrap_or(self.revision)
    }

    /// For a row that the primary is not known to have.
    pub(crate) fn unknown(scope: &str, table: &'static Table, key: &str, row: Values) -> Self {
        Self::new(scope, table, key, 0, None, Some(row))
    }

    /// For a row of which nothing waits yet.
    fn new(
        scope: &str,
        table: &'static Table,
        key: &str,
        base_version: i64,
        base: Option<Values>,
        row: Option<Values>,
    ) -> Self {
        let (scope, key) = (scope.to_owned(), key.to_owned());
        Self { revision: 0, joined: None, scope, table, key, base_version, base, row }
    }
}

impl Session<'_> {
    /// Writes a row and queues it for the primary.
    pub fn save<R: Row>(&self, scope: &str, row: &R) -> Result<(), ReplicaError> {
        self.save_values(scope, R::TABLE, &values_of(row))
    }

    /// Writes a row and queues it for the primary.
    pub fn save_values(
        &self,
        scope: &str,
        table: &'static Table,
        values: &[Value],
    ) -> Result<(), ReplicaError> {
        let key = key_of(table, values);
        let row = Some(values.to_vec());
        let entry = match self.entry(table, key)? {
            Some(entry) => Entry { scope: scope.to_owned(), row, ..entry },
            None => {
                let base = self.values(table, key)?;
                Entry::new(scope, table, key, self.known_version(table, key)?, base, row)
            }
        };
        self.put_entry(&entry)?;
        self.put_values(table, values)
    }

    /// Deletes a row, and queues that for the primary where it may know the row. Gives whether the
    /// row was there.
    pub fn remove(
        &self,
        scope: &str,
        table: &'static Table,
        key: &str,
    ) -> Result<bool, ReplicaError> {
        let Some(values) = self.values(table, key)? else { return Ok(false) };
        if table.policy == Policy::AppendOnly && !self.is_here_alone(scope, table, key)? {
            return Err(ReplicaError::AppendOnly { table: table.name, key: key.to_owned() });
        }
        let entry = match self.entry(table, key)? {
            Some(entry) => Entry { scope: scope.to_owned(), row: None, ..entry },
            None => {
                Entry::new(scope, table, key, self.known_version(table, key)?, Some(values), None)
            }
        };
        let known = entry.base.is_some() && entry.base_version > 0;
        match known || self.is_sent(table, key)? || self.is_reading(scope)? {
            true => self.put_entry(&entry)?,
            false => {
                self.drop_entry(table, key)?;
                self.write_again_with(&entry)?;
            }
        }
        self.delete(table, key)?;
        Ok(true)
    }

    /// Counts what else is in the transaction of an entry that has gone as written now: whatever is
    /// written along with this delete belongs to it.
    fn write_again_with(&self, entry: &Entry) -> Result<(), ReplicaError> {
        let Some(joined) = entry.joined else { return Ok(()) };
        match self.entries_of(joined)?.first() {
            Some(other) => self.put_entry(other),
            None => Ok(()),
        }
    }

    /// Whether a row never left this device, such as one that the primary refused.
    fn is_here_alone(&self, scope: &str, table: &Table, key: &str) -> Result<bool, ReplicaError> {
        Ok(self.known_version(table, key)? == 0
            && self.entry(table, key)?.is_some()
            && !self.is_sent(table, key)?
            && !self.is_reading(scope)?)
    }

    /// Whether a row is part of a push whose answer is not known.
    fn is_sent(&self, table: &Table, key: &str) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_sent, json_each(entries, '$.rows') AS sent
                   WHERE sent.value->>'table' = ?1 AND sent.value->>'key' = ?2";
        Ok(self.get::<i64>(sql, params![table.name, key])?.is_some())
    }

    /// Drops what waits to be deleted and turned out to be unknown to the primary.
    pub(crate) fn drop_needless_deletes(&self, scope: &str) -> Result<(), ReplicaError> {
        // What the primary has is not known yet.
        if self.is_reading(scope)? {
            return Ok(());
        }
        for entry in self.deletes(Some(scope))?.iter().filter(|entry| entry.base_version == 0) {
            if self.is_held(entry.table, &entry.key)? {
                continue;
            }
            self.follow_delete(entry)?;
            self.drop_entry(entry.table, &entry.key)?;
        }
        Ok(())
    }

    /// Drops what waits to be written and comes to what the primary has.
    pub(crate) fn drop_unchanged(&self, scope: &str) -> Result<(), ReplicaError> {
        let entries = self.entries(scope)?.into_iter();
        for entry in entries.filter(|entry| entry.changed().is_some_and(|list| list.is_empty())) {
            self.drop_entry(entry.table, &entry.key)?;
        }
        Ok(())
    }

    /// How many rows wait to be deleted.
    pub(crate) fn waiting_deletes(&self) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_outbox WHERE row IS NULL";
        Ok(self.get(sql, [])?.unwrap_or(0))
    }

    /// What waits to be deleted in a scope, or in all.
    pub(crate) fn deletes(&self, scope: Option<&str>) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("row IS NULL AND scope = coalesce(?1, scope)", params![scope])
    }

    /// Changes the row that waits, where one does and was never sent.
    pub(crate) fn put_waiting_row(
        &self,
        table: &Table,
        key: &str,
        row: &Values,
    ) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_outbox SET row = ?3 WHERE tbl = ?1 AND pk = ?2";
        self.run(sql, params![table.name, key, list_to_wire(row)]).map(drop)
    }

    /// Puts an entry, under a new revision, in place of any for the same row.
    pub(crate) fn put_entry(&self, entry: &Entry) -> Result<(), ReplicaError> {
        self.drop_entry(entry.table, &entry.key)?;
        let base = entry.base.as_deref().map(list_to_wire);
        self.run(
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
    /// what is left of it.
    pub(crate) fn drop_entry(&self, table: &Table, key: &str) -> Result<(), ReplicaError> {
        self.retry_transaction_of(table, key)?;
        self.settle_entry(table, key)
    }

    /// Removes the entry of a row that the primary has taken.
    pub(crate) fn settle_entry(&self, table: &Table, key: &str) -> Result<(), ReplicaError> {
        self.run(
            "DELETE FROM fastest_local_outbox WHERE tbl = ?1 AND pk = ?2",
            params![table.name, key],
        )?;
        Ok(())
    }

    /// The entry of a row.
    pub fn entry(&self, table: &Table, key: &str) -> Result<Option<Entry>, ReplicaError> {
        let mut found = self.entries_where("tbl = ?1 AND pk = ?2", params![table.name, key])?;
        Ok(found.pop())
    }

    /// Everything of a scope that waits, oldest first.
    pub fn entries(&self, scope: &str) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("scope = ?1", params![scope])
    }

    /// Everything that waits, oldest first.
    pub(crate) fn all_entries(&self) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_where("1", [])
    }

    /// The parts of a transaction.
    pub(crate) fn entries_of(&self, transaction: i64) -> Result<Vec<Entry>, ReplicaError> {
        let of = "revision = ?1 AND joined IS NULL OR joined = ?1";
        self.entries_where(of, [transaction])
    }

    /// The scopes for which something waits.
    pub fn waiting_scopes(&self) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_local_outbox GROUP BY scope ORDER BY min(revision)";
        self.all(sql, [], |row| row.get(0))
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
        let raw = self.all(&sql, parameters, |row| {
            Ok((
                (row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?),
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, i64>(5)?,
                row.get::<_, Option<String>>(6)?,
                row.get::<_, Option<String>>(7)?,
            ))
        })?;
        let mut entries = Vec::with_capacity(raw.len());
        for ((revision, joined), scope, table, key, base_version, base, row) in raw {
            // A table that this build does not know was written by another one; it stays queued.
            let Some(table) = self.schema.synced_table(&table) else { continue };
            let base = base.map(|base| from_text(table, &key, &base)).transpose()?;
            let row = row.map(|row| from_text(table, &key, &row)).transpose()?;
            entries.push(Entry { revision, joined, scope, table, key, base_version, base, row });
        }
        Ok(entries)
    }

    /// The lock version of a row on the primary, as last known; 0 where it was never there.
    pub fn known_version(&self, table: &Table, key: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT version FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        Ok(self.get(sql, params![table.name, key])?.unwrap_or(0))
    }

    /// The last sequence number that the replica has seen in a scope.
    pub(crate) fn cursor(&self, scope: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT seq FROM fastest_local_cursor WHERE scope = ?1";
        Ok(self.get(sql, [scope])?.unwrap_or(0))
    }

    /// The change that the replica saw at a place of a scope: proof of what the primary once held.
    /// `None` where it holds no longer, since the row was written from here in the meantime.
    pub(crate) fn seen(&self, scope: &str, seq: i64) -> Result<Option<Seen>, ReplicaError> {
        let sql = "SELECT tbl, pk, version FROM fastest_changes WHERE scope = ?1 AND seq = ?2";
        let mut found = self.all(sql, params![scope, seq], |row| {
            Ok(Seen(row.get(0)?, row.get(1)?, row.get(2)?, seq))
        })?;
        Ok(found.pop())
    }

    /// Records what the primary holds of a row: its lock version, and where its last change
    /// stands in the scope (`None`: accepted from us, and not seen in a pull yet). Where a later version is
    /// known already, another process has pulled it meanwhile, and that stands.
    pub(crate) fn put_known(
        &self,
        scope: &str,
        (table, key): (&Table, &str),
        version: i64,
        seq: Option<i64>,
        deleted: bool,
    ) -> Result<(), ReplicaError> {
        let seq = match seq {
            Some(seq) => seq,
            // Below zero and unique: no sequence number of a primary's.
            None => {
                let sql = "SELECT min(0, min(seq)) - 1 FROM fastest_changes WHERE scope = ?1";
                self.get::<Option<i64>>(sql, [scope])?.flatten().unwrap_or(-1)
            }
        };
        self.run(
            "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(tbl, pk) DO UPDATE SET scope = excluded.scope,
               version = excluded.version, seq = excluded.seq, deleted = excluded.deleted
             WHERE excluded.version >= version",
            params![table.name, key, scope, version, seq, deleted],
        )?;
        Ok(())
    }
}

/// The values of a row that is kept as a list.
pub(crate) fn from_text(
    table: &'static Table,
    key: &str,
    text: &str,
) -> Result<Values, ReplicaError> {
    let broken = |source| ReplicaError::Row { table: table.name, key: key.to_owned(), source };
    let kinds = table.columns.iter().map(|column| column.kind);
    let values = list_from_wire(text, kinds).map_err(broken)?;
    match values.len() == table.columns.len() {
        true => Ok(values),
        false => Err(broken(serde::de::Error::invalid_length(
            values.len(),
            &"as many values as the table has columns",
        ))),
    }
}
