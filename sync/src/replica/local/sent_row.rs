//! The push that is on its way to the primary: the table `fastest_local_sent`.

use fastest_schema::{DeviceId, PushId, RowKey, Table};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The one push whose answer is not known. It is stored verbatim, so that it can be repeated.
#[derive(Clone, Copy)]
pub(crate) struct SentRow<'a>(pub(crate) Session<'a>);

/// A push statement as it is stored.
#[derive(Debug)]
pub(crate) struct StoredPush {
    pub(crate) push_id: PushId,
    /// The device id under which it was sent.
    pub(crate) device_id: DeviceId,
    /// The payload, as JSON.
    pub(crate) payload: String,
    /// The rows of the push, which are needed to record the answer, as JSON.
    pub(crate) entries: String,
}

impl SentRow<'_> {
    /// Stores a statement, before it is sent.
    pub(crate) fn put(&self, sent: &StoredPush) -> Result<(), ReplicaError> {
        let StoredPush { push_id, device_id, payload, entries } = sent;
        let sql = "INSERT INTO fastest_local_sent(one, push_id, device_id, payload, entries)
                   VALUES (1, ?1, ?2, ?3, ?4)";
        self.0.run(sql, params![push_id, device_id, payload, entries]).map(drop)
    }

    /// Returns the statement whose answer is not known.
    pub(crate) fn get(&self) -> Result<Option<StoredPush>, ReplicaError> {
        let sql = "SELECT push_id, device_id, payload, entries FROM fastest_local_sent";
        let mut found = self.0.all(sql, [], |row| {
            Ok(StoredPush {
                push_id: row.get(0)?,
                device_id: row.get(1)?,
                payload: row.get(2)?,
                entries: row.get(3)?,
            })
        })?;
        Ok(found.pop())
    }

    /// Whether there is a statement whose answer is not known.
    pub(crate) fn is_there(&self) -> Result<bool, ReplicaError> {
        Ok(self.0.get::<i64>("SELECT 1 FROM fastest_local_sent", [])?.is_some())
    }

    /// Whether a row is part of a statement whose answer is not known.
    pub(crate) fn holds(&self, table: &Table, key: &RowKey) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_sent, json_each(entries, '$.rows') AS sent
                   WHERE sent.value->>'table' = ?1 AND sent.value->>'key' = ?2";
        Ok(self.0.get::<i64>(sql, params![table.name, key])?.is_some())
    }

    /// Forgets a statement that was answered. Returns false if another process has recorded the
    /// answer first.
    pub(crate) fn take(&self, push_id: &PushId) -> Result<bool, ReplicaError> {
        Ok(self.0.run("DELETE FROM fastest_local_sent WHERE push_id = ?1", [push_id])? > 0)
    }

    /// Forgets the statement without an answer. Its rows are still in the outbox.
    pub(crate) fn void(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_sent", []).map(drop)
    }
}
