//! The remote that the replica follows: the table `fastest_local_remote`.

use rusqlite::params;

use crate::remote::state::{Packs, RemoteState};
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The state of the remote, as the device remembers it.
#[derive(Clone, Copy, Debug)]
pub struct RemoteRow<'a>(pub Session<'a>);

impl RemoteRow<'_> {
    /// Returns the remembered state; the default if there is none.
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

    /// Replaces the remembered state.
    pub(crate) fn put(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        self.0.run(
            "INSERT OR REPLACE INTO
             fastest_local_remote(one, url, packs, epoch, last_push_id)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![remote.url, remote.packs.to_cell(), remote.epoch, remote.last_push_id],
        )?;
        Ok(())
    }

    /// Forgets the identity of the primary that answered last, so that the next one counts as new.
    pub(crate) fn forget_primary(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_remote SET epoch = NULL, last_push_id = NULL";
        self.0.run(sql, []).map(drop)
    }
}
