//! What a database really contains, and how that differs from what it should.

pub mod compare;
pub mod database;
pub mod introspect;

// Old paths, until every crate uses the new ones.
pub use database::{Live, LiveColumn, LiveIndex, LiveKey, LiveObject, LiveTable, Written};
pub use introspect::{LIVE_SQL, LiveError};
