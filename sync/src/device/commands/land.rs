//! `push --to`: moves the head of another workspace to this one's, after that head was merged here.
//!
//! The head of a workspace only moves to a snapshot that follows it, and the primary checks the version of its
//! row. So of two devices that land at once, the second one merges what the first one landed, and tries again.

use fastest_core::compare::parting::follows;
use fastest_core::object::tree::conflicts::read_conflicts;
use fastest_schema::tables::workspaces::{Merged, Workspace};
use fastest_schema::{Json, Row, RowKey, SnapshotId, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::commands::pull::Incoming;
use crate::device::open::OpenDevice;
use crate::device::report::PushReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::values::column;
use crate::rows::snapshots::Snapshots;

/// Where to land, and how.
pub(crate) struct Landing {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) name: String,
    /// Whether conflicts that nobody has settled land as well.
    pub(crate) with_conflicts: bool,
}

impl OpenDevice {
    /// Finds the workspace to land in; `None` if that is the copy's own.
    pub(crate) fn landing(
        &self,
        copy: &WorkingCopy,
        name: &str,
        with_conflicts: bool,
    ) -> Result<Option<Landing>, SyncError> {
        let target = self.named_workspace(&self.project_of(copy)?, Some(name))?;
        let landing = Landing { workspace_id: target.id, name: target.name, with_conflicts };
        Ok(Some(landing).filter(|landing| landing.workspace_id != copy.workspace_id))
    }

    /// Returns a head of the target that the copy's head does not follow: the one on the primary as it was
    /// last seen, or the one here.
    pub(crate) fn unmerged_head(
        &self,
        copy: &WorkingCopy,
        target: &WorkspaceId,
    ) -> Result<Option<SnapshotId>, SyncError> {
        let Some(own) = copy.head()? else { return Ok(None) };
        let session = self.replica.read();
        let entry = Outbox(session).entry(Workspace::TABLE, &RowKey::of(target))?;
        let there = entry
            .as_ref()
            .and_then(Entry::known_base)
            .and_then(|base| column(Workspace::TABLE, base, "current_snapshot_id"));
        let here = session.row::<Workspace>(target)?.and_then(|row| row.current_snapshot_id);
        let lineage = Snapshots(session).lineage(&copy.project_id);
        for head in there.map(SnapshotId::from).into_iter().chain(here) {
            if !follows(&lineage, own.as_str(), head.as_str())? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Merges the target's head here, and moves that head to the copy's, on this device. Returns whether it
    /// moved: not if files are in conflict.
    pub(crate) fn prepare_landing(
        &mut self,
        copy: &WorkingCopy,
        landing: &Landing,
        report: &mut PushReport,
        activity: &Activity,
    ) -> Result<bool, SyncError> {
        while let Some(head) = self.unmerged_head(copy, &landing.workspace_id)? {
            let incoming =
                Incoming { workspace_id: &landing.workspace_id, name: &landing.name, head: &head };
            self.merge_head(copy, &incoming, report, activity)?;
            self.note_merge(copy, &incoming)?;
        }
        let Some(head) = copy.head()? else { return Ok(false) };
        let tree = tree_of(&self.snapshot_row(&head)?)?;
        if !landing.with_conflicts && !read_conflicts(&tree, &self.store)?.is_empty() {
            return Ok(false);
        }
        let merged_at = self.world().now_text();
        self.replica.write(|session| {
            let Some(target) = session.row::<Workspace>(&landing.workspace_id)? else {
                return Ok(());
            };
            if target.current_snapshot_id.as_ref() == Some(&head) {
                return Ok(());
            }
            let mut history = target.merge_history.clone().unwrap_or_default().0;
            let merged = Merged { last_merged_snapshot: head.clone(), merged_at };
            history.insert(copy.workspace_id.clone(), merged);
            let merge_history = Some(Json(history));
            let scope = copy.project_id.scope();
            Outbox(session).save(&scope, &Workspace { merge_history, ..target })?;
            Snapshots(session).advance_head(&landing.workspace_id, &head)?;
            let (project, target) = (&copy.project_id, &landing.workspace_id);
            Snapshots(session).record(project, target, "snapshot.landed", Some(&head), None)
        })?;
        Ok(true)
    }
}
