//! Which remote the replica follows: the table `fastest_local_remote`.

use rusqlite::params;

use crate::remote::state::{Packs, RemoteState};
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// What the device remembers of its remote.
#[derive(Clone, Copy, Debug)]
pub struct RemoteRow<'a>(pub Session<'a>);

impl RemoteRow<'_> {
    /// Returns what the device remembers of its remote.
    pub fn get(&self) -> Result<RemoteState, ReplicaError> {
        let sql = "SELECT url, packs, epoch, last_push_id FROM fastest_local_remote";
        let mut found = self.0.all(sql, [], |row| {
            Ok(RemoteState {
                url: row.get(0)?,
                packs: Packs::from_cell(row.get(1)?),
                epoch: row.get(2)?,
                last_push_id: row.get(3)?,
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    /// Replaces what the device remembers.
    pub(crate) fn put(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        self.0.run(
            "INSERT OR REPLACE INTO
             fastest_local_remote(one, url, packs, epoch, last_push_id)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![remote.url, remote.packs.to_cell(), remote.epoch, remote.last_push_id],
        )?;
        Ok(())
    }

    /// Forgets which primary answered last, so that the next one that answers is taken as new.
    pub(crate) fn forget_primary(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_remote SET epoch = NULL, last_push_id = NULL";
        self.0.run(sql, []).map(drop)
    }
}
