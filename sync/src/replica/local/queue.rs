//! Pushes that could not reach the primary: the table `fastest_local_queued`.

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use fastest_schema::ScopeId;
use rusqlite::params;

/// The scopes whose push waits for the primary, oldest first.
#[derive(Clone, Copy)]
pub(crate) struct Queue<'a>(pub(crate) Session<'a>);

impl Queue<'_> {
    /// Returns the scopes whose push waits, oldest first.
    pub(crate) fn scopes(&self) -> Result<Vec<ScopeId>, ReplicaError> {
        self.0.all("SELECT scope FROM fastest_local_queued ORDER BY place", [], |row| row.get(0))
    }

    /// Returns since when a push of the scope waits: RFC 3339, UTC; `None` if none waits.
    pub(crate) fn since(&self, scope: &ScopeId) -> Result<Option<String>, ReplicaError> {
        self.0.get("SELECT since FROM fastest_local_queued WHERE scope = ?1", [scope])
    }

    /// Queues the push of a scope, if it is not queued yet.
    pub(crate) fn add(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        let sql = "INSERT OR IGNORE INTO fastest_local_queued(scope, since) VALUES (?1, ?2)";
        self.0.run(sql, params![scope, self.0.world.now_text()]).map(drop)
    }

    /// Takes a scope out of the queue, because its push was accepted.
    pub(crate) fn remove(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_queued WHERE scope = ?1", [scope]).map(drop)
    }
}
