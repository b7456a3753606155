//! Which remote the replica follows: the table `fastest_local_remote`.

use rusqlite::params;

use crate::remote::state::{Packs, RemoteState};
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

impl Session<'_> {
    /// What the device remembers of its remote.
    pub fn remote(&self) -> Result<RemoteState, ReplicaError> {
        let sql = "SELECT url, packs, epoch, last_push_id FROM fastest_local_remote";
        let mut found = self.all(sql, [], |row| {
            Ok(RemoteState {
                url: row.get(0)?,
                packs: Packs::from_cell(row.get(1)?),
                epoch: row.get(2)?,
                last_push_id: row.get(3)?,
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    pub(crate) fn put_remote(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        self.run(
            "INSERT OR REPLACE INTO
             fastest_local_remote(one, url, packs, epoch, last_push_id)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![remote.url, remote.packs.to_cell(), remote.epoch, remote.last_push_id],
        )?;
        Ok(())
    }
}
