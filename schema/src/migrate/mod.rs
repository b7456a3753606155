//! Plans migrations from a recorded schema to a declared one, for primaries and for replicas.

pub(crate) mod change;
pub(crate) mod change_sql;
pub mod diff;
pub(crate) mod drop;
pub mod folder;
pub mod note;
pub(crate) mod objects;
pub(crate) mod pairing;
pub mod plan;
pub mod replica;
pub(crate) mod rows;
pub(crate) mod text;
