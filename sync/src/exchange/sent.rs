//! The statement that is on its way to the primary.
//!
//! It is recorded in `fastest_local_sent`, verbatim and with its push id, before it is sent, and
//! removed in the transaction that records the answer. If the answer is lost, the statement is sent
//! again under the same id, and the primary applies it once. A replica has at most one statement on
//! its way, which the push lock of its store, or of its database file, ensures.
//!
//! The version of a row after the push is taken from the answer and not computed, because a trigger
//! of the application may also have written to the row. Such rows are pulled at once.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::object::id::PackId;
use fastest_core::store::open::Store;
use fastest_core::store::pack::PackHasher;
use fastest_schema::tables::projects::Project;
use fastest_schema::{
    Columns, Lock, Op, PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL, Payload, Refusal, Row, RowKey,
    ScopeId, Value,
};
use serde_json::json;

use crate::error::SyncError;
use crate::exchange::accepted::{accepted, versions_in};
use crate::exchange::plan::PlannedRow;
use crate::exchange::proof::proof_of;
use crate::exchange::statement::{Sent, SentEntries, SentEntry};
use crate::remote::open::Remote;
use crate::remote::primary::{PrimaryError, STRAY_ANSWERS_MAX};
use crate::remote::statement::Statement;
use crate::replica::engine_table::EngineTable;
use crate::replica::error::ReplicaError;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::local::sent_row::{SentRow, StoredPush};
use crate::replica::open::Replica;
use crate::replica::session::Session;

/// Records that the primary has applied a statement whose answer is not known, if it has. Otherwise
/// a page with its rows would look like the work of others. Called after the page was read, and
/// before it is applied.
pub(crate) async fn recall(replica: &mut Replica, remote: &Remote) -> Result<(), SyncError> {
    let Some(sent) = on_its_way(replica)? else { return Ok(()) };
    let locks = sent.entries.locks();
    let answer = remote
        .primary
        .run(Statement::reads(PUSH_KNOWN_SQL), &[sent.push_id.as_str(), &locks])
        .await?;
    if let Some(versions) = versions_in(&answer, &sent.push_id) {
        replica.write(|session| {
            remote.check_chosen(&RemoteRow(session).get()?)?;
            Ok::<_, SyncError>(accepted(session, &sent, &versions)?)
        })?;
    }
    Ok(())
}

/// Whether the primary refused a statement because the primary lacks a table or column.
pub(crate) fn is_outdated(error: &PrimaryError) -> bool {
    matches!(error.refusal(), Some(Refusal::UnknownTable | Refusal::UnknownColumn))
}

/// Sends a statement and records its answer. Returns the scopes in which a pull has to fetch rows
/// that triggers changed.
pub(crate) async fn send(
    replica: &mut Replica,
    remote: &Remote,
    sent: &Sent,
) -> Result<BTreeSet<ScopeId>, SyncError> {
    let primary = &*remote.primary;
    let parameters = [sent.push_id.as_str(), sent.device_id.as_str(), &sent.payload];
    // A statement from an older build is sent as it was written.
    let sql = if sent.is_payload_1() { PUSH_1_SQL } else { PUSH_SQL };
    let statement = Statement::push(sql);
    for _ in 0..STRAY_ANSWERS_MAX {
        let mut versions = versions_in(&primary.run(statement, &parameters).await?, &sent.push_id);
        if versions.is_none() {
            // The push was applied before, or the answer belongs to another request.
            let locks = sent.entries.locks();
            let answer = primary
                .run(Statement::reads(PUSH_KNOWN_SQL), &[sent.push_id.as_str(), &locks])
                .await?;
            versions = versions_in(&answer, &sent.push_id);
        }
        if let Some(versions) = versions {
            // No fsync: if a crash loses this, the primary is asked again.
            return replica.write_unsynced(|session| {
                remote.check_chosen(&RemoteRow(session).get()?)?;
                Ok(accepted(session, sent, &versions)?)
            });
        }
    }
    Err(PrimaryError::stray_answer(primary).into())
}

/// Records a statement before it is sent. Returns `None` if another process has written to one of
/// its rows since they were planned.
pub(crate) fn write_down(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    rows: &[&PlannedRow],
) -> Result<Option<Sent>, SyncError> {
    let scope = &rows.first().map(|row| row.scope.clone()).unwrap_or_default();
    let mut payload = Payload::new(0);
    let mut entries = SentEntries { scope: scope.clone(), rows: Vec::new(), patch: None };
    for row in rows {
        let wire = |(name, value): (&String, &Value)| (name.clone(), value.to_wire());
        let mut columns: Columns = row.sent().map(wire).collect();
        if let (Some((from, bytes)), Some(store)) = (row.inline, store) {
            let data = inline_pack(store, &row.columns, from, bytes)?;
            columns.insert("data".into(), data.into());
        }
        add(&mut payload, row, columns);
        entries.rows.push(SentEntry {
            table: row.table.name.to_owned(),
            scope: (row.scope != *scope).then(|| row.scope.clone()),
            key: row.key.clone(),
            revision: row.revision,
            lock: row.lock,
            columns: row.columns.iter().map(wire).collect(),
            delete: row.delete,
            more: row.more,
        });
    }
    entries.patch = project_patch(replica.read(), scope, rows);
    if let Some(patch) = &entries.patch {
        // First, because the last change of a push is later used to detect a restored primary: it
        // should be a change that no other push repeats.
        let patch = Op::Patch(Project::TABLE.name.into(), RowKey::of(scope), patch.clone(), 1);
        payload.ops.insert(0, patch);
    }
    replica.write(|session| {
        remote.check_chosen(&RemoteRow(session).get()?)?;
        let planned = rows.iter().map(|row| (row.revision, row.lock)).collect();
        if !Outbox(session).has_all(&planned)? {
            return Ok(None);
        }
        let (device_id, counter) = DeviceRow(session).next_push()?;
        payload.counter = counter;
        let state = RemoteRow(session).get()?;
        (payload.epoch, payload.after, payload.mark) =
            (state.epoch, state.last_push_id, state.mark);
        payload.seen = proof_of(session, rows)?;
        let payload = serde_json::to_string(&payload).expect("a payload serialises");
        let sent = Sent { push_id: session.world.new_id().into(), device_id, payload, entries };
        SentRow(session).put(&sent.written_down())?;
        Ok::<_, SyncError>(Some(sent))
    })
}

/// Adds a row to a payload, with the columns to send.
pub(crate) fn add(payload: &mut Payload, row: &PlannedRow, columns: Columns) {
    let table = || row.table.name.to_owned();
    payload.locks.extend(row.lock.map(|lock| Lock(table(), row.key.clone(), lock)));
    // The key is taken from its column, because the parts of a pack share the entry's key.
    let key = row.columns[row.table.pk].as_str();
    let key = key.map_or_else(|| row.key.clone(), RowKey::from);
    payload.ops.push(if row.delete {
        Op::Delete(table(), key)
    } else {
        Op::Write(table(), key, columns)
    });
}

fn inline_pack(
    store: &Store,
    columns: &BTreeMap<String, Value>,
    from: u64,
    bytes: u64,
) -> Result<String, SyncError> {
    let id: PackId = columns["pack_id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("the outbox holds pack ids made here");
    let pack = store.read_pack(&id)?;
    let mut hasher = PackHasher::default();
    let is_sound = hasher.update(&pack) && hasher.id() == id;
    let part = pack.get(from as usize..(from + bytes) as usize).filter(|_| is_sound);
    let damaged = || fastest_core::object::error::StoreError::DamagedPack {
        path: store.pack_path(&id),
        what: "its bytes are not those that its id stands for; run `fastest doctor --mend`",
    };
    Ok(STANDARD.encode(part.ok_or_else(damaged)?))
}

/// Returns the patch that moves the project's newest snapshot along with the heads; `None` if no
/// head moves, or the project's own row is sent. It is a patch because otherwise the pushes of all
/// workspaces would race for the project's lock.
fn project_patch(session: Session<'_>, scope: &ScopeId, rows: &[&PlannedRow]) -> Option<Columns> {
    let of = |own: EngineTable| {
        rows.iter().filter(move |row| session.engine_table(row.table) == Some(own) && !row.delete)
    };
    let has_project = of(EngineTable::Project).next().is_some();
    let heads = of(EngineTable::Workspace);
    let head = heads.filter_map(|row| row.columns["current_snapshot_id"].as_str()).max()?;
    let updated_at = session.world.now_text();
    let patch = json!({ "id": scope, "last_snapshot_id": head, "updated_at": updated_at });
    match patch {
        serde_json::Value::Object(patch) if !has_project => Some(patch),
        _ => None,
    }
}

/// Returns the statement whose answer is not known.
pub(crate) fn on_its_way(replica: &Replica) -> Result<Option<Sent>, ReplicaError> {
    let Some(StoredPush { push_id, device_id, payload, entries }) =
        SentRow(replica.read()).get()?
    else {
        return Ok(None);
    };
    let entries = serde_json::from_str(&entries).map_err(|source| {
        let table = "fastest_local_sent";
        ReplicaError::Row { table, key: RowKey::of(&push_id), source: source.into() }
    })?;
    Ok(Some(Sent { push_id, device_id, payload, entries }))
}
