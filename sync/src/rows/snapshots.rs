//! Snapshots, and what is saved along with them: Fastest's own tables.

use fastest_core::object::id::{PackId, TreeId};
use fastest_core::store::pack::PackInfo;
use fastest_schema::tables::workspaces::{ActivityEvent, Snapshot, Source, Workspace};
use fastest_schema::{Json, Pack};
use rusqlite::params;

use crate::base::clock;
use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::history::{self, Parents};
use crate::rows::newest_first::Dated;

/// The snapshots of projects, the packs that hold their content, and what happened.
#[derive(Clone, Copy)]
pub(crate) struct Snapshots<'a>(pub(crate) Session<'a>);

impl Snapshots<'_> {
    /// Parents of every snapshot of a project.
    pub(crate) fn parents(&self, project_id: &str) -> Result<Parents, ReplicaError> {
        let sql = "SELECT id, parent_snapshot_ids FROM snapshots WHERE project_id = ?1";
        let rows = self.0.all(sql, [project_id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.into_iter()
            .map(|(id, parents)| {
                let parents = serde_json::from_str(&parents);
                let key = id.clone();
                let broken = |error: serde_json::Error| {
                    let source = error.into();
                    ReplicaError::Row { table: "snapshots", key, source }
                };
                Ok((id, parents.map_err(broken)?))
            })
            .collect()
    }

    /// Moves a workspace's head to `snapshot_id`, if that follows it.
    pub(crate) fn advance_head(&self, id: &str, snapshot_id: &str) -> Result<(), ReplicaError> {
        let Some(workspace) = self.0.row::<Workspace>(id)? else { return Ok(()) };
        let known = self.0.row::<Snapshot>(snapshot_id)?.is_some();
        let forward = match &workspace.current_snapshot_id {
            Some(current) if current == snapshot_id => false,
            Some(current) => {
                history::follows(&self.parents(&workspace.project_id)?, snapshot_id, current)
            }
            None => true,
        };
        if known && forward {
            let scope = workspace.project_id.clone();
            let current_snapshot_id = Some(snapshot_id.to_owned());
            Outbox(self.0).save(&scope, &Workspace { current_snapshot_id, ..workspace })?;
        }
        Ok(())
    }

    /// Records that something happened.
    pub(crate) fn record(
        &self,
        project_id: &str,
        workspace_id: &str,
        event: &str,
        snapshot_id: Option<&str>,
        message: Option<String>,
    ) -> Result<(), ReplicaError> {
        let event = ActivityEvent {
            id: clock::new_id(),
            project_id: project_id.to_owned(),
            workspace_id: Some(workspace_id.to_owned()),
            actor: Source::Cli,
            r#type: event.to_owned(),
            snapshot_id: snapshot_id.map(str::to_owned),
            message,
            created_at: clock::now(),
        };
        Outbox(self.0).save(project_id, &event)
    }

    /// Packs that hold a project's content.
    pub(crate) fn packs(
        &self,
        project_id: &str,
    ) -> Result<std::collections::HashSet<PackId>, ReplicaError> {
        let sql = "SELECT DISTINCT pack_id FROM fastest_packs WHERE project_id = ?1";
        let ids = self.0.all(sql, [project_id], |row| row.get::<_, String>(0))?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Saves the rows of a snapshot whose packs are durable.
    pub(crate) fn save(
        &self,
        workspace: &Workspace,
        tree: &TreeId,
        parents: Vec<String>,
        message: Option<&str>,
        packs: &[PackInfo],
    ) -> Result<String, ReplicaError> {
        let project_id = &workspace.project_id;
        self.save_packs(project_id, packs)?;
        let snapshot = Snapshot {
            id: format!("snap-{}", clock::new_id()),
            project_id: project_id.clone(),
            workspace_id: Some(workspace.id.clone()),
            manifest_hash: tree.to_hex(),
            parent_snapshot_ids: Json(parents),
            source: Source::Cli,
            summary: message.map(str::to_owned),
            created_at: clock::now(),
        };
        Outbox(self.0).save(project_id, &snapshot)?;
        Ok(snapshot.id)
    }

    /// Saves the rows of durable packs.
    pub(crate) fn save_packs(
        &self,
        project_id: &str,
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
                created_at: clock::now(),
            };
            Outbox(self.0).save(project_id, &row)?;
        }
        Ok(())
    }

    /// What the order of a project's snapshots depends on.
    pub(crate) fn dated(&self, project_id: &str) -> Result<Vec<Dated>, ReplicaError> {
        let mut parents = self.parents(project_id)?;
        let sql = "SELECT id, created_at FROM snapshots WHERE project_id = ?1";
        let rows = self.0.all(sql, [project_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let dated = |(id, created_at): (String, String)| {
            let parents = parents.remove(&id).unwrap_or_default();
            Dated { id, created_at, parents }
        };
        Ok(rows.into_iter().map(dated).collect())
    }

    /// Whether it is recorded that a workspace pushed a snapshot.
    pub(crate) fn is_pushed(&self, id: &str, workspace_id: &str) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM activity_events WHERE snapshot_id = ?1
                   AND workspace_id = ?2 AND type = 'snapshot.pushed'";
        Ok(self.0.get::<i64>(sql, [id, workspace_id])?.is_some())
    }

    /// The trees of a project's newest snapshots, `limit` of these at most.
    pub(crate) fn newest_trees(
        &self,
        project_id: &str,
        limit: i64,
    ) -> Result<Vec<TreeId>, ReplicaError> {
        let sql = "SELECT DISTINCT manifest_hash FROM (SELECT manifest_hash FROM snapshots
                   WHERE project_id = ?1 ORDER BY created_at DESC LIMIT ?2)";
        let hashes = self.0.all(sql, params![project_id, limit], |row| row.get::<_, String>(0))?;
        Ok(hashes.iter().filter_map(|hash| hash.parse().ok()).collect())
    }

    /// The ids of all packs that rows name, in hex.
    pub(crate) fn pack_names(&self) -> Result<Vec<String>, ReplicaError> {
        self.0.all("SELECT DISTINCT pack_id FROM fastest_packs", [], |row| row.get(0))
    }
}
