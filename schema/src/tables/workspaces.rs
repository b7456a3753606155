//! Workspaces, the snapshots taken in them, drift reports, and the activity log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declare::attribute::table;
use crate::declare::column_type::Json;
use crate::declare::vocabulary::vocabulary;
use crate::tables::ids::{ProjectId, SnapshotId, WorkspaceId};

/// A working copy of a project on a machine.
#[table(
    name = "workspaces",
    policy = versioned("heads move; a lost race must be seen"),
    scope = project_id,
    index(project_id, created_at),
)]
pub struct Workspace {
    /// ULID.
    #[pk]
    pub id: WorkspaceId,
    /// The project that it is a copy of.
    #[references(projects.id)]
    pub project_id: ProjectId,
    /// The name to show.
    pub name: String,
    /// The physical machine.
    pub machine_id: Option<String>,
    /// The snapshot that it was forked from.
    #[references(snapshots.id)]
    pub base_snapshot_id: Option<SnapshotId>,
    /// The newest snapshot taken in it.
    #[references(snapshots.id)]
    pub current_snapshot_id: Option<SnapshotId>,
    /// The tree of the working copy when it differs from the newest snapshot: hex BLAKE3 tree id.
    pub current_manifest_hash: Option<String>,
    /// The absolute path of the working copy.
    pub local_path: Option<String>,
    /// The last heartbeat: ISO 8601, UTC, milliseconds.
    pub last_seen_at: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// The lock version of the row, as `fastest_changes` counts it.
    #[lock_version]
    #[default(1)]
    pub version: i64,
    /// The last merge from each other workspace, keyed by that workspace's id.
    pub merge_history: Option<Json<BTreeMap<WorkspaceId, Merged>>>,
}

/// The last merge from one workspace into another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The newest snapshot of the other workspace that was merged.
    pub last_merged_snapshot: SnapshotId,
    /// ISO 8601, UTC, milliseconds.
    pub merged_at: String,
}

/// An immutable capture of a project's tree. Snapshots form a graph by their parents.
#[table(
    name = "snapshots",
    policy = append_only("a snapshot never changes"),
    scope = project_id,
    index(project_id, created_at),
    index(workspace_id, created_at),
)]
pub struct Snapshot {
    /// `snap-` and a ULID.
    #[pk]
    pub id: SnapshotId,
    /// The project that it captures.
    #[references(projects.id)]
    pub project_id: ProjectId,
    /// The workspace that took it.
    pub workspace_id: Option<WorkspaceId>,
    /// The id of the tree that it captured: 64 lower-case hex digits, BLAKE3.
    pub manifest_hash: String,
    /// The ids of its parents.
    #[default("[]")]
    pub parent_snapshot_ids: Json<Vec<SnapshotId>>,
    /// Who took it.
    #[default("cli")]
    pub source: Source,
    /// A description of the changes.
    pub summary: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
    /// How many conflicts its tree lists; null if there are none.
    pub conflicts: Option<i64>,
}

/// How a workspace differed from another one, or from the main workspace.
#[table(
    name = "drift_reports",
    policy = append_only("a report says what was so at its time"),
    scope = workspace_id -> workspaces.project_id,
    index(workspace_id, reported_at),
)]
pub struct DriftReport {
    /// ULID.
    #[pk]
    pub id: String,
    /// The workspace that was compared.
    #[references(workspaces.id)]
    pub workspace_id: WorkspaceId,
    /// The workspace that it was compared against.
    #[references(workspaces.id)]
    pub source_workspace_id: Option<WorkspaceId>,
    /// The snapshot of the workspace.
    #[references(snapshots.id)]
    pub workspace_snapshot_id: Option<SnapshotId>,
    /// The snapshot of the source.
    #[references(snapshots.id)]
    pub source_snapshot_id: Option<SnapshotId>,
    /// Paths that only the source has.
    #[default("[]")]
    pub source_only: Json<Vec<String>>,
    /// Paths that only the workspace has.
    #[default("[]")]
    pub workspace_only: Json<Vec<String>>,
    /// Paths that both have, with the same content.
    #[default("[]")]
    pub both_same: Json<Vec<String>>,
    /// Paths that both have, with different contents.
    #[default("[]")]
    pub both_different: Json<Vec<String>>,
    /// The number of files that only the workspace has.
    #[default(0)]
    pub files_added: i64,
    /// The number of files that differ.
    #[default(0)]
    pub files_modified: i64,
    /// The number of files that only the source has.
    #[default(0)]
    pub files_deleted: i64,
    /// Bytes of the files that only one side has, and of the workspace's version of those that
    /// differ.
    #[default(0)]
    pub bytes_changed: i64,
    /// A description of the drift.
    pub summary: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub reported_at: String,
}

/// Something that happened in a project.
#[table(
    name = "activity_events",
    policy = append_only("what happened has happened"),
    scope = project_id,
    index(project_id, created_at),
)]
pub struct ActivityEvent {
    /// ULID.
    #[pk]
    pub id: String,
    /// The project that it happened in.
    #[references(projects.id)]
    pub project_id: ProjectId,
    /// The workspace that it happened in.
    pub workspace_id: Option<WorkspaceId>,
    /// Who did it.
    pub actor: Source,
    /// What happened, such as `project.created`, `snapshot.pushed`, `drift.reported` or
    /// `merge.completed`.
    pub r#type: String,
    /// The snapshot that it is about.
    pub snapshot_id: Option<SnapshotId>,
    /// A description of the event.
    pub message: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}

vocabulary! {
    /// Who took a snapshot or caused an event.
    pub enum Source {
        /// The command line.
        Cli = "cli",
        /// A web app.
        Web = "web",
        /// The engine itself.
        System = "system",
    }
}
