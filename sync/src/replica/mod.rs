//! The device's own SQLite file: its layout, its rows as values, and the tables that never travel.

pub mod error;
pub(crate) mod held;
pub(crate) mod keys;
pub(crate) mod layout;
pub mod open;
pub mod outbox;
pub(crate) mod own;
pub(crate) mod remote_row;
pub(crate) mod scope;
pub mod session;
pub mod values;
