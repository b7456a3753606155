//! Checks whether packs at the remote match their ids, and sends them again if they do not.
//!
//! Rows of packs are append-only: a push skips a row that exists already. So if a bad disk damages
//! a pack at the primary or in the pack store, a push cannot repair it. A device that has the pack
//! does so here: it replaces the object in the pack store, or overwrites the text of the row. A
//! pack is named by the hash of its bytes, so this changes nothing that anyone relies on.
//!
//! The repair is automatic. A device that receives a damaged pack *asks* for it: it writes the
//! pack's rows as they are, which increments their version, so that the other devices of the
//! project pull them ([`ask_for`]). A device that has the pack, and pulls a row of it with a
//! version above 1, checks the pack at the remote, and sends it again if it is damaged
//! ([`answer`]). The first device then tries again. Two limits remain: a device that has the pack
//! has to pull, and a device with read-only access cannot ask. `fastest doctor --remote` checks
//! without being asked.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::compare::reach::new_objects;
use fastest_core::object::id::{ObjectId, PackId, TreeId};
use fastest_core::store::open::Store;
use fastest_core::store::pack::PackHasher;
use fastest_schema::tables::workspaces::Snapshot;
use fastest_schema::{Change, Pack, ProjectId, SnapshotId};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tracing::debug;

use crate::error::SyncError;
use crate::exchange::pack_key::{owner_of, pack_key};
use crate::exchange::plan::PART_BYTES;
use crate::exchange::tree_of::tree_of;
use crate::remote::cause::Cause;
use crate::remote::open::Remote;
use crate::remote::pack_store::store::PackStoreError;
use crate::remote::primary::{Primary, PrimaryError, ask_cell_by};
use crate::remote::statement::Statement;
use crate::replica::local::copies::Copies;
use crate::replica::open::Replica;
use crate::rows::snapshots::Snapshots;

/// The state of a pack at the remote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AtRemote {
    /// It is complete and undamaged.
    Sound,
    /// It has no row there.
    Nothing,
    /// It is incomplete or does not match its id; with the reason.
    Damaged(String),
}

/// A pack of a project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfProject<'a> {
    pub(crate) project_id: &'a ProjectId,
    pub(crate) pack_id: &'a str,
}

/// A row of a pack, without its data.
#[derive(Debug, Deserialize)]
struct PartRow {
    id: String,
    part: i64,
    parts: i64,
    bytes: i64,
    is_stored: i64,
}

const ROWS: &str = "SELECT json_group_array(json_object('id', id, 'part', part, 'parts', parts,
  'bytes', bytes, 'is_stored', data IS NULL)) FROM fastest_packs WHERE ?1 <> '' AND project_id = ?2 AND pack_id = ?3";

/// Repeatable: a second run writes the same bytes, because a pack's id is the hash of its bytes.
const WRITE_OVER: Statement<'_> = Statement::repeatable(
    "INSERT INTO fastest_packs(id, part, parts, bytes, objects, data, project_id, pack_id)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT(id) DO UPDATE SET part = excluded.part, parts = excluded.parts,
    bytes = excluded.bytes, objects = excluded.objects, data = excluded.data",
);

/// Repeatable: a second run finds no row.
const REMOVE: Statement<'_> = Statement::repeatable("DELETE FROM fastest_packs WHERE id = ?1");

/// Changes nothing but the version of the rows. Repeatable: a device that is asked twice checks
/// twice, and sends nothing if the pack is undamaged by then.
const ASK: Statement<'_> = Statement::repeatable(
    "UPDATE fastest_packs SET created_at = created_at
  WHERE project_id = ?1 AND pack_id = ?2",
);

async fn rows_of(primary: &dyn Primary, pack: OfProject<'_>) -> Result<Vec<PartRow>, SyncError> {
    let parameters = [&primary.world().new_id(), pack.project_id.as_str(), pack.pack_id];
    let list = ask_cell_by(primary, ROWS, &parameters).await?.unwrap_or_default();
    let broken = |_| PrimaryError::inconsistent(primary, "a list of packs that is none");
    let mut rows: Vec<PartRow> = serde_json::from_str(&list).map_err(broken)?;
    rows.sort_by_key(|row| row.part);
    Ok(rows)
}

/// Reads a pack at the remote in full, and compares it with its id.
pub(crate) async fn look(
    replica: &mut Replica,
    remote: &Remote,
    pack: OfProject<'_>,
    id: &PackId,
) -> Result<AtRemote, SyncError> {
    let rows = rows_of(&*remote.primary, pack).await?;
    let Some(first) = rows.first() else { return Ok(AtRemote::Nothing) };
    if rows.iter().any(|row| row.is_stored != 0) {
        let owner = owner_of(replica, &*remote.primary, pack.project_id).await?;
        return look_in_store(remote, &pack_key(&owner, pack.pack_id), id).await;
    }
    let mut parts = rows.iter().enumerate();
    if rows.len() as i64 != first.parts || !parts.all(|(at, row)| row.part == at as i64) {
        return Ok(AtRemote::Damaged("parts of it are missing".to_owned()));
    }
    let (mut hasher, mut size) = (PackHasher::default(), 0);
    for row in &rows {
        let cell = "SELECT data FROM fastest_packs WHERE id = ?1";
        let text = match ask_cell_by(&*remote.primary, cell, &[&row.id]).await {
            // sqld fails on text that is not UTF-8.
            Err(PrimaryError::Failed { cause: Cause::NotUtf8, .. }) => None,
            text => text?,
        };
        let bytes = text.and_then(|text| STANDARD.decode(text).ok());
        let Some(bytes) = bytes else {
            return Ok(AtRemote::Damaged(format!("its row {} is not in base64", row.id)));
        };
        size += bytes.len() as i64;
        if !hasher.update(&bytes) {
            return Ok(AtRemote::Damaged("it is larger than a pack can be".to_owned()));
        }
    }
    if rows.iter().any(|row| row.bytes != size) {
        return Ok(AtRemote::Damaged("its rows say another size".to_owned()));
    }
    Ok(judge(&hasher, id))
}

async fn look_in_store(remote: &Remote, key: &str, id: &PackId) -> Result<AtRemote, SyncError> {
    let mut stream = match remote.packs.get(key, 0).await {
        Err(PackStoreError::Missing { .. }) => {
            return Ok(AtRemote::Damaged(
                "its row is there, and the pack store has no such pack".into(),
            ));
        }
        stream => stream?,
    };
    let mut hasher = PackHasher::default();
    while let Some(bytes) = stream.next().await {
        if !hasher.update(&bytes?) {
            return Ok(AtRemote::Damaged("it is larger than a pack can be".to_owned()));
        }
    }
    Ok(judge(&hasher, id))
}

fn judge(hasher: &PackHasher, id: &PackId) -> AtRemote {
    if hasher.id() == *id {
        AtRemote::Sound
    } else {
        AtRemote::Damaged("its bytes are not those that its id stands for".to_owned())
    }
}

/// Whether every object of a pack belongs to the history of this device's working copies of the
/// project. The store has the packs of all projects. Anyone who knows the id of a pack could ask
/// for it in another project, so a row that names a pack proves nothing.
fn was_here(
    replica: &Replica,
    store: &Store,
    project_id: &ProjectId,
    id: &PackId,
) -> Result<bool, SyncError> {
    let session = replica.read();
    let past =
        Snapshots(session).lineage(project_id).ancestors(&Copies(session).heads(project_id)?)?;
    let mut wanted: HashSet<ObjectId> =
        store.pack_objects(id)?.into_iter().map(|packed| packed.id).collect();
    let tree = |id: &SnapshotId| -> Result<Option<TreeId>, SyncError> {
        session.row::<Snapshot>(id)?.map(|snapshot| tree_of(&snapshot)).transpose()
    };
    for snapshot in &past {
        if wanted.is_empty() {
            break;
        }
        let Some(row) = session.row::<Snapshot>(snapshot)? else { continue };
        let new = tree_of(&row)?;
        let old = row.parent_snapshot_ids.0.first().map(tree).transpose()?.flatten();
        // A snapshot whose objects this device lacks is skipped: another one may reach them.
        if let Ok(reached) = new_objects(old.as_ref(), &new, store) {
            wanted.retain(|object| !reached.contains(object));
        }
    }
    Ok(wanted.is_empty())
}

/// Sends a pack again, in place of the remote's copy. Returns false, and sends nothing, if this
/// device has no undamaged copy, or its copy does not belong to the project. Also returns false if
/// the pack is still damaged at the remote afterwards.
pub(crate) async fn send_again(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    pack: OfProject<'_>,
    id: &PackId,
) -> Result<bool, SyncError> {
    if !store.is_sound(id)? || !was_here(replica, store, pack.project_id, id)? {
        return Ok(false);
    }
    let rows = rows_of(&*remote.primary, pack).await?;
    if rows.iter().any(|row| row.is_stored != 0) {
        let owner = owner_of(replica, &*remote.primary, pack.project_id).await?;
        remote.packs.replace(&pack_key(&owner, pack.pack_id), &store.pack_path(id)).await?;
        return Ok(look(replica, remote, pack, id).await? == AtRemote::Sound);
    }
    let (info, bytes) = (store.pack_info(id)?, store.read_pack(id)?);
    let parts = info.bytes.div_ceil(PART_BYTES) as i64;
    for row in &rows {
        if row.part < parts {
            continue;
        }
        remote.primary.run(REMOVE, &[&row.id]).await?;
    }
    for (at, chunk) in bytes.chunks(PART_BYTES as usize).enumerate() {
        let key = format!("{}/{}/{at}", pack.project_id, pack.pack_id);
        let numbers = [at as i64, parts, info.bytes as i64, info.objects as i64];
        let [part, parts, bytes, objects] = numbers.map(|number| number.to_string());
        let (text, of) = (STANDARD.encode(chunk), (pack.project_id, pack.pack_id));
        let parameters = [&key, &part, &parts, &bytes, &objects, &text, of.0.as_str(), of.1];
        remote.primary.run(WRITE_OVER, &parameters).await?;
    }
    Ok(look(replica, remote, pack, id).await? == AtRemote::Sound)
}

/// Tells the other devices of a project that the remote's copy of a pack is damaged. Returns
/// whether that was possible.
pub(crate) async fn ask_for(primary: &dyn Primary, project_id: &ProjectId, pack_id: &str) -> bool {
    match primary.run(ASK, &[project_id.as_str(), pack_id]).await {
        Ok(_) => true,
        Err(error) => {
            debug!(pack_id, %error, "a damaged pack could not be asked for");
            false
        }
    }
}

/// Returns the packs that others ask for in these changes and that this device has.
pub(crate) fn asked_for(store: &Store, changes: &[Change]) -> Vec<Pack> {
    let mut asked: Vec<Pack> = Vec::new();
    for change in changes.iter().filter(|change| change.version > 1) {
        let Some(Ok(row)) = change.row::<Pack>() else { continue };
        let is_here = row.pack_id.parse().is_ok_and(|id| store.has_pack(&id));
        // A pack is listed once for all of its parts.
        if is_here && asked.iter().all(|other| other.pack_id != row.pack_id) {
            asked.push(row);
        }
    }
    asked
}

/// Checks the packs that others ask for, sends the damaged ones again, and returns how many it
/// sent. One that fails is tried again when it is asked for again.
pub(crate) async fn answer(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    asked: &[Pack],
) -> u64 {
    let mut sent = 0;
    for row in asked {
        let Ok(id) = row.pack_id.parse::<PackId>() else { continue };
        let pack = OfProject { project_id: &row.project_id, pack_id: &row.pack_id };
        let answered = async {
            match look(replica, remote, pack, &id).await? {
                AtRemote::Damaged(_) => send_again(replica, store, remote, pack, &id).await,
                AtRemote::Sound | AtRemote::Nothing => Ok(false),
            }
        };
        match answered.await {
            Ok(is_sent) => sent += u64::from(is_sent),
            Err(error) => debug!(%id, %error, "a pack that is asked for could not be sent again"),
        }
    }
    sent
}
