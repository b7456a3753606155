//! The log of operations: the table `fastest_local_operation`.
//!
//! An operation is a command that changed a working copy, its workspace or its project on this device. Its
//! record says what was before and after, by ids, so that taking it back is a move and not a guess. The log is
//! never sent. What it names is in the store: the trees of files, and the snapshots, unless they were taken
//! back before any push; then their rows are in the record.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::object::id::TreeId;
use fastest_schema::{Column, ProjectId, RowKey, SnapshotId, Table, Value, WorkspaceId};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::replica::values::column;

/// A value before and after an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change<T> {
    pub before: T,
    pub after: T,
}

impl<T: PartialEq> Change<T> {
    /// Whether nothing changed.
    pub(crate) fn is_none(&self) -> bool {
        self.before == self.after
    }
}

impl<T: Clone> Change<T> {
    /// Returns a change that has not happened yet.
    pub(crate) fn still(value: T) -> Self {
        Self { before: value.clone(), after: value }
    }

    /// Returns the way back.
    pub(crate) fn mirrored(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone() }
    }
}

/// What an operation changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effect {
    /// The snapshot that the working copy is based on.
    pub head: Change<Option<SnapshotId>>,
    /// The tree of its files, unsaved changes included, in hex; `None` if the operation changed no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Change<String>>,
    /// The part of the history that is its own, where that is not all between the heads: a push that merged
    /// what others had pushed is taken back without their work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Change<Option<SnapshotId>>>,
    /// Whether the files stay as they are when a snapshot takes it out: what a push has saved is unsaved then,
    /// as it was before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_files: bool,
    /// Whether it brought in the work of others, who have it still once it is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brought: bool,
    /// For an undo: the snapshot whose state the head has again, in every respect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<SnapshotId>,
    /// The head of another workspace that it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<Landed>,
    /// Packs whose rows were written along with its snapshots, in hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<String>,
    /// Columns of rows, in no particular order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnChange>,
    /// Rows that only this device had, and that were taken back with the snapshots that they belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<RemovedRow>,
}

/// The head of another workspace that an operation moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Landed {
    pub workspace_id: WorkspaceId,
    pub head: Change<Option<SnapshotId>>,
    /// Whether it had two heads before, so that no snapshot is what it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_mixed: bool,
}

/// A column of a row that an operation changed. All of these columns hold text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnChange {
    pub table: String,
    pub key: RowKey,
    pub column: String,
    pub value: Change<Option<String>>,
}

/// A row that was taken back, with its values in wire form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemovedRow {
    pub table: String,
    pub columns: Vec<(String, serde_json::Value)>,
}

/// The number of an operation, by which users name it.
pub(crate) type Number = i64;

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub number: Number,
    /// When it began. RFC 3339, UTC.
    pub at: String,
    pub project_id: ProjectId,
    pub workspace_id: WorkspaceId,
    /// The folder of the working copy, at that time.
    pub root: PathBuf,
    /// The command, in words.
    pub command: String,
    /// The operation that this one takes back.
    pub undoes: Option<Number>,
    /// The operation that took this one back.
    pub undone_by: Option<Number>,
    /// Whether it came to its end.
    pub finished: bool,
    pub effect: Effect,
}

/// An operation that begins.
pub(crate) struct NewOperation<'a> {
    pub project_id: &'a ProjectId,
    pub workspace_id: &'a WorkspaceId,
    pub root: &'a Path,
    pub command: &'a str,
    pub undoes: Option<Number>,
    pub finished: bool,
    pub effect: &'a Effect,
}

/// The operations of this device.
#[derive(Clone, Copy)]
pub(crate) struct Operations<'a>(pub(crate) Session<'a>);

impl Operations<'_> {
    /// Records an operation.
    pub(crate) fn add(&self, new: &NewOperation<'_>) -> Result<Number, ReplicaError> {
        let NewOperation { project_id, workspace_id, root, command, undoes, finished, effect } =
            *new;
        self.0.run(
            "INSERT INTO fastest_local_operation(
               at, project_id, workspace_id, root, command, undoes, finished, effect)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.0.world.now_text(),
                project_id,
                workspace_id,
                root.as_os_str().as_bytes(),
                command,
                undoes,
                finished,
                text_of(effect)
            ],
        )?;
        Ok(self.0.get("SELECT last_insert_rowid()", [])?.expect("a row was just inserted"))
    }

    /// Replaces what an operation changed.
    pub(crate) fn set_effect(&self, number: Number, effect: &Effect) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_operation SET effect = ?2 WHERE number = ?1";
        self.0.run(sql, params![number, text_of(effect)]).map(drop)
    }

    /// Replaces the words of an operation.
    pub(crate) fn set_command(&self, number: Number, command: &str) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_operation SET command = ?2 WHERE number = ?1";
        self.0.run(sql, params![number, command]).map(drop)
    }

    /// Records that an operation came to its end.
    pub(crate) fn finish(&self, number: Number, effect: &Effect) -> Result<(), ReplicaError> {
        self.set_effect(number, effect)?;
        let sql = "UPDATE fastest_local_operation SET finished = 1 WHERE number = ?1";
        self.0.run(sql, [number]).map(drop)
    }

    /// Forgets an operation that changed nothing.
    pub(crate) fn forget(&self, number: Number) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_operation WHERE number = ?1", [number]).map(drop)
    }

    /// Records by which operation another one was taken back; `None` if it stands again.
    pub(crate) fn set_undone(
        &self,
        number: Number,
        by: Option<Number>,
    ) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_operation SET undone_by = ?2 WHERE number = ?1";
        self.0.run(sql, params![number, by]).map(drop)
    }

    /// Returns an operation.
    pub(crate) fn get(&self, number: Number) -> Result<Option<Operation>, ReplicaError> {
        Ok(self.find("number = ?1", [number], 1)?.pop())
    }

    /// Returns the operations of a workspace, at most `limit` of them, newest first.
    pub(crate) fn of(
        &self,
        workspace_id: &WorkspaceId,
        limit: usize,
    ) -> Result<Vec<Operation>, ReplicaError> {
        self.find("workspace_id = ?1 AND finished", [workspace_id], limit)
    }

    /// Returns the operations of a folder that did not come to their end, newest first.
    pub(crate) fn unfinished(
        &self,
        workspace_id: &WorkspaceId,
        root: &Path,
    ) -> Result<Vec<Operation>, ReplicaError> {
        let condition = "finished = 0 AND workspace_id = ?1 AND root = ?2";
        self.find(condition, params![workspace_id, root.as_os_str().as_bytes()], usize::MAX)
    }

    /// Returns the operations of a project whose records have the id of a snapshot in them, newest first.
    pub(crate) fn naming(
        &self,
        project_id: &ProjectId,
        id: &SnapshotId,
    ) -> Result<Vec<Operation>, ReplicaError> {
        let condition = "project_id = ?1 AND instr(effect, ?2)";
        self.find(condition, params![project_id, id], usize::MAX)
    }

    /// Returns the newest operation of a folder that stands and takes nothing back.
    pub(crate) fn newest(
        &self,
        id: &WorkspaceId,
        root: &Path,
    ) -> Result<Option<Operation>, ReplicaError> {
        let condition = "workspace_id = ?1 AND root = ?2 AND undone_by IS NULL
                         AND undoes IS NULL AND finished";
        Ok(self.find(condition, params![id, root.as_os_str().as_bytes()], 1)?.pop())
    }

    /// Returns the undos of a workspace that stand, newest first.
    pub(crate) fn undos(&self, id: &WorkspaceId) -> Result<Vec<Operation>, ReplicaError> {
        let condition = "workspace_id = ?1 AND undone_by IS NULL AND undoes IS NOT NULL
                         AND finished AND instr(effect, '\"landed\"')";
        self.find(condition, [id], usize::MAX)
    }

    /// Records that a folder was moved.
    pub(crate) fn move_root(
        &self,
        id: &WorkspaceId,
        from: &Path,
        to: &Path,
    ) -> Result<(), ReplicaError> {
        let sql =
            "UPDATE fastest_local_operation SET root = ?3 WHERE workspace_id = ?1 AND root = ?2";
        let [from, to] = [from, to].map(|root| root.as_os_str().as_bytes());
        self.0.run(sql, params![id, from, to]).map(drop)
    }

    /// Returns the newest undo of a folder that was not redone.
    pub(crate) fn newest_undo(
        &self,
        id: &WorkspaceId,
        root: &Path,
    ) -> Result<Option<Operation>, ReplicaError> {
        let condition =
            "workspace_id = ?1 AND root = ?2 AND undone_by IS NULL AND undoes IS NOT NULL AND finished
             AND EXISTS (SELECT 1 FROM fastest_local_operation AS undone
                         WHERE undone.undone_by = fastest_local_operation.number
                           AND undone.undoes IS NULL)";
        Ok(self.find(condition, params![id, root.as_os_str().as_bytes()], 1)?.pop())
    }

    fn find(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
        limit: usize,
    ) -> Result<Vec<Operation>, ReplicaError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT number, at, project_id, workspace_id, root, command, undoes, undone_by, finished, effect
             FROM fastest_local_operation WHERE {condition} ORDER BY number DESC LIMIT {limit}"
        );
        let found = self.0.all(&sql, parameters, |row| {
            let root: Vec<u8> = row.get(4)?;
            let operation = Operation {
                number: row.get(0)?,
                at: row.get(1)?,
                project_id: row.get(2)?,
                workspace_id: row.get(3)?,
                root: PathBuf::from(OsStr::from_bytes(&root)),
                command: row.get(5)?,
                undoes: row.get(6)?,
                undone_by: row.get(7)?,
                finished: row.get(8)?,
                effect: Effect::default(),
            };
            Ok((operation, row.get::<_, String>(9)?))
        })?;
        // A record that cannot be read cannot be taken back, and is in nobody's way.
        let decode = |(operation, effect): (Operation, String)| {
            Some(Operation { effect: serde_json::from_str(&effect).ok()?, ..operation })
        };
        Ok(found.into_iter().filter_map(decode).collect())
    }
}

fn text_of(effect: &Effect) -> String {
    serde_json::to_string(effect).expect("texts serialise")
}

impl RemovedRow {
    /// Returns the values in the order of the table's columns.
    pub(crate) fn values(&self, table: &Table) -> Vec<Value> {
        let value = |column: &Column| {
            let wire = self.value(column.name).cloned().unwrap_or_default();
            Value::from_wire(wire, column.kind).unwrap_or(Value::Null)
        };
        table.columns.iter().map(value).collect()
    }

    /// Returns the value of a column, in wire form.
    pub(crate) fn value(&self, column: &str) -> Option<&serde_json::Value> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, wire)| wire)
    }
}

impl ColumnChange {
    /// Returns a column as it is now, before anything changes it.
    pub(crate) fn still(
        session: Session<'_>,
        table: &Table,
        key: &RowKey,
        column: &str,
    ) -> Result<Self, ReplicaError> {
        let value = Change::still(text_in(session, table, key, column)?);
        let (table, column) = (table.name.to_owned(), column.to_owned());
        Ok(Self { table, key: key.to_owned(), column, value })
    }
}

/// Returns the text in a column of a row; `None` for null, or if there is no such row.
pub(crate) fn text_in(
    session: Session<'_>,
    table: &Table,
    key: &RowKey,
    column_name: &str,
) -> Result<Option<String>, ReplicaError> {
    let values = session.values(table, key)?;
    Ok(values.and_then(|values| column(table, &values, column_name)))
}

impl Effect {
    /// Returns the trees of the files before and after; `None` if no file changed.
    pub(crate) fn trees(&self) -> Option<Change<TreeId>> {
        let files = self.files.as_ref().filter(|files| !files.is_none())?;
        let tree = |hex: &String| hex.parse().ok();
        Some(Change { before: tree(&files.before)?, after: tree(&files.after)? })
    }
}
