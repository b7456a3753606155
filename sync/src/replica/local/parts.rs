//! Parts of packs that have not arrived completely: the table `fastest_local_part`.

use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The parts of packs that arrive as rows of the primary, in base64.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a>(pub(crate) Session<'a>);

impl Parts<'_> {
    /// Stores a part of a pack.
    pub(crate) fn put(&self, pack_id: &str, part: i64, data: &str) -> Result<(), ReplicaError> {
        let sql = "INSERT OR REPLACE INTO fastest_local_part(pack_id, part, data)
                   VALUES (?1, ?2, ?3)";
        self.0.run(sql, params![pack_id, part, data]).map(drop)
    }

    /// Returns how many of the first `parts` parts of a pack are here.
    pub(crate) fn count(&self, pack_id: &str, parts: i64) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_part WHERE pack_id = ?1 AND part < ?2";
        Ok(self.0.get(sql, params![pack_id, parts])?.unwrap_or(0))
    }

    /// Returns the first `parts` parts of a pack, in order.
    pub(crate) fn of(&self, pack_id: &str, parts: i64) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT data FROM fastest_local_part WHERE pack_id = ?1 AND part < ?2
                   ORDER BY part";
        self.0.all(sql, params![pack_id, parts], |row| row.get(0))
    }

    /// Whether parts of a pack are here.
    pub(crate) fn is_arriving(&self, pack_id: &str) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_part WHERE pack_id = ?1 LIMIT 1";
        Ok(self.0.get::<i64>(sql, [pack_id])?.is_some())
    }

    /// Removes the parts of a pack.
    pub(crate) fn remove(&self, pack_id: &str) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_part WHERE pack_id = ?1", [pack_id]).map(drop)
    }

    /// Removes all parts.
    pub(crate) fn clear(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_part", []).map(drop)
    }
}
