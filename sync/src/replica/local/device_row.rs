//! Who this device is: the table `fastest_local_device`.

use fastest_schema::Row;
use fastest_schema::tables::auth::User;
use rusqlite::params;

use crate::base::clock;
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::replica::values::values_of;

/// The device's id, its user, and how often it has pushed.
#[derive(Clone, Copy)]
pub(crate) struct DeviceRow<'a>(pub(crate) Session<'a>);

impl DeviceRow<'_> {
    /// Whether the file has its device id.
    pub(crate) fn is_introduced(&self) -> Result<bool, ReplicaError> {
        Ok(self.0.get::<i64>("SELECT 1 FROM fastest_local_device", [])?.is_some())
    }

    /// Assigns an application's file its device id, the first time. Who the user is, is the application's
    /// own affair. Returns whether this was the first time.
    pub(crate) fn introduce_file(&self) -> Result<bool, ReplicaError> {
        if self.is_introduced()? {
            return Ok(false);
        }
        let sql = "INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, ?1, '')";
        self.0.run(sql, [clock::new_id()])?;
        Ok(true)
    }

    /// The device's id, and its count of pushes with this one.
    pub(crate) fn next_push(&self) -> Result<(String, i64), ReplicaError> {
        self.0.run("UPDATE fastest_local_device SET counter = counter + 1", [])?;
        self.counter()
    }

    /// The device's id, and its count of pushes so far.
    pub(crate) fn counter(&self) -> Result<(String, i64), ReplicaError> {
        let sql = "SELECT device_id, counter FROM fastest_local_device";
        let mut found = self.0.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.pop().expect("the device has its row since the replica was made"))
    }

    /// From here on, pushes are those of another device.
    pub(crate) fn become_new(&self) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_device SET device_id = ?1, counter = 0";
        self.0.run(sql, [clock::new_id()])?;
        Ok(())
    }

    /// Assigns the device its id, and a user of its own, the first time.
    pub(crate) fn introduce(&self, user_name: Option<&str>) -> Result<(), ReplicaError> {
        if self.0.get::<String>("SELECT user_id FROM fastest_local_device", [])?.is_some() {
            return Ok(());
        }
        let user_id = clock::new_id();
        let user = User {
            // A name that no mail reaches (RFC 2606), until the user signs in somewhere.
            email: format!("{}@fastest.invalid", user_id.to_lowercase()),
            id: user_id.clone(),
            name: user_name.map(str::to_owned),
            picture: None,
            created_at: clock::now(),
        };
        self.0.put_values(User::TABLE, &values_of(&user))?;
        self.0.run(
            "INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, ?1, ?2)",
            params![clock::new_id(), user_id],
        )?;
        Ok(())
    }

    /// The user whose device this is.
    pub(crate) fn user_id(&self) -> Result<String, ReplicaError> {
        let found = self.0.get("SELECT user_id FROM fastest_local_device", [])?;
        Ok(found.expect("the device was introduced when it was opened"))
    }
}
