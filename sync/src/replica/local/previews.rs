//! Previews of merges: the table `fastest_local_preview`.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use fastest_schema::{SnapshotId, WorkspaceId};

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// What a preview was made of, and what it led to. Trees are in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preview {
    /// The workspace that it was for.
    pub workspace_id: WorkspaceId,
    /// The workspace whose work it would bring.
    pub from: WorkspaceId,
    /// The snapshot that it would bring.
    pub theirs: SnapshotId,
    /// The snapshot that the working copy was based on.
    pub head: Option<SnapshotId>,
    /// The tree of its files, with unsaved changes.
    pub files: String,
    /// The tree that the files would get.
    pub result: String,
}

/// The previews of this device.
#[derive(Clone, Copy)]
pub(crate) struct Previews<'a>(pub(crate) Session<'a>);

impl Previews<'_> {
    /// Saves a preview, and forgets those that were made before `oldest`.
    pub(crate) fn put(
        &self,
        id: &str,
        oldest: &str,
        preview: &Preview,
    ) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_preview WHERE at < ?1", [oldest])?;
        let text = serde_json::to_string(preview).expect("texts serialise");
        let sql = "INSERT INTO fastest_local_preview(id, at, preview) VALUES (?1, ?2, ?3)";
        self.0.run(sql, params![id, self.0.world.now_text(), text]).map(drop)
    }

    /// Returns the preview with this id, if it was not made before `oldest`.
    pub(crate) fn get(&self, id: &str, oldest: &str) -> Result<Option<Preview>, ReplicaError> {
        let sql = "SELECT preview FROM fastest_local_preview WHERE id = ?1 AND at >= ?2";
        let found = self.0.get::<String>(sql, [id, oldest])?;
        Ok(found.and_then(|text| serde_json::from_str(&text).ok()))
    }
}
