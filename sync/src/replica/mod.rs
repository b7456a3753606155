//! The device's own SQLite file: its layout, its rows as values, and the tables that are never sent.

pub mod error;
pub(crate) mod keys;
pub(crate) mod layout;
pub mod local;
pub mod open;
pub(crate) mod own;
pub(crate) mod scope;
pub mod session;
pub mod values;
