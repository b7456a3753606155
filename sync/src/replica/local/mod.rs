//! The tables of a replica that are never sent, and `fastest_changes`. A file here owns each table,
//! and has nearly all of the SQL on it.
//!
//! Each file has a type that wraps a [`Session`](crate::replica::session::Session):
//! `Outbox(session)` reads and writes the outbox within that session's transaction.

pub(crate) mod children;
pub(crate) mod conflicts;
pub(crate) mod copies;
pub(crate) mod cursors;
pub(crate) mod device_row;
pub(crate) mod held;
pub(crate) mod known;
pub(crate) mod operations;
pub mod outbox;
pub(crate) mod parts;
pub(crate) mod previews;
pub(crate) mod queue;
pub(crate) mod refused;
pub mod remote_row;
pub(crate) mod schema_row;
pub(crate) mod sent_row;
