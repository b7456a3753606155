//! The schema that a database really has, and how it differs from the expected one.

pub mod compare;
pub mod database;
pub mod introspect;
