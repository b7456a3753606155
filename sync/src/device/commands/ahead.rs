//! Which workspaces hold what a working copy has not.

use crate::device::open::Device;
use crate::device::report::AheadWorkspace;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::rows::history;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl Device {
    /// The project's workspaces with snapshots that a working copy's head does not follow, but for its
    /// own and the workspace `pulled`.
    pub(crate) fn ahead_of(
        &self,
        copy: &WorkingCopy,
        pulled: &str,
    ) -> Result<Vec<AheadWorkspace>, SyncError> {
        let session = self.replica.read();
        let parents = Snapshots(session).parents(&copy.project_id)?;
        let ours = copy.head()?.map(|head| history::ancestors(&parents, &head)).unwrap_or_default();
        let mut ahead = Vec::new();
        for workspace in Projects(session).workspaces(&copy.project_id)? {
            let Some(head) = workspace.current_snapshot_id else { continue };
            let is_other = workspace.id != copy.workspace_id && workspace.id != pulled;
            if is_other && !ours.contains(&head) {
                let theirs = history::ancestors(&parents, &head);
                ahead.push(AheadWorkspace {
                    workspace: workspace.name,
                    workspace_id: workspace.id,
                    snapshots: theirs.difference(&ours).count() as u64,
                    snapshot_id: head,
                });
            }
        }
        Ok(ahead)
    }
}
