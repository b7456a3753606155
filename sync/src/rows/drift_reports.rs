//! The recorded reports of `drift`, in Fastest's own tables.

use fastest_schema::{SnapshotId, WorkspaceId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The recorded reports.
#[derive(Clone, Copy)]
pub(crate) struct DriftReports<'a>(pub(crate) Session<'a>);

/// A recorded report without its lists of paths.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    pub(crate) reported_at: String,
    pub(crate) workspace_snapshot_id: Option<SnapshotId>,
    pub(crate) source_snapshot_id: Option<SnapshotId>,
    /// Added, modified, deleted, and the bytes of all these.
    pub(crate) counts: [i64; 4],
    pub(crate) summary: Option<String>,
}

impl DriftReports<'_> {
    /// Returns the reports on how `workspace` drifted from `source`, newest first.
    pub(crate) fn between(
        &self,
        workspace: &WorkspaceId,
        source: &WorkspaceId,
    ) -> Result<Vec<Recorded>, ReplicaError> {
        let sql = "SELECT id, reported_at, workspace_snapshot_id, source_snapshot_id,
                     files_added, files_modified, files_deleted, bytes_changed, summary
                   FROM drift_reports WHERE workspace_id = ?1 AND source_workspace_id = ?2
                   ORDER BY reported_at DESC, id DESC";
        self.0.all(sql, params![workspace, source], |row| {
            Ok(Recorded {
                id: row.get(0)?,
                reported_at: row.get(1)?,
                workspace_snapshot_id: row.get(2)?,
                source_snapshot_id: row.get(3)?,
                counts: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
                summary: row.get(8)?,
            })
        })
    }
}
