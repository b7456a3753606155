//! What declarations must hold to be used.

pub mod cascade;
pub(crate) mod declarations;
pub(crate) mod schema;
