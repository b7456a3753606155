//! What identifies rows, scopes and pushes, in the forms that travel.

use crate::declare::id_type::id_type;
use crate::tables::ids::ProjectId;

id_type! {
    /// The scope of a row: the id by which rows are shared with devices. Fastest's own scopes are ids
    /// of projects.
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
    /// Returns the project whose rows these are, in Fastest's own tables.
    pub fn project(&self) -> ProjectId {
        ProjectId::from(self.as_str())
    }
}
