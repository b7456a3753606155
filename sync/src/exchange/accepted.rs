//! Records in the replica that the primary has applied a statement.

use std::collections::{BTreeSet, HashMap};

use fastest_schema::value::sql_value::ValueError;
use fastest_schema::value::wire::Misfit;
use fastest_schema::{Policy, PushId, RowKey, ScopeId, Table, Value};
use rusqlite::params;
use serde::Deserialize;

use crate::exchange::statement::{Sent, SentEntries, SentEntry};
use crate::remote::primary::Rows;
use crate::remote::state::RemoteState;
use crate::replica::error::ReplicaError;
use crate::replica::local::known::Known;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::local::sent_row::SentRow;
use crate::replica::session::Session;
use crate::replica::values::Values;
use crate::rows::deletes::Deletes;

/// A row whose version is not its lock's plus one: table, key, version, and 1 if it is deleted.
#[derive(Debug, Deserialize)]
pub(super) struct Version(String, String, i64, i64);

/// Returns the rows that an answer names, or `None` if it does not answer the push of this id.
pub(super) fn versions_in(answer: &Rows, push_id: &PushId) -> Option<Vec<Version>> {
    match &answer[..] {
        [row] => match &row[..] {
            [Some(id), Some(list)] if push_id == id.as_str() => serde_json::from_str(list).ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Records that the primary has applied a statement, with the versions that it reported. Returns
/// the scopes in which a pull has to fetch rows that triggers changed.
pub(super) fn accepted(
    session: Session<'_>,
    sent: &Sent,
    versions: &[Version],
) -> Result<BTreeSet<ScopeId>, ReplicaError> {
    let SentEntries { scope, rows, patch } = &sent.entries;
    if !SentRow(session).take(&sent.push_id)? {
        // Another process has recorded the answer meanwhile.
        return Ok(BTreeSet::new());
    }
    let named: HashMap<(&str, &str), &Version> =
        versions.iter().map(|version| ((&*version.0, &*version.1), version)).collect();
    let mut learned = BTreeSet::new();
    for row in rows {
        let Some(table) = session.schema.synced_table(&row.table) else { continue };
        let named = named.get(&(&*row.table, row.key.as_str())).filter(|_| row.lock.is_some());
        let scope = row.scope.as_ref().unwrap_or(scope);
        if accepted_row(session, scope, table, row, named.copied())? {
            learned.insert(scope.clone());
        }
    }
    if let Some(patch) = patch {
        let text = |name: &str| patch.get(name).and_then(serde_json::Value::as_str);
        session.run(
            "UPDATE projects SET last_snapshot_id = ?2, updated_at = ?3 WHERE id = ?1",
            params![scope, text("last_snapshot_id"), text("updated_at")],
        )?;
    }
    let last_push_id = Some(sent.push_id.clone());
    RemoteRow(session).put(&RemoteState { last_push_id, ..RemoteRow(session).get()? })?;
    Ok(learned)
}

fn accepted_row(
    session: Session<'_>,
    scope: &ScopeId,
    table: &'static Table,
    row: &SentEntry,
    named: Option<&Version>,
) -> Result<bool, ReplicaError> {
    let next = row.lock.map_or(1, |lock| lock + 1);
    let (version, learned) = match named {
        None => (next, false),
        // The row was deleted before this push, and still is.
        Some(Version(_, _, version, 1)) if row.delete => (*version, false),
        // Our write made version `next`, which the replica holds. The pull that follows fetches the
        // later writes.
        Some(_) => (next, true),
    };
    // A statement from before the table's columns changed may lack the key's column.
    let key = row.columns.get(table.pk).and_then(|key| key.as_str());
    let key = &key.map_or_else(|| row.key.clone(), RowKey::from);
    // The delete of a row that a primary that went back did not have left nothing there.
    if !(row.delete && row.lock == Some(0) && named.is_none()) {
        Known(session).put(scope, (table, key), version, None, row.delete && !learned)?;
    }
    if let Some(column) = table.lock_version()
        && Known(session).version(table, key)? == version
    {
        let sql =
            format!("UPDATE `{}` SET `{}` = ?2 WHERE `{}` = ?1", table.name, column.name, table.pk);
        session.run(&sql, params![key, version])?;
    }
    match Outbox(session).entry(table, &row.key)? {
        Some(entry) if entry.revision == row.revision && row.more => {}
        Some(entry) if entry.revision == row.revision => {
            if row.delete {
                Deletes(session).follow(&entry)?;
            }
            Outbox(session).settle(table, &row.key)?;
        }
        // The row was written again meanwhile, so the accepted values become the base of its entry.
        Some(entry) if table.policy == Policy::Versioned => {
            let base = (!row.delete).then(|| sent_values(table, row, version)).transpose()?;
            Outbox(session).put(&Entry { base_version: version, base, ..entry })?;
        }
        _ => {}
    }
    Ok(learned)
}

/// Returns the whole row that was sent, with the lock version that the primary assigned.
fn sent_values(
    table: &'static Table,
    row: &SentEntry,
    version: i64,
) -> Result<Values, ReplicaError> {
    let value = |column: &fastest_schema::Column| match row.columns.get(column.name) {
        _ if column.lock_version => Ok(version.into()),
        Some(json) => Value::from_wire(json.clone(), column.kind),
        None if column.name == table.pk => Ok(row.key.as_str().into()),
        None => Ok(Value::Null),
    };
    let values: Result<Values, Misfit> = table.columns.iter().map(value).collect();
    values.map_err(|source| {
        let source = ValueError::from(source);
        ReplicaError::Row { table: table.name, key: row.key.clone(), source }
    })
}
