//! `merge`: a pull that asks first. Shows what it would do, carries out what was shown, and settles conflicts
//! with one side.

use std::path::PathBuf;
use std::time::Duration;

use fastest_core::compare::drift::drift;
use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::overlap::Edits;
use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::conflicts::read_conflicts;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::SnapshotId;
use fastest_schema::tables::workspaces::Workspace;

use crate::base::clock;
use crate::device::activity::Activity;
use crate::device::commands::bases::{Base, Bases};
use crate::device::commands::pull::{Incoming, conflict_label, conflict_report, side_names};
use crate::device::commands::status::ScratchStore;
use crate::device::commands::unsaved::Unsaved;
use crate::device::merge::MergeRequest;
use crate::device::open::{OpenDevice, Refreshed};
use crate::device::path::show_all;
use crate::device::report::{MergePlan, MergeReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::local::previews::{Preview, Previews};
use crate::rows::snapshots::Snapshots;

/// How long a preview can be carried out.
const PREVIEW_LIFE: Duration = Duration::from_secs(30 * 60);

/// A working copy as it stands, and what is to be merged into it.
struct Standing {
    from: Workspace,
    theirs: Option<SnapshotId>,
    head: Option<SnapshotId>,
    head_tree: TreeId,
    warnings: Vec<String>,
    offline: bool,
}

impl OpenDevice {
    /// See [`Device::merge`](crate::Device::merge).
    pub(crate) async fn merge(
        &mut self,
        copy: &WorkingCopy,
        request: &MergeRequest,
        activity: &Activity,
    ) -> Result<MergeReport, SyncError> {
        let standing = self.standing_of(copy, request.workspace.as_deref()).await?;
        if let Some(id) = &request.preview {
            self.check_preview(copy, &standing, id, activity)?;
        }
        if !request.allow_unrelated {
            self.check_related(copy, &standing)?;
        }
        let from = standing.from.id.as_str();
        let mut pull = self.pull(copy, Some(from), activity).await?;
        let new: Vec<PathBuf> =
            pull.conflicts.iter().map(|conflict| PathBuf::from(&conflict.id)).collect();
        let mut settled = Vec::new();
        if let Some(side) = request.side.filter(|_| !new.is_empty()) {
            let done = self.resolve_files(copy, copy.root(), &new, Some(side), activity)?;
            settled = done.settled;
            pull.warnings.extend(done.warnings);
            pull.conflicts.clear();
            pull.snapshot_id = done.snapshot_id;
        }
        Ok(MergeReport { pull, settled })
    }

    /// See [`Device::merge_plan`](crate::Device::merge_plan).
    pub(crate) async fn merge_plan(
        &mut self,
        copy: &WorkingCopy,
        request: &MergeRequest,
        activity: &Activity,
    ) -> Result<MergePlan, SyncError> {
        let standing = self.standing_of(copy, request.workspace.as_deref()).await?;
        if !request.allow_unrelated {
            self.check_related(copy, &standing)?;
        }
        let (mut plan, preview) = self.planned(copy, &standing, activity)?;
        if let Some(preview) = preview
            && !self.replica.is_read_only()
        {
            let (id, oldest) = (self.world().new_id(), self.oldest_preview());
            self.replica.write(|session| Previews(session).put(&id, &oldest, &preview))?;
            plan.preview = Some(id);
        }
        Ok(plan)
    }

    async fn standing_of(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
    ) -> Result<Standing, SyncError> {
        let mut warnings =
            if copy.state().has(JOURNAL) { self.enter(copy)?.1 } else { self.take_notices() };
        let Refreshed { offline, notices, .. } = self.refresh(&copy.project_id.scope()).await?;
        warnings.extend(notices);
        let project = self.project_of(copy)?;
        let from = self.named_workspace(&project, workspace)?;
        if from.id == copy.workspace_id {
            return Err(SyncError::MergeWithItself { workspace: from.name });
        }
        let theirs = self.head_to_bring(copy, &from)?;
        let (head, lost) = self.head_of(copy)?;
        warnings.extend(lost);
        let head_tree = self.tree_at(head.as_ref())?;
        Ok(Standing { from, theirs, head, head_tree, warnings, offline })
    }

    /// Refuses to merge two histories that never met: every file that differs would be a conflict.
    fn check_related(&self, copy: &WorkingCopy, standing: &Standing) -> Result<(), SyncError> {
        let scratch = ScratchObjects::over(&self.store);
        let Standing { from, theirs, head, .. } = standing;
        let base =
            Bases::new(self, &copy.project_id, &scratch).of(head.as_ref(), theirs.as_ref())?;
        if head.is_none() || theirs.is_none() || base != Base::None {
            return Ok(());
        }
        let (ours, theirs) = (self.workspace_of(copy)?.name, from.name.clone());
        Err(SyncError::Unrelated { ours, theirs })
    }

    /// Returns what a merge would do, and what it depends on; nothing if there is nothing to do.
    fn planned(
        &self,
        copy: &WorkingCopy,
        standing: &Standing,
        activity: &Activity,
    ) -> Result<(MergePlan, Option<Preview>), SyncError> {
        let Standing { from, theirs, head, head_tree, .. } = standing;
        let mut plan = MergePlan {
            from: from.name.clone(),
            snapshot_id: head.clone(),
            their_snapshot_id: theirs.clone(),
            offline: standing.offline,
            warnings: standing.warnings.clone(),
            ..MergePlan::default()
        };
        let lineage = Snapshots(self.replica.read()).lineage(&copy.project_id);
        let is_there = |theirs: &SnapshotId| match head {
            Some(head) => follows(&lineage, head.as_str(), theirs.as_str()),
            None => Ok(false),
        };
        let Some(theirs) = theirs.as_ref().filter(|theirs| !matches!(is_there(theirs), Ok(true)))
        else {
            plan.up_to_date = true;
            return Ok((plan, None));
        };
        let their_tree = self.tree_at(Some(theirs))?;
        self.check_extent(theirs, &their_tree, Some(head_tree))?;
        let looking = ScratchStore::new(&self.store);
        let looked = self.look(copy, head_tree, &looking, activity)?;
        plan.warnings.extend(looked.warnings);
        let (scratch, ours) = (ScratchObjects::over(&looking), looked.root.id);
        let unsaved = Unsaved::over(&scratch, &self.store);
        unsaved.add(copy.root(), &Edits::since(head_tree, &ours, &scratch)?);
        activity.begin("Comparing");
        let base = Bases::new(self, &copy.project_id, &scratch).of(head.as_ref(), Some(theirs))?;
        let incoming = Incoming { workspace_id: &from.id, name: &from.name, head: theirs };
        let (own, label) = (self.workspace_of(copy)?.name, conflict_label(&incoming));
        let [ours_name, theirs_name] = side_names(&own, theirs, &incoming);
        let names = Names { ours: &ours_name, theirs: &theirs_name, label: &label };
        let sides = Sides { base: base.tree(), ours: &ours, theirs: &their_tree, names };
        let merged = merge(&sides, &unsaved, &scratch)?;
        let result = merged.root.id;
        let changed = drift(&ours, &result, &scratch)?;
        plan.base_snapshot_id = base.snapshot_id().cloned();
        plan.added = show_all(&changed.workspace_only);
        plan.modified = show_all(&changed.both_different);
        plan.deleted = show_all(&changed.source_only);
        let conflicts = read_conflicts(&result, &scratch)?.into_iter();
        let new = conflicts.filter(|conflict| !looked.open.contains(conflict));
        plan.conflicts = new.map(|conflict| conflict_report(&conflict)).collect();
        let preview = Preview {
            workspace_id: copy.workspace_id.clone(),
            from: from.id.clone(),
            theirs: theirs.clone(),
            head: head.clone(),
            files: ours.to_hex(),
            result: result.to_hex(),
        };
        Ok((plan, Some(preview)))
    }

    /// Refuses a preview that is too old, or that would not be carried out as it was shown.
    fn check_preview(
        &self,
        copy: &WorkingCopy,
        standing: &Standing,
        id: &str,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let passed = |why: String| SyncError::PreviewPassed { id: id.to_owned(), why };
        let shown = Previews(self.replica.read()).get(id, &self.oldest_preview())?;
        let shown = shown.filter(|shown| shown.workspace_id == copy.workspace_id);
        let shown = shown.ok_or_else(|| {
            passed("it is older than 30 minutes, or was made elsewhere".to_owned())
        })?;
        let name = &standing.from.name;
        if shown.from != standing.from.id {
            return Err(passed(format!("it is not one of {name}")));
        }
        if Some(&shown.theirs) != standing.theirs.as_ref() {
            return Err(passed(format!("{name} has moved on")));
        }
        if shown.head != standing.head {
            return Err(passed("this working copy has moved on".to_owned()));
        }
        match self.planned(copy, standing, activity)?.1 {
            Some(now) if now.files != shown.files => {
                Err(passed("files here have changed".to_owned()))
            }
            Some(now) if now.result == shown.result => Ok(()),
            _ => Err(passed("the result would be another one".to_owned())),
        }
    }

    /// Returns the time since which previews count.
    fn oldest_preview(&self) -> String {
        let now = self.world().timestamp();
        clock::text(now.checked_sub(PREVIEW_LIFE).unwrap_or(now))
    }
}
