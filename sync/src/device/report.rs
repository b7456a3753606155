//! The reports of commands. Each struct is the JSON output of the command that its doc names
//! (`docs/cli.md`).
//!
//! Paths are text: bytes that are not UTF-8, control characters and backslashes are escaped by
//! [`crate::device::path::show`].

mod diff;
mod drift;
mod remote;

use fastest_schema::{ProjectId, SnapshotId, WorkspaceId};
use serde::Serialize;

use crate::remote::meter::Traffic;

pub use diff::{
    DiffContent, DiffFile, DiffFolder, DiffHunk, DiffLine, DiffReport, DiffSide, DiffState,
    DiffStatus, SkippedRenames,
};

pub use drift::{DriftHistory, DriftMatrix, DriftPair, DriftRecord, DriftWorkspace};

pub use crate::replica::local::held::HeldRow;
pub use crate::replica::local::refused::{RefusedRow, RefusedTransaction};
pub use crate::rows::resolve::{ColumnConflict, ResolveReport, RowConflict};
pub use remote::{CheckName, MigrateReport, RemoteCheck, RemoteReport};

/// `fastest init`
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct InitReport {
    /// Name of the project.
    pub project: String,
    /// Its id.
    pub project_id: ProjectId,
    /// Name of the workspace.
    pub workspace: String,
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// The working copy.
    pub path: String,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// `fastest snapshot`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct SnapshotReport {
    /// The new snapshot, or the head if nothing changed.
    pub snapshot_id: SnapshotId,
    /// Id of its tree.
    pub manifest_hash: String,
    /// Files and links in the tree.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// Files added since the parent.
    pub added: u64,
    /// Files modified since the parent.
    pub modified: u64,
    /// Files deleted since the parent.
    pub deleted: u64,
    /// Whether a snapshot was made.
    pub created: bool,
    /// Objects that the store did not have.
    pub objects_new: u64,
    /// The files that are in conflict until somebody settles them.
    pub conflicts: Vec<ConflictReport>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest status`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct StatusReport {
    /// Name of the project.
    pub project: String,
    /// Its id.
    pub project_id: ProjectId,
    /// Name of the workspace.
    pub workspace: String,
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// The snapshot that the working copy is based on.
    pub snapshot_id: Option<SnapshotId>,
    /// Id of the working copy's tree.
    pub manifest_hash: String,
    /// Whether the working copy differs from the snapshot.
    pub dirty: bool,
    /// Files that are new.
    pub added: Vec<String>,
    /// Files that differ.
    pub modified: Vec<String>,
    /// Files that are missing.
    pub deleted: Vec<String>,
    /// Files of the snapshot that are ignored now: the next snapshot leaves them out, and they stay
    /// in the folder.
    pub untracked: Vec<String>,
    /// Snapshots that the primary does not have.
    pub unpushed: u64,
    /// Rows that the primary does not have: snapshots, packs, workspaces, events.
    pub waiting_rows: u64,
    /// When a push was queued because the primary was unreachable. RFC 3339, UTC.
    pub queued_since: Option<String>,
    /// Address of the primary.
    pub primary: String,
    /// The files that are in conflict until somebody settles them.
    pub conflicts: Vec<ConflictReport>,
    /// Row conflicts that are not resolved.
    pub row_conflicts: u64,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest push`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct PushReport {
    /// Name of the project.
    pub project: String,
    /// Its id.
    pub project_id: ProjectId,
    /// Name of the workspace.
    pub workspace: String,
    /// Whether this push created the project.
    pub project_created: bool,
    /// The snapshot that was published.
    #[serde(flatten)]
    pub snapshot: SnapshotReport,
    /// Version of the workspace's row, as last known on the primary.
    pub version: i64,
    /// Whether the primary has everything; otherwise the push is queued.
    pub pushed: bool,
    /// Statements run and packs moved.
    pub requests: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Address of the primary.
    pub primary: String,
    /// Whether the work of others was merged first.
    pub merged: bool,
    /// The workspace whose head is this snapshot now, if the push was to land in one and did.
    pub landed: Option<String>,
    /// Why the push is queued, if it is.
    pub queued_because: Option<String>,
    /// The operation, for `fastest undo`; null if nothing changed here.
    pub operation: Option<i64>,
}

/// `fastest clone`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct CloneReport {
    /// Name of the project.
    pub project: String,
    /// Its id.
    pub project_id: ProjectId,
    /// Name of the new workspace.
    pub workspace: String,
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// The snapshot that it was forked from.
    pub snapshot_id: Option<SnapshotId>,
    /// Files and links written.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// Statements run and packs moved.
    pub requests: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// The working copy.
    pub path: String,
    /// Whether an existing folder became the working copy, and its files stayed as they are (with
    /// `--here`).
    pub here: bool,
    /// With `here`: files of the folder that the snapshot does not have.
    pub added: Vec<String>,
    /// With `here`: files that differ from the snapshot's.
    pub modified: Vec<String>,
    /// Whether the primary knows of the workspace. If not, the next push sends it.
    pub announced: bool,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

impl CloneReport {
    /// Adds the requests and the bytes received.
    pub(crate) fn add(&mut self, traffic: Traffic) {
        self.requests += traffic.requests;
        self.bytes_received += traffic.bytes_received;
    }
}

/// `fastest untrack`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct UntrackReport {
    /// The paths that are no longer part of the project.
    pub untracked: Vec<String>,
    /// The snapshot without them.
    #[serde(flatten)]
    pub snapshot: SnapshotReport,
}

/// `fastest pull`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct PullReport {
    /// Name of the workspace that was pulled.
    pub from: String,
    /// The snapshot that the working copy is based on now.
    pub snapshot_id: Option<SnapshotId>,
    /// Files that are new here.
    pub added: Vec<String>,
    /// Files that changed here.
    pub modified: Vec<String>,
    /// Files that are gone here.
    pub deleted: Vec<String>,
    /// Files that are no longer in the project and are ignored: they stay where they are.
    pub untracked: Vec<String>,
    /// Files that both sides changed.
    pub conflicts: Vec<ConflictReport>,
    /// Files that could not be updated, or that changed here meanwhile. They were left as they are,
    /// for the reason in `warnings`, and the head has not moved.
    pub kept: Vec<String>,
    /// Files and folders that were not written, for the reason in `warnings`: for example,
    /// something that is not content is in their place. The head has moved; a later pull tries
    /// again.
    pub left: Vec<String>,
    /// Whether there was nothing to pull.
    pub up_to_date: bool,
    /// The snapshot in which unsaved changes were saved first.
    pub safety_snapshot_id: Option<SnapshotId>,
    /// The operation, for `fastest undo`; null if nothing changed.
    pub operation: Option<i64>,
    /// Whether the primary was unreachable, so that only snapshots that this device knows were
    /// pulled.
    pub offline: bool,
    /// Statements run and packs moved.
    pub requests: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// If there was nothing to pull: other workspaces with snapshots that are not part of this one.
    pub ahead: Vec<AheadWorkspace>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// A workspace that has something to pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AheadWorkspace {
    /// Its name.
    pub workspace: String,
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Its head.
    pub snapshot_id: SnapshotId,
    /// Its snapshots that are not part of this one.
    pub snapshots: u64,
}

/// A file that both sides of a merge changed, and that nobody has settled yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConflictReport {
    /// Identifies the conflict: twelve hexadecimal digits, which its markers have as well.
    pub id: String,
    /// The file.
    pub path: String,
    /// What each side did.
    pub kind: ConflictKind,
    /// Whether the file has both versions, between markers.
    pub markers: bool,
    /// What our side is called.
    pub ours_name: String,
    /// What their side is called.
    pub theirs_name: String,
    /// The path of their version, if both versions are files here.
    pub theirs: Option<String>,
}

/// What the two sides of a merge did to a file. In JSON: `both_changed`, `deleted_by_them` or
/// `deleted_by_us`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConflictKind {
    /// Both changed it.
    BothChanged,
    /// It was changed here, and deleted there.
    DeletedByThem,
    /// It was deleted here, and changed there.
    DeletedByUs,
}

/// `fastest drift`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DriftReport {
    /// Id of the recorded report.
    pub drift_report_id: String,
    /// Name of the workspace compared against.
    pub source: String,
    /// Name of this workspace.
    pub workspace: String,
    /// Files that only the source has.
    pub source_only: Vec<String>,
    /// Files that only this workspace has.
    pub workspace_only: Vec<String>,
    /// Files that differ.
    pub both_different: Vec<String>,
    /// How many files are the same.
    pub both_same: u64,
    /// Files that this workspace added.
    pub files_added: u64,
    /// Files that it modified.
    pub files_modified: u64,
    /// Files that it deleted.
    pub files_deleted: u64,
    /// Bytes of the added, deleted and modified files (of modified files, this workspace's
    /// version).
    pub bytes_changed: u64,
    /// The snapshot from which the two parted; null if there is none, or if there are several.
    pub base_snapshot_id: Option<SnapshotId>,
    /// Whether they have a common past. If not, all that only one has counts as changed there.
    pub common_base: bool,
    /// Files that this workspace changed since, and that are not the same in the source.
    pub ours_changed: u64,
    /// Files that the source changed since, and that are not the same in this workspace.
    pub theirs_changed: u64,
    /// Files that both changed, differently.
    pub overlap: Vec<String>,
    /// Those of them that a merge would leave in conflict.
    pub conflicting: Vec<String>,
    /// How many files are in conflict in the source.
    pub source_conflicts: u64,
    /// How many files are in conflict in this workspace.
    pub workspace_conflicts: u64,
    /// Whether the primary was unreachable, so that the source is as this device last saw it.
    pub offline: bool,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest resolve`, for files
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct SettledReport {
    /// The files whose conflicts are settled.
    pub settled: Vec<String>,
    /// The files that are still in conflict.
    pub conflicts: Vec<ConflictReport>,
    /// The snapshot in which they are settled.
    pub snapshot_id: Option<SnapshotId>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest conflicts`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ConflictsReport {
    /// Row conflicts, oldest first.
    pub conflicts: Vec<RowConflict>,
    /// Files of the working copy that are in conflict; left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ConflictReport>,
    /// Rows that the primary has and this device cannot store; left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldRow>,
    /// Transactions of an application's file that the primary refused; left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedTransaction>,
}

impl ConflictsReport {
    /// Returns a report on a device's rows.
    pub(crate) fn of_device(conflicts: Vec<RowConflict>, held: Vec<HeldRow>) -> Self {
        Self { conflicts, held, ..Self::default() }
    }

    /// Creates the report of an application's database.
    pub fn of_database(
        conflicts: Vec<RowConflict>,
        held: Vec<HeldRow>,
        refused: Vec<RefusedTransaction>,
    ) -> Self {
        Self { conflicts, files: Vec::new(), held, refused }
    }
}

/// `fastest log`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct LogReport {
    /// Newest first; each snapshot before its parents.
    pub snapshots: Vec<LogEntry>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// A snapshot in the log.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Its id.
    pub id: SnapshotId,
    /// The snapshots that it follows.
    pub parents: Vec<SnapshotId>,
    /// Id of its tree.
    pub manifest_hash: String,
    /// Its message.
    pub message: Option<String>,
    /// When it was created. RFC 3339, UTC.
    pub created_at: String,
    /// Name of the workspace that it was taken in.
    pub workspace: Option<String>,
    /// How many files are in conflict in it.
    pub conflicts: u64,
}

/// `fastest restore`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// Files that were changed.
    pub restored: Vec<String>,
    /// The operation, for `fastest undo`; null if nothing changed.
    pub operation: Option<i64>,
    /// The snapshot that they were restored from.
    pub snapshot_id: SnapshotId,
    /// Files that could not be restored, or that changed here meanwhile. They were left as they are,
    /// for the reason in `warnings`.
    pub kept: Vec<String>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest workspace …`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct WorkspacesReport {
    /// Name of the project.
    pub project: String,
    /// Oldest first.
    pub workspaces: Vec<WorkspaceEntry>,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// A workspace of a project.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct WorkspaceEntry {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its head.
    pub snapshot_id: Option<SnapshotId>,
    /// Version of its row.
    pub version: i64,
    /// The path of the working copy on the device that created it.
    pub path: Option<String>,
    /// The machine that it was created on.
    pub machine: Option<String>,
    /// Whether it is the project's main workspace.
    pub main: bool,
    /// Whether it is the workspace of the current working copy.
    pub current: bool,
    /// How many files are in conflict in its head.
    pub conflicts: u64,
    /// Where its working copy is, as far as this device knows.
    pub place: WorkspacePlace,
    /// How many of its snapshots the main workspace has not.
    pub ahead: u64,
    /// How many snapshots of the main workspace it has not.
    pub behind: u64,
}

/// Where the working copy of a workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkspacePlace {
    /// On this device.
    Here,
    /// It was on this device, and its folder is gone or something else by now.
    Gone,
    /// On another device.
    Elsewhere,
}

/// `fastest project list`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ProjectsReport {
    /// Sorted by name.
    pub projects: Vec<ProjectEntry>,
    /// Whether the primary was unreachable, so that there may be more projects.
    pub offline: bool,
}

/// A project; also `fastest project rename`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProjectEntry {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// When it was created. RFC 3339, UTC.
    pub created_at: String,
    /// Whether this device has its rows.
    pub known: bool,
    /// Its working copies on this device.
    pub paths: Vec<String>,
}

/// `fastest doctor`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DoctorReport {
    /// The problems that were found, and how to repair them.
    pub problems: Vec<Problem>,
    /// Packs that were read in full.
    pub packs: u64,
    /// Objects whose bytes were checked.
    pub objects: u64,
    /// Snapshots whose trees were walked.
    pub snapshots: u64,
    /// What was repaired, one sentence each.
    pub mended: Vec<String>,
}

/// A problem of the store or the remote.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where: a file, a row or an id.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// How to repair it.
    pub mend: String,
}

/// `fastest op log`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct OperationsReport {
    /// Newest first.
    pub operations: Vec<OperationEntry>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// An operation.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct OperationEntry {
    /// Its number, which `fastest undo` takes.
    pub operation: i64,
    /// The command.
    pub command: String,
    /// When it began. RFC 3339, UTC.
    pub at: String,
    /// The snapshot that the working copy was based on before.
    pub snapshot_before: Option<SnapshotId>,
    /// And after.
    pub snapshot_after: Option<SnapshotId>,
    /// The operation that took it back, if one did.
    pub undone_by: Option<i64>,
    /// The operation that it takes back, if it does.
    pub undoes: Option<i64>,
}

/// `fastest undo` and `fastest redo`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct UndoReport {
    /// The number of this operation.
    pub operation: i64,
    /// The operation that was undone or redone.
    pub undone: i64,
    /// The command that it was.
    pub command: String,
    /// Whether it was redone.
    pub redone: bool,
    /// Files that were added.
    pub added: Vec<String>,
    /// Files that were modified.
    pub modified: Vec<String>,
    /// Files that were deleted.
    pub deleted: Vec<String>,
    /// The snapshot that the working copy is based on now.
    pub snapshot_id: Option<SnapshotId>,
    /// Whether that is a new snapshot, because what it takes out was sent or built upon. A push sends it.
    pub snapshot_made: bool,
    /// The other workspace whose head moved, if one did.
    pub landed: Option<String>,
    /// Files that are in conflict now, and were not before.
    pub conflicts: Vec<ConflictReport>,
    /// Whether there was nothing left of it.
    pub nothing_left: bool,
    /// What else the user should know.
    pub warnings: Vec<String>,
}

/// `fastest merge`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct MergeReport {
    /// What was brought in.
    #[serde(flatten)]
    pub pull: PullReport,
    /// Files whose conflicts were settled with one side.
    pub settled: Vec<String>,
}

/// `fastest merge --dry-run`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct MergePlan {
    /// The id with which the plan can be carried out for 30 minutes; null if there is nothing to do.
    pub preview: Option<String>,
    /// Name of the workspace that would be merged.
    pub from: String,
    /// The snapshot that the working copy is based on.
    pub snapshot_id: Option<SnapshotId>,
    /// The snapshot that would be merged.
    pub their_snapshot_id: Option<SnapshotId>,
    /// The snapshot that both started from; null without one, and if several are merged into one.
    pub base_snapshot_id: Option<SnapshotId>,
    /// Files that would be new here.
    pub added: Vec<String>,
    /// Files that would change here.
    pub modified: Vec<String>,
    /// Files that would be gone here.
    pub deleted: Vec<String>,
    /// Files that would be in conflict, and are not now.
    pub conflicts: Vec<ConflictReport>,
    /// Whether there is nothing to merge.
    pub up_to_date: bool,
    /// Whether the primary was unreachable, so that the workspace is as this device last saw it.
    pub offline: bool,
    /// What else the user should know.
    pub warnings: Vec<String>,
}
