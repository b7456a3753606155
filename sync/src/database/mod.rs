//! The entry point for applications with tables of their own.

pub mod error;
pub mod open;
pub mod transaction;
