//! Push: carries out a plan, one statement after the other.
//!
//! Each statement is written down in `fastest_local_sent`, word for word with its push id, before
//! it is sent, and taken out in the transaction that records the answer. So an answer that is lost
//! is asked for again under the same id, which the primary applies once. One push is on its way at
//! a time from a device: the push lock of its store sees to that.
//!
//! What version a row came to is learned from the answer, and not computed: a trigger of the
//! application's may have written to it as well. Such rows are pulled at once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::id::PackId;
use fastest_core::store::Store;
use fastest_schema::auth::User;
use fastest_schema::projects::Project;
use fastest_schema::value::{Misfit, ValueError};
use fastest_schema::{
    Columns, Lock, Op, PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL, Payload, Policy, Refusal, Row, Schema,
    Table, Value,
};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::debug;

use crate::children::yield_to_unseen;
use crate::clock;
use crate::dag::Parents;
use crate::error::SyncError;
use crate::outbox::Entry;
use crate::own::Own;
use crate::packs::{owner, upload};
use crate::primary::{PrimaryError, Rows, STRAY_ANSWERS_MAX};
use crate::pull::{Pulled, forget, pull_scope};
use crate::push_plan::{PlannedRow, plan};
use crate::referrers;
use crate::remote::{Remote, RemoteState, check_not_newer, lacked, migrate, set_up};
use crate::replica::{Replica, ReplicaError, Session, Values};
use crate::waiting;

/// Lost races after which a push gives up; each is lost to a push that got through.
const ATTEMPTS_MAX: u32 = 50;

/// Conflicts in a row for which a pull finds no cause, after which the primary is read anew.
const UNEXPLAINED_MAX: u32 = 2;

/// What a push did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Workspaces whose head on the primary is not behind ours: they wait for a merge.
    pub diverged: Vec<String>,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// Whether this device was found to be a copy of another, and is one of its own from here on.
    pub new_device: bool,
    /// The last migration of the primary, as far as it was asked, where this build has newer ones.
    pub behind: Option<String>,
}

/// Sends everything of `scope` that waits, but for heads that need a merge first.
pub async fn push_scope(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &str,
    locks_dir: &Path,
) -> Result<Pushed, SyncError> {
    let path = locks_dir.join("push");
    let _lock = waiting::lock(&path, "the store's turn to push")?;
    push_alone(replica, Some(store), remote, scope).await
}

/// The same for a replica with or without packs, where the caller sees to it that no other push
/// from it is on its way.
pub(crate) async fn push_alone(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &str,
) -> Result<Pushed, SyncError> {
    let mut met = Pushed::default();
    let mut asked = false;
    if replica.read().remote()?.epoch.is_none() || replica.read().is_reading(scope)? {
        // First contact, or a look that was not finished: learn what it has.
        met.learn(&pull_scope(replica, store, remote, scope).await?);
        asked = true;
    } else {
        check_not_newer(&*remote.primary, replica.schema()).await?;
    }
    let (mut attempts, mut unexplained, mut forgotten) = (0, 0, false);
    let mut has_learned = false;
    loop {
        let sent = push_once(replica, store, remote, scope).await;
        has_learned |= matches!(sent, Ok(Sending { learned: true, .. }));
        let error = match sent {
            // The deletes that it waited for may have been accepted.
            Ok(Sending { held: true, statements: 1.., .. }) => continue,
            Ok(Sending { diverged, .. }) if has_learned => {
                met.learn(&pull_scope(replica, store, remote, scope).await?);
                return Ok(Pushed { diverged, ..met });
            }
            Ok(Sending { diverged, statements, .. }) if asked || statements > 0 => {
                return Ok(Pushed { diverged, ..met });
            }
            Ok(_) => {
                // Nothing to say: whether the primary still has it all is worth a question.
                met.learn(&pull_scope(replica, store, remote, scope).await?);
                asked = true;
                continue;
            }
            Err(SyncError::Primary(error)) => error,
            Err(error) => return Err(error),
        };
        debug!(scope, %error, attempts, "a push was not accepted");
        match recovery(&error) {
            Some(_) if attempts == ATTEMPTS_MAX => return Err(SyncError::Contended { attempts }),
            Some(Recovery::Migrate) => match set_up(&*remote.primary, replica.schema()).await {
                // The one inside the store has no other devices, which an upgrade would shut out.
                Err(PrimaryError::Behind { .. })
                    if remote.chosen.is_none() && replica.schema().is_fastest() =>
                {
                    migrate(&*remote.primary, replica.schema()).await?;
                }
                is_set_up => is_set_up?,
            },
            Some(Recovery::NewDevice) => {
                met.new_device = true;
                replica.write(|session| session.become_new_device())?;
            }
            Some(Recovery::Forget) if !forgotten => {
                // Of another version, it knows what was seen by another name.
                check_level(replica, remote).await?;
                (forgotten, met.primary_went_back) = (true, true);
                forget(replica, remote)?;
            }
            Some(Recovery::Pull | Recovery::Complete) => {}
            // What will never be taken must not stand before all that comes after.
            None if matches!(error, PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) => {
                replica.write(|session| session.run("DELETE FROM fastest_local_sent", []))?;
                return Err(error.into());
            }
            Some(Recovery::Forget) | None => return Err(error.into()),
        }
        // The primary has said that it applied nothing.
        replica.write(|session| session.run("DELETE FROM fastest_local_sent", []))?;
        attempts += 1;
        asked = true;
        let mut pulled = pull_scope(replica, store, remote, scope).await?;
        if !replica.schema().is_fastest() {
            for left in replica.read().scopes_left(scope)? {
                pulled.changes += pull_scope(replica, store, remote, &left).await?.changes;
            }
        }
        met.learn(&pulled);
        // A lost race brings what won it. Where nothing comes, time and again, something is amiss
        // that only a full look can find.
        let explained = pulled.changes > 0
            || pulled.primary_went_back
            || yield_to_unseen(replica, &*remote.primary, scope).await?;
        unexplained = if explained { 0 } else { unexplained + 1 };
        let lacks_rows = lacks_rows(&error);
        if lacks_rows && let Err(error) = give_up(replica, scope, error, explained, forgotten) {
            return Err(referrers::explained(replica, &*remote.primary, scope, error).await);
        }
        if !forgotten && (unexplained == UNEXPLAINED_MAX || lacks_rows && !explained) {
            forget(replica, remote)?;
            forgotten = true;
            met.primary_went_back |= lacks_rows;
            met.learn(&pull_scope(replica, store, remote, scope).await?);
        }
        for user in users_waiting(replica, scope)? {
            met.learn(&pull_scope(replica, store, remote, &user).await?);
        }
    }
}

impl Pushed {
    fn learn(&mut self, pulled: &Pulled) {
        self.primary_went_back |= pulled.primary_went_back;
        self.behind = pulled.behind.clone().or(self.behind.take());
    }
}

/// Refuses a primary of a newer version of the schema, or of an older one: nothing follows from what
/// such a one lacks.
async fn check_level(replica: &Replica, remote: &Remote) -> Result<(), PrimaryError> {
    let primary = &*remote.primary;
    match lacked(primary, replica.schema()).await?.last() {
        None => Ok(()),
        Some(migration) => {
            let (url, needed) = (primary.url().to_owned(), migration.name);
            Err(PrimaryError::Behind { url, needed })
        }
    }
}

/// What to do about a push that was not accepted, before it is planned again.
enum Recovery {
    /// Set the primary up.
    Migrate,
    /// This device is a copy of another one, or was restored from a backup: from here on it is a
    /// device of its own.
    NewDevice,
    /// The primary lacks what it had: nothing can be built on what is known of it.
    Forget,
    /// Others were first.
    Pull,
    /// Rows refer to others that the primary lacks, or keep one from being deleted: others were
    /// first, or it lost what it had.
    Complete,
}

fn recovery(error: &PrimaryError) -> Option<Recovery> {
    match error {
        PrimaryError::NotMigrated { .. } => Some(Recovery::Migrate),
        PrimaryError::Refused { refusal: Refusal::DeviceCounter, .. } => Some(Recovery::NewDevice),
        PrimaryError::Refused { refusal: Refusal::Restored, .. } => Some(Recovery::Forget),
        PrimaryError::Refused { refusal: Refusal::VersionConflict, .. } => Some(Recovery::Pull),
        error if lacks_rows(error) => Some(Recovery::Complete),
        _ => None,
    }
}

/// Whether a primary has refused a push for rows that would refer to none: others deleted those that
/// ours refer to, or refer to those that we delete; or the primary lost what it had.
fn lacks_rows(error: &PrimaryError) -> bool {
    let words = "FOREIGN KEY constraint failed";
    matches!(error, PrimaryError::Failed { message, .. } if message.contains(words))
}

/// Ends a push of rows that the primary lacks others for, where a pull has shown that no further try
/// can help. Nothing that Fastest's own rows refer to is ever deleted: there it is the primary that
/// has to be looked at anew, once.
fn give_up(
    replica: &Replica,
    scope: &str,
    error: PrimaryError,
    explained: bool,
    forgotten: bool,
) -> Result<(), SyncError> {
    if replica.schema().is_fastest() {
        return if forgotten && !explained { Err(error.into()) } else { Ok(()) };
    }
    let orphans = replica.read().orphans(scope)?;
    match orphans.is_empty() {
        true if explained => Ok(()),
        true => Err(error.into()),
        false => Err(SyncError::Orphans { orphans, source: error }),
    }
}

/// Ids of the users whose rows wait in `scope`.
fn users_waiting(replica: &Replica, scope: &str) -> Result<Vec<String>, SyncError> {
    let session = replica.read();
    let entries = session.entries(scope)?.into_iter();
    let users = entries.filter(|entry| session.own(entry.table) == Some(Own::User));
    Ok(users.map(|entry| entry.key).collect())
}

/// What one go at a push came to.
struct Sending {
    /// Workspaces that wait for a merge.
    diverged: Vec<String>,
    /// Statements that the primary has accepted.
    statements: usize,
    /// Whether rows were held back that may go, or are void, once a delete is settled.
    held: bool,
    /// Whether rows came to versions that only a pull explains.
    learned: bool,
}

async fn push_once(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &str,
) -> Result<Sending, SyncError> {
    let (mut statements, mut learned) = resend(replica, remote).await?;
    replica.write(|session| {
        session.drop_unchanged(scope)?;
        session.drop_needless_deletes(scope)?;
        session.yield_to_children(scope)?;
        match session.schema.is_fastest() {
            true => session.queue_owner(scope),
            false => Ok(()),
        }
    })?;
    let mut entries = replica.read().entries(scope)?;
    let left_out = replica.read().leave_out_held(&mut entries)?;
    let held = replica.read().hold_back(scope, &mut entries, left_out)?;
    let parents = match replica.schema().is_fastest() {
        true => replica.read().parents(scope)?,
        false => Parents::new(),
    };
    let plan = plan(replica.schema(), &entries, &parents, remote.large);
    if let Some(store) = store {
        let owner = owner(replica, scope)?.unwrap_or_else(|| scope.to_owned());
        upload(store, remote, &owner, &plan.uploads).await?;
    }
    for rows in plan.statements {
        let rows = unsent(replica, rows)?;
        if rows.is_empty() {
            continue;
        }
        let sent = write_down(replica, store, remote, scope, &rows)?;
        let (push_id, bytes) = (&sent.push_id, sent.payload.len());
        debug!(scope, push_id, rows = rows.len(), bytes, "push");
        learned |= send(replica, remote, &sent).await?;
        statements += 1;
    }
    Ok(Sending { diverged: plan.diverged, statements, held, learned })
}

/// Rows without the parts of packs that the primary has from an earlier try, so that a pack of
/// many parts gets through a bad line. The last part always goes: it settles the entry.
fn unsent(replica: &Replica, rows: Vec<PlannedRow>) -> Result<Vec<PlannedRow>, SyncError> {
    let mut unsent = Vec::with_capacity(rows.len());
    for row in rows {
        let key = row.columns[row.table.pk].as_str().unwrap_or_default();
        if !more_parts(&row.columns) || replica.read().known_version(row.table, key)? == 0 {
            unsent.push(row);
        }
    }
    Ok(unsent)
}

/// Whether a row is a part of a pack, and not the last.
fn more_parts(columns: &BTreeMap<String, Value>) -> bool {
    let number = |name: &str| columns.get(name).and_then(Value::as_i64);
    number("parts").is_some_and(|parts| number("part") != Some(parts - 1))
}

/// A statement on its way.
#[derive(Debug)]
struct Sent {
    push_id: String,
    device_id: String,
    payload: String,
    entries: SentEntries,
}

/// What a statement carries, for when its answer comes.
#[derive(Debug, Serialize, Deserialize)]
struct SentEntries {
    scope: String,
    rows: Vec<SentRow>,
    /// The project's columns that were patched.
    patch: Option<Columns>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SentRow {
    table: String,
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
/// a pull has to fetch rows that triggers changed. If the primary has lost a table or column that the
/// statement names, the statement is dropped and its rows are planned again.
async fn resend(replica: &mut Replica, remote: &Remote) -> Result<(usize, bool), SyncError> {
    let sql = "SELECT push_id, device_id, payload, entries FROM fastest_local_sent";
    let found = replica.read().all(sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
    })?;
    let (mut count, mut learned) = (0, false);
    for (push_id, device_id, payload, entries) in found {
        let entries = serde_json::from_str(&entries).map_err(|source| {
            let table = "fastest_local_sent";
            ReplicaError::Row { table, key: String::clone(&push_id), source: source.into() }
        })?;
        match send(replica, remote, &Sent { push_id, device_id, payload, entries }).await {
            Err(SyncError::Primary(error)) if is_outdated(&error) => {
                replica.write(|session| session.run("DELETE FROM fastest_local_sent", []))?;
            }
            sent => {
                learned |= sent?;
                count += 1;
            }
        }
    }
    Ok((count, learned))
}

/// Whether a primary has refused a statement for its tables or columns.
fn is_outdated(error: &PrimaryError) -> bool {
    matches!(error.refusal(), Some(Refusal::UnknownTable | Refusal::UnknownColumn))
}

/// Sends a statement and records its answer. Returns whether a pull has to fetch rows that triggers
/// changed.
async fn send(replica: &mut Replica, remote: &Remote, sent: &Sent) -> Result<bool, SyncError> {
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
                session.check_remote(remote)?;
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

impl SentEntries {
    /// The locks of the statement, as JSON.
    fn locks(&self) -> String {
        let locks = self.rows.iter().filter_map(|row| Some((&row.table, &row.key, row.lock?)));
        serde_json::to_string(&locks.collect::<Vec<_>>()).expect("texts and numbers serialise")
    }
}

fn write_down(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: &str,
    rows: &[PlannedRow],
) -> Result<Sent, SyncError> {
    let mut payload = Payload::new(0);
    let mut entries = SentEntries { scope: scope.to_owned(), rows: Vec::new(), patch: None };
    for row in rows {
        let wire = |(name, value): (&String, &Value)| (name.clone(), value.to_wire());
        let mut columns: Columns = row.sent().map(wire).collect();
        if let (Some((from, bytes)), Some(store)) = (row.inline, store) {
            let data = inline_pack(store, &row.columns, from, bytes)?;
            columns.insert("data".into(), data.into());
        }
        payload
            .locks
            .extend(row.lock.map(|lock| Lock(row.table.name.into(), row.key.clone(), lock)));
        // The parts of a pack have keys of their own.
        let key = row.columns[row.table.pk].as_str().unwrap_or(&row.key).to_owned();
        let table = row.table.name.to_owned();
        payload.ops.push(match row.delete {
            true => Op::Delete(table, key),
            false => Op::Write(table, key, columns),
        });
        entries.rows.push(SentRow {
            table: row.table.name.to_owned(),
            key: row.key.clone(),
            revision: row.revision,
            lock: row.lock,
            columns: row.columns.iter().map(wire).collect(),
            delete: row.delete,
            more: more_parts(&row.columns),
        });
    }
    entries.patch = project_patch(replica.schema(), scope, rows);
    if let Some(patch) = &entries.patch {
        // First: the last change of a push should be one that no other push makes again, for it is by
        // that that a restored primary is found out.
        let patch = Op::Patch(Project::TABLE.name.into(), scope.to_owned(), patch.clone(), 1);
        payload.ops.insert(0, patch);
    }
    let sent = replica.write(|session| {
        session.check_remote(remote)?;
        let (device_id, counter) = session.next_push()?;
        payload.counter = counter;
        let state = session.remote()?;
        (payload.epoch, payload.after) = (state.epoch, state.last_push_id);
        payload.seen = session.seen(scope, session.cursor(scope)?)?;
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
        Ok::<_, SyncError>(sent)
    })?;
    Ok(sent)
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
    let part = pack.get(from as usize..(from + bytes) as usize);
    let damaged = || fastest_core::store::StoreError::DamagedPack {
        path: store.pack_path(&id),
        what: "it is shorter than when it was made",
    };
    Ok(STANDARD.encode(part.ok_or_else(damaged)?))
}

/// Where heads move, the project's newest snapshot does too: a patch, since every push of every
/// workspace would otherwise race for the project's lock.
fn project_patch(schema: &Schema, scope: &str, rows: &[PlannedRow]) -> Option<Columns> {
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
    /// From here on, pushes are those of another device.
    fn become_new_device(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_device SET device_id = ?1, counter = 0";
        self.run(sql, [clock::new_id()])?;
        Ok(())
    }

    /// The device's id, and its count of pushes with this one.
    fn next_push(&self) -> Result<(String, i64), ReplicaError> {
        self.run("UPDATE fastest_local_device SET counter = counter + 1", [])?;
        let sql = "SELECT device_id, counter FROM fastest_local_device";
        let mut found = self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.pop().expect("the device has its row since the replica was made"))
    }

    /// Queues the row of the project's owner where the primary lacks it: the project needs it.
    fn queue_owner(&self, scope: &str) -> Result<(), ReplicaError> {
        let Some(project) = self.row::<Project>(scope)? else { return Ok(()) };
        let owner = &project.owner_user_id;
        if let Some(entry) = self.entry(User::TABLE, owner)? {
            // It may wait in the user's own scope: it goes with the project that needs it.
            self.put_entry(scope, &entry)?;
        } else if self.known_version(User::TABLE, owner)? == 0
            && let Some(user) = self.row::<User>(owner)?
        {
            self.save(scope, &user)?;
        }
        Ok(())
    }

    /// Records that the primary has applied a statement, with the versions that it reported. Returns
    /// whether a pull has to fetch rows that triggers changed.
    fn accepted(&self, sent: &Sent, versions: &[Version]) -> Result<bool, ReplicaError> {
        let SentEntries { scope, rows, patch } = &sent.entries;
        let named: HashMap<(&str, &str), &Version> =
            versions.iter().map(|version| ((&*version.0, &*version.1), version)).collect();
        let mut learned = false;
        for row in rows {
            let Some(table) = self.schema.synced_table(&row.table) else { continue };
            let named = named.get(&(&*row.table, &*row.key)).filter(|_| row.lock.is_some());
            learned |= self.accepted_row(scope, table, row, named.copied())?;
        }
        if let Some(patch) = patch {
            let text = |name: &str| patch.get(name).and_then(serde_json::Value::as_str);
            self.run(
                "UPDATE projects SET last_snapshot_id = ?2, updated_at = ?3 WHERE id = ?1",
                params![scope, text("last_snapshot_id"), text("updated_at")],
            )?;
        }
        self.run("DELETE FROM fastest_local_sent WHERE push_id = ?1", [&sent.push_id])?;
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
        if let Some(column) = table.lock_version() {
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
                self.drop_entry(table, &row.key)?;
            }
            // Written again meanwhile: what was accepted is its new base.
            Some(entry) if table.policy == Policy::Versioned => {
                let base = (!row.delete).then(|| sent_values(table, row, version)).transpose()?;
                self.put_entry(scope, &Entry { base_version: version, base, ..entry })?;
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
