//! Packs: the only one of the engine's own tables that is synced.

use crate::declare::attribute::table;
use crate::tables::ids::ProjectId;

/// A part of a pack. Packs are the unit in which file contents are stored.
#[table(
    name = "fastest_packs",
    policy = append_only("a pack is named by the hash of its bytes"),
    scope = project_id,
    index(project_id, pack_id),
)]
pub struct Pack {
    /// `{project_id}/{pack_id}/{part}`.
    #[pk]
    pub id: String,
    /// The project whose files it holds.
    #[references(projects.id)]
    pub project_id: ProjectId,
    /// The BLAKE3 of the whole pack, hex.
    pub pack_id: String,
    /// The number of this part, from 0.
    #[default(0)]
    pub part: i64,
    /// The number of parts. A pack is split so that each row stays under 1 MB.
    #[default(1)]
    pub parts: i64,
    /// Bytes of the whole pack, before base64.
    pub bytes: i64,
    /// Objects in the whole pack.
    pub objects: i64,
    /// This part in base64; null if the pack is in a pack store.
    #[size("iif(data IS NULL, 0, bytes * 4 / 3 / max(parts, 1))")]
    pub data: Option<String>,
    /// ISO 8601, UTC, milliseconds.
    #[default(now)]
    pub created_at: String,
}
