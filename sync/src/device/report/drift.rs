//! Reports of `fastest drift --all` and `fastest drift --history`. That of `fastest drift` is
//! [`DriftReport`](super::DriftReport).

use fastest_schema::{SnapshotId, WorkspaceId};
use serde::Serialize;

/// `fastest drift --all`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DriftMatrix {
    /// Name of the project.
    pub project: String,
    /// The workspaces that were compared: this one first, the main one last.
    pub workspaces: Vec<DriftWorkspace>,
    /// Every pair of them, the worst first: by conflicts, then by overlaps, then by changed files.
    pub pairs: Vec<DriftPair>,
    /// Whether the primary was unreachable, so that workspaces of other devices are as this device last saw
    /// them.
    pub offline: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A workspace that was compared with others.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DriftWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The snapshot that it was compared by, or that its unsaved changes follow.
    pub snapshot_id: Option<SnapshotId>,
    /// Its folder on this device, if that was looked at, so that unsaved changes were seen.
    pub path: Option<String>,
    /// Whether it has unsaved changes, as far as they were seen.
    pub dirty: bool,
}

/// How two workspaces drift apart.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DriftPair {
    /// Name of the first workspace.
    pub ours: String,
    /// Its id.
    pub ours_id: WorkspaceId,
    /// Name of the other.
    pub theirs: String,
    /// Its id.
    pub theirs_id: WorkspaceId,
    /// The snapshot from which they parted; null if there is none, or if there are several.
    pub base_snapshot_id: Option<SnapshotId>,
    /// Whether they have a common past. If not, all that only one has counts as added there.
    pub common_base: bool,
    /// Whether anything differs.
    pub differs: bool,
    /// Files that the first changed since, and that are not the same in the other.
    pub ours_changed: u64,
    /// Files that the other changed since, and that are not the same in the first.
    pub theirs_changed: u64,
    /// How many files both changed, differently.
    pub overlaps: u64,
    /// How many of these a merge would leave in conflict.
    pub conflicts: u64,
    /// The first of the files that both changed.
    pub overlap: Vec<String>,
    /// The first of the files that would be in conflict.
    pub conflicting: Vec<String>,
    /// Whether unsaved changes of both were seen.
    pub unsaved_seen: bool,
}

/// `fastest drift --history`
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct DriftHistory {
    /// Name of the workspace compared against.
    pub source: String,
    /// Name of this workspace.
    pub workspace: String,
    /// The recorded reports, newest first.
    pub reports: Vec<DriftRecord>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A recorded report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DriftRecord {
    /// Its id.
    pub id: String,
    /// When it was made. RFC 3339, UTC.
    pub reported_at: String,
    /// The snapshot of this workspace.
    pub workspace_snapshot_id: Option<SnapshotId>,
    /// The snapshot of the source.
    pub source_snapshot_id: Option<SnapshotId>,
    /// Files that only this workspace had.
    pub files_added: u64,
    /// Files that differed.
    pub files_modified: u64,
    /// Files that only the source had.
    pub files_deleted: u64,
    /// Bytes of all these files (of modified files, this workspace's version).
    pub bytes_changed: u64,
    /// What both had changed since they parted, as a sentence.
    pub summary: Option<String>,
}
