//! Values in the form that SQLite stores, and in the form that is sent.

pub(crate) mod deserialize;
pub(crate) mod hex;
pub mod kind;
pub mod serialize;
pub mod sql_value;
pub mod wire;
