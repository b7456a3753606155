//! Working copies that a killed `clone` or `workspace new` left unfinished.
//!
//! A new workspace gets a row first, then a folder, and last an entry in the device's list of
//! working copies. A folder, or a row that names a folder, is unfinished without that entry, and
//! repeating the command finishes it.

use std::path::{Path, PathBuf};

use fastest_core::files::{disk, private};
use fastest_core::worktree::state_dir::StateDir;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{ProjectId, Row, RowKey, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::open::OpenDevice;
use crate::device::report::CloneReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::projects::Projects;

impl OpenDevice {
    /// Returns the workspace that a killed command began for the folder `root`. If `name` is given,
    /// the workspace must have it.
    pub(crate) fn begun_for(
        &self,
        project_id: &ProjectId,
        root: &Path,
        name: Option<&str>,
    ) -> Result<Option<Workspace>, SyncError> {
        let session = self.replica.read();
        let all = Projects(session).workspaces(project_id)?;
        let is_here = |workspace: &Workspace| {
            workspace.local_path.as_deref() == root.to_str()
                && workspace.machine_id == self.identity.machine
                && workspace.base_snapshot_id == workspace.current_snapshot_id
                && name.is_none_or(|name| workspace.name == name)
        };
        for workspace in all.into_iter().filter(is_here) {
            // Another device may have the same machine name and use the same path.
            if Copies(session).of_workspace(&workspace.id)?.is_empty()
                && self.is_begun(&workspace.id)
            {
                return Ok(Some(workspace));
            }
        }
        Ok(None)
    }

    /// Records in the store that this device begins a workspace. Called before the workspace's row
    /// is written.
    pub(crate) fn note_begun(&self, workspace_id: &WorkspaceId) -> Result<(), SyncError> {
        let note = self.note_of(workspace_id).expect("a new id is a ULID");
        let folder = note.parent().expect("a note lies in a folder");
        let noted = private::create_dir_all(folder)
            .and_then(|()| private::create_file(&note))
            // After a power failure, what is in the folder would count as somebody else's if the
            // note were missing.
            .and_then(|()| disk::sync_folder(folder));
        noted.map_err(SyncError::io("create", &note))
    }

    /// Deletes the note of a workspace that is finished or abandoned.
    pub(crate) fn forget_begun(&self, workspace_id: &WorkspaceId) {
        // A note that stays does no harm once the workspace has a working copy.
        if let Some(note) = self.note_of(workspace_id) {
            let _ = disk::remove_file(&note);
        }
    }

    /// Whether this device has begun a workspace and not finished it.
    pub(crate) fn is_begun(&self, workspace_id: &WorkspaceId) -> bool {
        self.note_of(workspace_id).is_some_and(|note| note.exists())
    }

    fn note_of(&self, workspace_id: &WorkspaceId) -> Option<PathBuf> {
        note_name(workspace_id).map(|name| self.dir.join("begun").join(name))
    }

    /// Returns the project that a killed command began in the folder `root`, if the folder did not
    /// become a working copy.
    pub(crate) fn begun_project(
        &self,
        root: &Path,
    ) -> Result<Option<(Project, Workspace)>, SyncError> {
        let Some(project) = self.was_made_here(root)? else { return Ok(None) };
        let workspace = self.begun_for(&project.id, root, None)?;
        let is_main = |workspace: &Workspace| {
            project.main_workspace_id.as_ref() == Some(&workspace.id)
                && workspace.current_snapshot_id.is_none()
        };
        Ok(workspace.filter(is_main).map(|workspace| (project, workspace)))
    }

    /// Returns the working copy in `dir` that a killed command left unfinished, if `is_wanted`
    /// accepts its workspace.
    pub(crate) fn unfinished(
        &self,
        dir: &Path,
        is_wanted: impl Fn(&Workspace) -> bool,
    ) -> Result<Option<WorkingCopy>, SyncError> {
        let Ok(root) = dir.canonicalize() else { return Ok(None) };
        let Some(copy) = WorkingCopy::at(&root, &self.trust)? else { return Ok(None) };
        let session = self.replica.read();
        let workspace = session.row::<Workspace>(&copy.workspace_id)?;
        // A working copy with another head was finished, and is missing from the list for another
        // reason.
        let head = copy.head()?;
        let is_begun = workspace.is_some_and(|workspace| {
            workspace.local_path.as_deref() == root.to_str()
                && is_wanted(&workspace)
                && (head.is_none() || head == workspace.current_snapshot_id)
        });
        let is_known = Copies(session).at(&root)?.is_some();
        let is_free = || StateDir::of(&root).find_lock().is_ok_and(|lock| lock.try_lock().is_ok());
        Ok((is_begun && !is_known && is_free()).then_some(copy))
    }

    /// Fills a working copy with the snapshot that its workspace starts from. Existing files stay.
    pub(crate) fn finish(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        // The lock finishes an interrupted checkout, if all of its files were written already.
        let (_lock, _) = copy.lock()?;
        let (project, workspace) = (self.project_of(copy)?, self.workspace_of(copy)?);
        let mut report = CloneReport {
            project: project.name,
            project_id: project.id,
            workspace: workspace.name,
            workspace_id: workspace.id,
            snapshot_id: workspace.current_snapshot_id,
            path: copy.root().display().to_string(),
            ..CloneReport::default()
        };
        let head = report.snapshot_id.clone();
        if let (Some(head), None) = (&head, copy.head()?) {
            copy.forget_index()?;
            let tree = tree_of(&self.snapshot_row(head)?)?;
            self.fill(copy.root(), &tree, &mut report, activity)?;
            copy.set_head(head)?;
        }
        self.keep_left(copy)?;
        self.replica.write(|session| Copies(session).put(&copy.known(head.as_ref())))?;
        self.forget_begun(&copy.workspace_id);
        Ok(report)
    }

    /// Deletes a new workspace whose folder could not be created, unless other devices may know of
    /// it.
    pub(crate) fn take_back(&mut self, workspace: &Workspace) -> Result<(), SyncError> {
        self.forget_begun(&workspace.id);
        self.replica.write(|session| {
            if is_new(session, workspace)? {
                Projects(session).forget_workspace(&workspace.id)?;
            }
            Ok(())
        })
    }
}

/// Returns the file name of a workspace's note; `None` for an id that no device generates. A
/// primary may send any text as an id, such as a path that leads elsewhere.
fn note_name(workspace_id: &WorkspaceId) -> Option<&str> {
    let name = workspace_id.as_str();
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then_some(name)
}

/// Whether the primary has never accepted this workspace's row, so that no other device knows of
/// it.
fn is_new(session: Session<'_>, workspace: &Workspace) -> Result<bool, SyncError> {
    let entry = Outbox(session).entry(Workspace::TABLE, &RowKey::of(&workspace.id))?;
    Ok(entry.is_some_and(|entry| entry.base_version == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_a_path_has_no_note() {
        let ulid = "01KAYC5VHZ9TQZJ0WQ1Y5T6X8M";
        assert_eq!(note_name(&ulid.into()), Some(ulid));
        for path in ["", ".", "..", "../format", "/etc/passwd", "a/b", "a\0b"] {
            assert_eq!(note_name(&path.into()), None, "{path:?}");
        }
    }
}
