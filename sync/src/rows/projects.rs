//! Projects and their workspaces: Fastest's own tables.

use fastest_schema::tables::workspaces::{ActivityEvent, Workspace};
use fastest_schema::{ProjectId, Row, RowKey, WorkspaceId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;

/// The projects that the device knows, and their workspaces.
#[derive(Clone, Copy)]
pub(crate) struct Projects<'a>(pub(crate) Session<'a>);

impl Projects<'_> {
    /// Returns the workspaces of a project, oldest first.
    pub(crate) fn workspaces(
        &self,
        project_id: &ProjectId,
    ) -> Result<Vec<Workspace>, ReplicaError> {
        self.0.rows("WHERE project_id = ?1 ORDER BY created_at, id", project_id.as_str())
    }

    /// Returns the id of the project with this name, or the lowest id if there are several.
    pub(crate) fn named(&self, name: &str) -> Result<Option<ProjectId>, ReplicaError> {
        self.0.get("SELECT id FROM projects WHERE name = ?1 ORDER BY id", [name])
    }

    /// Removes a project that is on no primary, with its workspaces, its events and its queued changes.
    pub(crate) fn forget(&self, project_id: &ProjectId) -> Result<(), ReplicaError> {
        for sql in [
            "DELETE FROM activity_events WHERE project_id = ?1",
            "DELETE FROM workspaces WHERE project_id = ?1",
            "DELETE FROM projects WHERE id = ?1",
        ] {
            self.0.run(sql, [project_id])?;
        }
        Outbox(self.0).clear_scope(&project_id.scope())
    }

    /// Returns the names of all projects.
    pub(crate) fn names(&self) -> Result<Vec<String>, ReplicaError> {
        self.0.all("SELECT name FROM projects", [], |row| row.get(0))
    }

    /// Returns the ids of the projects whose name or id is `name`.
    pub(crate) fn called(&self, name: &str) -> Result<Vec<ProjectId>, ReplicaError> {
        let sql = "SELECT id FROM projects WHERE id = ?1 OR name = ?1 ORDER BY id";
        self.0.all(sql, [name], |row| row.get(0))
    }

    /// Returns the id and the path of each workspace that was created on `machine`, or on an unknown
    /// machine if that is `None`.
    pub(crate) fn places(
        &self,
        machine: Option<&str>,
    ) -> Result<Vec<(WorkspaceId, String)>, ReplicaError> {
        let sql = "SELECT id, local_path FROM workspaces
                   WHERE machine_id IS ?1 AND local_path IS NOT NULL";
        self.0.all(sql, [machine], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Returns the ids of the workspaces that were created at this path on a machine.
    pub(crate) fn made_at(
        &self,
        machine: Option<&str>,
        path: &str,
    ) -> Result<Vec<WorkspaceId>, ReplicaError> {
        let sql = "SELECT id FROM workspaces WHERE machine_id IS ?1 AND local_path = ?2";
        self.0.all(sql, params![machine, path], |row| row.get(0))
    }

    /// Removes a workspace and its events, and their entries in the outbox.
    pub(crate) fn forget_workspace(&self, id: &WorkspaceId) -> Result<(), ReplicaError> {
        let events = "SELECT id FROM activity_events WHERE workspace_id = ?1";
        for event in self.0.all(events, [id], |row| row.get::<_, RowKey>(0))? {
            self.0.delete(ActivityEvent::TABLE, &event)?;
            Outbox(self.0).settle(ActivityEvent::TABLE, &event)?;
        }
        let key = RowKey::of(id);
        self.0.delete(Workspace::TABLE, &key)?;
        Outbox(self.0).settle(Workspace::TABLE, &key)
    }
}
