//! What a database really contains, and how that differs from what it should.

pub mod compare;
pub mod database;
pub mod introspect;
