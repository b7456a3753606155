//! `workspace new`, `workspace list` and `workspace set-main`.

use std::path::Path;

use fastest_schema::projects::Project;

use crate::activity::Activity;
use crate::clock;
use crate::device::Device;
use crate::error::SyncError;
use crate::report::{CloneReport, WorkspaceEntry, WorkspacesReport};
use crate::working_copy::WorkingCopy;

use super::init::check_name;

impl Device {
    /// A new workspace of the project, forked from this one's head, in `dir`; without one, in a
    /// folder beside this one, named after both.
    pub async fn workspace_new(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
        dir: Option<&Path>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        check_name("workspace", name)?;
        let project = self.project_of(copy)?;
        let taken = self.replica.read().workspaces(&project.id)?;
        if taken.iter().any(|workspace| workspace.name == name) {
            return Err(SyncError::NameTaken { what: "workspace", name: name.to_owned() });
        }
        let beside = || {
            let mut folder = copy.root().file_name().unwrap_or_default().to_owned();
            folder.push(format!("-{name}"));
            copy.root().with_file_name(folder)
        };
        let dir = dir.map_or_else(beside, Path::to_owned);
        self.fork(&project, copy.head()?, &dir, Some(name), activity)
    }

    /// The workspaces of the project, as this device knows them.
    pub fn workspaces(&mut self, copy: &WorkingCopy) -> Result<WorkspacesReport, SyncError> {
        let project = self.project_of(copy)?;
        let rows = self.replica.read().workspaces(&project.id)?;
        let entry = |row: fastest_schema::workspaces::Workspace| WorkspaceEntry {
            main: project.main_workspace_id.as_deref() == Some(&row.id),
            current: row.id == copy.workspace_id,
            id: row.id,
            name: row.name,
            snapshot_id: row.current_snapshot_id,
            version: row.version,
            path: row.local_path,
        };
        let workspaces = rows.into_iter().map(entry).collect();
        Ok(WorkspacesReport { project: project.name, workspaces })
    }

    /// Makes a workspace the one that others are compared with and cloned from.
    pub fn workspace_set_main(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<WorkspacesReport, SyncError> {
        let project = self.project_of(copy)?;
        let workspace = self.named_workspace(&project, Some(name))?;
        let main_workspace_id = Some(workspace.id);
        self.replica.write(|session| {
            // Read again: another process may have written the row since.
            let project = session.row::<Project>(&project.id)?.unwrap_or(project);
            let id = project.id.clone();
            let updated_at = clock::now();
            session.save(&id, &Project { main_workspace_id, updated_at, ..project })
        })?;
        self.workspaces(copy)
    }
}
