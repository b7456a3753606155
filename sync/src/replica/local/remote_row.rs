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
        let sql = "SELECT url, packs, epoch, last_push_id, mark FROM fastest_local_remote";
        let mut found = self.0.all(sql, [], |row| {
            Ok(RemoteState {
                url: row.get(0)?,
                packs: Packs::from_cell(row.get(1)?),
                epoch: row.get(2)?,
                last_push_id: row.get(3)?,
                // If it is not readable, the primary is trusted as if this device had seen nothing.
                mark: row.get::<_, Option<String>>(4)?.and_then(|m| serde_json::from_str(&m).ok()),
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    /// Replaces the remembered state.
    pub(crate) fn put(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        let RemoteState { url, packs, epoch, last_push_id, mark } = remote;
        let mark = mark.as_ref().map(|mark| serde_json::to_string(mark).expect("texts serialise"));
        self.0.run(
            "INSERT OR REPLACE INTO
             fastest_local_remote(one, url, packs, epoch, last_push_id, mark)
             VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![url, packs.to_cell(), epoch, last_push_id, mark],
        )?;
        Ok(())
    }

    /// Forgets the identity of the primary that answered last, so that the next one counts as new.
    pub(crate) fn forget_primary(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_remote SET epoch = NULL, last_push_id = NULL,
                   mark = NULL";
        self.0.run(sql, []).map(drop)
    }
}
