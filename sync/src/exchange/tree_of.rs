//! Reads the tree id in a snapshot's row.

use fastest_core::object::id::TreeId;
use fastest_schema::tables::workspaces::Snapshot;

use crate::error::SyncError;

/// Returns the id of a snapshot's tree.
pub(crate) fn tree_of(snapshot: &Snapshot) -> Result<TreeId, SyncError> {
    snapshot.manifest_hash.parse().map_err(|_| SyncError::DamagedState {
        path: snapshot.id.as_str().into(),
        what: format!("its manifest hash {:?} is no tree id", snapshot.manifest_hash),
    })
}
