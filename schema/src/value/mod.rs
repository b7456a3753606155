//! Values as SQLite stores them, and as they are sent.

pub(crate) mod deserialize;
pub(crate) mod hex;
pub mod kind;
pub mod serialize;
pub mod sql_value;
pub mod wire;
