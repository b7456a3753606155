//! `workspace new`, `list`, `rename` and `set-main`.

use std::path::{Path, PathBuf};

use fastest_core::compare::parting::ahead;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{Row, RowKey, SnapshotId};

use crate::device::activity::Activity;
use crate::device::commands::operation::add_column_operation;
use crate::device::names::{check_name, new_workspace, workspace_taken};
use crate::device::open::OpenDevice;
use crate::device::report::{CloneReport, WorkspaceEntry, WorkspacePlace, WorkspacesReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::error::named::Named;
use crate::replica::local::copies::Copies;
use crate::replica::local::operations::ColumnChange;
use crate::replica::local::outbox::Outbox;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

/// Returns the real path of a folder, which may not exist yet.
fn canonical(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| {
        let parent = dir.parent().and_then(|parent| parent.canonicalize().ok());
        match (parent, dir.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => dir.to_owned(),
        }
    })
}

impl OpenDevice {
    /// See [`Device::workspace_new`](crate::Device::workspace_new).
    pub(crate) async fn workspace_new(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
        dir: Option<&Path>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        check_name(Named::Workspace, name)?;
        let project = self.project_of(copy)?;
        let beside = || {
            let mut folder = copy.root().file_name().unwrap_or_default().to_owned();
            folder.push(format!("-{name}"));
            copy.root().with_file_name(folder)
        };
        let dir = dir.map_or_else(beside, Path::to_owned);
        let unfinished = self.resume_unfinished(
            &dir,
            |begun: &Workspace| begun.project_id == project.id && begun.name == name,
            activity,
        )?;
        if let Some(mut report) = unfinished {
            report.warnings.extend(self.take_notices());
            self.announce(&mut report).await?;
            return Ok(report);
        }
        // A workspace that a killed command made for this folder is continued.
        let begun = self.begun_for(&project.id, &canonical(&dir), Some(name))?;
        let taken = Projects(self.replica.read()).workspaces(&project.id)?;
        if begun.is_none() && taken.iter().any(|workspace| workspace.name == name) {
            return Err(workspace_taken(name));
        }
        let (head, notice) = self.head_of(copy)?;
        let mut report = self.fork(&project, head, &dir, Some(name), activity)?;
        report.warnings.extend(self.take_notices().into_iter().chain(notice));
        self.announce(&mut report).await?;
        Ok(report)
    }

    /// See [`Device::workspace_new_here`](crate::Device::workspace_new_here).
    pub(crate) async fn workspace_new_here(
        &mut self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<CloneReport, SyncError> {
        check_name(Named::Workspace, name)?;
        let (_lock, warnings) = self.enter(copy)?;
        let making = self.copies_lock()?;
        let project = self.project_of(copy)?;
        let name = self.free_name(&project.id, Some(name), copy.root())?;
        let head = copy.head()?;
        let machine = self.identity.machine.clone();
        let workspace = Workspace {
            base_snapshot_id: head.clone(),
            current_snapshot_id: head.clone(),
            ..new_workspace(self.world(), &project.id, &name, copy.root(), machine)
        };
        let id = workspace.id.clone();
        self.replica.write(|session| {
            Outbox(session).save(&project.id.scope(), &workspace)?;
            Snapshots(session).record(&project.id, &id, "workspace.created", head.as_ref(), None)
        })?;
        let own = WorkingCopy::create(copy.root(), &project.id, &id)?;
        self.replica.write(|session| Copies(session).put(&own.known(head.as_ref())))?;
        drop(making);
        let mut report = CloneReport {
            project: project.name,
            project_id: project.id,
            workspace: name,
            workspace_id: id,
            snapshot_id: head,
            path: copy.root().display().to_string(),
            here: true,
            warnings,
            ..CloneReport::default()
        };
        self.announce(&mut report).await?;
        Ok(report)
    }

    /// See [`Device::workspaces`](crate::Device::workspaces).
    pub(crate) fn workspaces(&mut self, copy: &WorkingCopy) -> Result<WorkspacesReport, SyncError> {
        let project = self.project_of(copy)?;
        let rows = Projects(self.replica.read()).workspaces(&project.id)?;
        let conflicts = |head: &Option<SnapshotId>| {
            let head = head.as_ref().map(|head| self.replica.read().row::<Snapshot>(head));
            let head = head.transpose()?.flatten();
            Ok::<_, SyncError>(head.and_then(|head| head.conflicts).unwrap_or(0).max(0) as u64)
        };
        let main = rows.iter().find(|row| project.main_workspace_id.as_ref() == Some(&row.id));
        let main = main.and_then(|main| main.current_snapshot_id.clone());
        let lineage = Snapshots(self.replica.read()).lineage(&project.id);
        let entry = |row: Workspace| {
            let head = &row.current_snapshot_id;
            let [ahead, behind] = match (&main, head) {
                (Some(main), Some(head)) => {
                    let (main, head) = (main.as_str(), head.as_str());
                    [ahead(&lineage, main, head)?, ahead(&lineage, head, main)?]
                }
                _ => [0, 0],
            };
            Ok(WorkspaceEntry {
                place: self.place_of(&row)?,
                ahead,
                behind,
                conflicts: conflicts(&row.current_snapshot_id)?,
                main: project.main_workspace_id.as_ref() == Some(&row.id),
                current: row.id == copy.workspace_id,
                id: row.id,
                name: row.name,
                snapshot_id: row.current_snapshot_id,
                version: row.version,
                path: row.local_path,
                machine: row.machine_id,
            })
        };
        let workspaces = rows.into_iter().map(entry).collect::<Result<_, SyncError>>()?;
        Ok(WorkspacesReport { project: project.name, workspaces, warnings: self.take_notices() })
    }

    /// Returns where the working copy of a workspace is. A device with the same name may have made it.
    fn place_of(&self, row: &Workspace) -> Result<WorkspacePlace, SyncError> {
        let known = Copies(self.replica.read()).of_workspace(&row.id)?;
        Ok(if known.iter().any(|copy| self.is_live(copy)) {
            WorkspacePlace::Here
        } else if known.is_empty() {
            WorkspacePlace::Elsewhere
        } else {
            WorkspacePlace::Gone
        })
    }

    /// See [`Device::workspace_rename`](crate::Device::workspace_rename).
    pub(crate) fn workspace_rename(
        &mut self,
        copy: &WorkingCopy,
        workspace: &str,
        name: &str,
    ) -> Result<WorkspacesReport, SyncError> {
        check_name(Named::Workspace, name)?;
        let project = self.project_of(copy)?;
        let id = self.named_workspace(&project, Some(workspace))?.id;
        self.replica.write(|session| {
            // Read within the transaction: another process may have written the row, or taken the
            // name.
            let all = Projects(session).workspaces(&project.id)?;
            if all.iter().any(|other| other.name == name && other.id != id) {
                return Err(workspace_taken(name));
            }
            let row = all.into_iter().find(|row| row.id == id).expect("it was found by its name");
            let key = RowKey::of(&id);
            let mut column = ColumnChange::still(session, Workspace::TABLE, &key, "name")?;
            column.value.after = Some(name.to_owned());
            let command = format!("workspace rename {} {name}", row.name);
            add_column_operation(session, copy, &command, column)?;
            Ok(Outbox(session)
                .save(&project.id.scope(), &Workspace { name: name.to_owned(), ..row })?)
        })?;
        self.workspaces(copy)
    }

    /// See [`Device::workspace_set_main`](crate::Device::workspace_set_main).
    pub(crate) fn workspace_set_main(
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
            let key = RowKey::of(&id);
            let mut column =
                ColumnChange::still(session, Project::TABLE, &key, "main_workspace_id")?;
            column.value.after = main_workspace_id.as_ref().map(ToString::to_string);
            add_column_operation(session, copy, &format!("workspace set-main {name}"), column)?;
            let updated_at = session.world.now_text();
            Outbox(session).save(&id.scope(), &Project { main_workspace_id, updated_at, ..project })
        })?;
        self.workspaces(copy)
    }
}
