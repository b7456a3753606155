//! Values as SQLite stores them, and as they are sent.

pub(crate) mod deserialize;
pub(crate) mod hex;
pub(crate) mod kind;
pub mod serialize;
pub mod sql_value;
pub mod wire;

// Old paths, until every crate uses the new ones.
pub use serialize::named_values;
pub use sql_value::{Value, ValueError};
pub use wire::{Misfit, list_from_wire, list_to_wire};
