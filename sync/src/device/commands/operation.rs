//! The log of operations: what commands record in it, and `op log`.
//!
//! A command that only takes a snapshot records it in the same transaction. Any other begins an operation once
//! the state before is stored, and finishes it at its end. If it was killed in between, the next command in the
//! folder looks at what became of it.

use fastest_core::object::id::TreeId;
use fastest_core::store::pack::PackInfo;
use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{Row, RowKey, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::open::OpenDevice;
use crate::device::report::{OperationEntry, OperationsReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::replica::error::ReplicaError;
use crate::replica::local::operations::{
    Change, ColumnChange, Effect, NewOperation, Number, Operation, Operations, text_in,
};
use crate::replica::session::Session;

/// How far an operation has come when it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    /// It is finished later, by [`OpenDevice::finish_operation`].
    Open,
}

/// Records an operation in a working copy.
pub(crate) fn add_operation(
    session: Session<'_>,
    copy: &WorkingCopy,
    command: &str,
    effect: &Effect,
    ending: Ending,
) -> Result<Number, ReplicaError> {
    Operations(session).add(&NewOperation {
        project_id: &copy.project_id,
        workspace_id: &copy.workspace_id,
        root: copy.root(),
        command,
        undoes: None,
        finished: ending == Ending::Finished,
        effect,
    })
}

/// Records an operation that changes one column of a row and nothing else.
pub(crate) fn add_column_operation(
    session: Session<'_>,
    copy: &WorkingCopy,
    command: &str,
    column: ColumnChange,
) -> Result<(), ReplicaError> {
    if column.value.is_none() {
        return Ok(());
    }
    let head = Change::still(
        session.row::<Workspace>(&copy.workspace_id)?.and_then(|row| row.current_snapshot_id),
    );
    let effect = Effect { head, columns: vec![column], ..Effect::default() };
    add_operation(session, copy, command, &effect, Ending::Finished).map(drop)
}

/// Returns the column in which a workspace's row records what was merged into it.
pub(crate) fn merge_history(
    session: Session<'_>,
    id: &WorkspaceId,
) -> Result<ColumnChange, ReplicaError> {
    ColumnChange::still(session, Workspace::TABLE, &RowKey::of(id), "merge_history")
}

/// Returns the ids of packs in hex.
pub(crate) fn hex_of(packs: &[PackInfo]) -> Vec<String> {
    packs.iter().map(|pack| pack.id.to_hex()).collect()
}

impl OpenDevice {
    /// Begins an operation that changes files of a working copy, whose state was just captured.
    pub(crate) fn begin_operation(
        &mut self,
        copy: &WorkingCopy,
        command: &str,
        captured: &Captured,
        more: Effect,
    ) -> Result<Number, SyncError> {
        let effect = Effect {
            head: Change::still(captured.parent.clone()),
            files: Some(Change::still(captured.root.id.to_hex())),
            packs: captured.packs.clone(),
            ..more
        };
        self.replica.write(|session| {
            let columns = vec![merge_history(session, &copy.workspace_id)?];
            let effect = Effect { columns, ..effect };
            Ok(add_operation(session, copy, command, &effect, Ending::Open)?)
        })
    }

    /// Records in an operation that was finished with its snapshot which files it changed before that.
    pub(crate) fn note_files(
        &mut self,
        number: Number,
        before: &TreeId,
        after: &TreeId,
    ) -> Result<(), SyncError> {
        self.replica.write_unsynced(|session| {
            let Some(operation) = Operations(session).get(number)? else { return Ok(()) };
            let files = Some(Change { before: before.to_hex(), after: after.to_hex() });
            Operations(session).set_effect(number, &Effect { files, ..operation.effect })
        })?;
        Ok(())
    }

    /// Records the end of an operation, with the tree that the files have now. If it changed nothing, it is
    /// forgotten.
    pub(crate) fn finish_operation(
        &mut self,
        copy: &WorkingCopy,
        number: Number,
        files: &TreeId,
    ) -> Result<(), SyncError> {
        let head = copy.head()?;
        // Made durable by the next write. Until then, the next command finds an operation that is open.
        self.replica.write_unsynced(|session| {
            let Some(operation) = Operations(session).get(number)? else { return Ok(()) };
            let mut effect = operation.effect;
            effect.head.after = head.clone();
            if let Some(own) = &mut effect.own {
                own.after = head;
            }
            if let Some(change) = &mut effect.files {
                change.after = files.to_hex();
            }
            see_columns(session, &mut effect)?;
            let is_idle = effect.head.is_none()
                && effect.files.as_ref().is_none_or(Change::is_none)
                && effect.landed.is_none();
            if is_idle {
                Operations(session).forget(number)
            } else {
                Operations(session).finish(number, &effect)
            }
        })?;
        Ok(())
    }

    /// Ends the operations of a folder whose commands were killed, or failed half-way. The caller holds the
    /// copy's lock.
    pub(crate) fn close_operations(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let session = self.replica.read();
        let open = Operations(session).unfinished(&copy.workspace_id, copy.root())?;
        if open.is_empty() || self.replica.is_read_only() {
            return Ok(());
        }
        let files = self.store_files(copy, Purpose::Safety, activity)?.0.root.id;
        for operation in open {
            match operation.undoes {
                Some(undone) => self.close_undo(copy, &operation, undone, &files)?,
                None => self.close_operation(copy, &operation, &files)?,
            }
        }
        Ok(())
    }

    /// Ends an operation whose process was killed. A checkout ends with the head, so what was edited since does
    /// not count as part of it. Only a restore does not move the head.
    fn close_operation(
        &mut self,
        copy: &WorkingCopy,
        operation: &Operation,
        files: &TreeId,
    ) -> Result<(), SyncError> {
        let (head, effect) = (copy.head()?, &operation.effect);
        match &effect.own {
            None => self.finish_operation(copy, operation.number, files),
            Some(own) if head == own.before || head == effect.head.before => {
                self.replica.write(|session| Operations(session).forget(operation.number))?;
                Ok(())
            }
            Some(_) => {
                let tree = self.tree_at(head.as_ref())?;
                self.finish_operation(copy, operation.number, &tree)
            }
        }
    }

    /// See [`Device::operations`](crate::Device::operations).
    pub(crate) fn operations(
        &mut self,
        copy: &WorkingCopy,
        limit: Option<usize>,
    ) -> Result<OperationsReport, SyncError> {
        let warnings = self.take_notices();
        let session = self.replica.read();
        let found = Operations(session).of(&copy.workspace_id, limit.unwrap_or(usize::MAX))?;
        let entry = |operation: Operation| OperationEntry {
            operation: operation.number,
            command: operation.command,
            at: operation.at,
            snapshot_before: operation.effect.head.before,
            snapshot_after: operation.effect.head.after,
            undone_by: operation.undone_by,
            undoes: operation.undoes,
        };
        let operations = found.into_iter().map(entry).collect();
        Ok(OperationsReport { operations, warnings })
    }
}

/// Reads the columns of an effect as they are now, and drops those that did not change.
pub(crate) fn see_columns(session: Session<'_>, effect: &mut Effect) -> Result<(), ReplicaError> {
    for change in &mut effect.columns {
        if let Some(table) = session.schema.synced_table(&change.table) {
            change.value.after = text_in(session, table, &change.key, &change.column)?;
        }
    }
    effect.columns.retain(|change| !change.value.is_none());
    Ok(())
}
