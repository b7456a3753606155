//! `drift`: compares a workspace with another one, as they are and since they parted.

use fastest_core::compare::drift::drift;
use fastest_core::compare::overlap::{Edits, Overlap, overlap};
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::conflicts::read_conflicts;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::tables::workspaces::DriftReport as Row;
use fastest_schema::{Json, SnapshotId};

use crate::device::activity::Activity;
use crate::device::commands::bases::{Base, Bases};
use crate::device::commands::drift_all::unread_warning;
use crate::device::commands::status::ScratchStore;
use crate::device::commands::unsaved::Unsaved;
use crate::device::open::{OpenDevice, Refreshed};
use crate::device::path::show_all;
use crate::device::report::DriftReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::local::outbox::Outbox;
use crate::rows::snapshots::Snapshots;

/// The approximate bytes of paths in each list of a recorded report: a row of the primary must stay
/// under its limit of 2 MB. The counts are always complete.
const LIST_BYTES_MAX: usize = 200_000;

impl OpenDevice {
    /// See [`Device::drift`](crate::Device::drift).
    pub(crate) async fn drift(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
        committed: bool,
        activity: &Activity,
    ) -> Result<DriftReport, SyncError> {
        let mut warnings =
            if copy.state().has(JOURNAL) { self.enter(copy)?.1 } else { self.take_notices() };
        let Refreshed { offline, notices, .. } = self.refresh(&copy.project_id.scope()).await?;
        let (project, own) = (self.project_of(copy)?, self.workspace_of(copy)?);
        let from = self.named_workspace(&project, workspace)?;
        let (head, lost) = self.head_of(copy)?;
        warnings.extend(notices.into_iter().chain(lost));
        let looking = ScratchStore::new(&self.store);
        let (source_tree, head_tree) =
            (self.tree_at(from.current_snapshot_id.as_ref())?, self.tree_at(head.as_ref())?);
        if let Some(source) = &from.current_snapshot_id {
            self.check_extent(source, &source_tree, Some(&head_tree))?;
        }
        let (own_tree, skipped) = if committed {
            (head_tree, Vec::new())
        } else {
            let looked = self.look(copy, &head_tree, &looking, activity)?;
            warnings.extend(looked.warnings);
            (looked.root.id, looked.skipped)
        };
        activity.begin("Comparing");
        let found = drift(&source_tree, &own_tree, &looking)?;
        let ours = Side { head: head.as_ref(), saved: head_tree, tree: own_tree };
        let theirs =
            Side { head: from.current_snapshot_id.as_ref(), saved: source_tree, tree: source_tree };
        let (base, since) = self.since_parting(copy, &ours, &theirs, &looking)?;
        let Overlap { paths, conflicting, unread, .. } = &since;
        warnings.extend(unread_warning(unread.iter().cloned().collect()));
        let report = DriftReport {
            drift_report_id: self.world().new_id(),
            source: from.name,
            workspace: own.name,
            source_only: show_all(&found.source_only),
            workspace_only: show_all(&found.workspace_only),
            both_different: show_all(&found.both_different),
            both_same: found.counts.both_same,
            files_added: found.counts.workspace_only,
            files_modified: found.counts.both_different,
            files_deleted: found.counts.source_only,
            bytes_changed: found.counts.bytes_changed,
            base_snapshot_id: base.snapshot_id().cloned(),
            common_base: base != Base::None,
            ours_changed: since.ours.total(),
            theirs_changed: since.theirs.total(),
            overlap: show_all(paths),
            conflicting: show_all(conflicting),
            source_conflicts: read_conflicts(&source_tree, &self.store)?.len() as u64,
            workspace_conflicts: read_conflicts(&own_tree, &looking)?.len() as u64,
            offline,
            skipped,
            warnings,
        };
        let row = Row {
            id: report.drift_report_id.clone(),
            workspace_id: own.id.clone(),
            source_workspace_id: Some(from.id),
            workspace_snapshot_id: head,
            source_snapshot_id: from.current_snapshot_id,
            source_only: Json(bounded(&report.source_only)),
            workspace_only: Json(bounded(&report.workspace_only)),
            both_same: Json(Vec::new()),
            both_different: Json(bounded(&report.both_different)),
            files_added: count(report.files_added),
            files_modified: count(report.files_modified),
            files_deleted: count(report.files_deleted),
            bytes_changed: count(report.bytes_changed),
            summary: Some(summary(&report)),
            reported_at: self.world().now_text(),
        };
        if self.replica.is_read_only() {
            return Ok(report);
        }
        self.replica.write(|session| {
            Outbox(session).save(&project.id.scope(), &row)?;
            Snapshots(session).record(&project.id, &own.id, "drift.reported", None, None)
        })?;
        Ok(report)
    }

    /// Compares a working copy and another workspace with the state from which they parted.
    fn since_parting(
        &self,
        copy: &WorkingCopy,
        ours: &Side<'_>,
        theirs: &Side<'_>,
        looking: &ScratchStore<'_>,
    ) -> Result<(Base, Overlap), SyncError> {
        let scratch = ScratchObjects::over(looking);
        let base = Bases::new(self, &copy.project_id, &scratch).of(ours.head, theirs.head)?;
        if let Base::Snapshot(id, tree) = &base {
            self.check_extent(id, tree, Some(&ours.saved))?;
        }
        let unsaved = Unsaved::over(&scratch, &self.store);
        if ours.tree != ours.saved {
            unsaved.add(copy.root(), &Edits::since(&ours.saved, &ours.tree, &scratch)?);
        }
        let since = overlap(base.tree(), &ours.tree, &theirs.tree, &unsaved)?;
        Ok((base, since))
    }
}

/// One side of a comparison.
struct Side<'a> {
    head: Option<&'a SnapshotId>,
    /// The tree of the head.
    saved: TreeId,
    /// The tree that is compared.
    tree: TreeId,
}

/// Returns what both sides have changed since they parted, for the recorded report.
fn summary(report: &DriftReport) -> String {
    let DriftReport { ours_changed, theirs_changed, overlap, conflicting, .. } = report;
    let (overlap, conflicts) = (overlap.len(), conflicting.len());
    format!(
        "changed here: {ours_changed}, there: {theirs_changed}, on both sides: {overlap}, \
         in conflict: {conflicts}"
    )
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the first of `paths`, as many as fit into [`LIST_BYTES_MAX`].
fn bounded(paths: &[String]) -> Vec<String> {
    let mut bytes = 0;
    let fits = |path: &&String| {
        bytes += path.len() + 4;
        bytes <= LIST_BYTES_MAX
    };
    paths.iter().take_while(fits).cloned().collect()
}
