//! The door for an application with tables of its own.

pub mod error;
pub mod open;
pub mod transaction;
