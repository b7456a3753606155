//! The device's own SQLite file: its layout, its rows as values, and the tables that are never
//! sent.

pub(crate) mod engine_table;
pub mod error;
pub(crate) mod keys;
pub(crate) mod layout;
pub mod local;
pub mod open;
pub(crate) mod scope;
pub mod session;
pub mod values;
