//! The children of snapshots: the table `fastest_local_child`, and an index that finds snapshots by
//! the random part of their ids.
//!
//! A snapshot lists its parents in a JSON column, into which no index of SQLite can look. Triggers
//! maintain the other direction. A migration of the replica may recreate the table of snapshots
//! without the triggers. So whenever the file is brought up to date and they are missing, they are
//! created, and the table is filled again.

use fastest_schema::{ProjectId, SnapshotId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The parents of a snapshot as rows; none if the column does not hold valid JSON.
const PARENTS: &str =
    "json_each(iif(json_valid(s.parent_snapshot_ids), s.parent_snapshot_ids, '[]'))";

/// The children of snapshots, in any project.
#[derive(Clone, Copy)]
pub(crate) struct Children<'a>(pub(crate) Session<'a>);

impl Children<'_> {
    /// Creates the triggers and the index of snapshots, and fills the table, if the triggers are
    /// missing.
    pub(crate) fn attach(&self) -> Result<(), ReplicaError> {
        let there = "SELECT count(*) FROM sqlite_master WHERE name IN
                     ('fastest_local_child_add', 'fastest_local_child_drop')";
        if self.0.get::<i64>(there, [])? == Some(2) {
            return Ok(());
        }
        let (new, old) = (PARENTS.replace("s.", "new."), PARENTS.replace("s.", "old."));
        let sql = format!(
            "DELETE FROM fastest_local_child;
             INSERT OR IGNORE INTO fastest_local_child(parent, child)
               SELECT parent.value, s.id FROM snapshots AS s, {PARENTS} AS parent
               WHERE parent.type = 'text';
             DROP TRIGGER IF EXISTS fastest_local_child_add;
             CREATE TRIGGER fastest_local_child_add AFTER INSERT ON snapshots BEGIN
               INSERT OR IGNORE INTO fastest_local_child(parent, child)
                 SELECT parent.value, new.id FROM {new} AS parent WHERE parent.type = 'text';
             END;
             DROP TRIGGER IF EXISTS fastest_local_child_drop;
             CREATE TRIGGER fastest_local_child_drop AFTER DELETE ON snapshots BEGIN
               DELETE FROM fastest_local_child WHERE child = old.id
                 AND parent IN (SELECT parent.value FROM {old} AS parent);
             END;
             CREATE INDEX IF NOT EXISTS fastest_local_snapshot_random
               ON snapshots(substr(id, 16));"
        );
        self.0.connection.execute_batch(&sql).map_err(|error| self.0.failed(error))
    }

    /// Returns the children of a snapshot that belong to the project.
    pub(crate) fn of(
        &self,
        parent: &SnapshotId,
        project_id: &ProjectId,
    ) -> Result<Vec<SnapshotId>, ReplicaError> {
        let sql = "SELECT child FROM fastest_local_child JOIN snapshots ON id = child
                   WHERE parent = ?1 AND project_id = ?2";
        self.0.all(sql, params![parent, project_id], |row| row.get(0))
    }
}
