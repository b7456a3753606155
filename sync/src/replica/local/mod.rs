//! The tables of a replica that are never sent, and `fastest_changes`: one file owns each, and has all
//! the SQL on it.
//!
//! Each file has a view that borrows a [`Session`](crate::replica::session::Session): `Outbox(session)`
//! reads and writes the outbox within that session's transaction.

pub(crate) mod children;
pub(crate) mod conflicts;
pub(crate) mod copies;
pub(crate) mod cursors;
pub(crate) mod device_row;
pub(crate) mod held;
pub(crate) mod known;
pub mod outbox;
pub(crate) mod parts;
pub(crate) mod queue;
pub(crate) mod refused;
pub mod remote_row;
pub(crate) mod schema_row;
pub(crate) mod sent_row;
