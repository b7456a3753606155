//! The rows of snapshots, packs and activity events, in Fastest's own tables.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use fastest_core::compare::ancestry::Ancestry;
use fastest_core::compare::parting::follows;
use fastest_core::object::id::{PackId, TreeId};
use fastest_core::store::pack::PackInfo;
use fastest_schema::tables::workspaces::{ActivityEvent, Snapshot, Source, Workspace};
use fastest_schema::{Json, Pack, ProjectId, Row, RowKey, SnapshotId, WorkspaceId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::local::children::Children;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::newest_first;

/// A snapshot that is about to be saved.
pub(crate) struct NewSnapshot<'a> {
    pub tree: &'a TreeId,
    pub parents: Vec<SnapshotId>,
    pub message: Option<&'a str>,
    /// How many conflicts its tree lists.
    pub conflicts: usize,
    /// The packs that were written for it.
    pub packs: &'a [PackInfo],
}

/// The snapshots of projects, the packs with their content, and the activity events.
#[derive(Clone, Copy)]
pub(crate) struct Snapshots<'a>(pub(crate) Session<'a>);

impl Snapshots<'_> {
    /// Moves a workspace's head to `snapshot_id`, if that snapshot is known here and follows the
    /// present head.
    pub(crate) fn advance_head(
        &self,
        id: &WorkspaceId,
        snapshot_id: &SnapshotId,
    ) -> Result<(), ReplicaError> {
        let Some(workspace) = self.0.row::<Workspace>(id)? else { return Ok(()) };
        let known = self.0.row::<Snapshot>(snapshot_id)?.is_some();
        let forward = match &workspace.current_snapshot_id {
            Some(current) if current == snapshot_id => false,
            Some(current) => follows(
                &self.lineage(&workspace.project_id),
                snapshot_id.as_str(),
                current.as_str(),
            )?,
            None => true,
        };
        if known && forward {
            let scope = workspace.project_id.clone();
            let current_snapshot_id = Some(snapshot_id.to_owned());
            Outbox(self.0).save(&scope.scope(), &Workspace { current_snapshot_id, ..workspace })?;
        }
        Ok(())
    }

    /// Saves an event of the project's activity.
    pub(crate) fn record(
        &self,
        project_id: &ProjectId,
        workspace_id: &WorkspaceId,
        event: &str,
        snapshot_id: Option<&SnapshotId>,
        message: Option<String>,
    ) -> Result<(), ReplicaError> {
        let event = ActivityEvent {
            id: self.0.world.new_id(),
            project_id: project_id.to_owned(),
            workspace_id: Some(workspace_id.to_owned()),
            actor: Source::Cli,
            r#type: event.to_owned(),
            snapshot_id: snapshot_id.cloned(),
            message,
            created_at: self.0.world.now_text(),
        };
        Outbox(self.0).save(&project_id.scope(), &event)
    }

    /// Returns whether a pack belongs to a project.
    pub(crate) fn has_pack(
        &self,
        project_id: &ProjectId,
        pack: &PackId,
    ) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_packs WHERE project_id = ?1 AND pack_id = ?2";
        Ok(self.0.get::<i64>(sql, params![project_id, pack.to_hex()])?.is_some())
    }

    /// Returns how many conflicts this tree has, if a snapshot says so.
    pub(crate) fn conflicts_in(&self, tree: &TreeId) -> Result<Option<i64>, ReplicaError> {
        let sql = "SELECT conflicts FROM snapshots WHERE manifest_hash = ?1 AND conflicts > 0";
        self.0.get(sql, [tree.to_hex()])
    }

    /// Saves the rows of a snapshot whose packs are durable. Returns the snapshot's id.
    pub(crate) fn save(
        &self,
        workspace: &Workspace,
        new: NewSnapshot<'_>,
    ) -> Result<SnapshotId, ReplicaError> {
        let project_id = &workspace.project_id;
        self.save_packs(project_id, new.packs)?;
        let snapshot = Snapshot {
            id: format!("snap-{}", self.0.world.new_id()).into(),
            project_id: project_id.clone(),
            workspace_id: Some(workspace.id.clone()),
            manifest_hash: new.tree.to_hex(),
            parent_snapshot_ids: Json(new.parents),
            source: Source::Cli,
            summary: new.message.map(str::to_owned),
            created_at: self.0.world.now_text(),
            conflicts: i64::try_from(new.conflicts).ok().filter(|number| *number > 0),
        };
        Outbox(self.0).save(&project_id.scope(), &snapshot)?;
        Ok(snapshot.id)
    }

    /// Saves the rows of packs that are durable.
    pub(crate) fn save_packs(
        &self,
        project_id: &ProjectId,
        packs: &[PackInfo],
    ) -> Result<(), ReplicaError> {
        for pack in packs {
            let hex = pack.id.to_hex();
            let row = Pack {
                id: format!("{project_id}/{hex}/0"),
                project_id: project_id.to_owned(),
                pack_id: hex,
                part: 0,
                parts: 1,
                bytes: i64::try_from(pack.bytes).expect("a pack is at most 4 GiB"),
                objects: i64::try_from(pack.objects).expect("a pack has at most 2^32 objects"),
                data: None,
                created_at: self.0.world.now_text(),
            };
            Outbox(self.0).save(&project_id.scope(), &row)?;
        }
        Ok(())
    }

    /// Whether there is a `snapshot.pushed` event of this workspace for a snapshot.
    pub(crate) fn is_pushed(
        &self,
        id: &SnapshotId,
        workspace_id: &WorkspaceId,
    ) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM activity_events WHERE snapshot_id = ?1
                   AND workspace_id = ?2 AND type = 'snapshot.pushed'";
        Ok(self.0.get::<i64>(sql, params![id, workspace_id])?.is_some())
    }

    /// Returns the distinct trees of a project's `limit` newest snapshots.
    pub(crate) fn newest_trees(
        &self,
        project_id: &ProjectId,
        limit: i64,
    ) -> Result<Vec<TreeId>, ReplicaError> {
        let sql = "SELECT DISTINCT manifest_hash FROM (SELECT manifest_hash FROM snapshots
                   WHERE project_id = ?1 ORDER BY created_at DESC LIMIT ?2)";
        let hashes = self.0.all(sql, params![project_id, limit], |row| row.get::<_, String>(0))?;
        Ok(hashes.iter().filter_map(|hash| hash.parse().ok()).collect())
    }

    /// Returns the ids of all packs that rows name, in hex.
    pub(crate) fn pack_names(&self) -> Result<Vec<String>, ReplicaError> {
        self.0.all("SELECT DISTINCT pack_id FROM fastest_packs", [], |row| row.get(0))
    }

    /// Returns at most `limit` of a project's snapshots, as pairs of the time of creation and the
    /// id, the latest time first. `after` is the last pair that was read before.
    pub(crate) fn by_time(
        &self,
        project_id: &ProjectId,
        after: Option<&(String, SnapshotId)>,
        limit: usize,
    ) -> Result<Vec<(String, SnapshotId)>, ReplicaError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let order = "ORDER BY created_at DESC, id DESC LIMIT ?2";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let select = "SELECT created_at, id FROM snapshots WHERE project_id = ?1";
        match after {
            None => self.0.all(&format!("{select} {order}"), params![project_id, limit], read),
            Some((time, id)) => {
                let sql = format!("{select} AND (created_at, id) < (?3, ?4) {order}");
                self.0.all(&sql, params![project_id, limit, time, id], read)
            }
        }
    }

    /// Returns the snapshots of a project, sorted by id, whose id without `snap-`, or whose random
    /// part, begins with `prefix`: at most `limit` of them.
    pub(crate) fn beginning_with(
        &self,
        project_id: &ProjectId,
        prefix: &str,
        limit: i64,
    ) -> Result<Vec<Snapshot>, ReplicaError> {
        // No text that begins with the prefix sorts after the prefix and the last character.
        let end = format!("{prefix}{}", char::MAX);
        let sql = "SELECT id FROM snapshots WHERE id >= 'snap-' || ?1 AND id <= 'snap-' || ?2
                     AND +project_id = ?3 UNION
                   SELECT id FROM snapshots WHERE substr(id, 16) >= ?1 AND substr(id, 16) <= ?2
                     AND +project_id = ?3
                   ORDER BY 1 LIMIT ?4";
        let parameters = params![prefix, end, project_id, limit];
        let ids = self.0.all(sql, parameters, |row| row.get::<_, SnapshotId>(0))?;
        let rows = ids.iter().filter_map(|id| self.0.row::<Snapshot>(id).transpose());
        rows.collect()
    }
}

impl<'a> Snapshots<'a> {
    /// Returns a project's snapshots as the source for [`newest_first::newest_first`].
    pub(crate) fn log<'p>(self, project_id: &'p ProjectId) -> Log<'a, 'p> {
        let lineage = self.lineage(project_id);
        Log { snapshots: self, project_id, lineage, read: Vec::new().into_iter(), last: None }
    }

    /// Returns the ancestry of a project's snapshots.
    pub(crate) fn lineage<'p>(self, project_id: &'p ProjectId) -> Lineage<'a, 'p> {
        let known = RefCell::default();
        Lineage { session: self.0, project_id, known, is_whole: Cell::new(false) }
    }
}

/// A project's snapshots by time, read in chunks.
pub(crate) struct Log<'a, 'p> {
    snapshots: Snapshots<'a>,
    project_id: &'p ProjectId,
    lineage: Lineage<'a, 'p>,
    read: std::vec::IntoIter<(String, SnapshotId)>,
    /// The last one that was read from the database.
    last: Option<(String, SnapshotId)>,
}

/// How many snapshots a log reads at a time.
const LOG_CHUNK: usize = 100;

impl newest_first::Source for Log<'_, '_> {
    type Error = ReplicaError;

    fn next(&mut self) -> Result<Option<(String, SnapshotId)>, ReplicaError> {
        if self.read.len() == 0 {
            let after = self.last.as_ref();
            let chunk = self.snapshots.by_time(self.project_id, after, LOG_CHUNK)?;
            self.last = chunk.last().cloned().or(self.last.take());
            self.read = chunk.into_iter();
        }
        Ok(self.read.next())
    }

    fn children(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, ReplicaError> {
        Children(self.snapshots.0).of(id, self.project_id)
    }

    fn parents(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, ReplicaError> {
        let parents = self.lineage.parents(id.as_str())?;
        Ok(parents.into_iter().map(SnapshotId::from).collect())
    }
}

/// How many snapshots are looked up one by one, before all of a project are read at once.
const LOOKED_UP_MAX: usize = 1_000;

/// The ancestry of a project's snapshots. A snapshot of another project has no parents here,
/// whatever a primary claims. It caches what it reads, so it must not outlive a change.
pub(crate) struct Lineage<'a, 'p> {
    session: Session<'a>,
    project_id: &'p ProjectId,
    known: RefCell<HashMap<String, Vec<String>>>,
    is_whole: Cell<bool>,
}

impl Lineage<'_, '_> {
    fn read_all(&self) -> Result<(), ReplicaError> {
        let sql = "SELECT id, parent_snapshot_ids FROM snapshots WHERE project_id = ?1";
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let mut known = self.known.borrow_mut();
        for (id, list) in self.session.all(sql, [self.project_id], read)? {
            let parents = parents_in(&id, &list)?;
            known.insert(id, parents);
        }
        self.is_whole.set(true);
        Ok(())
    }

    /// Returns `ids` and all of their ancestors.
    pub(crate) fn ancestors(
        &self,
        ids: &[SnapshotId],
    ) -> Result<HashSet<SnapshotId>, ReplicaError> {
        let sql = "WITH RECURSIVE past(id) AS (
                     SELECT value FROM json_each(?1) UNION
                     SELECT parent.value FROM past
                       JOIN snapshots AS s ON s.id = past.id AND +s.project_id = ?2
                       JOIN json_each(s.parent_snapshot_ids) AS parent)
                   SELECT id FROM past";
        let ids = serde_json::to_string(ids).expect("texts serialise");
        let found = self.session.all(sql, params![ids, self.project_id], |row| row.get(0))?;
        Ok(found.into_iter().collect())
    }
}

impl Ancestry for Lineage<'_, '_> {
    type Error = ReplicaError;

    fn parents(&self, id: &str) -> Result<Vec<String>, ReplicaError> {
        if let Some(parents) = self.known.borrow().get(id) {
            return Ok(parents.clone());
        }
        if self.is_whole.get() {
            return Ok(Vec::new());
        }
        if self.known.borrow().len() >= LOOKED_UP_MAX {
            self.read_all()?;
            return self.parents(id);
        }
        let sql = "SELECT parent_snapshot_ids FROM snapshots WHERE id = ?1 AND +project_id = ?2";
        let list = self.session.get::<String>(sql, [id, self.project_id.as_str()])?;
        let parents = list.map_or(Ok(Vec::new()), |list| parents_in(id, &list))?;
        self.known.borrow_mut().insert(id.to_owned(), parents.clone());
        Ok(parents)
    }
}

/// Decodes the parents of a snapshot.
fn parents_in(id: &str, list: &str) -> Result<Vec<String>, ReplicaError> {
    serde_json::from_str(list).map_err(|error| {
        let (key, source) = (RowKey::from(id), error.into());
        ReplicaError::Row { table: Snapshot::TABLE.name, key, source }
    })
}
