//! `push --to`: moves the head of another workspace to this one's, after that head was merged here.
//!
//! The head of a workspace only moves to a snapshot that follows it, and the primary checks the version of its
//! row. So of two devices that land at once, the second one merges what the first one landed, and tries again.

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::parting::follows;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::conflicts::read_conflicts;
use fastest_schema::tables::workspaces::{Merged, Workspace};
use fastest_schema::{Json, ProjectId, Row, RowKey, SnapshotId, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::commands::operation::{Ending, add_operation, merge_history};
use crate::device::commands::pull::{Incoming, Known};
use crate::device::open::OpenDevice;
use crate::device::report::PushReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::error::ReplicaError;
use crate::replica::local::operations::{Change, Effect, Landed, Number, Operation, Operations};
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::replica::values::column;
use crate::rows::snapshots::{NewSnapshot, Snapshots};
use crate::rows::undone::Undone;

/// Where to land, and how.
pub(crate) struct Landing {
    pub(crate) project_id: ProjectId,
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
        let project_id = copy.project_id.clone();
        let (workspace_id, name) = (target.id, target.name);
        let landing = Landing { project_id, workspace_id, name, with_conflicts };
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
        let there = head_there(session, target)?;
        let here = session.row::<Workspace>(target)?.and_then(|row| row.current_snapshot_id);
        let lineage = Snapshots(session).lineage(&copy.project_id);
        for head in there.into_iter().chain(here) {
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
        operation: &mut Option<Number>,
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
        *operation = self.replica.write(|session| {
            let Some(target) = session.row::<Workspace>(&landing.workspace_id)? else {
                return Ok(*operation);
            };
            if target.current_snapshot_id.as_ref() == Some(&head) {
                return Ok(*operation);
            }
            let operation = note_landing(session, copy, landing, &head, *operation)?;
            let mut history = target.merge_history.clone().unwrap_or_default().0;
            let merged = Merged { last_merged_snapshot: head.clone(), merged_at };
            history.insert(copy.workspace_id.clone(), merged);
            let merge_history = Some(Json(history));
            let scope = copy.project_id.scope();
            Outbox(session).save(&scope, &Workspace { merge_history, ..target })?;
            Snapshots(session).advance_head(&landing.workspace_id, &head)?;
            let (project, target) = (&copy.project_id, &landing.workspace_id);
            Snapshots(session).record(project, target, "snapshot.landed", Some(&head), None)?;
            Ok::<_, ReplicaError>(Some(operation))
        })?;
        Ok(true)
    }

    /// Puts the head of a landing's target back to the one on the primary, once the landing was given up: until
    /// then, nothing on this device should say that the work is in there.
    pub(crate) fn give_landing_up(
        &mut self,
        landing: &Landing,
        operation: Option<Number>,
    ) -> Result<(), SyncError> {
        self.replica.write(|session| {
            let there = head_there(session, &landing.workspace_id)?;
            let row = session.row::<Workspace>(&landing.workspace_id)?;
            let here = row.and_then(|row| row.current_snapshot_id);
            let of_this = operation.map(|number| Operations(session).get(number)).transpose()?;
            // An earlier landing may wait since the primary was out of reach.
            let Some(waits) = here.as_ref().filter(|_| here != there) else { return Ok(()) };
            let waiting = Operations(session).naming(&landing.project_id, waits)?;
            for found in of_this.flatten().into_iter().chain(waiting) {
                let Some(landed) = &found.effect.landed else { continue };
                if landed.workspace_id != landing.workspace_id || landed.head.after != here {
                    continue;
                }
                Undone(session).move_head(&landing.workspace_id, there.as_ref())?;
                let effect = Effect { landed: None, ..found.effect };
                return if effect.head.is_none() {
                    Operations(session).forget(found.number)
                } else {
                    Operations(session).set_effect(found.number, &effect)
                };
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// What became of a landing that was undone here, while somebody else moved the target's head.
pub(crate) enum Undoing {
    /// Nothing of the kind waits.
    None,
    /// What the primary has is merged, and the next push sends it.
    Merged,
    /// What others landed is in the same places, so that the landing stands. The name of the target.
    GivenUp(String),
}

impl OpenDevice {
    /// Merges what the primary has into the head of a workspace that waits because a landing was undone.
    pub(crate) fn catch_up_undone(&mut self, copy: &WorkingCopy) -> Result<Undoing, SyncError> {
        let session = self.replica.read();
        for operation in Operations(session).undos(&copy.workspace_id)? {
            let Some(landed) = &operation.effect.landed else { continue };
            let session = self.replica.read();
            let Some(target) = session.row::<Workspace>(&landed.workspace_id)? else { continue };
            let (ours, there) = (&landed.head.after, head_there(session, &landed.workspace_id)?);
            let (Some(ours), Some(there)) = (ours, there) else { continue };
            let lineage = Snapshots(session).lineage(&copy.project_id);
            if target.current_snapshot_id.as_ref() != Some(ours)
                || follows(&lineage, ours.as_str(), there.as_str())?
            {
                continue;
            }
            return self.merge_undone(copy, &operation, &target, [ours, &there]);
        }
        Ok(Undoing::None)
    }

    fn merge_undone(
        &mut self,
        copy: &WorkingCopy,
        operation: &Operation,
        target: &Workspace,
        [ours, there]: [&SnapshotId; 2],
    ) -> Result<Undoing, SyncError> {
        let [our_tree, their_tree] = [ours, there].map(|id| tree_of(&self.snapshot_row(id)?));
        let (our_tree, their_tree) = (our_tree?, their_tree?);
        let scratch = ScratchObjects::over(&self.store);
        let known = Known(self, &copy.project_id);
        let base = merge_base(&known, ours.as_str(), there.as_str(), &scratch)?;
        let names = Names { ours: "undone", theirs: &target.name, label: "undone" };
        let sides = Sides { base: base.as_ref(), ours: &our_tree, theirs: &their_tree, names };
        let writer = self.store.writer();
        let merged = merge(&sides, &scratch, &writer)?;
        let packs = writer.finish()?;
        if !merged.conflicts.is_empty() {
            self.replica.write(|s| Undone(s).move_head(&target.id, Some(there)))?;
            return Ok(Undoing::GivenUp(target.name.clone()));
        }
        let tree = merged.root.id;
        let packs = self.complete(&copy.project_id, Some(&their_tree), &tree, packs)?;
        let conflicts = read_conflicts(&tree, &self.store)?.len();
        let message = format!("Merge {}", target.name);
        self.replica.write(|session| {
            let new = NewSnapshot {
                tree: &tree,
                parents: vec![ours.clone(), there.clone()],
                message: Some(&message),
                conflicts,
                packs: &packs,
            };
            let id = Snapshots(session).save(target, new)?;
            Snapshots(session).advance_head(&target.id, &id)?;
            let mut effect = operation.effect.clone();
            if let Some(landed) = &mut effect.landed {
                landed.head.after = Some(id);
            }
            Operations(session).set_effect(operation.number, &effect)
        })?;
        Ok(Undoing::Merged)
    }
}

/// Returns the head that a workspace has on the primary, as far as the device knows.
pub(crate) fn head_there(
    session: Session<'_>,
    id: &WorkspaceId,
) -> Result<Option<SnapshotId>, ReplicaError> {
    Ok(match Outbox(session).entry(Workspace::TABLE, &RowKey::of(id))? {
        Some(entry) => {
            let base = entry.known_base();
            let head = base.and_then(|base| column(Workspace::TABLE, base, "current_snapshot_id"));
            head.map(SnapshotId::from)
        }
        None => session.row::<Workspace>(id)?.and_then(|row| row.current_snapshot_id),
    })
}

/// Returns the head that a target has before a landing, and whether that is two heads: here and on the primary.
/// `earlier` is an attempt of the same landing that lost a race.
fn head_before(
    session: Session<'_>,
    copy: &WorkingCopy,
    id: &WorkspaceId,
    earlier: Option<&Landed>,
) -> Result<(Option<SnapshotId>, bool), ReplicaError> {
    let lineage = Snapshots(session).lineage(&copy.project_id);
    let covers = |one: &Option<SnapshotId>, other: &Option<SnapshotId>| match (one, other) {
        (_, None) => Ok(true),
        (None, Some(_)) => Ok(false),
        (Some(one), Some(other)) => follows(&lineage, one.as_str(), other.as_str()),
    };
    let there = head_there(session, id)?;
    let mut here = session.row::<Workspace>(id)?.and_then(|row| row.current_snapshot_id);
    if let Some(earlier) = earlier.filter(|earlier| earlier.head.after == here) {
        // That head is this landing itself. What it started from is part of it.
        here.clone_from(&earlier.head.before);
    }
    Ok(if covers(&here, &there)? {
        (here, false)
    } else if covers(&there, &here)? {
        (there, false)
    } else {
        (there, true)
    })
}

/// Adds to a push's operation, or begins one, that the target's head moves to `head`.
fn note_landing(
    session: Session<'_>,
    copy: &WorkingCopy,
    landing: &Landing,
    head: &SnapshotId,
    operation: Option<Number>,
) -> Result<Number, ReplicaError> {
    let found = operation.map(|number| Operations(session).get(number)).transpose()?.flatten();
    let earlier = found.as_ref().and_then(|found| found.effect.landed.as_ref());
    let (before, is_mixed) = head_before(session, copy, &landing.workspace_id, earlier)?;
    let head_change = Change { before, after: Some(head.clone()) };
    let workspace_id = landing.workspace_id.clone();
    let landed = Landed { workspace_id, head: head_change, is_mixed };
    let command = format!("push --to {}", landing.name);
    match found {
        Some(found) => {
            Operations(session).set_command(found.number, &command)?;
            let mut effect = Effect { landed: Some(landed), ..found.effect };
            if effect.columns.is_empty() {
                effect.columns.push(merge_history(session, &landing.workspace_id)?);
            }
            Operations(session).set_effect(found.number, &effect)?;
            Ok(found.number)
        }
        None => {
            let columns = vec![merge_history(session, &landing.workspace_id)?];
            let head = Change::still(Some(head.clone()));
            let effect = Effect { head, landed: Some(landed), columns, ..Effect::default() };
            add_operation(session, copy, &command, &effect, Ending::Finished)
        }
    }
}
