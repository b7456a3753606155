//! The ids of Fastest's own rows.

use crate::declare::id_type::id_type;

id_type! {
    /// The id of a project: a ULID.
    pub struct ProjectId;

    /// The id of a workspace: a ULID.
    pub struct WorkspaceId;

    /// The id of a snapshot: `snap-` and a ULID.
    pub struct SnapshotId;
}
