//! Pull: reads what the primary has that the replica does not, page by page.
//!
//! A page's packs are in the object store, durable and verified, before its rows are in the
//! replica; rows and cursor move in one transaction. So a pull may stop anywhere, and a snapshot
//! that the replica knows has all its content here.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::id::{PackId, TreeId};
use fastest_core::store::{PackInfo, Store, StoreError};
use fastest_schema::projects::Project;
use fastest_schema::workspaces::{Snapshot, Workspace};
use fastest_schema::{
    Change, Pack, Page, Row, Scope, Seen, TABLES, decode_page, migrations, pull_sql,
};
use rusqlite::params;

use crate::clock;
use crate::error::SyncError;
use crate::primary::{Primary, PrimaryError};
use crate::push_plan::column;
use crate::remote::{Remote, RemoteState, check_migration, migrate};
use crate::replica::Replica;

/// Changes in one page, at most.
const PAGE_ROWS: &str = "1000";
/// Bytes of one page, about: answers of D1 are best kept under 1 MB.
const PAGE_BYTES: &str = "900000";

/// What a pull did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// How many changes came.
    pub changes: u64,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// The last migration of the primary, where this build has newer ones.
    pub behind: Option<String>,
}

/// How often an answer that belongs to something else is taken for a mishap of the network.
pub(crate) const STRAY_ANSWERS_MAX: u32 = 4;

/// Brings the rows of `scope`, and their packs, up to date with the primary.
pub async fn pull_scope(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &str,
) -> Result<Pulled, SyncError> {
    let primary = &*remote.primary;
    let mut pulled = Pulled::default();
    loop {
        let state = replica.read().remote()?;
        let cursor = replica.read().cursor(scope)?;
        if cursor == 0 {
            replica.write(|session| session.begin_reading(scope))?;
        }
        let seen = replica.read().seen(scope, cursor)?;
        let page = ask(primary, scope, cursor, &state, seen.as_ref()).await?;
        check_migration(primary, page.header.migration.as_deref())?;
        let known = state.epoch.as_deref();
        let went_back = known.is_some_and(|epoch| epoch != page.header.epoch)
            || page.header.seq < cursor
            || (state.last_push_id.is_some() && !page.header.push_known)
            || !page.header.seen_known;
        pulled.behind = behind(page.header.migration.as_deref());
        if went_back && pulled.primary_went_back {
            let what = "it is another primary, or an older one, with each answer".to_owned();
            return Err(inconsistent(primary, what));
        }
        if went_back {
            pulled.primary_went_back = true;
            replica.write(|session| {
                session.check_remote(remote)?;
                Ok::<_, SyncError>(session.forget_primary()?)
            })?;
            continue;
        }
        if known.is_none() {
            let epoch = Some(page.header.epoch.clone());
            replica.write(|session| {
                session.check_remote(remote)?;
                let state = session.remote()?;
                Ok::<_, SyncError>(session.put_remote(&RemoteState { epoch, ..state })?)
            })?;
        }
        take_page(replica, store, remote, scope, cursor, &page).await?;
        pulled.changes += page.changes.len() as u64;
        if !page.more() {
            break;
        }
    }
    // A scope read from its beginning may show that the primary lacks what is here.
    if replica.read().is_reading(scope)? {
        replica.write(|session| session.end_reading(scope))?;
    }
    Ok(pulled)
}

/// Asks for one page after `cursor`.
async fn ask(
    primary: &dyn Primary,
    scope: &str,
    cursor: i64,
    state: &RemoteState,
    seen: Option<&Seen>,
) -> Result<Page, PrimaryError> {
    let sql = pull_sql(TABLES);
    let at = cursor.to_string();
    let seen = seen.map(|seen| serde_json::to_string(seen).expect("a change serialises"));
    let (push_id, seen) = (state.last_push_id.as_deref().unwrap_or(""), seen.unwrap_or_default());
    let mut migrated = false;
    for _ in 0..STRAY_ANSWERS_MAX {
        let request = clock::new_id();
        let parameters = [scope, &at, PAGE_ROWS, PAGE_BYTES, push_id, &seen, &request];
        let answer = match primary.run(&sql, &parameters).await {
            Err(PrimaryError::NotMigrated { .. }) if !migrated => {
                migrate(primary).await?;
                migrated = true;
                continue;
            }
            answer => answer?,
        };
        match decode_page(TABLES, cursor, answer) {
            Ok(page) if page.header.request == request => return Ok(page),
            // Decodes or not: the next answer is ours, or the last one is told of.
            Ok(_) => {}
            Err(source) => {
                return Err(PrimaryError::Protocol { url: primary.url().to_owned(), source });
            }
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// The last migration of a primary that lacks some of this build's.
fn behind(last: Option<&str>) -> Option<String> {
    let newest = migrations().last().map(|migration| migration.name);
    last.filter(|last| Some(*last) != newest).map(str::to_owned)
}

async fn take_page(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &str,
    cursor: i64,
    page: &Page,
) -> Result<(), SyncError> {
    let primary = &*remote.primary;
    for change in &page.changes {
        check_scope(primary, scope, change)?;
        check_row(primary, change)?;
    }
    let mut finished = Vec::new();
    for change in &page.changes {
        if let Some(pack) = change.row::<Pack>() {
            let pack = pack.map_err(|error| inconsistent(primary, error.to_string()))?;
            if take_pack(replica, store, remote, &pack).await? {
                finished.push(pack.pack_id);
            }
        }
    }
    let seq = page.changes.last().map_or(page.header.seq, |last| last.seq);
    if page.changes.is_empty() && seq == cursor {
        return Ok(());
    }
    replica.write(|session| {
        session.check_remote(remote)?;
        for pack_id in &finished {
            session.run("DELETE FROM fastest_local_part WHERE pack_id = ?1", [pack_id])?;
        }
        Ok::<_, SyncError>(session.apply_page(scope, &page.changes, seq)?)
    })
}

fn inconsistent(primary: &dyn Primary, what: String) -> SyncError {
    PrimaryError::Inconsistent { url: primary.url().to_owned(), what }.into()
}

/// Refuses a row of another scope than was asked for.
fn check_scope(primary: &dyn Primary, scope: &str, change: &Change) -> Result<(), SyncError> {
    let fastest_schema::Outcome::Row(values) = &change.outcome else { return Ok(()) };
    let Some(Scope::Column(name)) = change.table.scope else { return Ok(()) };
    match column(change.table, values, name).as_deref() == Some(scope) {
        true => Ok(()),
        false => {
            let what = format!("row {} of {} is of another scope", change.key, change.table.name);
            Err(inconsistent(primary, what))
        }
    }
}

/// Refuses a row that no command here could read: in the replica it would stand in the way of them
/// all, and a snapshot's never goes.
fn check_row(primary: &dyn Primary, change: &Change) -> Result<(), SyncError> {
    fn error<R: Row>(change: &Change) -> Option<String> {
        change.row::<R>()?.err().map(|error| error.to_string())
    }
    let unreadable = error::<Project>(change)
        .or_else(|| error::<Workspace>(change))
        .or_else(|| error::<Snapshot>(change))
        .or_else(|| {
            let hash = change.row::<Snapshot>()?.ok()?.manifest_hash;
            hash.parse::<TreeId>().err().map(|error| error.to_string())
        });
    match unreadable {
        None => Ok(()),
        Some(what) => {
            let (key, table) = (&change.key, change.table.name);
            Err(inconsistent(primary, format!("row {key} of {table} cannot be read: {what}")))
        }
    }
}

/// Brings a pack, or a part of one, into the object store. True where the pack is there whole.
async fn take_pack(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    row: &Pack,
) -> Result<bool, SyncError> {
    let primary = &*remote.primary;
    let id: PackId = row
        .pack_id
        .parse()
        .map_err(|_| inconsistent(primary, format!("{:?} is no id of a pack", row.pack_id)))?;
    if store.has_pack(&id) {
        return check_claim(primary, row, &store.pack_info(&id)?);
    }
    let Some(data) = &row.data else {
        let key = match owner(replica, &row.project_id)? {
            Some(owner) => pack_key(&owner, &row.pack_id),
            // The project's own row comes last, since it changes with every push.
            None => pack_key(&ask_owner(primary, &row.project_id).await?, &row.pack_id),
        };
        let reader = remote.packs.get(&key).await?;
        let mut reader = reader.take(u64::try_from(row.bytes).unwrap_or(0).saturating_add(1));
        let info = store.import_pack(&id, &mut reader)?;
        remote.meter.request(0);
        remote.meter.received(info.bytes);
        return check_claim(primary, row, &info);
    };
    if row.parts == 1 {
        let info = import_text(store, &id, [data.as_str()], primary)?;
        return check_claim(primary, row, &info);
    }
    take_part(replica, store, &id, row, data, primary)
}

/// Keeps one part of a pack until all are there.
fn take_part(
    replica: &mut Replica,
    store: &Store,
    id: &PackId,
    row: &Pack,
    data: &str,
    primary: &dyn Primary,
) -> Result<bool, SyncError> {
    replica.write(|session| {
        session.run(
            "INSERT OR REPLACE INTO fastest_local_part(pack_id, part, data) VALUES (?1, ?2, ?3)",
            params![row.pack_id, row.part, data],
        )
    })?;
    let sql = "SELECT data FROM fastest_local_part WHERE pack_id = ?1 AND part < ?2 ORDER BY part";
    let parts: Vec<String> =
        replica.read().all(sql, params![row.pack_id, row.parts], |part| part.get(0))?;
    if parts.len() as i64 != row.parts {
        return Ok(false);
    }
    let info = import_text(store, id, parts.iter().map(String::as_str), primary)?;
    check_claim(primary, row, &info)
}

/// Refuses a row that says something else of a pack than the pack does: the row goes on to the
/// next primary, where a push believes it. True, as the pack is there whole.
fn check_claim(primary: &dyn Primary, row: &Pack, info: &PackInfo) -> Result<bool, SyncError> {
    let claimed = (u64::try_from(row.bytes), u64::try_from(row.objects));
    match claimed == (Ok(info.bytes), Ok(info.objects)) {
        true => Ok(true),
        false => {
            let what = format!("row {} says another size of its pack than it has", row.id);
            Err(inconsistent(primary, what))
        }
    }
}

fn import_text<'a>(
    store: &Store,
    id: &PackId,
    parts: impl IntoIterator<Item = &'a str>,
    primary: &dyn Primary,
) -> Result<PackInfo, SyncError> {
    let mut bytes = Vec::new();
    for part in parts {
        STANDARD
            .decode_vec(part, &mut bytes)
            .map_err(|_| inconsistent(primary, format!("pack {id} is not in base64")))?;
    }
    store.import_pack(id, &mut &bytes[..]).map_err(|error| match error {
        // The file that was damaged was never ours.
        StoreError::DamagedPack { what, .. } => {
            inconsistent(primary, format!("pack {id} is damaged: {what}"))
        }
        error => error.into(),
    })
}

/// The key of a pack in a pack store: packs belong to the owner of their project.
pub(crate) fn pack_key(owner: &str, pack_id: &str) -> String {
    format!("{owner}/packs/{pack_id}")
}

/// The owner of a project that the replica knows.
pub(crate) fn owner(replica: &Replica, project_id: &str) -> Result<Option<String>, SyncError> {
    let project: Option<Project> = replica.read().row(project_id)?;
    Ok(project.map(|project| project.owner_user_id))
}

async fn ask_owner(primary: &dyn Primary, project_id: &str) -> Result<String, SyncError> {
    let sql = "SELECT owner_user_id FROM projects WHERE id = ?1";
    let answer = primary.run(sql, &[project_id]).await?;
    let owner = answer.into_iter().flatten().flatten().next();
    let what = || format!("project {project_id} has packs and no row");
    owner.ok_or_else(|| inconsistent(primary, what()))
}
