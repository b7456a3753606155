//! Finds workspaces with snapshots that a working copy lacks.

use fastest_core::compare::parting::{ahead, follows};
use fastest_schema::WorkspaceId;

use crate::device::open::OpenDevice;
use crate::device::report::AheadWorkspace;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl OpenDevice {
    /// Returns the project's other workspaces that have snapshots which are not ancestors of the
    /// working copy's head, with the number of these snapshots. Leaves out the workspace `pulled`.
    pub(crate) fn ahead_of(
        &self,
        copy: &WorkingCopy,
        pulled: &WorkspaceId,
    ) -> Result<Vec<AheadWorkspace>, SyncError> {
        let session = self.replica.read();
        let ours = copy.head()?;
        let lineage = Snapshots(session).lineage(&copy.project_id);
        let mut found = Vec::new();
        for workspace in Projects(session).workspaces(&copy.project_id)? {
            let Some(head) = workspace.current_snapshot_id else { continue };
            let is_other = workspace.id != copy.workspace_id && workspace.id != *pulled;
            let snapshots = match &ours {
                _ if !is_other => continue,
                Some(ours) if follows(&lineage, ours.as_str(), head.as_str())? => continue,
                Some(ours) => ahead(&lineage, ours.as_str(), head.as_str())?,
                None => lineage.ancestors(std::slice::from_ref(&head))?.len() as u64,
            };
            found.push(AheadWorkspace {
                workspace: workspace.name,
                workspace_id: workspace.id,
                snapshots,
                snapshot_id: head,
            });
        }
        Ok(found)
    }
}
