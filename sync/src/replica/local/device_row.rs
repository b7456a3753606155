//! The identity of this device: the table `fastest_local_device`.

use fastest_schema::tables::auth::User;
use fastest_schema::{DeviceId, Row};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::replica::values::values_of;

/// The device's id, its user, and how often it has pushed.
#[derive(Clone, Copy)]
pub(crate) struct DeviceRow<'a>(pub(crate) Session<'a>);

impl DeviceRow<'_> {
    /// Whether the file has a device id.
    pub(crate) fn is_introduced(&self) -> Result<bool, ReplicaError> {
        Ok(self.0.get::<i64>("SELECT 1 FROM fastest_local_device", [])?.is_some())
    }

    /// Assigns an application's file a device id, if it has none. The user id stays empty, because
    /// applications manage their users themselves. Returns whether the file had no id.
    pub(crate) fn introduce_file(&self) -> Result<bool, ReplicaError> {
        if self.is_introduced()? {
            return Ok(false);
        }
        let sql = "INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, ?1, '')";
        self.0.run(sql, [self.0.world.new_id()])?;
        Ok(true)
    }

    /// Counts a push. Returns the device's id and its count of pushes, this one included.
    pub(crate) fn next_push(&self) -> Result<(DeviceId, i64), ReplicaError> {
        self.0.run("UPDATE fastest_local_device SET counter = counter + 1", [])?;
        self.counter()
    }

    /// Returns the device's id and its count of pushes so far.
    pub(crate) fn counter(&self) -> Result<(DeviceId, i64), ReplicaError> {
        let sql = "SELECT device_id, counter FROM fastest_local_device";
        let mut found = self.0.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.pop().expect("the device has its row since the replica was made"))
    }

    /// Assigns a new device id, under which all later pushes are sent, and restarts the count of
    /// pushes.
    pub(crate) fn reset_identity(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_device SET device_id = ?1, counter = 0";
        self.0.run(sql, [self.0.world.new_id()])?;
        Ok(())
    }

    /// Assigns the device an id and a user of its own, if it has none.
    pub(crate) fn introduce(&self, user_name: Option<&str>) -> Result<(), ReplicaError> {
        if self.0.get::<String>("SELECT user_id FROM fastest_local_device", [])?.is_some() {
            return Ok(());
        }
        let user_id = self.0.world.new_id();
        let user = User {
            // No mail reaches this address (RFC 2606). It is used until the user signs in somewhere.
            email: format!("{}@fastest.invalid", user_id.to_lowercase()),
            id: user_id.clone(),
            name: user_name.map(str::to_owned),
            picture: None,
            created_at: self.0.world.now_text(),
        };
        self.0.put_values(User::TABLE, &values_of(&user))?;
        self.0.run(
            "INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, ?1, ?2)",
            params![self.0.world.new_id(), user_id],
        )?;
        Ok(())
    }

    /// Returns the id of the user whose device this is.
    pub(crate) fn user_id(&self) -> Result<String, ReplicaError> {
        let found = self.0.get("SELECT user_id FROM fastest_local_device", [])?;
        Ok(found.expect("the device was introduced when it was opened"))
    }
}
