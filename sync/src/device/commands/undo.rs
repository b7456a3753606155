//! `undo` and `redo`: take an operation back.
//!
//! What only this device has moves back as it was: the head, the files, the rows. What was sent stays part of
//! the history, and a new snapshot takes it out again: the change from after to before, merged into what is
//! there now, so that nobody else's work goes with it. Unsaved changes stay in any case, and files merge line by
//! line with them.

mod plan;
mod steps;

use fastest_core::compare::drift::drift;
use fastest_core::object::tree::conflicts::{Conflict, read_conflicts};
use fastest_core::worktree::left::is_in_left;
use fastest_schema::WorkspaceId;
use fastest_schema::tables::workspaces::Workspace;

use crate::device::activity::Activity;
use crate::device::commands::pull::conflict_report;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::left::{but_for_left, left_in, left_notice};
use crate::device::open::OpenDevice;
use crate::device::path::show_all;
use crate::device::report::UndoReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::local::operations::{Number, Operation, Operations};

impl OpenDevice {
    /// See [`Device::undo`](crate::Device::undo).
    pub(crate) fn undo(
        &mut self,
        copy: &WorkingCopy,
        number: Option<Number>,
        activity: &Activity,
    ) -> Result<UndoReport, SyncError> {
        let (_lock, warnings) = self.enter(copy)?;
        let operation = match number {
            Some(number) => self.operation_that_stands(copy, number)?,
            None => {
                let newest =
                    Operations(self.replica.read()).newest(&copy.workspace_id, copy.root())?;
                newest.ok_or(SyncError::NothingToUndo)?
            }
        };
        self.bring_back(copy, &operation, warnings, activity)
    }

    /// See [`Device::redo`](crate::Device::redo).
    pub(crate) fn redo(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<UndoReport, SyncError> {
        let (_lock, warnings) = self.enter(copy)?;
        let operations = Operations(self.replica.read());
        let undo = operations
            .newest_undo(&copy.workspace_id, copy.root())?
            .ok_or(SyncError::NothingToRedo)?;
        match operations.newest(&copy.workspace_id, copy.root())? {
            Some(newer) if newer.number > undo.number => {
                Err(SyncError::RedoPassed { number: newer.number, command: newer.command })
            }
            _ => self.bring_back(copy, &undo, warnings, activity),
        }
    }

    /// Returns the operation that a user names, if it stands. The number of an undo that was redone stands for
    /// what was undone.
    fn operation_that_stands(
        &self,
        copy: &WorkingCopy,
        number: Number,
    ) -> Result<Operation, SyncError> {
        let operations = Operations(self.replica.read());
        let is_of = |it: &Operation| it.workspace_id == copy.workspace_id && it.root == copy.root();
        let found = operations.get(number)?.filter(|it| is_of(it) && it.finished);
        let found = found.ok_or(SyncError::NoOperation { number })?;
        let undone = found.undoes.map(|undone| operations.get(undone)).transpose()?.flatten();
        let meant = match undone.and_then(|undone| undone.undoes) {
            Some(first) => operations.get(first)?.ok_or(SyncError::NoOperation { number })?,
            None => found,
        };
        match meant.undone_by {
            Some(by) => Err(SyncError::IsUndone { number: meant.number, by }),
            None => Ok(meant),
        }
    }

    fn bring_back(
        &mut self,
        copy: &WorkingCopy,
        undone: &Operation,
        mut warnings: Vec<String>,
        activity: &Activity,
    ) -> Result<UndoReport, SyncError> {
        let left = left_in(copy)?;
        let (mut captured, _) = self.store_files(copy, Purpose::Safety, activity)?;
        self.find_saved(copy, &mut captured)?;
        let way = self.way_back(copy, undone)?;
        warnings.extend(but_for_left(&left, captured.warnings.clone()));
        let plan = self.plan_back(copy, undone, way, &captured)?;
        let is_idle = plan.effect.head.is_none()
            && plan.head.is_none()
            && plan.files == captured.root.id
            && plan.effect.landed.is_none()
            && plan.effect.columns.is_empty();
        let (files, made) = (plan.files, plan.head.is_some());
        let (number, effect) = self.begin_undo(copy, undone, plan)?;
        let done = self.move_back(copy, &captured, &effect, &files, activity)?;
        let effect = self.carry_conflicts(copy, effect, &files, activity)?;
        let effect = self.complete_undo(copy, number, effect, undone)?;
        let before = read_conflicts(&captured.root.id, &self.store)?;
        let open = read_conflicts(&files, &self.store)?;
        let new: Vec<&Conflict> = open.iter().filter(|it| !before.contains(it)).collect();
        let changed = drift(&captured.root.id, &files, &self.store)?;
        let came = |paths: &[Vec<u8>]| {
            let came = paths.iter().filter(|path| !is_in_left(&done, path));
            show_all(&came.cloned().collect::<Vec<_>>())
        };
        warnings.extend(done.iter().map(left_notice));
        let landed = effect.landed.as_ref().map(|landed| self.name_of(&landed.workspace_id));
        Ok(UndoReport {
            operation: number,
            undone: undone.undoes.unwrap_or(undone.number),
            command: self.words_of(undone)?,
            redone: undone.undoes.is_some(),
            added: came(&changed.workspace_only),
            modified: came(&changed.both_different),
            deleted: came(&changed.source_only),
            snapshot_id: effect.head.after.clone(),
            snapshot_made: made,
            landed: landed.transpose()?.flatten(),
            conflicts: new.into_iter().map(conflict_report).collect(),
            nothing_left: is_idle,
            warnings,
        })
    }

    /// Bases a working copy on the snapshot of its files, if a process was killed after it had saved that and
    /// before it set the head.
    fn find_saved(&self, copy: &WorkingCopy, captured: &mut Captured) -> Result<(), SyncError> {
        let (workspace, head) = (self.workspace_of(copy)?, captured.parent.as_ref());
        if workspace.current_snapshot_id.as_ref() != head
            && let Some(saved) = self.recorded_before_a_crash(&workspace, head, &captured.root)?
        {
            copy.set_head(&saved)?;
            captured.parent = Some(saved);
        }
        Ok(())
    }

    fn name_of(&self, id: &WorkspaceId) -> Result<Option<String>, SyncError> {
        Ok(self.replica.read().row::<Workspace>(id)?.map(|row| row.name))
    }

    /// Returns the words of the command that an operation, or the one that it took back, was.
    fn words_of(&self, operation: &Operation) -> Result<String, SyncError> {
        let first = operation.undoes.map(|first| Operations(self.replica.read()).get(first));
        let first = first.transpose()?.flatten();
        Ok(first.map_or(operation.command.clone(), |first| first.command))
    }
}
