//! A statement on its way, with the rows that are needed to record its answer.
//!
//! The rows are kept as JSON in `fastest_local_sent`, and later builds must be able to read them.

use std::collections::BTreeSet;

use fastest_schema::{Columns, DeviceId, Pack, PushId, Row, RowKey, ScopeId};
use serde::{Deserialize, Serialize};
use serde_json::Value as JsonValue;

use crate::replica::local::sent_row::StoredPush;

/// A statement on its way.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) push_id: PushId,
    pub(crate) device_id: DeviceId,
    pub(crate) payload: String,
    pub(crate) entries: SentEntries,
}

/// The rows of a statement, kept until its answer is recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SentEntries {
    /// The scope of the first row, and of all rows whose own scope is `None`.
    pub(crate) scope: ScopeId,
    pub(crate) rows: Vec<SentEntry>,
    /// The patched columns of the project, with their values.
    pub(crate) patch: Option<Columns>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SentEntry {
    pub(crate) table: String,
    /// The row's scope, if it differs from the statement's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<ScopeId>,
    /// The key in the outbox. For the later parts of a pack, it differs from the row's key.
    pub(crate) key: RowKey,
    pub(crate) revision: i64,
    pub(crate) lock: Option<i64>,
    /// The whole row, even if only some of its columns were sent.
    pub(crate) columns: Columns,
    /// Whether the row is deleted.
    #[serde(default)]
    pub(crate) delete: bool,
    /// Whether more rows of the same entry follow: the parts of a pack.
    pub(crate) more: bool,
}

impl Sent {
    /// Returns the statement in the form in which the replica keeps it.
    pub(crate) fn written_down(&self) -> StoredPush {
        StoredPush {
            push_id: self.push_id.clone(),
            device_id: self.device_id.clone(),
            payload: self.payload.clone(),
            entries: serde_json::to_string(&self.entries).expect("entries serialise"),
        }
    }

    /// Whether an older build recorded the statement, with version 1 of the payload.
    pub(crate) fn is_payload_1(&self) -> bool {
        #[derive(Deserialize)]
        struct Head {
            v: i64,
        }
        serde_json::from_str::<Head>(&self.payload).is_ok_and(|head| head.v == 1)
    }
}

impl Sent {
    /// Returns the locks of its rows as a JSON list of `[table, key, version]`.
    pub(crate) fn locks(&self) -> String {
        self.entries.locks()
    }

    /// Returns the ids of its packs of more than `bytes_max` bytes.
    pub(crate) fn packs_over(&self, bytes_max: u64) -> Vec<String> {
        let is_pack = |row: &&SentEntry| row.table == Pack::TABLE.name && !row.delete;
        let number = |row: &SentEntry, name| row.columns.get(name).and_then(JsonValue::as_u64);
        let packs = self.entries.rows.iter().filter(is_pack);
        let large = packs.filter(|row| number(row, "bytes").is_some_and(|bytes| bytes > bytes_max));
        let id = |row: &SentEntry| Some(row.columns.get("pack_id")?.as_str()?.to_owned());
        large.filter_map(id).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the scopes in which its rows are queued.
    pub(crate) fn scopes(&self) -> BTreeSet<ScopeId> {
        let SentEntries { scope, rows, .. } = &self.entries;
        rows.iter().map(|row| row.scope.as_ref().unwrap_or(scope).clone()).collect()
    }

    /// Returns the scope in which one of its rows is queued; `None` if it has no such row.
    pub(crate) fn scope_of(&self, table: &str, key: &RowKey) -> Option<&ScopeId> {
        let SentEntries { scope, rows, .. } = &self.entries;
        let row = rows.iter().find(|row| row.table == table && row.key == *key)?;
        Some(row.scope.as_ref().unwrap_or(scope))
    }
}

impl SentEntries {
    /// Returns the locks of the statement's rows as a JSON list of `[table, key, version]`.
    pub(crate) fn locks(&self) -> String {
        let locks = self.rows.iter().filter_map(|row| Some((&row.table, &row.key, row.lock?)));
        serde_json::to_string(&locks.collect::<Vec<_>>()).expect("texts and numbers serialise")
    }
}
