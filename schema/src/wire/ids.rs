//! The ids of scopes, rows, pushes and devices, as they are sent.

use crate::declare::id_type::id_type;
use crate::tables::ids::ProjectId;

id_type! {
    /// The scope of a row: the value that decides which devices get the row. In Fastest's own
    /// tables, the scope is a project id, or a user id for `users`.
    pub struct ScopeId;

    /// The key of a row in its table: the text of its primary key.
    pub struct RowKey;

    /// The id of a push: a ULID.
    pub struct PushId;

    /// The id of a device: a ULID.
    pub struct DeviceId;
}

impl ProjectId {
    /// Returns the scope of the project's rows.
    pub fn scope(&self) -> ScopeId {
        ScopeId::from(self.as_str())
    }
}

impl RowKey {
    /// Returns the key of the row that has this id.
    pub fn of(id: &impl AsRef<str>) -> RowKey {
        RowKey::from(id.as_ref())
    }
}

impl ScopeId {
    /// Returns the project of this scope, which must be one of Fastest's own and not a user's.
    pub fn project(&self) -> ProjectId {
        ProjectId::from(self.as_str())
    }
}
