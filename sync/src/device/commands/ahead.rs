//! Finds workspaces with snapshots that a working copy lacks.

use fastest_core::compare::parting::{apart, follows};

use crate::device::open::Device;
use crate::device::report::AheadWorkspace;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl Device {
    /// Returns the project's workspaces with snapshots that the head of a working copy does not
    /// follow, except for its own workspace and the workspace `pulled`.
    pub(crate) fn ahead_of(
        &self,
        copy: &WorkingCopy,
        pulled: &str,
    ) -> Result<Vec<AheadWorkspace>, SyncError> {
        let session = self.replica.read();
        let ours = copy.head()?;
        let mut ahead = Vec::new();
        for workspace in Projects(session).workspaces(&copy.project_id)? {
            let Some(head) = workspace.current_snapshot_id else { continue };
            let is_other = workspace.id != copy.workspace_id && workspace.id != pulled;
            let snapshots = match &ours {
                _ if !is_other => continue,
                Some(ours) if follows(&Snapshots(session), ours, &head)? => continue,
                Some(ours) => apart(&Snapshots(session), ours, &head)?.theirs,
                None => Snapshots(session).ancestors(std::slice::from_ref(&head))?.len() as u64,
            };
            ahead.push(AheadWorkspace {
                workspace: workspace.name,
                workspace_id: workspace.id,
                snapshots,
                snapshot_id: head,
            });
        }
        Ok(ahead)
    }
}
