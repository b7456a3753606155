//! How far each scope has been read: the tables `fastest_local_cursor` and `fastest_local_reading`.

use fastest_schema::ScopeId;
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The last sequence number that was read in each scope, and the scopes that are being read from their
/// beginning.
#[derive(Clone, Copy)]
pub(crate) struct Cursors<'a>(pub(crate) Session<'a>);

impl Cursors<'_> {
    /// Returns the last sequence number that was read in a scope; 0 if none was.
    pub(crate) fn of(&self, scope: &ScopeId) -> Result<i64, ReplicaError> {
        let sql = "SELECT seq FROM fastest_local_cursor WHERE scope = ?1";
        Ok(self.0.get(sql, [scope])?.unwrap_or(0))
    }

    /// Records that a scope was read up to `seq`.
    pub(crate) fn put(&self, scope: &ScopeId, seq: i64) -> Result<(), ReplicaError> {
        let sql = "INSERT INTO fastest_local_cursor(scope, seq) VALUES (?1, ?2)
                   ON CONFLICT(scope) DO UPDATE SET seq = excluded.seq";
        self.0.run(sql, params![scope, seq]).map(drop)
    }

    /// Makes the next pull read every scope from its beginning.
    pub(crate) fn rewind_all(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_cursor", []).map(drop)
    }

    /// Makes the next pull read a scope from its beginning.
    pub(crate) fn rewind(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_cursor WHERE scope = ?1", [scope])?;
        self.begin_reading(scope)
    }

    /// Records that a scope is being read from its beginning. So the work after the last page is
    /// done even if the process is killed before that.
    pub(crate) fn begin_reading(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        let sql = "INSERT OR IGNORE INTO fastest_local_reading(scope) VALUES (?1)";
        self.0.run(sql, [scope]).map(drop)
    }

    /// Whether a scope is being read from its beginning.
    pub(crate) fn is_reading(&self, scope: &ScopeId) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_reading WHERE scope = ?1";
        Ok(self.0.get::<i64>(sql, [scope])?.is_some())
    }

    /// Records that a scope has been read to its end. Returns whether it was read from its beginning.
    pub(crate) fn end_reading(&self, scope: &ScopeId) -> Result<bool, ReplicaError> {
        let sql = "DELETE FROM fastest_local_reading WHERE scope = ?1";
        Ok(self.0.run(sql, [scope])? > 0)
    }

    /// Forgets how far all scopes were read.
    pub(crate) fn clear(&self) -> Result<(), ReplicaError> {
        self.rewind_all()?;
        self.0.run("DELETE FROM fastest_local_reading", []).map(drop)
    }

    /// Returns the scopes that were read, or are being read from their beginning.
    pub(crate) fn scopes(&self) -> Result<Vec<ScopeId>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_local_cursor UNION
                   SELECT scope FROM fastest_local_reading";
        self.0.all(sql, [], |row| row.get(0))
    }
}
