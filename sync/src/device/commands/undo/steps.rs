//! The steps of an undo, and how one is ended whose process was killed.

use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::conflicts::{Conflict, read_conflicts};
use fastest_core::object::tree::with_conflicts;
use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{SnapshotId, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::commands::operation::hex_of;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::left::left_in;
use crate::device::open::OpenDevice;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::error::ReplicaError;
use crate::replica::local::copies::Copies;
use crate::replica::local::operations::{
    Change, ColumnChange, Effect, NewOperation, Number, Operation, Operations,
};
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::rows::snapshots::{NewSnapshot, Snapshots};
use crate::rows::undone::Undone;

use crate::device::commands::undo::plan::{Plan, TakenOut};

/// The message of a snapshot that lists conflicts which an undo has brought.
const CARRIED: &str = "Undo, with conflicts";

impl OpenDevice {
    /// Records what is about to happen, with the new snapshots.
    pub(super) fn begin_undo(
        &mut self,
        copy: &WorkingCopy,
        undone: &Operation,
        plan: Plan,
    ) -> Result<(Number, Effect), SyncError> {
        let words = self.words_of(undone)?;
        let verb = if undone.undoes.is_some() { "redo" } else { "undo" };
        let command = format!("{verb} {} ({words})", undone.undoes.unwrap_or(undone.number));
        let (landed, merged) = plan.landed.map(|it| (Some(it.own), it.merged)).unwrap_or_default();
        let mut new = [landed, merged, plan.head];
        for taken_out in new.iter_mut().flatten() {
            let parent = self.tree_at(taken_out.parents.first())?;
            let packs = std::mem::take(&mut taken_out.packs);
            taken_out.packs =
                self.complete(&copy.project_id, Some(&parent), &taken_out.tree, packs)?;
        }
        let conflicts = |tree| Ok::<_, SyncError>(read_conflicts(tree, &self.store)?.len());
        let counts = new.iter().map(|it| it.as_ref().map_or(Ok(0), |it| conflicts(&it.tree)));
        let counts = counts.collect::<Result<Vec<_>, _>>()?;
        let message = if undone.undoes.is_some() {
            format!("Do again: {words}")
        } else {
            format!("Undo: {words}")
        };
        let mut effect = plan.effect;
        let [landed, merged, head] = new;
        self.replica.write(|session| {
            let save = |it: &TakenOut, parents, conflicts| {
                let new = NewSnapshot {
                    tree: &it.tree,
                    parents,
                    message: Some(&message),
                    conflicts,
                    packs: &it.packs,
                };
                Snapshots(session).save(&it.workspace, new)
            };
            Undone(session).put_in_again(&copy.project_id, &undone.effect.removed)?;
            let mut taken_out = None;
            if let (Some(it), Some(change)) = (&landed, &mut effect.landed) {
                let own = save(it, it.parents.clone(), counts[0])?;
                change.head.after = Some(own.clone());
                if let Some(it) = &merged {
                    let parents = it.parents.iter().cloned().chain([own.clone()]).collect();
                    change.head.after = Some(save(it, parents, counts[1])?);
                }
                taken_out = Some(own);
            }
            for it in [&landed, &merged, &head].into_iter().flatten() {
                effect.packs.extend(hex_of(&it.packs));
            }
            if let Some(it) = &head {
                // With the target's snapshot as a parent, the work that goes out of the target stays here, and
                // can land again.
                let parents = it.parents.iter().cloned().chain(taken_out).collect();
                effect.head.after = Some(save(it, parents, counts[2])?);
            }
            let number = Operations(session).add(&NewOperation {
                project_id: &copy.project_id,
                workspace_id: &copy.workspace_id,
                root: copy.root(),
                command: &command,
                undoes: Some(undone.number),
                finished: false,
                effect: &effect,
            })?;
            Ok::<_, SyncError>((number, effect))
        })
    }

    /// Moves the files and the copy's head. Returns the paths that were in the way.
    pub(super) fn move_back(
        &mut self,
        copy: &WorkingCopy,
        captured: &Captured,
        effect: &Effect,
        files: &TreeId,
        activity: &Activity,
    ) -> Result<Vec<fastest_core::worktree::left::Left>, SyncError> {
        let head = effect.head.after.clone().unwrap_or_default();
        let mut left = left_in(copy)?;
        if effect.files.is_some() {
            let Captured { index, databases, .. } = captured;
            let done = self.check_out(copy, index, databases, files, head.as_str(), activity)?;
            if let Some((path, why)) = done.kept.into_iter().next() {
                return Err(SyncError::NotUpdated { path, why });
            }
            self.save_left(copy, &done.left)?;
            left = done.left;
        }
        if copy.head()? != effect.head.after {
            copy.set_head(&head)?;
        }
        Ok(left)
    }

    /// Moves the rows, and records the end.
    pub(super) fn complete_undo(
        &mut self,
        copy: &WorkingCopy,
        number: Number,
        mut effect: Effect,
        undone: &Operation,
    ) -> Result<Effect, SyncError> {
        self.replica.write(|session| {
            let project = &copy.project_id;
            let Change { before, after } = effect.head.clone();
            if before != after {
                Copies(session).put(&copy.known(after.as_ref()))?;
                move_row(session, copy, &copy.workspace_id, &effect.head)?;
            }
            if let Some(landed) = &effect.landed {
                move_row(session, copy, &landed.workspace_id, &landed.head)?;
            }
            if let Some(before) = before.filter(|before| after.as_ref() != Some(before)) {
                let packs = &undone.effect.packs;
                let taken = Undone(session).take_back(project, &before, after.as_ref(), packs)?;
                effect.removed.extend(taken);
            }
            effect.columns.iter().try_for_each(|change| put_column(session, copy, change))?;
            let still = Operations(session).get(undone.number)?;
            if let Some(by) = still.and_then(|still| still.undone_by) {
                return Err(SyncError::IsUndone { number: undone.number, by });
            }
            Operations(session).set_undone(undone.number, Some(number))?;
            if let Some(first) = undone.undoes {
                Operations(session).set_undone(first, None)?;
            }
            Ok(Operations(session).finish(number, &effect)?)
        })?;
        Ok(effect)
    }

    /// Ends an undo whose process was killed: it is completed if the copy's head has moved as planned, which is
    /// the end of a checkout, or if the head was to stay and the files are as planned. Otherwise it never was.
    pub(crate) fn close_undo(
        &mut self,
        copy: &WorkingCopy,
        undo: &Operation,
        undone: Number,
        files: &TreeId,
    ) -> Result<(), SyncError> {
        let undone = Operations(self.replica.read()).get(undone)?;
        let planned = undo.effect.trees().map(|trees| trees.after);
        let (head, moved) = (copy.head()?, &undo.effect.head);
        let has_carried = self.has_carried(head.as_ref(), moved.after.as_ref())?;
        let is_done = if moved.is_none() {
            let as_planned =
                |planned| Ok::<_, SyncError>(self.plain(&planned)? == self.plain(files)?);
            has_carried || planned.map(as_planned).transpose()?.unwrap_or(true)
        } else {
            head == moved.after || has_carried
        };
        // Those of the snapshots that were put in again for a redo.
        let removed = undone.iter().flat_map(|undone| &undone.effect.removed);
        let again = removed.filter_map(|row| row.value("pack_id")?.as_str().map(str::to_owned));
        let packs: Vec<String> = undo.effect.packs.iter().cloned().chain(again).collect();
        match undone.filter(|_| is_done) {
            Some(undone) => {
                let mut effect = undo.effect.clone();
                if has_carried {
                    effect.head.after = head;
                } else if let Some(planned) = planned {
                    effect = self.carry_conflicts(copy, effect, &planned, &Activity::default())?;
                }
                self.complete_undo(copy, undo.number, effect, &undone).map(drop)
            }
            None => {
                let Effect { head, landed, .. } = &undo.effect;
                let target = landed.as_ref().map(|landed| &landed.head);
                self.replica.write(|session| {
                    for change in [Some(head), target].into_iter().flatten() {
                        if let Some(after) = change.after.as_ref().filter(|_| !change.is_none()) {
                            let (project, kept) = (&copy.project_id, change.before.as_ref());
                            Undone(session).take_back(project, after, kept, &packs)?;
                        }
                    }
                    Operations(session).forget(undo.number)
                })?;
                Ok(())
            }
        }
    }

    /// Whether a head is the snapshot that [`Self::carry_conflicts`] took on top of the planned one.
    fn has_carried(
        &self,
        head: Option<&SnapshotId>,
        planned: Option<&SnapshotId>,
    ) -> Result<bool, SyncError> {
        let Some(head) = head.filter(|head| Some(*head) != planned) else { return Ok(false) };
        let row = self.snapshot_row(head)?;
        let is_on_top = row.parent_snapshot_ids.0.iter().eq(planned);
        Ok(is_on_top && row.summary.as_deref() == Some(CARRIED))
    }

    /// Returns a tree without its list of conflicts.
    fn plain(&self, tree: &TreeId) -> Result<TreeId, SyncError> {
        let scratch = ScratchObjects::over(&self.store);
        Ok(with_conflicts(tree, Vec::new(), &self.store, &scratch)?.id)
    }

    /// Takes a snapshot if files are in conflict now that the head does not list: a conflict is part of a
    /// snapshot.
    pub(super) fn carry_conflicts(
        &mut self,
        copy: &WorkingCopy,
        mut effect: Effect,
        files: &TreeId,
        activity: &Activity,
    ) -> Result<Effect, SyncError> {
        let listed = read_conflicts(&self.tree_at(effect.head.after.as_ref())?, &self.store)?;
        let open = read_conflicts(files, &self.store)?.into_iter();
        let new: Vec<Conflict> = open.filter(|it| !listed.contains(it)).collect();
        if !new.is_empty() {
            self.capture(copy, Some(CARRIED), Purpose::BroughtBack(&new), activity)?;
            effect.head.after = copy.head()?;
        }
        Ok(effect)
    }
}

/// Moves the head in a workspace's row, if it is still where the undo found it.
fn move_row(
    session: Session<'_>,
    copy: &WorkingCopy,
    id: &WorkspaceId,
    head: &Change<Option<SnapshotId>>,
) -> Result<(), ReplicaError> {
    let lineage = Snapshots(session).lineage(&copy.project_id);
    if let (Some(before), Some(after)) = (&head.before, &head.after)
        && follows(&lineage, after.as_str(), before.as_str())?
    {
        return Snapshots(session).advance_head(id, after);
    }
    let row = session.row::<Workspace>(id)?;
    if row.is_some_and(|row| row.current_snapshot_id == head.before) {
        Undone(session).move_head(id, head.after.as_ref())?;
    }
    Ok(())
}

/// Puts a text into a column of a row, if the row is there.
fn put_column(
    session: Session<'_>,
    copy: &WorkingCopy,
    change: &ColumnChange,
) -> Result<(), ReplicaError> {
    let Some(table) = session.schema.synced_table(&change.table) else { return Ok(()) };
    let Some(mut values) = session.values(table, &change.key)? else { return Ok(()) };
    if let Some(at) = table.columns.iter().position(|column| column.name == change.column) {
        let text = change.value.after.clone();
        values[at] = text.map_or(fastest_schema::Value::Null, Into::into);
        Outbox(session).save_values(&copy.project_id.scope(), table, &values)?;
    }
    Ok(())
}
