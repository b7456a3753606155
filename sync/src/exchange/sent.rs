//! A statement on its way to the primary.
//!
//! It is written down in `fastest_local_sent`, word for word with its push id, before it is sent, and
//! taken out in the transaction that records the answer. So an answer that is lost is asked for again
//! under the same id, which the primary applies once. One is on its way at a time from a device: the
//! push lock of its store, or file, sees to that.
//!
//! What version a row came to is learned from the answer, and not computed: a trigger of the
//! application's may have written to it as well. Such rows are pulled at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::id::PackId;
use fastest_core::pack::PackHasher;
use fastest_core::store::Store;
use fastest_schema::projects::Project;
use fastest_schema::value::{Misfit, ValueError};
use fastest_schema::{
    Columns, Lock, Op, PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL, Payload, Policy, Refusal, Row, Schema,
    Seen, Table, Value,
};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::base::clock;
use crate::error::SyncError;
use crate::exchange::plan::PlannedRow;
use crate::remote::open::Remote;
use crate::remote::primary::{PrimaryError, Rows, STRAY_ANSWERS_MAX};
use crate::remote::state::RemoteState;
use crate::replica::error::ReplicaError;
use crate::replica::open::Replica;
use crate::replica::outbox::Entry;
use crate::replica::own::Own;
use crate::replica::session::Session;
use crate::replica::values::Values;

/// A statement on its way.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) push_id: String,
    device_id: String,
    pub(crate) payload: String,
    entries: SentEntries,
}

/// What a statement carries, for when its answer comes.
#[derive(Debug, Serialize, Deserialize)]
struct SentEntries {
    /// That of the first row, and of all those that name none.
    scope: String,
    rows: Vec<SentRow>,
    /// The project's columns that were patched.
    patch: Option<Columns>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SentRow {
    table: String,
    /// Its scope, where the statement has rows of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The key in the outbox, which differs for the later parts of a pack.
    key: String,
    revision: i64,
    lock: Option<i64>,
    /// The whole row, whatever of it was sent.
    columns: Columns,
    /// Whether the row goes.
    #[serde(default)]
    delete: bool,
    /// Whether rows of the same entry follow in another statement.
    more: bool,
}

/// Resends a statement whose answer was lost, if there is one. Returns how many were resent, and whether
/// in which scopes a pull has to fetch rows that triggers changed. If the primary has lost a table or column that the
/// statement names, the statement is dropped and its rows are planned again.
pub(crate) async fn resend(
    replica: &mut Replica,
    remote: &Remote,
) -> Result<(usize, BTreeSet<String>), SyncError> {
    let (mut count, mut learned) = (0, BTreeSet::new());
    if let Some(sent) = replica.read().sent()? {
        match send(replica, remote, &sent).await {
            Err(SyncError::Primary(error)) if is_outdated(&error) => {
                replica.write(|session| session.void_sent())?;
            }
            sent => {
                learned.extend(sent?);
                count += 1;
            }
        }
    }
    Ok((count, learned))
}

/// Records a statement whose answer is not known, where the primary has applied it: else a page that
/// brings its rows would pass for what others wrote. Asked for after the page was read.
pub(crate) async fn recall(replica: &mut Replica, remote: &Remote) -> Result<(), SyncError> {
    let Some(sent) = replica.read().sent()? else { return Ok(()) };
    let locks = sent.entries.locks();
    let answer = remote.primary.run(PUSH_KNOWN_SQL, &[&sent.push_id, &locks]).await?;
    if let Some(versions) = versions(&answer, &sent.push_id) {
        replica.write(|session| {
            remote.check_chosen(&session.remote()?)?;
            Ok::<_, SyncError>(session.accepted(&sent, &versions)?)
        })?;
    }
    Ok(())
}

/// Whether a primary has refused a statement for its tables or columns.
fn is_outdated(error: &PrimaryError) -> bool {
    matches!(error.refusal(), Some(Refusal::UnknownTable | Refusal::UnknownColumn))
}

/// Sends a statement and records its answer. Returns the scopes in which a pull has to fetch rows
/// that triggers changed.
pub(crate) async fn send(
    replica: &mut Replica,
    remote: &Remote,
    sent: &Sent,
) -> Result<BTreeSet<String>, SyncError> {
    let primary = &*remote.primary;
    let parameters = [sent.push_id.as_str(), &sent.device_id, &sent.payload];
    // Written down by an older build, it goes as it was.
    let sql = if sent.is_payload_1() { PUSH_1_SQL } else { PUSH_SQL };
    for _ in 0..STRAY_ANSWERS_MAX {
        let mut versions = versions(&primary.run(sql, &parameters).await?, &sent.push_id);
        if versions.is_none() {
            // It was applied before, or this belongs to something else.
            let locks = sent.entries.locks();
            let answer = primary.run(PUSH_KNOWN_SQL, &[&sent.push_id, &locks]).await?;
            versions = self::versions(&answer, &sent.push_id);
        }
        if let Some(versions) = versions {
            // Lost in a crash, it is asked for again.
            return replica.write_soon(|session| {
                remote.check_chosen(&session.remote()?)?;
                Ok(session.accepted(sent, &versions)?)
            });
        }
    }
    Err(PrimaryError::stray_answer(primary).into())
}

/// A row whose version is another than its lock's plus one: table, key, version, and whether it is
/// gone.
#[derive(Debug, Deserialize)]
struct Version(String, String, i64, i64);

/// The rows that an answer names, if it is that to the push of this id.
fn versions(answer: &Rows, push_id: &str) -> Option<Vec<Version>> {
    match &answer[..] {
        [row] => match &row[..] {
            [Some(id), Some(list)] if id == push_id => serde_json::from_str(list).ok(),
            _ => None,
        },
        _ => None,
    }
}

impl Sent {
    /// Whether an older build has written it down.
    fn is_payload_1(&self) -> bool {
        #[derive(Deserialize)]
        struct Head {
            v: i64,
        }
        serde_json::from_str::<Head>(&self.payload).is_ok_and(|head| head.v == 1)
    }
}

impl Sent {
    /// Its locks, as JSON.
    pub(crate) fn locks(&self) -> String {
        self.entries.locks()
    }

    /// The scopes in which its rows wait.
    pub(crate) fn scopes(&self) -> BTreeSet<String> {
        let SentEntries { scope, rows, .. } = &self.entries;
        rows.iter().map(|row| row.scope.as_ref().unwrap_or(scope).clone()).collect()
    }

    /// The scope in which one of its rows waits.
    pub(crate) fn scope_of(&self, table: &str, key: &str) -> Option<&String> {
        let SentEntries { scope, rows, .. } = &self.entries;
        let row = rows.iter().find(|row| row.table == table && row.key == key)?;
        Some(row.scope.as_ref().unwrap_or(scope))
    }
}

impl SentEntries {
    /// The locks of the statement, as JSON.
    fn locks(&self) -> String {
        let locks = self.rows.iter().filter_map(|row| Some((&row.table, &row.key, row.lock?)));
        serde_json::to_string(&locks.collect::<Vec<_>>()).expect("texts and numbers serialise")
    }
}

/// Writes down a statement before it is sent. Returns `None` if another process has written to one of
/// its rows since they were planned.
pub(crate) fn write_down(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    rows: &[&PlannedRow],
) -> Result<Option<Sent>, SyncError> {
    let scope = rows.first().map(|row| row.scope.as_str()).unwrap_or_default();
    let mut payload = Payload::new(0);
    let mut entries = SentEntries { scope: scope.to_owned(), rows: Vec::new(), patch: None };
    for row in rows {
        let wire = |(name, value): (&String, &Value)| (name.clone(), value.to_wire());
        let mut columns: Columns = row.sent().map(wire).collect();
        if let (Some((from, bytes)), Some(store)) = (row.inline, store) {
            let data = inline_pack(store, &row.columns, from, bytes)?;
            columns.insert("data".into(), data.into());
        }
        add(&mut payload, row, columns);
        entries.rows.push(SentRow {
            table: row.table.name.to_owned(),
            scope: (row.scope != scope).then(|| row.scope.clone()),
            key: row.key.clone(),
            revision: row.revision,
            lock: row.lock,
            columns: row.columns.iter().map(wire).collect(),
            delete: row.delete,
            more: row.more,
        });
    }
    entries.patch = project_patch(replica.schema(), scope, rows);
    if let Some(patch) = &entries.patch {
        // First: the last change of a push should be one that no other push makes again, for it is by
        // that that a restored primary is found out.
        let patch = Op::Patch(Project::TABLE.name.into(), scope.to_owned(), patch.clone(), 1);
        payload.ops.insert(0, patch);
    }
    replica.write(|session| {
        remote.check_chosen(&session.remote()?)?;
        if !session.are_as_planned(rows)? {
            return Ok(None);
        }
        let (device_id, counter) = session.next_push()?;
        payload.counter = counter;
        let state = session.remote()?;
        (payload.epoch, payload.after) = (state.epoch, state.last_push_id);
        payload.seen = session.proof(rows)?;
        let payload = serde_json::to_string(&payload).expect("a payload serialises");
        let sent = Sent { push_id: clock::new_id(), device_id, payload, entries };
        session.run(
            "INSERT INTO fastest_local_sent(one, push_id, device_id, payload, entries)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![
                sent.push_id,
                sent.device_id,
                sent.payload,
                serde_json::to_string(&sent.entries).expect("entries serialise"),
            ],
        )?;
        Ok::<_, SyncError>(Some(sent))
    })
}

/// Adds a row to a payload, with the columns to send.
pub(crate) fn add(payload: &mut Payload, row: &PlannedRow, columns: Columns) {
    let table = || row.table.name.to_owned();
    payload.locks.extend(row.lock.map(|lock| Lock(table(), row.key.clone(), lock)));
    // The parts of a pack have keys of their own.
    let key = row.columns[row.table.pk].as_str().unwrap_or(&row.key).to_owned();
    payload.ops.push(match row.delete {
        true => Op::Delete(table(), key),
        false => Op::Write(table(), key, columns),
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
    let damaged = || fastest_core::store::StoreError::DamagedPack {
        path: store.pack_path(&id),
        what: "its bytes are not those that its id stands for; run `fastest doctor --mend`",
    };
    Ok(STANDARD.encode(part.ok_or_else(damaged)?))
}

/// Where heads move, the project's newest snapshot does too: a patch, since every push of every
/// workspace would otherwise race for the project's lock.
fn project_patch(schema: &Schema, scope: &str, rows: &[&PlannedRow]) -> Option<Columns> {
    let of = |own: Own| {
        rows.iter().filter(move |row| Own::of(schema, row.table) == Some(own) && !row.delete)
    };
    let has_project = of(Own::Project).next().is_some();
    let heads = of(Own::Workspace);
    let head = heads.filter_map(|row| row.columns["current_snapshot_id"].as_str()).max()?;
    let patch = json!({ "id": scope, "last_snapshot_id": head, "updated_at": clock::now() });
    match patch {
        serde_json::Value::Object(patch) if !has_project => Some(patch),
        _ => None,
    }
}

impl Session<'_> {
    /// What was seen last in each of these scopes, as JSON: a list of a scope and a change each.
    pub(crate) fn seen_list(&self, scopes: &[String]) -> Result<String, ReplicaError> {
        let mut list = Vec::new();
        for scope in scopes {
            let seen = self.seen(scope, self.cursor(scope)?)?;
            list.extend(seen.map(|seen| (scope, seen)));
        }
        Ok(serde_json::to_string(&list).expect("texts and numbers serialise"))
    }

    /// The statement whose answer is not known.
    fn sent(&self) -> Result<Option<Sent>, ReplicaError> {
        let sql = "SELECT push_id, device_id, payload, entries FROM fastest_local_sent";
        let mut found = self.all(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
        })?;
        let Some((push_id, device_id, payload, entries)) = found.pop() else { return Ok(None) };
        let entries = serde_json::from_str(&entries).map_err(|source| {
            let table = "fastest_local_sent";
            ReplicaError::Row { table, key: String::clone(&push_id), source: source.into() }
        })?;
        Ok(Some(Sent { push_id, device_id, payload, entries }))
    }

    /// Forgets the statement that was on its way: the primary has said that it applied nothing.
    pub(crate) fn void_sent(&self) -> Result<(), ReplicaError> {
        self.run("DELETE FROM fastest_local_sent", []).map(drop)
    }

    /// The device's id, and its count of pushes with this one.
    fn next_push(&self) -> Result<(String, i64), ReplicaError> {
        self.run("UPDATE fastest_local_device SET counter = counter + 1", [])?;
        self.counter()
    }

    /// The device's id, and its count of pushes so far.
    pub(crate) fn counter(&self) -> Result<(String, i64), ReplicaError> {
        let sql = "SELECT device_id, counter FROM fastest_local_device";
        let mut found = self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.pop().expect("the device has its row since the replica was made"))
    }

    /// Whether the entries of these rows are those that were planned.
    fn are_as_planned(&self, rows: &[&PlannedRow]) -> Result<bool, ReplicaError> {
        // A row that is written again has another revision, and none has that of another.
        let revisions: BTreeSet<i64> = rows.iter().map(|row| row.revision).collect();
        let list = serde_json::to_string(&revisions).expect("numbers serialise");
        let sql = "SELECT count(*) FROM json_each(?1) AS planned
                   JOIN fastest_local_outbox AS waiting ON waiting.revision = planned.value";
        let found: i64 = self.get(sql, [list])?.unwrap_or(0);
        Ok(found == revisions.len() as i64)
    }

    /// What the primary was seen to hold in one of the scopes of these rows, the first that has any.
    /// Of the others, it was asked before ([`Session::seen_list`]).
    fn proof(&self, rows: &[&PlannedRow]) -> Result<Option<Seen>, ReplicaError> {
        let mut asked: Option<&str> = None;
        for row in rows {
            if asked.replace(&row.scope) == Some(&row.scope) {
                continue;
            }
            if let Some(seen) = self.seen(&row.scope, self.cursor(&row.scope)?)? {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    /// Records that the primary has applied a statement, with the versions that it reported. Returns
    /// the scopes in which a pull has to fetch rows that triggers changed.
    fn accepted(
        &self,
        sent: &Sent,
        versions: &[Version],
    ) -> Result<BTreeSet<String>, ReplicaError> {
        let SentEntries { scope, rows, patch } = &sent.entries;
        let sql = "DELETE FROM fastest_local_sent WHERE push_id = ?1";
        if self.run(sql, [&sent.push_id])? == 0 {
            // Another process was told meanwhile.
            return Ok(BTreeSet::new());
        }
        let named: HashMap<(&str, &str), &Version> =
            versions.iter().map(|version| ((&*version.0, &*version.1), version)).collect();
        let mut learned = BTreeSet::new();
        for row in rows {
            let Some(table) = self.schema.synced_table(&row.table) else { continue };
            let named = named.get(&(&*row.table, &*row.key)).filter(|_| row.lock.is_some());
            let scope = row.scope.as_ref().unwrap_or(scope);
            if self.accepted_row(scope, table, row, named.copied())? {
                learned.insert(scope.clone());
            }
        }
        if let Some(patch) = patch {
            let text = |name: &str| patch.get(name).and_then(serde_json::Value::as_str);
            self.run(
                "UPDATE projects SET last_snapshot_id = ?2, updated_at = ?3 WHERE id = ?1",
                params![scope, text("last_snapshot_id"), text("updated_at")],
            )?;
        }
        let last_push_id = Some(sent.push_id.clone());
        self.put_remote(&RemoteState { last_push_id, ..self.remote()? })?;
        Ok(learned)
    }

    fn accepted_row(
        &self,
        scope: &str,
        table: &'static Table,
        row: &SentRow,
        named: Option<&Version>,
    ) -> Result<bool, ReplicaError> {
        let next = row.lock.map_or(1, |lock| lock + 1);
        let (version, learned) = match named {
            None => (next, false),
            // It was gone before, and stayed so.
            Some(Version(_, _, version, 1)) if row.delete => (*version, false),
            // Our own write made the next version, and what is here is that one. The pull that follows
            // finds what was made of it since.
            Some(_) => (next, true),
        };
        // What was written down before the table's columns changed may lack this one.
        let key = row.columns.get(table.pk).and_then(|key| key.as_str()).unwrap_or(&row.key);
        self.put_known(scope, (table, key), version, None, row.delete && !learned)?;
        if let Some(column) = table.lock_version()
            && self.known_version(table, key)? == version
        {
            let sql = format!(
                "UPDATE `{}` SET `{}` = ?2 WHERE `{}` = ?1",
                table.name, column.name, table.pk
            );
            self.run(&sql, params![key, version])?;
        }
        match self.entry(table, &row.key)? {
            Some(entry) if entry.revision == row.revision && row.more => {}
            Some(entry) if entry.revision == row.revision => {
                if row.delete {
                    self.follow_delete(&entry)?;
                }
                self.settle_entry(table, &row.key)?;
            }
            // Written again meanwhile: what was accepted is its new base.
            Some(entry) if table.policy == Policy::Versioned => {
                let base = (!row.delete).then(|| sent_values(table, row, version)).transpose()?;
                self.put_entry(&Entry { base_version: version, base, ..entry })?;
            }
            _ => {}
        }
        Ok(learned)
    }
}

/// The row that was sent, with the lock version that the primary gave it.
fn sent_values(table: &'static Table, row: &SentRow, version: i64) -> Result<Values, ReplicaError> {
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
